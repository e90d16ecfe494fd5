"""The network of a swap by warping: it mends what the mesh cannot bend.

What it sees is already B's face, doing roughly the right thing: a picture of B, bent by the mesh onto the
wanted points (`engines.swap.meshwarp`). What it adds are teeth, lids, folds, and the light of a mouth that
opens: a residual, from a small U-Net (Ronneberger et al. 2015). It learns from pictures of B alone, one of
them bent onto the points of another, so it has nothing of A to forget, and starts as "change nothing".

Convention: pictures (batch, 3, size, size) float32, 0 … 1, RGB; maps (batch, 1, size, size), 0 … 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from likeness.nn.swap import SLOPE, begin

INPUTS: Final = 7
"""Red, green, blue; where anything was drawn; eyes, mouth, irises."""


@dataclass(frozen=True, slots=True)
class WarpConfig:
    """The dimensions of a model.

    Attributes:
        size_px: of the pictures.
        channels: at the full size, and after each halving.
    """

    size_px: int
    channels: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "channels": list(self.channels)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> WarpConfig:
        """The reverse, of what may come from anybody.

        Raises:
            ValueError: a number is missing or out of range, or they do not fit each other.
        """
        size, channels = values.get("size_px"), values.get("channels")
        if set(values) != {"size_px", "channels"} or type(size) is not int or not 32 <= size <= 512:
            raise ValueError("no size from 32 to 512")
        if not isinstance(channels, (list, tuple)) or not 2 <= len(channels) <= 6:
            raise ValueError("no row of 2 to 6 channels")
        if not all(type(one) is int and 1 <= one <= 512 for one in channels) or size % (
            1 << len(channels) - 1
        ):
            raise ValueError("channels that are no numbers, or more halvings than the size has")
        return cls(size, tuple(channels))


WARP_MODELS: Final[Mapping[str, WarpConfig]] = {
    "warp64": WarpConfig(64, (24, 48, 96, 96)),
    "warp128": WarpConfig(128, (20, 40, 80, 80)),
    "warp256": WarpConfig(256, (16, 32, 64, 96, 96)),
}
"""By name; `docs/swap-training.md` says what each costs."""


class WarpNet(nn.Module):
    """Mends a bent face."""

    def __init__(self, config: WarpConfig) -> None:
        super().__init__()
        self.config = config
        widths = config.channels
        self.first = Pair(INPUTS, widths[0])
        self.down = nn.ModuleList(Pair(a, b) for a, b in pairwise(widths))
        self.up = nn.ModuleList(Pair(b + a, a) for a, b in reversed(list(pairwise(widths))))
        self.out = nn.Conv2d(widths[0], 3, 3, 1, 1)
        self.apply(begin)
        nn.init.zeros_(self.out.weight)

    def forward(self, bent: Tensor) -> Tensor:
        """What to add to the bent picture, (batch, 3, size, size), from -1 to 1.

        Args:
            bent: (batch, 7, size, size), see `INPUTS`.
        """
        maps = [self.first(bent)]
        for block in self.down:
            maps.append(block(F.avg_pool2d(maps[-1], 2)))
        x = maps.pop()
        for block in self.up:
            x = block(torch.cat([F.interpolate(x, scale_factor=2.0), maps.pop()], 1))
        return torch.tanh(self.out(x))


class Pair(nn.Module):
    """Two convolutions."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels_in, channels_out, 3, 1, 1)
        self.second = nn.Conv2d(channels_out, channels_out, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.leaky_relu(self.first(x), SLOPE)
        return F.leaky_relu(self.second(x), SLOPE)
