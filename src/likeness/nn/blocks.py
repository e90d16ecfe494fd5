"""The few building blocks that the First Order Motion Model is made of.

Convention: pictures and features are (batch, channels, height, width) float32. Module and parameter names are
those of the published checkpoints, so that their tensors go where they belong without renaming.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ConvBlock(nn.Module):
    """Convolution, batch norm, ReLU; the size stays the same."""

    def __init__(self, channels_in: int, channels_out: int, kernel: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, kernel, padding=kernel // 2)
        self.norm = nn.BatchNorm2d(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.conv(x)))


class DownBlock(ConvBlock):
    """The same, then the mean of every 2 × 2 pixels: half the size."""

    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(super().forward(x), 2)


class UpBlock(ConvBlock):
    """Every pixel repeated 2 × 2 first: twice the size."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(F.interpolate(x, scale_factor=2.0))


class ResidualBlock(nn.Module):
    """x + conv(relu(norm(conv(relu(norm(x)))))): pre-activation (He et al. 2016, "Identity mappings")."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(F.relu(self.norm1(x)))
        out: Tensor = x + self.conv2(F.relu(self.norm2(y)))
        return out


class Encoder(nn.Module):
    """`blocks` halvings; yields the input and what came out of each."""

    def __init__(self, width: int, channels_in: int, blocks: int, most: int) -> None:
        super().__init__()
        widths = [channels_in, *(min(most, width * 2**i) for i in range(1, blocks + 1))]
        self.down_blocks = nn.ModuleList(DownBlock(a, b) for a, b in pairwise(widths))

    def forward(self, x: Tensor) -> list[Tensor]:
        found = [x]
        for block in self.down_blocks:
            found.append(block(found[-1]))
        return found


class Decoder(nn.Module):
    """As many doublings, each followed by the encoder's features of that size; block 0 is the deepest."""

    def __init__(self, width: int, blocks: int, most: int) -> None:
        super().__init__()
        out = [min(most, width * 2**i) for i in reversed(range(blocks))]
        skips = [0, *out]  # what the encoder adds to the input of each block has the width of its output
        deepest = min(most, width * 2**blocks)
        widths = [deepest, *out]
        self.up_blocks = nn.ModuleList(UpBlock(widths[i] + skips[i], out[i]) for i in range(blocks))

    def forward(self, found: list[Tensor]) -> Tensor:
        skips = list(found)
        x = skips.pop()
        for block in self.up_blocks:
            x = torch.cat([block(x), skips.pop()], 1)
        return x


class Hourglass(nn.Module):
    """Encoder and decoder with skips (Newell, Yang, Deng 2016); `width` + `channels_in` channels come out."""

    def __init__(self, width: int, channels_in: int, blocks: int, most: int) -> None:
        super().__init__()
        self.encoder = Encoder(width, channels_in, blocks, most)
        self.decoder = Decoder(width, blocks, most)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.decoder(self.encoder(x))
        return out


class Shrink(nn.Module):
    """Anti-aliased shrinking by a whole number: a Gaussian, then every `1 / scale`-th pixel, from the first.

    Args:
        scale: 1, 0.5, 0.25 …
    """

    weight: Tensor

    def __init__(self, channels: int, scale: float) -> None:
        super().__init__()
        self.channels, self.step = channels, round(1 / scale)
        sigma = (1 / scale - 1) / 2
        reach = round(4 * sigma)
        at = torch.arange(-reach, reach + 1, dtype=torch.float32)
        line = torch.exp(-(at**2) / (2 * sigma**2)) if sigma else torch.ones(1)
        kernel = torch.outer(line, line)
        kernel = kernel / kernel.sum()
        self.register_buffer("weight", kernel.expand(channels, 1, *kernel.shape).clone())

    def forward(self, x: Tensor) -> Tensor:
        soft = F.conv2d(x, self.weight, padding=self.weight.shape[-1] // 2, groups=self.channels)
        return soft[:, :, :: self.step, :: self.step]


def grid_of(height: int, width: int, like: Tensor) -> Tensor:
    """(height, width, 2): x and y of each sample, from -1 to 1; sample i of n sits at 2 i / (n - 1) - 1."""
    x = 2 * torch.arange(width, dtype=like.dtype, device=like.device) / (width - 1) - 1
    y = 2 * torch.arange(height, dtype=like.dtype, device=like.device) / (height - 1) - 1
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), -1)


def resize(x: Tensor, height: int, width: int) -> Tensor:
    """Bilinear, pixel edges on pixel edges; unchanged where the size is right."""
    if x.shape[-2:] == (height, width):
        return x
    return F.interpolate(x, size=(height, width), mode="bilinear", align_corners=False)


def widths_of(first: int, blocks: int, most: int) -> list[int]:
    """Channels before and after each halving: `first`, twice that …, never more than `most`."""
    return [min(most, first * 2**i) for i in range(blocks + 1)]


def shrink_or_not(channels: int, scale: float) -> nn.Module:
    """`Shrink`, or nothing (without a buffer, as in the checkpoints) where the scale is 1."""
    return nn.Identity() if math.isclose(scale, 1) else Shrink(channels, scale)
