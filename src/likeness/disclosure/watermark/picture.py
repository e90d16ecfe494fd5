"""Adding the watermark to pictures: a pattern cached per size, stronger where texture hides it.

The same number is added to red, green and blue, so only luma changes, which codecs keep best. The strength
follows the local contrast and is then scaled so that no picture changes by more than a given PSNR.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.disclosure.watermark.code import signs
from likeness.disclosure.watermark.search import Found, find_in_frames, find_in_picture, measure_in_place
from likeness.disclosure.watermark.tile import PICTURE_CHIPS, marked_tile, spread
from likeness.errors import SealFailed, UsageError
from likeness.types import Floats, Picture

__all__ = ["MIN_SIDE_PX", "Found", "PictureMark", "find_in_frames", "find_in_picture", "mark_still"]

MIN_SIDE_PX = 64
"""Smaller pictures are refused. From 256 px on a mark survives what `benchmarks/watermark.py` lists; between
the two it survives less, and at last no more than being copied."""

VIDEO_PSNR_DB = 42.4
STILL_PSNR_DB = 44.6

# Both as integers, so that a frame takes one multiplication of 16 bits: 127 times the largest gain, in these
# units, is well below 2¹⁵.
_PATTERN_UNIT = 24
_SHIFT = 10
_GAIN_UNIT = 2**_SHIFT / _PATTERN_UNIT

# Where nothing hides the pattern, in grey levels (standard deviation): coarse chips are seen more easily than
# fine ones, and have more pixels to be read from. At 9 px a chip, .5 leaves a clear sky clear.
_FLAT_GAIN_PX = 3.2
_FLAT_GAIN_RANGE = (0.5, 0.9)
_GAIN_PER_CONTRAST = 0.26
_MAX_GAIN = 3.6

_BALANCING_ROUNDS = 2
_BALANCING_STEP = 0.5
_LEAST_BIT, _MOST_BIT = 0.5, 1.7


class PictureMark:
    """Marks the pictures of one video with one payload.

    Args:
        width, height: of the pictures, px, 64 at least.
        payload: 0…2³² − 1, see `code.Payload`.
        host: a picture like those to come, such as the first one, (height, width, 3) uint8 RGB. Bits that
            it (or an older mark in it) happens to contradict are then marked more strongly, and those it
            supports less. Takes some 50 ms.
        psnr_db: of a marked picture against the unmarked one, at least (up to rounding).

    Raises:
        UsageError: the payload does not fit into 32 bits.
        SealFailed: the pictures are too small.
    """

    def __init__(
        self,
        width: int,
        height: int,
        payload: int,
        *,
        host: Picture | None = None,
        psnr_db: float = VIDEO_PSNR_DB,
    ) -> None:
        if min(width, height) < MIN_SIDE_PX:
            raise SealFailed(
                f"A picture of {width} × {height} pixels is too small for the watermark.",
                f"Make it at least {MIN_SIDE_PX} pixels wide and high.",
            )
        self._size = (width, height)
        chip_px = min(width, height) / PICTURE_CHIPS
        self._flat_gain = float(np.clip(_FLAT_GAIN_PX / chip_px, *_FLAT_GAIN_RANGE))
        self._max_rms = 255 / 10 ** (psnr_db / 20)
        self._word = signs(payload)
        self._pattern = self._spread(self._word)
        if host is not None:
            self._balance(host)

    def add(self, image: Picture) -> None:
        """Mark `image`, (height, width, 3) uint8 RGB, in place; takes 0.5 ms at 512 × 512.

        Raises:
            UsageError: another size or type.
        """
        width, height = self._size
        if image.shape != (height, width, 3) or image.dtype != np.uint8:
            raise UsageError(
                f"The watermark is for RGB pictures of {width} × {height} pixels, and this one has the shape "
                f"{image.shape} and the type {image.dtype}.",
                "Make a PictureMark for each size.",
            )
        change = self._change(image)
        negative = change >> 7  # all bits or none
        # Up and down apart, since bytes that saturate are added fastest.
        up, down = change & ~negative, -(change & negative)
        # OpenCV writes into most arrays, not into mirrored ones.
        marked = np.ascontiguousarray(image)
        cv2.add(marked, cv2.cvtColor(up.view(np.uint8), cv2.COLOR_GRAY2RGB), dst=marked)
        cv2.subtract(marked, cv2.cvtColor(down.view(np.uint8), cv2.COLOR_GRAY2RGB), dst=marked)
        if marked is not image:
            image[...] = marked

    def _change(self, image: Picture) -> NDArray[np.int8]:
        """What to add to each channel, (height, width) int8."""
        gain = cv2.convertScaleAbs(self._gain(image), alpha=_GAIN_UNIT)
        gain = cv2.resize(gain, self._size, interpolation=cv2.INTER_LINEAR)
        change: NDArray[np.int16] = np.multiply(self._pattern, gain, dtype=np.int16)
        change += 1 << _SHIFT - 1
        change >>= _SHIFT
        return change.astype(np.int8)

    def _gain(self, image: Picture) -> Floats:
        """How strongly to mark, in grey levels, at a quarter of the size; green is close enough to luma."""
        width, height = self._size
        quarter = cv2.resize(image, (width // 4, height // 4), interpolation=cv2.INTER_LINEAR)
        small = quarter[..., 1].astype(np.float32)
        window = (max(3, min(width, height) // 128) | 1,) * 2  # about one and a half chips
        mean = cv2.blur(small, window)
        contrast = cv2.sqrt(cv2.max(cv2.blur(small * small, window) - mean * mean, 0))
        gain = cv2.blur(cv2.min(contrast * _GAIN_PER_CONTRAST + self._flat_gain, _MAX_GAIN), window)
        rms = float(np.linalg.norm(gain)) / np.sqrt(gain.size)
        scaled: Floats = gain * np.float32(min(self._max_rms / rms, 1))
        return scaled

    def _spread(self, word: Floats) -> NDArray[np.int16]:
        """The pattern over the picture, (height, width) int16, in 1/24 of its standard deviation."""
        pattern = spread(marked_tile(word), *self._size) * _PATTERN_UNIT
        return np.clip(np.round(pattern), -127, 127).astype(np.int16)

    def _balance(self, host: Picture) -> None:
        """Give each bit the strength at which `host`, once marked, speaks for all of them alike.

        This is informed embedding (Cox, Miller and Bloom, "Digital Watermarking", ch. 5), closed over the
        real detector, which sees the host's own texture as noise that is known here.
        """
        weight = np.ones_like(self._word)
        for _ in range(_BALANCING_ROUNDS):
            marked = host.copy()
            self.add(marked)
            clear = measure_in_place(marked) * self._word
            excess = clear / max(float(clear.mean()), 1e-9) - 1
            weight = np.clip(weight - _BALANCING_STEP * excess, _LEAST_BIT, _MOST_BIT)
            self._pattern = self._spread(self._word * weight)


def mark_still(image: Picture, payload: int) -> Picture:
    """A marked copy of a single picture: fainter than video, and fitted to this very picture.

    Args:
        image: (h, w, 3) uint8 RGB, 64 px at least.
        payload: 0…2³² − 1.

    Raises:
        UsageError, SealFailed: as `PictureMark`.
    """
    height, width = image.shape[:2]
    marked = image.copy()
    PictureMark(width, height, payload, host=image, psnr_db=STILL_PSNR_DB).add(marked)
    return marked
