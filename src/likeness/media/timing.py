"""From the timestamps in a file to a constant, exact frame rate, and to positions on its grid."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

MAX_VARIABLE_RATE = Fraction(60)
FALLBACK_RATE = Fraction(25)

# In the order of how common they are, which decides where two fit equally.
STANDARD_RATES = (
    *(Fraction(rate * 1000, 1001) for rate in (24, 30, 60)),
    *(Fraction(rate) for rate in (24, 25, 30, 60, 48, 50, 15, 12, 10, 20, 120)),
    Fraction(25, 2),
)

# How far, in frames, timestamps may lie from a constant rate's: besides rounding, the jitter of cameras.
_EXACT, _JITTER = 1 / 20, 2 / 5
_LONGEST_STEP = 7 / 4  # frames; beyond this, a frame is missing rather than late
# Timestamps may have been rounded to milliseconds before they came into this file.
_UNSEEN_S = Fraction(1, 1000)
# A jump of the clock, rather than a picture that stays: it is closed, so that no file makes endless output.
LONGEST_HOLD_S = Fraction(600)
_LARGEST_STEP_BACK_S = Fraction(1)


@dataclass(frozen=True, slots=True)
class Timing:
    """A constant rate for a stream.

    Attributes:
        rate: frames per second.
        variable: True where frames of the stream are repeated or left out to reach it.
        tick_s: the resolution of the stream's timestamps.
        phase: how far, in frames, timestamps lie behind the grid that begins at the first of them, on average
            of the extremes; not 0 only where they are rounded or jitter.
    """

    rate: Fraction
    variable: bool
    tick_s: Fraction
    phase: Fraction = Fraction(0)

    def index_of(self, time_s: Fraction) -> int:
        """The first grid position that shows a frame with this timestamp (from the first frame on).

        At a constant rate this is the nearest position, which undoes rounding and jitter; at a variable one
        the first at or after the timestamp, so that every position shows the latest frame before it.
        """
        position = time_s * self.rate - self.phase
        if self.variable:
            return math.ceil(position - max(self.tick_s, _UNSEEN_S) * self.rate)
        return math.floor(position + Fraction(1, 2))


def choose_timing(stamps: Sequence[int], declared: Iterable[Fraction | None], tick_s: Fraction) -> Timing:
    """The rate that fits timestamps best: one declared or usual if it fits, else one measured.

    Args:
        stamps: timestamps of the first frames, in any order, in ticks.
        declared: rates that the file claims, the likeliest first.
        tick_s: the length of a tick: GIF counts hundredths of seconds, Matroska thousandths.
    """
    claims = [rate for rate in declared if rate is not None and 0 < rate <= 1000]
    ticks = np.unique(np.asarray(stamps, np.int64))
    if len(ticks) < 2:
        usual_claims = (rate for rate in claims if rate <= MAX_VARIABLE_RATE)
        return Timing(next(usual_claims, FALLBACK_RATE), False, tick_s)
    mean = (len(ticks) - 1) / (int(ticks[-1] - ticks[0]) * tick_s)
    usual = sorted(STANDARD_RATES, key=lambda rate: abs(rate - mean))[:3]
    fits = [_fit(ticks, rate, tick_s) for rate in (*claims, *usual, mean.limit_denominator(1001))]
    for fit in fits:
        if fit.misfit <= max(_EXACT, 0.75 * float(tick_s * fit.rate)):
            return Timing(fit.rate, False, tick_s, fit.phase)
    fit = min(fits, key=lambda each: each.misfit)
    longest = float(np.diff(ticks).max() * tick_s * fit.rate)
    if fit.misfit <= _JITTER and longest <= _LONGEST_STEP:
        return Timing(fit.rate, False, tick_s, fit.phase)
    return Timing(_variable_rate(ticks, tick_s), True, tick_s)


@dataclass(frozen=True, slots=True)
class _Fit:
    rate: Fraction
    misfit: float
    phase: Fraction


def _fit(ticks: NDArray[np.int64], rate: Fraction, tick_s: Fraction) -> _Fit:
    """How far timestamps lie from their places at this rate, at most, if the grid is put in their middle."""
    offsets = (ticks - ticks[0]) * float(tick_s * rate) - np.arange(len(ticks))
    low, high = float(offsets.min()), float(offsets.max())
    return _Fit(rate, (high - low) / 2, Fraction((high + low) / 2).limit_denominator(1000))


def _variable_rate(ticks: NDArray[np.int64], tick_s: Fraction) -> Fraction:
    """Fast enough for the quicker quarter of the frames, since a slower rate would drop them."""
    steps = np.sort(np.diff(ticks))
    rate = min(1 / (int(steps[len(steps) // 4]) * tick_s), MAX_VARIABLE_RATE)
    nearest = min(STANDARD_RATES, key=lambda each: abs(each - rate))
    if abs(nearest - rate) <= rate / 50:
        return nearest
    return max(rate.limit_denominator(100), Fraction(1))


class Clock:
    """Turns a stream's timestamps into a time that starts at 0 and makes no wild jumps."""

    def __init__(self, origin_s: Fraction, frame_s: Fraction) -> None:
        self._shift_s = -origin_s
        self._frame_s = frame_s
        self._last_s: Fraction | None = None

    def read(self, stamp_s: Fraction | None) -> Fraction:
        """The time of a frame with this timestamp; without one, a frame after the last."""
        following_s = Fraction(0) if self._last_s is None else self._last_s + self._frame_s
        time_s = following_s if stamp_s is None else stamp_s + self._shift_s
        if self._last_s is not None:
            step_s = time_s - self._last_s
            if step_s > LONGEST_HOLD_S or step_s < -_LARGEST_STEP_BACK_S:
                self._shift_s += following_s - time_s
                time_s = following_s
        self._last_s = time_s
        return time_s
