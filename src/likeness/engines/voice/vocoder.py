"""Envelopes to sound: pulses at the pitch that is wanted, noise, and a filter for each.

The filters are `nn.voice_synthesis`; here is what excites them.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from likeness.engines.voice.envelope import HOP, RATE_HZ
from likeness.nn.voice_synthesis import Synthesis
from likeness.types import Floats

_TOP_HZ: Final = 7600.0  # no harmonic lies above, but for one that comes or goes
_SEED: Final = 20261122
_SLAB: Final = 1 << 14  # samples of noise that are drawn at once
_NEAR = 1e-3  # where the formula of the pulses would divide by nothing


class Vocoder:
    """Makes sound of envelopes, the same for the same frames, whatever else is made with them.

    Two frames from either end, and further in, the sound does not depend on where a block begins or ends.
    """

    def __init__(self) -> None:
        self._synthesis = Synthesis()

    def render(self, harmonic: Floats, noise: Floats, turns: NDArray[np.float64], begin: int = 0) -> Floats:
        """The sound of some frames of a recording.

        Args:
            harmonic, noise: (n, 80) and (n, 48), as `nn.voice_synthesis.Synthesis` takes them.
            turns: (160 n + 1,) cycles of the voice since the recording began, as `turn` counts them.
            begin: number of the first frame in the recording, which decides the noise.

        Returns:
            (160 n,) float32 at 16 kHz.
        """
        pulses = pulse_train(turns[:-1], np.diff(turns) * RATE_HZ)
        arrays = (harmonic, noise, pulses, hiss(begin * HOP, begin * HOP + len(pulses)))
        with torch.inference_mode():
            sound = self._synthesis(*(torch.from_numpy(array)[None] for array in arrays))[0].numpy()
        return np.asarray(sound)


def turn(f0_hz: Floats) -> NDArray[np.float64]:
    """Cycles of a tone before each sample, and after the last: (160 n + 1,) from (n,) pitch in mid-frame."""
    samples_hz = np.interp(np.arange(len(f0_hz) * HOP) / HOP, np.arange(len(f0_hz)), f0_hz)
    return np.concatenate(([0.0], np.cumsum(samples_hz) / RATE_HZ))


def pulse_train(turns: NDArray[np.float64], f0_hz: NDArray[np.float64]) -> Floats:
    """Pulses of harmonics up to 7.6 kHz, of effective value 1: cosines that meet at every whole turn.

    Their sum in closed form (Dirichlet's kernel). The highest harmonic comes and goes softly as the pitch
    moves, and never lies above 8 kHz.

    Args:
        turns: (n,) cycles at every sample.
        f0_hz: (n,) pitch at every sample.

    Returns:
        (n,) float32.
    """
    count = np.minimum(_TOP_HZ, RATE_HZ / 2 - f0_hz) / f0_hz
    whole = np.floor(count)
    angle = 2 * np.pi * (turns % 1.0)
    below = 2 * np.sin(angle / 2)
    near = np.abs(below) < _NEAR
    kernel = np.where(near, whole + 0.5, np.sin((whole + 0.5) * angle) / np.where(near, 1, below)) - 0.5
    cosines = kernel + (count - whole) * np.cos((whole + 1) * angle)
    return np.asarray(cosines * np.sqrt(2 / count), np.float32)


def hiss(begin: int, end: int) -> Floats:
    """White noise of effective value 1: samples `begin` to `end` of an endless row, the same every time."""
    first, last = begin // _SLAB, -(-end // _SLAB)
    slabs = [_draw(number) for number in range(first, last)]
    return np.concatenate([np.zeros(0, np.float32), *slabs])[begin - first * _SLAB : end - first * _SLAB]


def _draw(slab: int) -> Floats:
    return np.random.default_rng((_SEED, abs(slab), slab < 0)).standard_normal(_SLAB, np.float32)
