"""Whether a converted voice has the melody that it should have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.errors import NoSpeech
from likeness.speech.pitch import Pitch, follow_pitch
from likeness.types import Floats

VOICED = 0.5
GROSS_CENTS = 50.0
_LEAST_FRAMES = 10


@dataclass(frozen=True, slots=True)
class PitchError:
    """How two courses of pitch differ, over the frames of 16 ms in which both are voiced.

    Attributes:
        correlation: Pearson's, of log f0. Where a course was only moved and stretched, it is 1.
        voicing_errors: 0…1, the part of all frames in which one is voiced and the other is not.
        shift_semitones: the median difference, made minus wanted.
        cents: the median absolute difference once the shift, rounded to whole semitones, is taken away.
        beyond_50_cents: 0…1, the part of the frames that are further off than that.
        frames: in how many both are voiced.
    """

    correlation: float
    voicing_errors: float
    shift_semitones: float
    cents: float
    beyond_50_cents: float
    frames: int


def compare_pitch(made: Floats, source: Floats, rate_hz: int, *, offline: bool | None = None) -> PitchError:
    """Compare the pitch of two recordings that begin together (`delay.align`).

    Both are followed alike, over the whole range of SwiftF0, from 47 to 2094 Hz.

    Raises:
        NoSpeech: hardly anything is voiced in both.
        UsageError, MissingExtra, ModelMissing, ChecksumMismatch
    """
    return judge_pitch(*(follow_pitch(sound, rate_hz, offline=offline) for sound in (made, source)))


def judge_pitch(made: Pitch, wanted: Pitch, *, shift_semitones: int | None = None) -> PitchError:
    """Compare two courses of pitch, frame by frame.

    Args:
        shift_semitones: what was asked for; None takes the nearest whole number to what came out.

    Raises:
        NoSpeech: hardly anything is voiced in both.
    """
    count = min(len(made.f0_hz), len(wanted.f0_hz))
    voiced = [pitch.confidence[:count] >= VOICED for pitch in (made, wanted)]
    both = voiced[0] & voiced[1]
    if both.sum() < _LEAST_FRAMES:
        raise NoSpeech(
            "There is hardly a moment in which both recordings are voiced.",
            "Check that the one was made from the other.",
        )
    x, y = (semitones(pitch.f0_hz[:count][both]) for pitch in (made, wanted))
    shift = float(np.median(x - y))
    asked = round(shift) if shift_semitones is None else shift_semitones
    cents = 100 * np.abs(x - y - asked)
    return PitchError(
        correlation=_correlate(x, y),
        voicing_errors=float((voiced[0] != voiced[1]).mean()),
        shift_semitones=shift,
        cents=float(np.median(cents)),
        beyond_50_cents=float((cents > GROSS_CENTS).mean()),
        frames=int(both.sum()),
    )


def semitones(f0_hz: Floats) -> NDArray[np.float64]:
    """On a scale whose zero is 1 Hz."""
    return np.asarray(12 * np.log2(f0_hz.astype(np.float64)))


def _correlate(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Pearson's coefficient; 0 where one of them never changes."""
    x, y = x - x.mean(), y - y.mean()
    size = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / size if size > 0 else 0.0
