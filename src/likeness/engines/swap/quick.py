"""A swap without training: the nearest look of B, bent onto A's points by the mesh.

What moves is A's: the lips, the lids, where the eyes look. What it is painted with is B's. The shape of the
face stays A's too, and so about half of the likeness; what is seen between the lips stays A's wholly.
"""

from __future__ import annotations

import numpy as np

from likeness.engines.swap.mask import face_mask, mouth_mask, soften
from likeness.engines.swap.meshwarp import warp
from likeness.engines.swap.nearest import Choice, Look
from likeness.faces.aligned import Alignment
from likeness.types import Face, Floats, Picture

NAME, VERSION = "mesh-swap", "1"
SMALLEST_PX, LARGEST_PX = 96, 512


class QuickSwap:
    """One clip's new faces, in order. An instance belongs to one thread.

    Args:
        looks: of B.
        rate_hz: frames a second.
    """

    def __init__(self, looks: tuple[Look, ...], rate_hz: float) -> None:
        self._choice = Choice(looks, rate_hz)

    def render(self, face: Face, square: Alignment) -> tuple[Picture, Floats, Floats]:
        """The new face in the old one's square, where it is, and what of it is to be seen.

        Returns:
            (n, n, 3) uint8 RGB, (n, n) float32 and (n, n) float32, 0…1. n is about what the square has in the
            picture, from 96 to 512 px.
        """
        size = int(np.clip(np.ceil(square.side_px / 16) * 16, SMALLEST_PX, LARGEST_PX))
        points = square.cut_points(face.points, size)
        mixed, seen = np.zeros((size, size, 4), np.float32), np.zeros((size, size), np.float32)
        for look, share in self._choice.choose(face):
            bent, there = warp(look.texture, look.points, points, size)
            weight = np.float32(share) * there
            mixed += weight[:, :, None] * bent
            seen += weight
        mixed /= np.maximum(seen, 1e-3)[:, :, None]
        mask = face_mask(points, size) * soften((seen > 0.5).astype(np.float32), erode=0.0, blur=0.01)
        shown = mixed[:, :, 3] / np.float32(255) * (1 - mouth_mask(points, size))
        return np.asarray(mixed[:, :, :3] + 0.5, np.uint8), mask, np.asarray(shown, np.float32)

    def forget(self) -> None:
        """The face was gone: begin anew."""
        self._choice.forget()
