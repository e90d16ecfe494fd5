"""Steps of learning, for many speakers and for one."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import nn
from torch.optim import AdamW

from likeness.errors import TrainingDiverged
from likeness.nn.voice_decoder import VoiceDecoder
from likeness.nn.voice_synthesis import HOP, Synthesis
from likeness.training.voice.losses import spectral_loss
from likeness.training.voice.material import Batch

_BETAS, _WEIGHT_DECAY, _LARGEST_GRADIENT = (0.8, 0.99), 1e-3, 2.0
_WARM_UP = 30  # steps
_LAST_RATE = 0.05  # of the learning rate
_RIM = 2 * HOP  # samples at either end, which know only half of their surroundings


class Learner:
    """A decoder that learns, and the average of its last weights, which is what is used.

    Args:
        decoder: changed by every step.
        rate: the learning rate at the beginning; it falls to 5 % at the end, along a straight line.
        memory: how much of the average is kept from step to step.
    """

    def __init__(self, decoder: VoiceDecoder, *, rate: float, memory: float) -> None:
        self.decoder, self.average = decoder, deepcopy(decoder).requires_grad_(False)
        self._synthesis, self._hiss = Synthesis(), torch.Generator().manual_seed(0)
        self._optimizer = AdamW(decoder.parameters(), rate, betas=_BETAS, weight_decay=_WEIGHT_DECAY)
        self._rate, self._memory = rate, memory
        self.step = 0

    def learn(self, batch: Batch, done: float) -> float:
        """One step; the loss before it. `done` is how much of all learning lies behind, 0…1.

        Raises:
            TrainingDiverged: the loss is no number.
        """
        loss = self._loss(batch)
        value = float(loss.detach())
        if value != value:
            raise TrainingDiverged("The decoder's loss is no number any more.", "Lower the learning rate.")
        warm = min(1.0, (self.step + 1) / _WARM_UP)
        for group in self._optimizer.param_groups:
            group["lr"] = self._rate * warm * (1 - (1 - _LAST_RATE) * done)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.decoder.parameters(), _LARGEST_GRADIENT)
        self._optimizer.step()
        self.step += 1
        self._remember()
        return value

    def _loss(self, batch: Batch) -> torch.Tensor:
        harmonic, noise = self.decoder(batch.content, batch.f0_hz, batch.voiced, batch.energy, batch.speaker)
        hiss = torch.randn(batch.samples.shape, generator=self._hiss)
        made = self._synthesis(harmonic, noise, batch.pulses, hiss)
        inner = slice(_RIM, -_RIM)
        return spectral_loss(made[:, inner], batch.samples[:, inner])

    @torch.no_grad()
    def _remember(self) -> None:
        keep = min(self._memory, self.step / (self.step + 10))
        for old, new in zip(self.average.parameters(), self.decoder.parameters(), strict=True):
            old.lerp_(new, 1 - keep)
