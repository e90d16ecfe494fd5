"""Adding the watermark to pictures: a pattern cached per size, made stronger where texture hides it.

The same number is added to red, green and blue, so only luma changes, which codecs keep best.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.disclosure.watermark.code import signs
from likeness.disclosure.watermark.tile import marked_tile, spread
from likeness.types import Floats, Picture

VIDEO_STRENGTH = 1.0
STILL_STRENGTH = 0.8

_PATTERN_UNIT = 24
_GAIN_UNIT = 64
_FLAT_GAIN = 1.0
_GAIN_PER_STD = 0.16
_MAX_GAIN = 3.2


class PictureMark:
    """Marks the frames of one video with one payload."""

    def __init__(self, width: int, height: int, payload: int, *, strength: float = VIDEO_STRENGTH) -> None:
        self._size = (width, height)
        self._strength = strength
        self._word = signs(payload)
        self._set_word(self._word)

    def _set_word(self, word: Floats) -> None:
        pattern = spread(marked_tile(word), *self._size) * (self._strength * _PATTERN_UNIT)
        self._pattern = np.clip(np.round(pattern), -127, 127).astype(np.int16)

    def add(self, image: Picture) -> None:
        delta = self._change(image)
        image[...] = cv2.add(image, cv2.merge([delta, delta, delta]), dtype=cv2.CV_8U)

    def _change(self, image: Picture) -> NDArray[np.int16]:
        width, height = self._size
        quarter = (max(1, width // 4), max(1, height // 4))
        small = cv2.resize(image[..., 1], quarter, interpolation=cv2.INTER_LINEAR).astype(np.float32)
        window = max(3, min(width, height) // 128) | 1
        mean = cv2.blur(small, (window, window))
        variance = cv2.blur(small * small, (window, window)) - mean * mean
        gain = np.minimum(np.sqrt(np.maximum(variance, 0)) * _GAIN_PER_STD + _FLAT_GAIN, _MAX_GAIN)
        gain = cv2.blur(gain, (window, window))
        gain = cv2.resize(cv2.convertScaleAbs(gain, alpha=_GAIN_UNIT), self._size, interpolation=cv2.INTER_LINEAR)
        change: NDArray[Any] = cv2.multiply(
            self._pattern, gain, scale=1 / (_PATTERN_UNIT * _GAIN_UNIT), dtype=cv2.CV_16S
        )
        return change
