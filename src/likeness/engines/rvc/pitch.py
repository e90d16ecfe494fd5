"""Pitch as voice models of RVC take it: 255 steps, equally wide on the mel scale."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from likeness.errors import UsageError

LOWEST_HZ, HIGHEST_HZ = 50.0, 1100.0
STEPS = 255


def coarse_pitch(f0: ArrayLike) -> NDArray[np.int64]:
    """The step of each pitch.

    Args:
        f0: (n,), Hz; 0 = unvoiced.

    Returns:
        (n,) int64, 1 (unvoiced, and up to 50 Hz) … 255 (from 1100 Hz on).

    Raises:
        UsageError: not a row of numbers, or one of them is negative or not a number.
    """
    hz = np.asarray(f0)
    if hz.ndim != 1 or hz.dtype.kind not in "fiu":
        raise UsageError(
            f"An array of shape {hz.shape} and type {hz.dtype} is no course of pitch.",
            "Give one number for each frame, in Hz; 0 where there is no voice.",
        )
    if not (np.isfinite(hz).all() and (hz >= 0).all()):
        raise UsageError("A pitch is negative or not a number.", "Give Hz; 0 where there is no voice.")
    low, high = _mel(np.array([LOWEST_HZ, HIGHEST_HZ]))
    steps = (_mel(hz.astype(np.float64)) - low) * (STEPS - 1) / (high - low) + 1
    return np.asarray(np.rint(np.clip(steps, 1, STEPS)), np.int64)


def _mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """O'Shaughnessy, "Speech Communication", 1987."""
    return np.asarray(1127 * np.log1p(hz / 700))
