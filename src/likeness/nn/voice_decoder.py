"""What is said, how high, how loud and by whom, to the envelopes of harmonics and noise: a small network.

Blocks after Liu et al., "A ConvNet for the 2020s", CVPR 2022, along time; the speaker enters through scale
and shift in every block (Perez et al., "FiLM: Visual Reasoning with a General Conditioning Layer", AAAI
2018).

Convention: (batch, frames, channels), a hundred frames a second.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from likeness.nn.voice_synthesis import HARMONIC_BANDS, NOISE_BANDS

_PITCH_CENTRE, _ENERGY_CENTRE = 5.0, -4.0  # natural logarithms of a usual voice
_UNVOICED, _VOICED = 0.2, 0.5  # below the one no pulses sound, above the other nothing holds them back
_LEAST_GATE = 1e-3
_EMBEDDING_SCALE = 8.0  # its 256 numbers are of length 1


@dataclass(frozen=True, slots=True)
class DecoderConfig:
    """Dimensions of a decoder.

    Attributes:
        content_channels: numbers that tell what is said in a frame.
        speaker_channels: numbers that tell who speaks.
        width: channels inside.
        dilations: of the blocks' convolutions, one each.
    """

    content_channels: int = 144
    speaker_channels: int = 256
    width: int = 160
    dilations: tuple[int, ...] = (1, 2, 1, 2, 1)


class VoiceDecoder(nn.Module):
    """The envelopes that a voice would have."""

    content_mean: Tensor
    content_scale: Tensor

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        width, count = config.width, len(config.dilations)
        self.config = config
        self.enter = nn.Conv1d(config.content_channels + 4, width, 3, padding=1)
        self.blocks = nn.ModuleList(DecoderBlock(width, dilation) for dilation in config.dilations)
        self.speaker = nn.Sequential(
            nn.Linear(config.speaker_channels, 64), nn.GELU(), nn.Linear(64, 2 * width * count)
        )
        self.leave = nn.Linear(width, HARMONIC_BANDS + NOISE_BANDS)
        self.register_buffer("content_mean", torch.zeros(config.content_channels))
        self.register_buffer("content_scale", torch.ones(config.content_channels))
        with torch.no_grad():
            self.leave.weight.mul_(0.3)
            self.leave.bias[:HARMONIC_BANDS] = 0.5
            self.leave.bias[HARMONIC_BANDS:] = -2.0

    def forward(
        self, content: Tensor, f0_hz: Tensor, voiced: Tensor, energy: Tensor, speaker: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The harmonics' envelope (batch, frames, 80) and that of the noise (batch, frames, 48).

        Natural logarithms of amplitude at places on the mel scale, for excitations of effective value 1.

        Args:
            content: (batch, frames, 144).
            f0_hz, voiced, energy: (batch, frames), as in `engines.voice.analysis.Features`.
            speaker: (batch, 256) of length 1.
        """
        gate = ((voiced - _UNVOICED) / (_VOICED - _UNVOICED)).clamp(0, 1)
        courses = (2 * (f0_hz.log() - _PITCH_CENTRE), voiced, gate, 0.5 * (energy - _ENERGY_CENTRE))
        x = torch.cat(((content - self.content_mean) / self.content_scale, torch.stack(courses, -1)), -1)
        x = self.enter(x.transpose(1, 2))
        styles = self.speaker(_EMBEDDING_SCALE * speaker)[:, :, None].chunk(len(self.blocks), 1)
        for block, style in zip(self.blocks, styles, strict=True):
            x = block(x, style)
        bands = self.leave(x.transpose(1, 2)) + energy[..., None]
        harmonic, noise = bands.split((HARMONIC_BANDS, NOISE_BANDS), -1)
        return harmonic + gate.clamp_min(_LEAST_GATE).log()[..., None], noise


class DecoderBlock(nn.Module):
    """A convolution over time for each channel, then two layers across channels; the speaker between them."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.mix = nn.Conv1d(width, width, 7, padding=3 * dilation, dilation=dilation, groups=width)
        self.widen = nn.Conv1d(width, 2 * width, 1)
        self.narrow = nn.Conv1d(2 * width, width, 1)
        self.scale = nn.Parameter(torch.full((width, 1), 0.3))

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """(batch, width, frames) from the same; style is (batch, 2 · width, 1)."""
        mixed = self.mix(x)
        mean = mixed.mean(1, keepdim=True)
        mixed = (mixed - mean) * (mixed.var(1, unbiased=False, keepdim=True) + 1e-5).rsqrt()
        gain, shift = style.chunk(2, 1)
        return torch.as_tensor(x + self.scale * self.narrow(F.gelu(self.widen(mixed * (1 + gain) + shift))))
