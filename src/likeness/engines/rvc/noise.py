"""The random part of a long wave, which is the same in whatever piece a frame comes."""

from __future__ import annotations

import numpy as np

from likeness.engines.rvc.synthesizer import Draws, Synthesizer
from likeness.types import Floats

_BLOCK = 100  # frames drawn at once


class Noise:
    """Draws for a voice, by frame.

    Args:
        level: 0 (none) … 1 (as the voice was trained).
        seed: the same seed gives the same draws.
    """

    def __init__(self, voice: Synthesizer, level: float, seed: int) -> None:
        self._channels = voice.latent_channels
        self._samples = voice.samples_per_frame if voice.has_pitch else 0
        self._level, self._seed = np.float32(level), seed

    def draw(self, first: int, count: int) -> Draws:
        """Those of `count` frames from frame `first` (0 or more) on."""
        number, skipped = divmod(first, _BLOCK)
        drawn = [self._block(one) for one in range(number, (first + count - 1) // _BLOCK + 1)]
        latent, source = (
            self._level * np.concatenate(parts)[skipped : skipped + count]
            for parts in zip(*drawn, strict=True)
        )
        return Draws(latent.T, source.reshape(-1) if self._samples else None)

    def _block(self, number: int) -> tuple[Floats, Floats]:
        draw = np.random.default_rng((self._seed, number))
        latent = draw.standard_normal((_BLOCK, self._channels), np.float32)
        return latent, draw.standard_normal((_BLOCK, self._samples), np.float32)
