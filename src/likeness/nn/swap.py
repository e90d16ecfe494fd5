"""The networks of a face swap: one encoder that both people share, and one decoder for each of them.

The design is that of deepfakes/faceswap (2017) and DeepFaceLab (Perov et al. 2020, section 3, "DF"): what
encoder and bottleneck make of a face is pose, expression and light, since both decoders have to live on it;
whose face it is lies in the decoder. A face of one person, decoded by the other's decoder, is the swap.

What is ours: what could tell the encoder whose face it is, complexion and surroundings, is taken from what
it sees; 3 × 3 convolutions, doubling by pixel shuffle (Shi et al. 2016), and the last doublings without a
layer of their own, since on a processor nearly all of the time goes into the largest maps.

Convention: pictures (batch, 3, size, size) float32, 0 … 1, RGB; masks (batch, 1, size, size), 0 … 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SLOPE: Final = 0.1
"""Of the leaky ReLU."""
FAINT: Final = 0.3
"""The last layer begins with so much of the usual weights, and so near grey."""
SIDES: Final = ("a", "b")
CENTRE: Final = 0.35
"""Where the encoder looks: a Gaussian of this standard deviation, half a picture's side being 1."""
WHOLE: Final = 0.4
"""Where that is more than this, all is seen."""
CONTRAST: Final = 0.25
"""Of what the encoder sees, standard deviation of each colour."""
_LARGEST = {"size_px": 512, "latent": 4096, "bottom": 2048, "shared": 2048, "stem": 4, "shuffle": 4}


@dataclass(frozen=True, slots=True)
class SwapConfig:
    """The dimensions of a model.

    Attributes:
        size_px: of the pictures.
        stem: blocks of stem × stem pixels are folded into channels first.
        encoder: channels after each halving.
        latent: numbers that a face becomes in the bottleneck.
        bottom: channels of the smallest map, which is made from these.
        shared: channels after the first doubling, the last layer that both people share.
        decoder: channels after each further doubling.
        residuals: residual blocks after each of them.
        shuffle: each place of the last map becomes shuffle × shuffle pixels.
    """

    size_px: int
    encoder: tuple[int, ...]
    latent: int
    bottom: int
    shared: int
    decoder: tuple[int, ...]
    residuals: tuple[int, ...]
    stem: int = 1
    shuffle: int = 2

    @property
    def side(self) -> int:
        """Of the smallest map, px."""
        return self.size_px // (self.stem << len(self.encoder))

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> SwapConfig:
        """The reverse, of what may come from anybody.

        Raises:
            ValueError: a number is missing, out of range, or does not fit the others.
        """
        numbers = {name: _whole(values.get(name), most) for name, most in _LARGEST.items()}
        encoder, decoder = (_row(values.get(name), 1) for name in ("encoder", "decoder"))
        residuals = _row(values.get("residuals"), 0)
        config = cls(encoder=encoder, decoder=decoder, residuals=residuals, **numbers)
        if set(values) != set(asdict(config)) or len(residuals) != len(decoder):
            raise ValueError("numbers that do not fit each other")
        if config.side < 1 or config.side * config.shuffle << (1 + len(decoder)) != config.size_px:
            raise ValueError("decoders that end at another size than pictures have")
        return config


MODELS: Final[Mapping[str, SwapConfig]] = {
    "slim64": SwapConfig(64, (32, 64, 128, 192), 256, 192, 128, (64, 32), (0, 1)),
    "slim128": SwapConfig(128, (48, 96, 160, 224), 320, 224, 160, (96, 64, 32), (0, 0, 1), stem=2),
    "df128": SwapConfig(128, (64, 128, 256, 512), 256, 256, 256, (512, 256, 128), (1, 1, 1), shuffle=1),
    "df256": SwapConfig(
        256, (64, 128, 256, 512, 512), 512, 512, 384, (512, 384, 192, 96), (1, 1, 1, 1), shuffle=1
    ),
}  # fmt: skip
"""By name; `docs/swap-training.md` says what each costs."""


class Face(NamedTuple):
    """What a decoder gives: colours (batch, 3, size, size), and how much of the face each pixel is."""

    rgb: Tensor
    mask: Tensor


