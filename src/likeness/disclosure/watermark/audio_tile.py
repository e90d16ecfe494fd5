"""The pattern of the mark in sound: a tile of small gains in time and frequency that repeats without end.

A tile has 64 rows of 50 ms and 40 bands from 300 to 3700 Hz, where speech lives and what telephones keep.
Each cell of it, a *chip*, is made a little louder or softer. 1024 chips are the pilot, known beforehand, by
which the detector finds place, speed and tempo; the other 1536 carry 192 coded bits, eight chips a bit.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from likeness.disclosure.watermark.code import CODED_BITS
from likeness.types import Floats

ROWS, BANDS = 64, 40
CHIP_S = 0.05
TILE_S = ROWS * CHIP_S
LOWEST_HZ, HIGHEST_HZ = 300.0, 3700.0

_NARROWEST_HZ = 58.0  # two bins of the embedder's 32 ms; narrower bands would not be kept apart
_PILOTS_PER_ROW = 16


class Layout(NamedTuple):
    """Where pilot and data lie; arrays are (64, 40), rows by bands.

    Attributes:
        pilot: float32, ±1 on pilot chips, 0 elsewhere.
        data: float32, ±1 on data chips, by which the coded bit's sign is multiplied, 0 elsewhere.
        bit: int, the coded bit that a data chip carries, 0…191.
    """

    pilot: Floats
    data: Floats
    bit: NDArray[np.intp]

    def tile(self, pilot: float, bits: Floats) -> Floats:
        """(64, 40) float32: the gain of each chip, given the pilot's and (192,) those of the coded
        bits, of which the sign is the bit."""
        return self.pilot * np.float32(pilot) + self.data * bits[self.bit]

    def soft_bits(self, chips: Floats) -> Floats:
        """(192,) float32: what (64, 40) measured chips say about each coded bit."""
        return np.bincount(self.bit.ravel(), (chips * self.data).ravel(), CODED_BITS).astype(np.float32)


@cache
def layout() -> Layout:
    """The one layout in use: as if thrown by dice, but every row has 16 pilot chips and every bit has one
    chip in each eighth of the frequencies, so that no bit depends on a part of the spectrum."""
    dice = _dice("likeness sound 1", 4 * ROWS * BANDS).reshape(4, ROWS, BANDS)
    is_pilot = np.argsort(np.argsort(dice[0], axis=1), axis=1) < _PILOTS_PER_ROW
    flips = np.where(dice[1] & 1, np.float32(1), np.float32(-1))
    rows, bands = np.nonzero(~is_pilot)
    by_band = np.lexsort((dice[2][rows, bands], bands)).reshape(-1, CODED_BITS)
    bit = np.zeros((ROWS, BANDS), np.intp)
    for chips in by_band:
        order = np.argsort(dice[3][rows[chips], bands[chips]])
        bit[rows[chips][order], bands[chips][order]] = np.arange(CODED_BITS)
    arrays = np.where(is_pilot, flips, 0), np.where(is_pilot, 0, flips), bit
    for array in arrays:
        array.flags.writeable = False
    return Layout(*arrays)


@cache
def band_edges_hz() -> NDArray[np.float64]:
    """(41,) the limits of the bands: as wide as a fixed share of their frequency, yet at least 58 Hz."""
    narrow, wide = 0.0, 1.0
    for _ in range(60):
        share = (narrow + wide) / 2
        edges = [LOWEST_HZ]
        for _ in range(BANDS):
            edges.append(edges[-1] + max(_NARROWEST_HZ, share * edges[-1]))
        narrow, wide = (narrow, share) if edges[-1] > HIGHEST_HZ else (share, wide)
    limits = np.array(edges)
    limits.flags.writeable = False
    return limits


def _dice(name: str, count: int) -> NDArray[np.uint64]:
    """Numbers as good as random, the same on every machine and with every version of NumPy."""
    return np.frombuffer(hashlib.shake_128(name.encode()).digest(8 * count), "<u8")
