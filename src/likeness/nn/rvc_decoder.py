"""A latent to a wave: the generator of HiFi-GAN, led by a sine where a pitch is known.

Kong, Kim and Bae, "HiFi-GAN: Generative Adversarial Networks for Efficient and High Fidelity Speech
Synthesis", NeurIPS 2020 (its residual blocks of kind 1); the sine source after Wang, Takaki and Yamagishi,
"Neural source-filter-based waveform model for statistical parametric speech synthesis", ICASSP 2019, with one
harmonic.

Convention: (batch, channels, frames or samples). Module names are those of the published checkpoints; their
weight normalisation is folded into the weights when they are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, product
from math import ceil, pi, prod
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from likeness.nn.rvc_config import RvcConfig

CHUNK_FRAMES = 200
"""What is decoded at once, at most."""
TILE_NUMBERS = 1 << 20
"""Residual blocks see so many numbers at once, 4 MB: smaller tiles overlap more, larger ones leave caches."""

_UNIT = 25  # frames by which chunks differ: torch keeps something for every length that it has seen
_SLOPE, _LAST_SLOPE = 0.1, 0.01
_TONE = 0.1
_VOICED_NOISE, _UNVOICED_NOISE = 0.003, _TONE / 3


class Decoder(nn.Module):
    """Stages that make the latent longer, each followed by the mean of a few residual blocks."""

    def __init__(self, config: RvcConfig) -> None:
        super().__init__()
        rates, kernels = config.upsample_rates, config.upsample_kernel_sizes
        widths = [config.upsample_initial_channels >> stage for stage in range(len(rates) + 1)]
        self.m_source = SineSource(config) if config.has_pitch else None
        self.noise_convs: nn.ModuleList | None = None
        if config.has_pitch:
            self.noise_convs = nn.ModuleList(
                _excitation_conv(width, prod(rates[stage:]), last=stage == len(rates))
                for stage, width in enumerate(widths)
                if stage
            )
        self.conv_pre = nn.Conv1d(config.inter_channels, widths[0], 7, padding=3)
        self.cond = nn.Conv1d(config.speaker_channels, widths[0], 1)
        self.ups = nn.ModuleList(
            nn.ConvTranspose1d(a, b, kernel, rate, padding=(kernel - rate) // 2)
            for (a, b), kernel, rate in zip(pairwise(widths), kernels, rates, strict=True)
        )
        shapes = tuple(zip(config.resblock_kernel_sizes, config.resblock_dilations, strict=True))
        self.blocks_per_stage = len(shapes)
        self.resblocks = nn.ModuleList(
            ResidualBlock(width, kernel, dilations)
            for width, (kernel, dilations) in product(widths[1:], shapes)
        )
        self.conv_post = nn.Conv1d(widths[-1], 1, 7, padding=3, bias=False)
        self.samples_per_frame, self.reach = config.samples_per_frame, _reach_of(config)
        self.block_reach = _reach_of_blocks(config)

    def decode(self, x: Tensor, speaker: Tensor, excitation: Tensor | None) -> Tensor:
        """As `forward`, a few seconds at a time: the wave is the same, and memory stays flat."""
        step, parts = self.samples_per_frame, []
        for window in _windows(x.shape[-1], _share(x.shape[-1], CHUNK_FRAMES, _UNIT), self.reach):
            first, last = window.first, window.last
            tone = None if excitation is None else excitation[..., first * step : last * step]
            wave = self(x[..., first:last], speaker, tone)
            parts.append(wave[..., (window.start - first) * step : (window.end - first) * step])
        return torch.cat(parts, -1)

    def forward(self, x: Tensor, speaker: Tensor, excitation: Tensor | None) -> Tensor:
        """The wave (batch, 1, samples), -1 … 1.

        Args:
            x: (batch, inter_channels, frames).
            speaker: (batch, speaker_channels, 1).
            excitation: (batch, 1, samples) from `m_source`; None where there is none.
        """
        x = self.conv_pre(x) + self.cond(speaker)
        for stage, lengthen in enumerate(self.ups):
            x = lengthen(F.leaky_relu(x, _SLOPE))
            if self.noise_convs is not None:
                x += self.noise_convs[stage](excitation)
            first = stage * self.blocks_per_stage
            x = self._in_tiles(self.resblocks[first : first + self.blocks_per_stage], x)
        return torch.tanh(self.conv_post(F.leaky_relu(x, _LAST_SLOPE)))

    def _in_tiles(self, blocks: nn.ModuleList, x: Tensor) -> Tensor:
        """What `_mean_of` makes, tile by tile."""
        out, length = torch.empty_like(x), x.shape[-1]
        step = _share(length, ceil(TILE_NUMBERS / x.shape[1]))
        for window in _windows(length, step, self.block_reach):
            tile = _mean_of(blocks, x[..., window.first : window.last])
            kept = slice(window.start - window.first, window.end - window.first)
            out[..., window.start : window.end] = tile[..., kept]
        return out


class ResidualBlock(nn.Module):
    """Pairs of a dilated and a plain convolution, each pair added to what it saw."""

    def __init__(self, channels: int, kernel: int, dilations: tuple[int, ...]) -> None:
        super().__init__()
        self.convs1 = nn.ModuleList(
            nn.Conv1d(channels, channels, kernel, dilation=dilation, padding=dilation * (kernel - 1) // 2)
            for dilation in dilations
        )
        self.convs2 = nn.ModuleList(
            nn.Conv1d(channels, channels, kernel, padding=(kernel - 1) // 2) for _ in dilations
        )

    def forward(self, x: Tensor) -> Tensor:
        for dilated, plain in zip(self.convs1, self.convs2, strict=True):
            inner = F.leaky_relu(dilated(F.leaky_relu(x, _SLOPE)), _SLOPE, inplace=True)
            x = plain(inner).add_(x)
        return x


class SineSource(nn.Module):
    """A sine where there is a pitch, noise where there is none, through one learned gain."""

    def __init__(self, config: RvcConfig) -> None:
        super().__init__()
        self.rate_hz, self.samples_per_frame = config.sample_rate_hz, config.samples_per_frame
        self.l_linear = nn.Linear(1, 1)

    def forward(self, pitch_hz: Tensor, noise: Tensor | None, phase: float = 0.0) -> Tensor:
        """The excitation (batch, 1, samples).

        Args:
            pitch_hz: (batch, frames), each held for its whole frame; 0 = unvoiced.
            noise: (batch, samples), of the normal distribution; None = none.
            phase: of the sine before the first sample, cycles.
        """
        held = pitch_hz.repeat_interleave(self.samples_per_frame, 1)
        voiced = held > 0
        # In single precision, the phase of a minute would be off by more than is heard.
        turned = phase + torch.cumsum(held.double() / self.rate_hz, 1)
        source = _TONE * torch.sin(2 * pi * turned.frac().to(pitch_hz.dtype)) * voiced
        if noise is not None:
            source = source + noise * torch.where(voiced, _VOICED_NOISE, _UNVOICED_NOISE)
        return torch.tanh(self.l_linear(source[..., None])).transpose(1, 2)


class _Window(NamedTuple):
    """What is looked at, and the part of it that is kept, each from … to."""

    first: int
    last: int
    start: int
    end: int


def _windows(length: int, step: int, reach: int) -> Iterator[_Window]:
    """Windows whose kept parts, `step` long, lie one after another, with `reach` on either side of them.

    All are equally long; the last one overlaps more.
    """
    width = min(step + 2 * reach, length)
    for start in range(0, length, step):
        first = min(max(start - reach, 0), length - width)
        yield _Window(first, first + width, start, min(start + step, length))


def _share(length: int, most: int, unit: int = 1) -> int:
    """The length of equal shares of `most` or less, rounded up to whole units."""
    return ceil(length / ceil(length / most) / unit) * unit


def _reach_of(config: RvcConfig) -> int:
    """How many frames on either side a sample depends on, counted from the wave back to the latent."""
    in_blocks = _reach_of_blocks(config)
    reach = 3  # of the last convolution
    for rate, kernel in zip(config.upsample_rates[::-1], config.upsample_kernel_sizes[::-1], strict=True):
        reach = ceil((reach + in_blocks + kernel) / rate) + 1  # and of the excitation's, one at most
    return reach + 3  # of the first


def _reach_of_blocks(config: RvcConfig) -> int:
    """How many samples of a stage, on either side, a sample depends on after its residual blocks."""
    shapes = zip(config.resblock_kernel_sizes, config.resblock_dilations, strict=True)
    return max(sum((dilation + 1) * (size - 1) // 2 for dilation in dilations) for size, dilations in shapes)


def _excitation_conv(channels: int, stride: int, *, last: bool) -> nn.Conv1d:
    """The excitation at the rate of a stage, which lacks `stride` to the wave's."""
    if last:
        return nn.Conv1d(1, channels, 1)
    return nn.Conv1d(1, channels, 2 * stride, stride, padding=stride // 2)


def _mean_of(blocks: nn.ModuleList, x: Tensor) -> Tensor:
    total: Tensor = blocks[0](x)
    for block in blocks[1:]:
        total.add_(block(x))
    return total.div_(len(blocks))
