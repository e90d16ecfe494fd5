"""The networks that swaps were made with so far, from their published shapes, to compare with.

"original" and "lightweight" of deepfakes/faceswap: 5 × 5 convolutions of stride 2, two dense layers, and
doublings by a 3 × 3 convolution with pixel shuffle; pictures of 64 px. They have 82.1 and 51.1 million
numbers. Of their decoders' output only the last convolution differs here: it gives the mask, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from likeness.nn.swap import SIDES, Face

SLOPE = 0.1
PUBLISHED_RATE = 5e-5
"""Of Adam, as both are trained by default."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The dimensions of one.

    Attributes:
        encoder: channels after each halving.
        dense: numbers of the dense layer between them.
        bottom: channels of the 4 × 4 map that the second dense layer makes.
        grown: channels after the encoder's own doubling.
        decoder: channels after each doubling.
    """

    encoder: tuple[int, ...]
    dense: int
    bottom: int
    grown: int
    decoder: tuple[int, ...]
    size_px: int = 64


SHAPES = {
    "original": Shape((128, 256, 512, 1024), 1024, 1024, 512, (256, 128, 64)),
    "lightweight": Shape((128, 256, 512), 512, 512, 256, (512, 256, 128)),
}


class Encoder(nn.Module):
    """A picture to what both decoders live on, (batch, grown, 8, 8)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        widths = [3, *shape.encoder]
        self.halvings = nn.ModuleList(nn.Conv2d(a, b, 5, 2, 2) for a, b in pairwise(widths))
        side = shape.size_px >> len(shape.encoder)
        self.squeeze = nn.Linear(shape.encoder[-1] * side**2, shape.dense)
        self.spread = nn.Linear(shape.dense, shape.bottom * 16)
        self.grow = Doubling(shape.bottom, shape.grown)

    def forward(self, picture: Tensor) -> Tensor:
        x = picture
        for layer in self.halvings:
            x = nn.functional.leaky_relu(layer(x), SLOPE)
        x = self.spread(self.squeeze(x.flatten(1)))
        return self.grow(x.view(len(x), -1, 4, 4))


class Decoder(nn.Module):
    """What the encoder gives to one person's face."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.body = nn.Sequential(*(Doubling(a, b) for a, b in pairwise([shape.grown, *shape.decoder])))
        self.out = nn.Conv2d(shape.decoder[-1], 4, 5, 1, 2)

    def forward(self, x: Tensor) -> Face:
        made = torch.sigmoid(self.out(self.body(x)))
        return Face(made[:, :3], made[:, 3:])


class Doubling(nn.Module):
    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, 4 * channels_out, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.pixel_shuffle(nn.functional.leaky_relu(self.conv(x), SLOPE), 2)


class Baseline(nn.Module):
    """Takes the place of `SwapNet`: the same trainer teaches it, with the same faces."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.encoder = Encoder(shape)
        self.decoders = nn.ModuleDict({side: Decoder(shape) for side in SIDES})

    def forward(self, pictures: Tensor, to: str) -> Face:
        return self.decoders[to](self.encoder(pictures))

    def learn(self, of_a: Tensor, of_b: Tensor) -> tuple[Face, Face]:
        code = self.encoder(torch.cat([of_a, of_b]))
        return self.decoders["a"](code[: len(of_a)]), self.decoders["b"](code[len(of_a) :])


def count_parameters(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())
