"""The flow of VITS, which turns a latent that names no speaker into one that does.

Four couplings (Dinh, Sohl-Dickstein and Bengio, "Density estimation using Real NVP", ICLR 2017) that only
shift, each by what a small WaveNet says. Training runs them forwards; here is the way back.

Convention: (batch, channels, frames). Module names are those of the published checkpoints.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from likeness.nn.rvc_config import RvcConfig

_COUPLINGS, _LAYERS, _KERNEL = 4, 3, 5
REACH = _COUPLINGS * _LAYERS * (_KERNEL // 2)
"""Frames on either side that a frame of the result depends on: 24."""


class Flow(nn.Module):
    """The couplings, between which the channels change their order."""

    def __init__(self, config: RvcConfig) -> None:
        super().__init__()
        # In the file, every other place is that of a change of order, which has no weights.
        self.flows = nn.ModuleDict({str(2 * index): Coupling(config) for index in range(_COUPLINGS)})

    def forward(self, x: Tensor, speaker: Tensor) -> Tensor:
        """The latent (batch, inter_channels, frames) of this speaker (batch, speaker_channels, 1)."""
        for coupling in reversed(list(self.flows.values())):
            x = coupling(x.flip(1), speaker)
        return x


class Coupling(nn.Module):
    """Shifts one half of the channels by what the other half and the speaker say."""

    def __init__(self, config: RvcConfig) -> None:
        super().__init__()
        half = config.inter_channels // 2
        self.pre = nn.Conv1d(half, config.hidden_channels, 1)
        self.enc = GatedStack(config.hidden_channels, config.speaker_channels)
        self.post = nn.Conv1d(config.hidden_channels, half, 1)

    def forward(self, x: Tensor, speaker: Tensor) -> Tensor:
        kept, shifted = x.chunk(2, 1)
        return torch.cat([kept, shifted - self.post(self.enc(self.pre(kept), speaker))], 1)


class GatedStack(nn.Module):
    """Gated convolutions with residual and skip connections (van den Oord et al., "WaveNet", 2016)."""

    def __init__(self, channels: int, speaker_channels: int) -> None:
        super().__init__()
        double, padding = 2 * channels, _KERNEL // 2
        self.cond_layer = nn.Conv1d(speaker_channels, double * _LAYERS, 1)
        self.in_layers = nn.ModuleList(
            nn.Conv1d(channels, double, _KERNEL, padding=padding) for _ in range(_LAYERS)
        )
        # The last layer has no layer above it, and gives a skip only.
        self.res_skip_layers = nn.ModuleList(
            nn.Conv1d(channels, double if index < _LAYERS - 1 else channels, 1) for index in range(_LAYERS)
        )

    def forward(self, x: Tensor, speaker: Tensor) -> Tensor:
        skipped = torch.zeros_like(x)
        conditions = self.cond_layer(speaker).chunk(_LAYERS, 1)
        for convolve, divide, condition in zip(self.in_layers, self.res_skip_layers, conditions, strict=True):
            value, gate = (convolve(x) + condition).chunk(2, 1)
            out = divide(torch.tanh(value) * torch.sigmoid(gate))
            if out.shape[1] > x.shape[1]:
                residual, out = out.chunk(2, 1)
                x = x + residual
            skipped = skipped + out
        return skipped
