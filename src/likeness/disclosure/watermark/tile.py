"""The pattern of the picture watermark, known to the side that adds it and to the side that looks for it.

A tile of 64 × 64 square chips, endless in both directions. A quarter of the chips are the pilot, the same in
every mark, by which position, scale and rotation are found; the others carry each of the 192 coded bits
sixteen times. Chip 0 lies on the centre of the picture, and a chip is 1/80 of its shorter side, so a crop
moves and scales the tile, and nothing else. Slow changes are filtered out: the eye sees them best, and they
survive the detector's own filter worst.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.disclosure.watermark.code import CODED_BITS
from likeness.types import Floats

SIDE_CHIPS = 64
PICTURE_CHIPS = 80
"""Chips along the shorter side of a picture."""

_PILOT_CHIPS = 1024
_REPEATS = (SIDE_CHIPS**2 - _PILOT_CHIPS) // CODED_BITS
_KEY = b"likeness picture watermark 1"
_OVERSAMPLING = 4


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Which chip means what. All arrays are read-only.

    Attributes:
        pilot: (1024,) positions in the flattened tile.
        pilot_signs: (1024,) float32 ±1.
        data: (192, 16) positions, a row per coded bit.
        data_signs: (192, 16) float32 ±1, the chip's sign for a bit of 1.
    """

    pilot: NDArray[np.intp]
    pilot_signs: Floats
    data: NDArray[np.intp]
    data_signs: Floats


@cache
def layout() -> Layout:
    """The layout of version 1: drawn from SHAKE-256, which gives the same everywhere and for ever."""
    chips = SIDE_CHIPS**2
    stream = np.frombuffer(hashlib.shake_256(_KEY).digest(chips * 5), np.uint8)
    order = np.argsort(stream[: chips * 4].view("<u4"), kind="stable")
    all_signs = (stream[chips * 4 :] & 1).astype(np.float32) * 2 - 1
    pilot, data = order[:_PILOT_CHIPS], order[_PILOT_CHIPS:].reshape(CODED_BITS, _REPEATS)
    parts = (pilot, all_signs[pilot], data, all_signs[data])
    for part in parts:
        part.flags.writeable = False
    return Layout(*parts)


def pilot_tile() -> Floats:
    """(64, 64) float32: the pilot alone, filtered."""
    chips = np.zeros(SIDE_CHIPS**2, np.float32)
    chips[layout().pilot] = layout().pilot_signs
    return _without_slow_changes(chips)


def chip_tile() -> Floats:
    """(64, 64) float32: one chip at the origin, filtered."""
    chips = np.zeros(SIDE_CHIPS**2, np.float32)
    chips[0] = 1
    return _without_slow_changes(chips)


def marked_tile(word: Floats) -> Floats:
    """(64, 64) float32: pilot and data.

    Args:
        word: (192,) float32, the sign of each coded bit times how strongly to mark it, about 1.
    """
    chips = np.zeros(SIDE_CHIPS**2, np.float32)
    chips[layout().pilot] = layout().pilot_signs
    chips[layout().data] = layout().data_signs * word[:, None]
    return _without_slow_changes(chips)


def oversampled(tile: Floats, factor: int) -> Floats:
    """(64, 64) float32 → (64·factor, 64·factor): the band-limited surface through the chips."""
    side = tile.shape[0]
    spectrum = np.fft.fftshift(np.fft.fft2(tile))
    before = (side * factor - side) // 2
    padded = np.pad(spectrum, (before, side * factor - side - before))
    surface: Floats = (np.fft.ifft2(np.fft.ifftshift(padded)).real * factor**2).astype(np.float32)
    return surface


def spread(tile: Floats, width: int, height: int) -> Floats:
    """(height, width) float32: the tile over a whole picture, of standard deviation 1."""
    surface = np.pad(oversampled(tile, _OVERSAMPLING), ((0, 1), (0, 1)), mode="wrap")
    period = SIDE_CHIPS * _OVERSAMPLING
    per_pixel = PICTURE_CHIPS * _OVERSAMPLING / min(width, height)
    x = ((np.arange(width, dtype=np.float32) - (width - 1) / 2) * per_pixel) % period
    y = ((np.arange(height, dtype=np.float32) - (height - 1) / 2) * per_pixel) % period
    columns, rows = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
    pattern: NDArray[Any] = cv2.remap(surface, columns, rows, cv2.INTER_LINEAR)
    unit: Floats = (pattern / pattern.std()).astype(np.float32)
    return unit


def _without_slow_changes(chips: Floats) -> Floats:
    """The flat tile as a square, with frequencies below .06 cycles per chip cut, and to .14 dampened."""
    frequency = np.fft.fftfreq(SIDE_CHIPS)
    passed = np.clip((np.hypot(frequency[:, None], frequency[None]) - 0.06) / 0.08, 0, 1)
    spectrum = np.fft.fft2(chips.reshape(SIDE_CHIPS, SIDE_CHIPS)) * passed
    tile: Floats = np.fft.ifft2(spectrum).real.astype(np.float32)
    return tile
