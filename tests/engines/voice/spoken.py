"""A made-up speaker: pulses through formants, and features that are known without any model."""

from __future__ import annotations

import numpy as np

from likeness.engines.voice.analysis import Features, frame_energy
from likeness.engines.voice.envelope import HOP, RATE_HZ, spectral_envelope
from likeness.types import Floats

FORMANTS_HZ = np.array(((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480)), float)
SOUND_S = 0.24
"""How long each sound lasts: three units of it are alike, and it does not end with a unit."""


def speak(sounds: list[int], pitch_hz: float, *, stretch: float = 1.0, seed: int = 0) -> Features:
    """Vowels one after another; −1 is a hiss.

    Args:
        sounds: rows of `FORMANTS_HZ`.
        stretch: of the formants: above 1 a shorter vocal tract.
    """
    rng = np.random.default_rng(seed)
    each = int(SOUND_S * RATE_HZ)
    frames = len(sounds) * each // HOP
    f0_hz = (pitch_hz * (1 + 0.05 * np.sin(np.arange(frames) / 15))).astype(np.float32)
    every_hz = np.interp(np.arange(frames * HOP) / HOP, np.arange(frames), f0_hz)
    turns = np.cumsum(every_hz) / RATE_HZ
    sound = np.zeros(frames * HOP)
    for number, row in enumerate(sounds):
        here = slice(number * each, (number + 1) * each)
        if row < 0:
            sound[here] = np.diff(rng.normal(0, 0.02, each + 1))
            continue
        for harmonic in range(1, int(7000 / pitch_hz)):
            hz = harmonic * every_hz[here]
            gain = sum(1 / (1 + ((hz - formant * stretch) / 90) ** 2) for formant in FORMANTS_HZ[row])
            sound[here] += 0.03 * (gain + 0.01) * np.cos(2 * np.pi * harmonic * turns[here])
    sound = sound + rng.normal(0, 1e-4, len(sound))
    said = np.repeat(np.array(sounds), each // HOP)
    voiced = (said >= 0).astype(np.float32)
    samples = sound.astype(np.float32)
    content = np.eye(144, dtype=np.float32)[said[::2]] + rng.normal(0, 0.01, (frames // 2, 144))
    return Features(
        samples=samples,
        content=content.astype(np.float32),
        f0_hz=f0_hz,
        voiced=voiced,
        energy=frame_energy(samples, frames),
        envelope=spectral_envelope(samples, f0_hz, voiced),
        gain=1.0,
    )


def turns_of(f0_hz: Floats, factor: float = 1.0) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """(160 n + 1,) periods that have passed at each sample."""
    count = len(f0_hz) * HOP
    every_hz = np.interp(np.arange(count) / HOP, np.arange(len(f0_hz)), f0_hz)
    return np.concatenate(([0.0], np.cumsum(factor * every_hz / RATE_HZ)))
