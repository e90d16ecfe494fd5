"""Cutting the head out of a picture, at a chosen size."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from likeness.faces.sampling import Affine, sample
from likeness.types import Floats, Picture

HEAD_AND_SHOULDERS = 2.3
"""Side of the square around head and shoulders, in heights of the face."""

RAISE = 0.02  # of the side: what lies above the face matters less than what lies below it


@dataclass(frozen=True, slots=True)
class Crop:
    """An upright square of a picture, scaled.

    Attributes:
        x, y: what the middle of the crop shows, indices of the picture.
        side_px: of the square in the picture.
        size_px: side of the crop.
    """

    x: float
    y: float
    side_px: float
    size_px: int

    @classmethod
    def around(cls, points: Floats, size_px: int) -> Crop:
        """Head and shoulders of the face with these (478, 3) points, px."""
        low, high = points[:468, :2].min(0), points[:468, :2].max(0)
        side_px = HEAD_AND_SHOULDERS * float((high - low).max())
        x, y = ((low + high) / 2).tolist()
        return cls(x, y - RAISE * side_px, side_px, size_px)

    def within(self, width: int, height: int) -> Crop:
        """The crop inside a picture of this size: no larger than its shorter side, moved where it must."""
        side_px = min(self.side_px, float(width), float(height))
        half = (side_px - 1) / 2
        x = min(max(self.x, half), width - 1 - half)
        y = min(max(self.y, half), height - 1 - half)
        return replace(self, x=x, y=y, side_px=side_px)

    @property
    def scale(self) -> float:
        """Pixels of the picture per pixel of the crop."""
        return self.side_px / self.size_px

    @property
    def to_picture(self) -> Affine:
        """(2, 3) float64, indices of the crop to indices of the picture."""
        middle = (self.size_px - 1) / 2
        step = self.scale
        return np.array([[step, 0, self.x - step * middle], [0, step, self.y - step * middle]])

    def cut(self, image: Picture) -> Picture:
        """The crop, (size_px, size_px, …) uint8; what lies outside the picture repeats its border."""
        return sample(image, self.to_picture, self.size_px, self.size_px)

    def cut_points(self, points: Floats) -> Floats:
        """Points (n, 3) of the picture, px, in the crop."""
        middle = (self.size_px - 1) / 2
        moved = (points.astype(np.float64) - [self.x, self.y, 0]) / self.scale + [middle, middle, 0]
        return moved.astype(np.float32)
