"""What is measured on frames and cuts: sharpness, and a hash that a frame is known by."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from likeness.types import Picture

SHARPNESS_SIDE_PX: Final = 128
SAME_FRAME_BITS: Final = 10
"""Hashes of one frame differ in no more bits than this, however it was compressed."""


def sharpness(face: Picture) -> float:
    """How sharp a face is, (h, w, 3) uint8 RGB: higher is sharper.

    The variance of the Laplacian (Pech-Pacheco et al., ICPR 2000) of the luma at 128 px a side, over the
    variance of the luma itself, so that neither size nor contrast of the light counts. About 0.01 is blurred,
    0.1 sharp.
    """
    luma = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
    side = SHARPNESS_SIDE_PX
    small = cv2.resize(luma, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)
    return float(cv2.Laplacian(small, cv2.CV_32F).var() / max(float(small.var()), 1.0))


def frame_hash(image: Picture) -> str:
    """64 bits, as 16 hex digits, that a frame is known by, also after it was compressed or scaled anew.

    The difference hash: at 9 × 8 px, whether each pixel is brighter than its neighbour on the left (Krawetz,
    "Kind of Like That", 2013). It knows a clip, not a moment of it: frames of a calm clip are alike.

    Args:
        image: (h, w, 3) uint8 RGB.
    """
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(luma, (9, 8), interpolation=cv2.INTER_AREA).astype(np.int16)
    bits = np.packbits(small[:, 1:] > small[:, :-1])
    return bits.tobytes().hex()


def bits_apart(first: str, second: str) -> int:
    """In how many of their 64 bits two frame hashes differ; of two unrelated pictures, in about 32."""
    return (int(first, 16) ^ int(second, 16)).bit_count()
