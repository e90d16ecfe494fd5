"""The source picture in two layers: the person, and what is behind."""

from __future__ import annotations

import cv2
import numpy as np

from likeness.types import Floats, Picture

INPAINT_PX = 256
"""The hidden background is guessed at this size; there is nothing finer to know."""


def premultiply(image: Picture, alpha: Floats) -> Picture:
    """(h, w, 4) uint8 RGBA, colour times alpha; alpha (h, w) is 0…1."""
    colour = np.round(image * alpha[:, :, None])
    return np.ascontiguousarray(np.dstack([colour, np.round(alpha * 255)]).astype(np.uint8))


def paint_behind(image: Picture, alpha: Floats) -> Picture:
    """The picture without the person: (h, w, 3) uint8. Where no person is, it is the picture itself."""
    height, width = alpha.shape
    person = (alpha > 0.03).astype(np.uint8)
    person = cv2.dilate(person, np.ones((3, 3), np.uint8), iterations=max(2, width // 100))
    scale = min(1.0, INPAINT_PX / max(height, width))
    size = (max(2, round(width * scale)), max(2, round(height * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    hidden = cv2.resize(person, size, interpolation=cv2.INTER_NEAREST)
    guess = cv2.inpaint(small, hidden, 5, cv2.INPAINT_TELEA)
    guess = cv2.resize(guess, (width, height), interpolation=cv2.INTER_CUBIC)
    soft = cv2.GaussianBlur(person.astype(np.float32), (0, 0), max(1.0, width / 200))[:, :, None]
    return np.asarray(np.round(image * (1 - soft) + guess * soft), np.uint8)
