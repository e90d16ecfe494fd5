"""A square put back into the picture that it was cut from."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from likeness.compiled import compiled
from likeness.faces.aligned import Alignment
from likeness.faces.sampling import transform
from likeness.types import Floats, Picture

_COARSE = 1.5
"""A square with so many times more pixels than it gets in the picture is made smaller first."""


def paste(
    image: Picture,
    face: Picture,
    mask: Floats,
    square: Alignment,
    *,
    face_scale: float = 1.0,
    sharpen: float = 0.0,
) -> Picture:
    """A copy of `image` with the new face in it.

    Args:
        image: (h, w, 3) uint8 RGB.
        face: (size, size, 3) uint8 RGB, the square.
        mask: (size, size) float32, 0…1, how much of each pixel is new face.
        square: where it was cut.
        face_scale: how much larger it is put back.
        sharpen: 0 = as it is, 1 = strongly (an unsharp mask at the picture's own resolution).
    """
    out = image.copy()
    square = replace(square, side_px=square.side_px * face_scale)
    left, top, right, bottom = _window(square, image)
    if right - left < 1 or bottom - top < 1:
        return out
    # One warp for both, and OpenCV is quicker with four channels than with three.
    layer = np.dstack([face, cv2.convertScaleAbs(mask, alpha=255)])
    side = max(8, round(square.side_px))
    if len(layer) > _COARSE * side:
        layer = cv2.resize(layer, (side, side), interpolation=cv2.INTER_AREA)
    there = square.to_picture(len(layer))
    there[:, 2] -= [left, top]
    new = np.zeros((bottom - top, right - left, 4), np.uint8)
    size = (right - left, bottom - top)
    cv2.warpAffine(layer, there, size, new, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_TRANSPARENT)
    if sharpen > 0:
        blurred = cv2.GaussianBlur(new, (0, 0), max(1.0, square.side_px / 160))
        cv2.addWeighted(new, 1 + 1.5 * sharpen, blurred, -1.5 * sharpen, 0, blurred)
        new[:, :, :3] = blurred[:, :, :3]
    _blend(out[top:bottom, left:right], new)
    return out


@compiled
def _blend(under: Picture, over: Picture) -> None:
    """Lay (h, w, 4) over (h, w, 3), in place; the fourth channel says how much."""
    for y in range(over.shape[0]):
        for x in range(over.shape[1]):
            share = np.int32(over[y, x, 3])
            for c in range(3):
                change = (np.int32(over[y, x, c]) - np.int32(under[y, x, c])) * share
                under[y, x, c] = np.uint8(np.int32(under[y, x, c]) + (change + 127 + 255 * 255) // 255 - 255)


def _window(square: Alignment, image: Picture) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the part of the picture that the square covers."""
    corners = transform(np.array([[0.0, 0.0], [1, 0], [0, 1], [1, 1]]), square.to_picture(2))
    reach = np.abs(corners - [square.x, square.y]).max(0) * 2 + 1
    height, width = image.shape[:2]
    middle = np.array([square.x, square.y])
    low = np.clip(np.floor(middle - reach).astype(int), 0, [width, height])
    high = np.clip(np.ceil(middle + reach).astype(int) + 1, 0, [width, height])
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])