class Encoder(nn.Module):
    """A picture to what both decoders live on, (batch, shared, 2 · side, 2 · side)."""

    window: Tensor

    def __init__(self, config: SwapConfig) -> None:
        super().__init__()
        at = torch.linspace(-1, 1, config.size_px)
        window = torch.exp(-(at[:, None] ** 2 + at**2) / (2 * CENTRE**2))
        self.register_buffer("window", window, persistent=False)
        self.fold = nn.PixelUnshuffle(config.stem) if config.stem > 1 else nn.Identity()
        widths = [3 * config.stem**2, *config.encoder]
        self.halvings = nn.ModuleList(nn.Conv2d(a, b, 3, 2, 1) for a, b in pairwise(widths))
        self.shape = (config.bottom, config.side, config.side)
        self.squeeze = nn.Linear(widths[-1] * config.side**2, config.latent)
        self.spread = nn.Linear(config.latent, config.bottom * config.side**2)
        self.grow = Doubling(config.bottom, config.shared)

    def forward(self, picture: Tensor) -> Tensor:
        x = self.fold(self.focus(picture))
        for layer in self.halvings:
            x = F.leaky_relu(layer(x), SLOPE)
        x = self.spread(self.squeeze(x.flatten(1)))
        code: Tensor = self.grow(x.view(-1, *self.shape))
        return code

    def focus(self, picture: Tensor) -> Tensor:
        """The face alone, each colour with the same mean and contrast.

        An encoder that can tell two people apart by complexion or hair gives each a code of their own, and
        B's decoder, which never met A's, makes little of A's expression.
        """
        weight = self.window / self.window.sum()
        mean = (picture * weight).sum((2, 3), keepdim=True)
        spread = ((picture - mean).square() * weight).sum((2, 3), keepdim=True).add(1e-4).sqrt()
        return (picture - mean) * (CONTRAST / spread) * (self.window / WHOLE).clamp(max=1)


class Decoder(nn.Module):
    """What the encoder gives to one person's face."""

    def __init__(self, config: SwapConfig) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for (a, b), count in zip(pairwise([config.shared, *config.decoder]), config.residuals, strict=True):
            layers += [Doubling(a, b), *(Residual(b) for _ in range(count))]
        self.body = nn.Sequential(*layers)
        # Colours and the mask come from the same map: a net of its own for the mask costs more than it gives.
        self.out = nn.Conv2d(config.decoder[-1], 4 * config.shuffle**2, 3, 1, 1)
        self.unfold = nn.PixelShuffle(config.shuffle)

    def forward(self, x: Tensor) -> Face:
        made = torch.sigmoid(self.unfold(self.out(self.body(x))))
        return Face(made[:, :3], made[:, 3:])


class Doubling(nn.Module):
    """Convolution to four times as many channels, which become twice the size."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, 4 * channels_out, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(F.leaky_relu(self.conv(x), SLOPE), 2)


class Residual(nn.Module):
    """x + two convolutions of x."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, 1, 1)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(x + self.second(F.leaky_relu(self.first(x), SLOPE)), SLOPE)


class SwapNet(nn.Module):
    """The encoder and the decoders.

    Args:
        sides: whose decoders there are: "a", "b", or both.
    """

    def __init__(self, config: SwapConfig, sides: tuple[str, ...] = SIDES) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoders = nn.ModuleDict({side: Decoder(config) for side in sides})
        self.apply(begin)
        for decoder in self.decoders.values():
            assert isinstance(decoder, Decoder)
            with torch.no_grad():
                decoder.out.weight.mul_(FAINT)

    def forward(self, pictures: Tensor, to: str) -> Face:
        """Faces of anybody, shown as the face of one."""
        face: Face = self.decoders[to](self.encoder(pictures))
        return face

    def learn(self, of_a: Tensor, of_b: Tensor) -> tuple[Face, Face]:
        """Faces of each as their own, for training: both go through the encoder at once."""
        code = self.encoder(torch.cat([of_a, of_b]))
        return self.decoders["a"](code[: len(of_a)]), self.decoders["b"](code[len(of_a) :])


def begin(layer: nn.Module) -> None:
    """First weights by which signals keep their size through all layers (He et al. 2015, section 2.2).

    Torch's own make them smaller from layer to layer: then both decoders give one still, blurred face for
    minutes before anything moves.
    """
    if isinstance(layer, nn.Conv2d):
        nn.init.kaiming_normal_(layer.weight, a=SLOPE)
    elif isinstance(layer, nn.Linear):
        nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")
    if isinstance(layer, nn.Conv2d | nn.Linear) and layer.bias is not None:
        nn.init.zeros_(layer.bias)


def count_parameters(config: SwapConfig) -> int:
    """How many numbers a model with both decoders learns; nothing is allocated."""
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in SwapNet(config).parameters())


def _whole(value: object, most: int, least: int = 1) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{str(value)[:20]!r} where a whole number from {least} to {most} is needed")
    return value


def _row(value: object, least: int) -> tuple[int, ...]:
    if not isinstance(value, (list, tuple)) or not 1 <= len(value) <= 8:
        raise ValueError("a row that is no row of numbers")
    return tuple(_whole(one, 2048, least) for one in value)
