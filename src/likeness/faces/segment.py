"""Where the person is in a picture."""

from __future__ import annotations

import cv2
import numpy as np

from likeness.faces.nets import Net
from likeness.types import Floats, Picture

SEGMENTATION = "selfie-segmentation"
SIDE_PX = 256


def person_mask(image: Picture, *, threads: int = 2) -> Floats:
    """How much of each pixel is person: (h, w) float32, 0…1.

    The network sees 256 × 256 pixels; a guided filter (He, Sun, Tang, ECCV 2010) brings its edge to the edges
    of the picture.
    """
    from likeness.models import fetch

    height, width = image.shape[:2]
    net = Net(fetch(SEGMENTATION).read_bytes(), threads=threads)
    small = cv2.resize(image, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    mask = net.run(small[None])[0].reshape(SIDE_PX, SIDE_PX)
    mask = cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR)
    guide = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    refined = guided_filter(guide, mask, radius_px=max(2, max(width, height) // 64), eps=1e-3)
    return np.clip((refined - 0.1) / 0.75, 0, 1).astype(np.float32)


def guided_filter(guide: Floats, picture: Floats, *, radius_px: int, eps: float) -> Floats:
    """Smooths `picture` without crossing the edges of `guide`; both (h, w) float32, 0…1."""
    size = (2 * radius_px + 1, 2 * radius_px + 1)

    def mean(array: Floats) -> Floats:
        return np.asarray(cv2.blur(array, size), np.float32)

    guide_mean, picture_mean = mean(guide), mean(picture)
    covariance = mean(guide * picture) - guide_mean * picture_mean
    variance = mean(guide * guide) - guide_mean * guide_mean
    slope = covariance / (variance + eps)
    offset = picture_mean - slope * guide_mean
    return np.clip(mean(slope) * guide + mean(offset), 0, 1).astype(np.float32)
