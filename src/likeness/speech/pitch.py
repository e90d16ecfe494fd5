"""The pitch of a voice, by SwiftF0 (Nieradzik, "SwiftF0: Fast and accurate monophonic pitch detection")."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from likeness.errors import UsageError
from likeness.speech.extra import RATE_HZ, run_network, to_listen
from likeness.types import Floats

MODEL = "pitch"
HOP_S = 256 / RATE_HZ
MIN_HZ, MAX_HZ = 46.875, 2093.75
_BLOCK, _LEFT, _RIGHT = 625, 11, 10  # frames: what is kept, and what the network sees before and after it
_HOP = 256
_SILENCE = 1e-3  # the network never saw digital silence, and hears voices in it
_VOICED = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Pitch:
    """The course of a voice's fundamental frequency.

    Attributes:
        f0_hz: (n,) float32; a guess where nothing is voiced.
        confidence: (n,) float32, 0…1; 0.5 and more mean voiced.
    Frame k lies around k · `HOP_S` seconds.
    """

    f0_hz: Floats
    confidence: Floats

    @property
    def median_hz(self) -> float | None:
        """Over the voiced frames; None where there are none."""
        voiced = self.f0_hz[self.confidence >= _VOICED]
        return float(np.median(voiced)) if len(voiced) else None


def follow_pitch(
    samples: Floats,
    rate_hz: int,
    *,
    min_hz: float = MIN_HZ,
    max_hz: float = MAX_HZ,
    offline: bool | None = None,
) -> Pitch:
    """Follow the pitch of one voice.

    Args:
        samples: (n,) float32, one channel, nominally −1…1.
        rate_hz: their sampling rate.
        min_hz, max_hz: where the pitch can lie, within 46.875…2093.75 Hz.
        offline: as for `likeness.models.fetch`.

    Raises:
        UsageError: no such range of pitch, or not one channel of numbers.
        MissingExtra, ModelMissing, ChecksumMismatch
    """
    if not MIN_HZ <= min_hz < max_hz <= MAX_HZ or max_hz < 1.05 * min_hz:
        raise UsageError(
            f"Pitch cannot be sought between {min_hz} and {max_hz} Hz.", f"Stay within {MIN_HZ}…{MAX_HZ} Hz."
        )
    sound = to_listen(samples, rate_hz)
    count = len(sound) // _HOP
    pieces = [np.zeros((2, 0), np.float32)]
    for begin in range(0, count, _BLOCK):  # in blocks, so that memory does not grow with length
        end, left = min(begin + _BLOCK, count), max(0, begin - _LEFT)
        heard = sound[left * _HOP : (end + _RIGHT) * _HOP]
        inputs = {"audio": heard[None], "fmin": np.array(min_hz, "f4"), "fmax": np.array(max_hz, "f4")}
        f0_hz, confidence = run_network(MODEL, inputs, offline=offline)
        pieces.append(np.stack((f0_hz[0], confidence[0]))[:, begin - left : end - left].astype(np.float32))
    f0_hz, confidence = np.concatenate(pieces, axis=1)
    peaks = np.abs(sound[: count * _HOP].reshape(count, _HOP)).max(axis=1, initial=0)
    return Pitch(f0_hz, np.where(peaks < _SILENCE, 0, confidence).astype(np.float32))
