"""What is known of a recording before it gets another voice, a hundred times a second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from likeness.engines.voice.envelope import HOP, RATE_HZ, spectral_envelope
from likeness.errors import UsageError
from likeness.speech.content import FRAME, encode_content
from likeness.speech.extra import to_listen
from likeness.speech.pitch import HOP_S, follow_pitch
from likeness.types import Floats

FRAME_S: Final = HOP / RATE_HZ
LEVEL: Final = 0.06
"""Effective value that the speech in a recording is brought to."""
VOICED: Final = 0.5

_LEVEL_FRAME = 480  # samples of 16 kHz
_SILENCE_DB = -30.0  # below the loud frames
_ENERGY_FLOOR = 1e-5
_LOWEST_HZ, _HIGHEST_HZ, _UNKNOWN_HZ = 55.0, 1200.0, 120.0


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """A recording and all that is known of it. Frame k is centred on sample 160 k; n is even.

    Attributes:
        samples: (160 n,) float32 at 16 kHz, times `gain`; silence at the end fills up the last frame.
        content: (n / 2, 144) float32, what is said (`speech.content`): row k belongs to frame 2 k.
        f0_hz: (n,) float32; where nothing is voiced, on a straight line between what is (in octaves).
        voiced: (n,) float32, 0…1; `VOICED` and more mean voiced.
        energy: (n,) float32, natural logarithm of the effective value over 30 ms; −11.5 is silence.
        envelope: (n, 48) float32, as `envelope.spectral_envelope` gives it.
        gain: what the recording was multiplied by.
    """

    samples: Floats
    content: Floats
    f0_hz: Floats
    voiced: Floats
    energy: Floats
    envelope: Floats
    gain: float

    def __len__(self) -> int:
        """How many frames of 10 ms."""
        return len(self.f0_hz)

    def cut(self, begin: int, end: int) -> Features:
        """Only frames `begin` to `end`; both even.

        Raises:
            UsageError: they are odd.
        """
        if begin % 2 or end % 2:
            raise UsageError(f"Frames {begin} to {end} cannot be cut out.", "Give even numbers.")
        frames = slice(begin, end)
        return Features(
            samples=self.samples[begin * HOP : end * HOP],
            content=self.content[begin // 2 : end // 2],
            f0_hz=self.f0_hz[frames],
            voiced=self.voiced[frames],
            energy=self.energy[frames],
            envelope=self.envelope[frames],
            gain=self.gain,
        )


def analyse(
    samples: Floats, rate_hz: int, *, gain: float | None = None, offline: bool | None = None
) -> Features:
    """Everything known of one recording of one voice.

    Args:
        samples: (n,) float32, one channel, nominally −1…1.
        rate_hz: their sampling rate.
        gain: what to multiply them by; None brings the speech in them to `LEVEL`. Parts of one recording
            need the same.
        offline: as for `likeness.models.fetch`.

    Raises:
        UsageError: not one channel of numbers.
        MissingExtra: the extra "voice" is not installed.
        ModelMissing, ChecksumMismatch, ModelFormat
    """
    sound = to_listen(samples, rate_hz)
    gain = level_gain(sound) if gain is None else gain
    sound = (sound * np.float32(gain)).astype(np.float32)
    content = encode_content(sound, RATE_HZ, offline=offline)
    count = len(content) * FRAME // HOP
    sound = np.pad(sound, (0, count * HOP - len(sound)))
    f0_hz, voiced = find_pitch(sound, count, offline=offline)
    return Features(
        samples=sound,
        content=content,
        f0_hz=f0_hz,
        voiced=voiced,
        energy=frame_energy(sound, count),
        envelope=spectral_envelope(sound, f0_hz, voiced),
        gain=gain,
    )


def join(parts: Sequence[Features]) -> Features:
    """Recordings of one voice, one after another; the gain is 1, since theirs may differ.

    Raises:
        UsageError: there are none.
    """
    if not parts:
        raise UsageError("There is no recording.", "Give one or more.")
    return Features(
        samples=np.concatenate([part.samples for part in parts]),
        content=np.concatenate([part.content for part in parts]),
        f0_hz=np.concatenate([part.f0_hz for part in parts]),
        voiced=np.concatenate([part.voiced for part in parts]),
        energy=np.concatenate([part.energy for part in parts]),
        envelope=np.concatenate([part.envelope for part in parts]),
        gain=1.0,
    )


def level_gain(samples: Floats) -> float:
    """What brings the loud part of (n,) samples, within 30 dB of the loudest, to `LEVEL`; 1 for silence."""
    count = max(1, len(samples) // _LEVEL_FRAME)
    padded = np.pad(samples, (0, max(0, count * _LEVEL_FRAME - len(samples))))[: count * _LEVEL_FRAME]
    power = np.square(padded.reshape(count, _LEVEL_FRAME), dtype=np.float64).mean(1)
    loud = float(np.percentile(power, 95))
    if loud < 1e-10:
        return 1.0
    return LEVEL / float(np.sqrt(power[power > loud * 10 ** (_SILENCE_DB / 10)].mean()))


def frame_energy(samples: Floats, count: int) -> Floats:
    """(count,) float32: natural logarithm of the effective value under a Hann window of 30 ms."""
    window = np.hanning(3 * HOP + 1)[:-1]
    reach = 3 * HOP // 2
    padded = np.pad(np.square(samples, dtype=np.float64), (reach, reach + count * HOP))
    power = np.lib.stride_tricks.sliding_window_view(padded, 3 * HOP)[::HOP][:count] @ (window / window.sum())
    return np.asarray(0.5 * np.log(power + _ENERGY_FLOOR**2), np.float32)


def find_pitch(samples: Floats, count: int, *, offline: bool | None = None) -> tuple[Floats, Floats]:
    """Pitch, Hz, and 0…1 how surely it is voiced, of `count` frames of (n,) samples at 16 kHz."""
    pitch = follow_pitch(samples, RATE_HZ, min_hz=_LOWEST_HZ, max_hz=_HIGHEST_HZ, offline=offline)
    wanted_s, found_s = np.arange(count) * FRAME_S, np.arange(len(pitch.f0_hz)) * HOP_S
    sure = pitch.confidence >= VOICED
    if not sure.any():
        return np.full(count, _UNKNOWN_HZ, np.float32), np.zeros(count, np.float32)
    f0_hz = np.exp(np.interp(wanted_s, found_s[sure], np.log(pitch.f0_hz[sure])))
    voiced = np.interp(wanted_s, found_s, pitch.confidence)
    return f0_hz.astype(np.float32), voiced.astype(np.float32)
