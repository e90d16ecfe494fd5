"""The source picture in two layers, the person and what is behind, which together are the picture again."""

from __future__ import annotations

import cv2
import numpy as np

from likeness.types import Floats, Picture

INPAINT_PX = 256
"""The hidden background is guessed at this size; there is nothing finer to know."""


def split(image: Picture, person: Floats) -> tuple[Picture, Picture]:
    """Take a picture apart so that `layer + (1 - alpha) · backdrop` is the picture, within 1/255.

    Args:
        image: (h, w, 3) uint8 RGB.
        person: (h, w) float32, 0…1, from segmentation.

    Returns:
        layer (h, w, 4) uint8 RGBA, premultiplied, and backdrop (h, w, 3) uint8.

    Near the person, alpha is raised until the picture can be explained at all (Smith, Blinn, SIGGRAPH 1996,
    eq. 1 with the colour bounded): fine hair that the segmentation missed then moves with the head.
    """
    height, width = person.shape
    reach = max(2, round(max(width, height) / 100))
    near = cv2.dilate((person > 0.03).astype(np.uint8), np.ones((3, 3), np.uint8), iterations=reach)
    behind = _guess_behind(image, near)
    soft = cv2.GaussianBlur(near.astype(np.float32), (0, 0), max(1.0, reach / 2))[:, :, None]
    backdrop = np.round(image * (1 - soft) + behind * soft)
    difference = image - backdrop
    darker = -difference / np.maximum(backdrop, 1)
    lighter = difference / np.maximum(255 - backdrop, 1)
    alpha = np.clip(np.maximum(person, np.maximum(darker, lighter).max(2)), 0, 1)
    alpha = np.ceil(alpha * 255) / 255
    colour = np.clip(np.round(image - (1 - alpha[:, :, None]) * backdrop), 0, None)
    layer = np.round(np.dstack([colour, alpha * 255])).clip(0, 255).astype(np.uint8)
    return np.ascontiguousarray(layer), backdrop.astype(np.uint8)


def _guess_behind(image: Picture, hidden: Picture) -> Floats:
    """What may be behind the hidden part: (h, w, 3) float32."""
    height, width = hidden.shape
    scale = min(1.0, INPAINT_PX / max(height, width))
    size = (max(2, round(width * scale)), max(2, round(height * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    mask = (cv2.resize(hidden.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0).astype(np.uint8)
    guess = cv2.inpaint(small, mask, 5, cv2.INPAINT_TELEA)
    enlarged = cv2.resize(guess, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(enlarged, np.float32)
