"""What the network that mends a bent face is shown of it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.faces.topology import EYES, INNER_MOUTH
from likeness.types import Floats

IRIS_SHARE = 0.23
"""Radius of an iris in eye widths."""
_BITS = 4


def maps_of(points: Floats, size_px: int) -> NDArray[np.uint8]:
    """Where the eyes are open, the mouth, and where the irises are, (size_px, size_px, 3) uint8, 255 inside.

    Args:
        points: (478, 2 or 3) float32 px in the square.
    """
    eyes, mouth, irises = (np.zeros((size_px, size_px), np.uint8) for _ in range(3))
    for eye in EYES:
        _fill(eyes, points[list(eye.outline), :2])
        width = float(np.linalg.norm(points[eye.corners[0], :2] - points[eye.corners[1], :2]))
        x, y = _fixed(points[eye.iris, :2]).tolist()
        cv2.circle(
            irises, (x, y), max(1, round(IRIS_SHARE * width * (1 << _BITS))), 255, -1, cv2.LINE_AA, _BITS
        )
    _fill(mouth, points[list(INNER_MOUTH), :2])
    return np.dstack([eyes, mouth, np.minimum(irises, eyes)])


def _fill(plane: NDArray[np.uint8], outline: Floats) -> None:
    cv2.fillPoly(plane, [_fixed(outline)], 255, cv2.LINE_AA, _BITS)


def _fixed(points: Floats) -> NDArray[np.int32]:
    # Beyond OpenCV's range nothing can be seen anyway.
    return np.rint(np.clip(points, -4000, 4000) * (1 << _BITS)).astype(np.int32)
