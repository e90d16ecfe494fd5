"""Cutting a face out of a picture, upright and at a chosen size, and putting it back."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from likeness.faces.pose import euler_deg, head_pose
from likeness.faces.sampling import Affine, sample, transform
from likeness.faces.topology import canonical_mesh
from likeness.types import Floats, Picture

HEAD_AND_SHOULDERS = 2.3
"""Side of the square around head and shoulders, in heights of the face."""

RAISE = 0.02  # of the side: what lies above the face matters less than what lies below it


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """A square of a picture, possibly turned and scaled.

    Attributes:
        to_picture: (2, 3) float64, indices of the crop to indices of the picture; a similarity.
        size_px: side of the crop.
    """

    to_picture: Affine
    size_px: int

    @classmethod
    def around(
        cls, points: Floats, size_px: int, *, side: float = HEAD_AND_SHOULDERS, level: bool = False
    ) -> Crop:
        """The crop whose middle is the middle of the face.

        Args:
            points: (478, 3) px.
            size_px: side of the crop.
            side: side of the square in the picture, in heights of the face.
            level: turn the head upright.
        """
        low, high = points[:468, :2].min(0), points[:468, :2].max(0)
        length = side * float((high - low).max())
        pose = head_pose(points, canonical_mesh())
        roll_rad = math.radians(float(euler_deg(pose.rotation)[2])) if level else 0.0
        up = RAISE * length * np.array([math.sin(roll_rad), -math.cos(roll_rad)])
        x, y = ((low + high) / 2 + up).tolist()
        return cls.of_square(x, y, length, size_px, roll_rad)

    @classmethod
    def of_square(cls, x: float, y: float, side_px: float, size_px: int, angle_rad: float = 0.0) -> Crop:
        """The crop of the square whose middle is at index (x, y), turned clockwise by `angle_rad`."""
        step = side_px / size_px
        cos, sin = step * math.cos(angle_rad), step * math.sin(angle_rad)
        matrix = np.array([[cos, -sin, x], [sin, cos, y]])
        matrix[:, 2] -= matrix[:, :2] @ ((size_px - 1) / 2, (size_px - 1) / 2)
        return cls(matrix, size_px)

    @property
    def to_crop(self) -> Affine:
        """(2, 3) float64, indices of the picture to indices of the crop."""
        return np.asarray(cv2.invertAffineTransform(self.to_picture), np.float64)

    @property
    def scale(self) -> float:
        """Pixels of the picture per pixel of the crop."""
        return math.hypot(self.to_picture[0, 0], self.to_picture[1, 0])

    def cut(self, image: Picture) -> Picture:
        """The crop, (size_px, size_px, c) uint8; what lies outside the picture repeats its border."""
        return sample(image, self.to_picture, self.size_px, self.size_px)

    def cut_points(self, points: Floats) -> Floats:
        """Points (n, 3) of the picture, px, in the crop."""
        return _moved(points, self.to_crop, 1 / self.scale)

    def restore_points(self, points: Floats) -> Floats:
        """Points (n, 3) of the crop, px, in the picture."""
        return _moved(points, self.to_picture, self.scale)

    def paste(self, picture: Picture, crop: Picture, mask: Floats) -> Picture:
        """A copy of `picture` with `crop` where `mask` says so.

        Args:
            picture: (h, w, 3) uint8.
            crop: (size_px, size_px, 3) uint8.
            mask: (size_px, size_px) float32, 0…1; 0 outside the crop.
        """
        left, top, right, bottom = self._bounds(picture)
        result = picture.copy()
        if left >= right or top >= bottom:
            return result
        to_crop = self.to_crop
        to_crop[:, 2] += to_crop[:, :2] @ (left, top)
        size = (right - left, bottom - top)
        # The colours reach beyond the crop, so that its border takes no black; the mask does not.
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        colours = cv2.warpAffine(crop, to_crop, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        share = cv2.warpAffine(mask, to_crop, size, flags=flags, borderMode=cv2.BORDER_CONSTANT)[..., None]
        part = result[top:bottom, left:right]
        part[:] = np.rint(part + share * (colours.astype(np.float32) - part)).astype(np.uint8)
        return result

    def _bounds(self, picture: Picture) -> tuple[int, int, int, int]:
        """Left, top, right, bottom of the part of the picture that the crop touches."""
        end = self.size_px
        corners = transform(np.array([[-1, -1], [end, -1], [-1, end], [end, end]]), self.to_picture)
        low = np.clip(np.floor(corners.min(0)), 0, None).astype(int)
        high = np.clip(np.ceil(corners.max(0)) + 1, None, picture.shape[1::-1]).astype(int)
        return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def soft_mask(size_px: int, feather: float = 0.08) -> Floats:
    """A mask that is 1 inside and falls smoothly to 0 at the border; (size_px, size_px) float32.

    Args:
        feather: width of the fall, as a share of the side.
    """
    index = np.arange(size_px, dtype=np.float32)
    distance = np.minimum(index, size_px - 1 - index) / np.float32(max(feather * size_px, 1e-6))
    ramp = np.clip(distance, 0, 1)
    ramp = ramp * ramp * (3 - 2 * ramp)
    return np.asarray(np.minimum(ramp[:, None], ramp[None, :]), np.float32)


def _moved(points: Floats, matrix: Affine, scale: float) -> Floats:
    moved = points.astype(np.float64)
    moved[:, :2] = transform(points[:, :2], matrix)
    moved[:, 2] *= scale
    return moved.astype(np.float32)
