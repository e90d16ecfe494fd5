"""Looking at a part of a picture: rotated regions, and sampling them without aliasing.

All coordinates are pixel indices: the centre of a pixel is an integer. Matrices are (2, 3) float64 and map
indices of the crop to indices of the picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.types import Picture

Affine = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Region:
    """A rotated rectangle of a picture: centre and size in px, angle in radians, clockwise as seen.

    The centre is what index n / 2 of a crop of n pixels shows, as in the pipeline that the networks come
    from. (n - 1) / 2 would be the exact middle, but changes what they say by up to one of their pixels.
    """

    x: float
    y: float
    width: float
    height: float
    angle_rad: float = 0.0

    @classmethod
    def whole(cls, image: Picture) -> Region:
        """The smallest upright square that holds the whole picture."""
        height, width = image.shape[:2]
        side = float(max(height, width))
        return cls(width / 2, height / 2, side, side)

    def to_picture(self, columns: int, rows: int) -> Affine:
        """The matrix from a `columns` × `rows` crop of this region to the picture."""
        cos, sin = math.cos(self.angle_rad), math.sin(self.angle_rad)
        across, down = self.width / columns, self.height / rows
        matrix = np.array([[cos * across, -sin * down, self.x], [sin * across, cos * down, self.y]])
        matrix[:, 2] -= matrix[:, :2] @ (columns / 2, rows / 2)
        return matrix


def transform(points: NDArray[np.floating], matrix: Affine) -> NDArray[np.float64]:
    """The image of (…, 2) points under a (2, 3) matrix."""
    moved: NDArray[np.float64] = points @ matrix[:, :2].T + matrix[:, 2]
    return moved


def sample(
    image: Picture,
    to_picture: Affine,
    columns: int,
    rows: int,
    *,
    border: int = cv2.BORDER_REPLICATE,
    antialias: bool = True,
) -> Picture:
    """Samples `image` where `to_picture` takes the indices of a `columns` × `rows` crop.

    Args:
        image: (h, w) or (h, w, c).
        border: what lies outside the picture, one of OpenCV's border modes.
        antialias: average whole blocks of pixels where a step of the crop is longer than two of them.
    """
    block = math.floor(math.sqrt(abs(np.linalg.det(to_picture[:, :2])))) if antialias else 1
    image, to_picture = _looked_at(image, to_picture, columns, rows, max(block, 2))
    if block >= 2:
        image, to_picture = _reduced(image, to_picture, block)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    # OpenCV warps four channels in a quarter of the time that it takes for three. That pays unless the
    # picture is many times larger than the crop.
    is_slow = image.shape[2:] == (3,) and image.size < 24 * columns * rows
    if is_slow:
        image = cv2.cvtColor(image, cv2.COLOR_RGB2RGBA)
    crop = cv2.warpAffine(image, to_picture, (columns, rows), flags=flags, borderMode=border)
    return np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGBA2RGB) if is_slow else crop, np.uint8)


def _looked_at(
    image: Picture, to_picture: Affine, columns: int, rows: int, margin: int
) -> tuple[Picture, Affine]:
    """The part of the picture that the crop looks at, `margin` px more around, and the matrix for it."""
    corners = transform(np.array([[0, 0], [columns, 0], [0, rows], [columns, rows]]) - 0.5, to_picture)
    low, high = corners.min(0) - margin, corners.max(0) + margin
    size = np.array(image.shape[1::-1])
    # Not nothing, also where the crop lies beside the picture and shows its border alone.
    left, top = np.clip(low, 0, np.maximum(size - margin, 0)).astype(int)
    right, bottom = np.clip(high, (left + margin, top + margin), None).astype(int)
    matrix = to_picture.copy()
    matrix[:, 2] -= [left, top]
    return image[top:bottom, left:right], matrix


def _reduced(image: Picture, to_picture: Affine, block: int) -> tuple[Picture, Affine]:
    """The picture `block` times smaller, and the matrix that fits it."""
    blocks = np.maximum(np.array(image.shape[1::-1]) // block, 1)
    image = image[: blocks[1] * block, : blocks[0] * block]
    small = cv2.resize(image, (int(blocks[0]), int(blocks[1])), interpolation=cv2.INTER_AREA)
    step = np.array(image.shape[1::-1]) / blocks
    matrix = to_picture.copy()
    matrix[:, 2] += 0.5
    matrix /= step[:, None]
    matrix[:, 2] -= 0.5
    return np.asarray(small, np.uint8), matrix
