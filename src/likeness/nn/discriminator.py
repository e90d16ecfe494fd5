"""The discriminator that the First Order Motion Model is trained against.

It judges patches, not whole pictures (Isola et al. 2017, "Image-to-image translation with conditional
adversarial networks"), at one or several sizes (Wang et al. 2018, pix2pixHD), and with the least-squares loss
(Mao et al. 2017). Nothing of it is needed to animate.

Convention: pictures (batch, 3, h, w), 0 … 1. Module names are those of the published checkpoints.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from likeness.nn.blocks import grid_of


@dataclass(frozen=True, slots=True)
class DiscriminatorConfig:
    """Its dimensions, under the names that a configuration file gives them.

    Attributes:
        scales: the sizes at which it judges: 1, 0.5 …; all of them are made from the full picture.
        sn: spectral norm on every convolution (Miyato et al. 2018).
        use_kp: it is also shown a heat map of each keypoint.
    """

    scales: tuple[float, ...] = (1.0,)
    block_expansion: int = 32
    max_features: int = 512
    num_blocks: int = 4
    sn: bool = False
    use_kp: bool = False
    num_kp: int = 10
    num_channels: int = 3
    kp_variance: float = 0.01


class Judgement(NamedTuple):
    """What one scale says: the features of each block, and a score per patch, (batch, 1, h, w)."""

    features: list[Tensor]
    score: Tensor


class PatchBlock(nn.Module):
    """4 × 4 convolution without padding, instance norm, leaky ReLU, and half the size."""

    def __init__(self, channels_in: int, channels_out: int, *, norm: bool, pool: bool, sn: bool) -> None:
        super().__init__()
        self.conv = _convolution(channels_in, channels_out, 4, sn)
        self.norm = nn.InstanceNorm2d(channels_out, affine=True) if norm else None
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        if self.norm is not None:
            x = self.norm(x)
        x = F.leaky_relu(x, 0.2)
        return F.avg_pool2d(x, 2) if self.pool else x


class PatchDiscriminator(nn.Module):
    """The judge of one scale."""

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        count = config.num_blocks
        first = config.num_channels + (config.num_kp if config.use_kp else 0)
        widths = [min(config.max_features, config.block_expansion * 2 ** (i + 1)) for i in range(count)]
        self.down_blocks = nn.ModuleList(
            PatchBlock(before, after, norm=i > 0, pool=i < count - 1, sn=config.sn)
            for i, (before, after) in enumerate(zip([first, *widths], widths, strict=False))
        )
        self.conv = _convolution(widths[-1], 1, 1, config.sn)

    def forward(self, x: Tensor) -> Judgement:
        features = []
        for block in self.down_blocks:
            x = block(x)
            features.append(x)
        return Judgement(features, self.conv(x))


class Discriminator(nn.Module):
    """One `PatchDiscriminator` for each scale, called `discs.1`, `discs.0-5` …"""

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        self.config = config
        self.names = {scale: f"{scale:g}".replace(".", "-") for scale in config.scales}
        self.discs = nn.ModuleDict({name: PatchDiscriminator(config) for name in self.names.values()})

    def forward(self, pyramid: dict[float, Tensor], points: Tensor | None = None) -> list[Judgement]:
        """
        Args:
            pyramid: the picture at each of the configuration's scales.
            points: (batch, k, 2), the keypoints of what is shown; needed with `use_kp`.
        """
        found = []
        for scale, name in self.names.items():
            x = pyramid[scale]
            if self.config.use_kp:
                assert points is not None
                x = torch.cat([x, self._heat(x, points)], 1)
            found.append(self.discs[name](x))
        return found

    def _heat(self, like: Tensor, points: Tensor) -> Tensor:
        offset = grid_of(like.shape[-2], like.shape[-1], like) - points[:, :, None, None]
        return torch.exp(-(offset**2).sum(-1) / (2 * self.config.kp_variance))


def _convolution(channels_in: int, channels_out: int, kernel: int, sn: bool) -> nn.Module:
    layer = nn.Conv2d(channels_in, channels_out, kernel)
    # Not `parametrizations.spectral_norm`, which gives its tensors other names than the checkpoints have.
    return nn.utils.spectral_norm(layer) if sn else layer
