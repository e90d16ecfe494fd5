"""What a voice model is told of a sound besides what is said: its pitch, without what rumbles below."""

from __future__ import annotations

from functools import partial

import numpy as np

from likeness.engines.rvc.pitch import HIGHEST_HZ, LOWEST_HZ
from likeness.engines.rvc.settings import PitchBy
from likeness.speech import pitch as swift
from likeness.speech.extra import RATE_HZ
from likeness.speech.pitch import Pitch
from likeness.types import Floats

FRAME_S = 0.01
_RUMBLE_HZ, _ORDER = 48.0, 5
_VOICED = 0.5


def remove_rumble(sound: Floats) -> Floats:
    """The sound (n,) float32 at 16 kHz without what lies below 48 Hz, as RVC listens to it.

    A Butterworth filter of order 5, forwards and backwards, so that nothing is shifted.
    """
    spectrum = np.fft.rfft(sound)
    at = np.pi * np.arange(1, len(spectrum)) / len(sound)
    spectrum[0] = 0
    spectrum[1:] /= 1 + (np.tan(np.pi * _RUMBLE_HZ / RATE_HZ) / np.tan(at)) ** (2 * _ORDER)
    return np.fft.irfft(spectrum, len(sound)).astype(np.float32)


def follow_f0(sound: Floats, frames: int, by: PitchBy, *, offline: bool | None = None) -> Floats:
    """Its pitch, for frames of 10 ms: (frames,) float32, Hz; 0 = unvoiced.

    Args:
        sound: (n,) float32 at 16 kHz.
        by: what follows it.
        offline: as for `likeness.models.fetch`.

    Raises:
        MissingExtra, ModelMissing, ChecksumMismatch
    """
    if by == "crepe":
        from likeness.engines.crepe import HOP_S, follow_pitch_by_crepe

        found = follow_pitch_by_crepe(sound, RATE_HZ, min_hz=LOWEST_HZ, max_hz=HIGHEST_HZ)
        return by_frame(found, HOP_S, frames)
    follow = partial(swift.follow_pitch, min_hz=LOWEST_HZ, max_hz=HIGHEST_HZ, offline=offline)
    return by_frame(follow(sound, RATE_HZ), swift.HOP_S, frames)


def by_frame(pitch: Pitch, hop_s: float, frames: int) -> Floats:
    """f0 for frames of 10 ms: between voiced frames on a straight line, on the logarithmic scale.

    Returns:
        (frames,) float32, Hz; 0 = unvoiced.
    """
    voiced = np.flatnonzero(pitch.confidence >= _VOICED)
    if not len(voiced):
        return np.zeros(frames, np.float32)
    at = np.arange(frames) * (FRAME_S / hop_s)
    logs = np.interp(at, voiced, np.log(pitch.f0_hz[voiced]))
    is_voiced = np.interp(at, np.arange(len(pitch.confidence)), pitch.confidence) >= _VOICED
    return np.where(is_voiced, np.exp(logs), 0).astype(np.float32)
