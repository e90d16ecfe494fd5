"""From the timestamps in a file to a constant, exact frame rate, and to positions on its grid."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

MAX_VARIABLE_RATE = Fraction(60)
FALLBACK_RATE = Fraction(25)

# In the order of how common they are, which decides where two fit equally.
STANDARD_RATES = (
    *(Fraction(rate * 1000, 1001) for rate in (24, 30, 60)),
    *(Fraction(rate) for rate in (24, 25, 30, 60, 48, 50, 15, 12, 10, 20, 120)),
    Fraction(25, 2),
)

# How far, in frames, timestamps may lie from a constant rate's: besides rounding, the jitter of cameras.
_EXACT, _JITTER = Fraction(1, 20), Fraction(2, 5)
# A jump of the clock, rather than a picture that stays: it is closed, so that no file makes endless output.
_LONGEST_HOLD_S, _LARGEST_STEP_BACK_S = Fraction(60), Fraction(1)


@dataclass(frozen=True, slots=True)
class Timing:
    """A constant rate for a stream.

    Attributes:
        rate: frames per second.
        variable: True where frames of the stream are repeated or left out to reach it.
        tick_s: the resolution of the stream's timestamps.
    """

    rate: Fraction
    variable: bool
    tick_s: Fraction

    def index_of(self, time_s: Fraction) -> int:
        """The first grid position that shows a frame with this timestamp (from the first frame on).

        At a constant rate this is the nearest position, which undoes rounding and jitter; at a variable one
        the first at or after the timestamp, so that every position shows the latest frame before it.
        """
        position = time_s * self.rate
        if self.variable:
            return math.ceil(position - self.tick_s * self.rate)
        return math.floor(position + Fraction(1, 2))


def choose_timing(
    times_s: Sequence[Fraction], declared: Iterable[Fraction | None], tick_s: Fraction
) -> Timing:
    """The rate that fits timestamps best: one declared or usual if it fits, else one measured.

    Args:
        times_s: timestamps of the first frames, in any order, seconds.
        declared: rates that the file claims, the likeliest first.
        tick_s: the resolution of the timestamps: GIF counts hundredths of seconds, Matroska thousandths.
    """
    claims = [rate for rate in declared if rate is not None and 0 < rate <= 1000]
    times = sorted(set(times_s))
    if len(times) < 2:
        usual_claims = (rate for rate in claims if rate <= MAX_VARIABLE_RATE)
        return Timing(next(usual_claims, FALLBACK_RATE), False, tick_s)
    mean = (len(times) - 1) / (times[-1] - times[0])
    usual = sorted(STANDARD_RATES, key=lambda rate: abs(rate - mean))[:3]
    candidates = [*claims, *usual, mean.limit_denominator(1001)]
    misfits = [_misfit_frames(times, rate) for rate in candidates]
    for rate, misfit in zip(candidates, misfits, strict=True):
        if misfit <= max(_EXACT, Fraction(101, 100) * tick_s * rate):
            return Timing(rate, False, tick_s)
    misfit, rate = min(zip(misfits, candidates, strict=True), key=lambda pair: pair[0])
    if misfit <= _JITTER:
        return Timing(rate, False, tick_s)
    return Timing(_variable_rate(times), True, tick_s)


def _misfit_frames(times: Sequence[Fraction], rate: Fraction) -> Fraction:
    """The largest distance of a timestamp from its place at this rate, in frames."""
    offsets = [(time - times[0]) * rate - index for index, time in enumerate(times)]
    return max(abs(offset) for offset in offsets)


def _variable_rate(times: Sequence[Fraction]) -> Fraction:
    """Fast enough for the quicker quarter of the frames, since a slower rate would drop them."""
    steps = sorted(later - earlier for earlier, later in itertools.pairwise(times))
    rate = min(1 / steps[len(steps) // 4], MAX_VARIABLE_RATE)
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
            if step_s > _LONGEST_HOLD_S or step_s < -_LARGEST_STEP_BACK_S:
                self._shift_s += following_s - time_s
                time_s = following_s
        self._last_s = time_s
        return time_s
