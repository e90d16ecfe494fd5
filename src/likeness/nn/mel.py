"""Spectra of few numbers: straight lines between places that are even to the ear. Needs no torch."""

from __future__ import annotations

from functools import cache

import numpy as np

from likeness.types import Floats

_HALF_RATE_HZ = 8000.0


@cache
def mel_weights(bands: int, bins: int) -> Floats:
    """(bands, bins) float32: values on the mel scale @ this = values at bins · 8000 / (bins − 1) Hz.

    Straight lines between places of equal distance from 0 to 8000 Hz (mel = 2595 log10(1 + Hz / 700)).
    """
    place = np.log1p(np.linspace(0, _HALF_RATE_HZ, bins) / 700) / np.log1p(_HALF_RATE_HZ / 700) * (bands - 1)
    distance = np.abs(place[None] - np.arange(bands)[:, None])
    return np.asarray(np.maximum(0, 1 - distance), np.float32)
