"""How a face swap is trained: augmentation, losses, learning rate; frozen, with working defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from likeness.errors import UsageError


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How faces are varied. Person A's and person B's faces of a batch are flipped alike.

    Attributes:
        warp: how far the nodes of a 5 × 5 grid are moved, standard deviation, of the picture's side. The
            networks see the warped face and have to give the plain one, which keeps them from copying.
        turn_deg, scale, shift: the face is turned by up to so much, its size changed by up to this share, and
            it is moved by up to this share of the side.
        flip: so often it is mirrored.
        light: contrast, brightness and gamma of each colour change by up to this share in what the networks
            see. What they have to give stays as it was filmed: an encoder that sees all faces in the same
            colours could not say which they had.
        slope: light may fall off across the face by up to this share, in what the networks see and in what
            they have to give alike.
    """

    warp: float = 0.015
    turn_deg: float = 5.0
    scale: float = 0.03
    shift: float = 0.02
    flip: float = 0.5
    light: float = 0.06
    slope: float = 0.05


@dataclass(frozen=True, slots=True)
class LossWeights:
    """How much each part of the loss counts; 0 leaves it out.

    Attributes:
        l1: mean absolute difference of colours.
        ssim: 1 - SSIM inside the mask (from 128 px: MS-SSIM), over two.
        mask: mean absolute difference of the masks.
        perceptual: difference of VGG19's features, where its weights are given.
        background: how much pixels outside the face count in `l1`, where those inside count 1.
        eyes, mouth: how much more pixels of these count in `l1` and `ssim`.
    """

    l1: float = 1.0
    ssim: float = 0.2
    mask: float = 0.1
    perceptual: float = 0.1
    background: float = 0.1
    eyes: float = 3.0
    mouth: float = 2.0


@dataclass(frozen=True, slots=True)
class SwapSettings:
    """How a model is trained.

    Attributes:
        batch_size: faces of each person in a step, for each process.
        learning_rate: of Adam; reached after `warm_up` steps.
        final: the last share of the training is without warp, and the learning rate falls to `last_rate` of
            itself.
        clip_norm: the norm of all gradients is cut down to this.
        seed: what all random numbers come from.
        mixed: half precision (bfloat16) on NVIDIA cards that know it. On processors it does not pay.
    """

    batch_size: int = 4
    learning_rate: float = 1e-3
    warm_up: int = 50
    final: float = 0.25
    last_rate: float = 0.05
    clip_norm: float = 1.0
    seed: int = 0
    mixed: bool = True
    augmentation: Augmentation = field(default_factory=Augmentation)
    weights: LossWeights = field(default_factory=LossWeights)

    def __post_init__(self) -> None:
        for name, least, most in _RANGES:
            _check(name, getattr(self, name), least, most)
        for part in (self.augmentation, self.weights):
            for name, value in asdict(part).items():
                _check(name, value, 0, 90 if name == "turn_deg" else 1 if part is self.augmentation else 1000)

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> SwapSettings:
        """The reverse.

        Raises:
            TypeError, KeyError, UsageError: it is none.
        """
        inner = {
            "augmentation": Augmentation(**values["augmentation"]),
            "weights": LossWeights(**values["weights"]),
        }
        return cls(**{**values, **inner})

    @classmethod
    def of(
        cls,
        model: str,
        *,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        seed: int = 0,
        flip: float | None = None,
    ) -> SwapSettings:
        """What suits a model, but for what is given. Larger ones take smaller steps."""
        plain = cls(seed=seed, **_SUITED.get(model, {}))
        augmentation = plain.augmentation if flip is None else replace(plain.augmentation, flip=flip)
        return replace(
            plain,
            batch_size=plain.batch_size if batch_size is None else batch_size,
            learning_rate=plain.learning_rate if learning_rate is None else learning_rate,
            augmentation=augmentation,
        )

    def rate(self, step: int, share: float) -> float:
        """The learning rate of a step, when this share of the training is done, 0 … 1."""
        warm = min(1.0, (step + 1) / self.warm_up) if self.warm_up else 1.0
        if not self.is_final(share):
            return self.learning_rate * warm
        left = (1 - min(share, 1.0)) / self.final if self.final else 0.0
        return self.learning_rate * warm * (self.last_rate + (1 - self.last_rate) * left)

    def is_final(self, share: float) -> bool:
        """Whether the last phase, without warp, has begun."""
        return share >= 1 - self.final

    def without_warp(self) -> Augmentation:
        """The augmentation of the last phase."""
        return replace(self.augmentation, warp=0.0)


_WARPING: dict[str, Any] = {
    "batch_size": 8,
    "learning_rate": 1e-3,
    "warm_up": 20,
    "final": 0.4,
    "augmentation": Augmentation(warp=0, turn_deg=5, scale=0.04, shift=0.02, flip=0.5, light=0.05, slope=0),
}
_SUITED: Mapping[str, dict[str, Any]] = {
    "warp64": _WARPING,
    "warp128": _WARPING,
    "warp256": _WARPING,
    "df128": {"batch_size": 16, "learning_rate": 2e-4, "warm_up": 500},
    "df256": {"batch_size": 16, "learning_rate": 1e-4, "warm_up": 500},
}
_RANGES = (
    ("batch_size", 1, 1024),
    ("warm_up", 0, 1_000_000),
    ("seed", 0, 2**31),
    ("learning_rate", 1e-9, 1.0),
    ("clip_norm", 1e-6, 1e6),
    ("final", 0.0, 1.0),
    ("last_rate", 0.0, 1.0),
)


def _check(name: str, value: float, least: float, most: float) -> None:
    # Written so that "not a number" is refused as well.
    if not least <= value <= most:
        raise UsageError(
            f"The training's {name} is {value}; it has to be from {least:g} to {most:g}.",
            "Change the setting.",
        )
