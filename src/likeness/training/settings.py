"""What the configuration file of a First Order Motion Model says of its training.

The sections and names are the published ones (`dataset_params`, `train_params`, `discriminator_params`); what
they say beside is passed over. Our own additions have defaults: `seed`, `clip_norm`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from likeness.engines.fomm.configuration import parse_configuration, parse_frame_shape, read_values
from likeness.errors import ModelFormat
from likeness.nn.discriminator import DiscriminatorConfig
from likeness.nn.fomm import FommConfig
from likeness.nn.thin_plate import ThinPlateConfig
from likeness.training.pairs import Augmentation

_HINT = "docs/fomm-training.md lists what can be set."


@dataclass(frozen=True, slots=True)
class LossWeights:
    """How much each part of the loss counts; 0 leaves it out.

    Attributes:
        perceptual: one weight per map that is compared; of VGG19 there are five, without it three.
        feature_matching: one per block of the discriminator.
    """

    generator_gan: float = 1.0
    discriminator_gan: float = 1.0
    feature_matching: tuple[float, ...] = (10.0, 10.0, 10.0, 10.0)
    perceptual: tuple[float, ...] = (10.0, 10.0, 10.0, 10.0, 10.0)
    equivariance_value: float = 10.0
    equivariance_jacobian: float = 10.0


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """How a model is trained.

    Attributes:
        height_px, width_px: of the pictures (`frame_shape`).
        num_epochs, num_repeats: how often all clips are gone through: num_epochs × num_repeats.
        epoch_milestones: epochs at whose beginning the learning rates become a tenth.
        batch_size: pairs per step and process.
        scales: at which the perceptual loss compares, 1, 0.5 …
        clip_norm: the norm of all gradients is cut down to this; 0 leaves them.
        seed: what all random numbers of the training come from.
    """

    height_px: int = 256
    width_px: int = 256
    num_epochs: int = 100
    num_repeats: int = 75
    epoch_milestones: tuple[int, ...] = (60, 90)
    batch_size: int = 8
    lr_generator: float = 2e-4
    lr_discriminator: float = 2e-4
    lr_kp_detector: float = 2e-4
    scales: tuple[float, ...] = (1.0, 0.5, 0.25, 0.125)
    transform: ThinPlateConfig = field(default_factory=ThinPlateConfig)
    weights: LossWeights = field(default_factory=LossWeights)
    augmentation: Augmentation = field(default_factory=Augmentation)
    clip_norm: float = 10.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a configuration file says: the networks, and how they are trained."""

    model: FommConfig
    discriminator: DiscriminatorConfig
    training: TrainSettings


def read_plan(path: Path) -> Plan:
    """The plan in a configuration file.

    Raises:
        MediaNotFound: there is no such file.
        ModelFormat: it is not such a file, or a value in it makes no sense.
    """
    return parse_plan(read_values(path), path.name)


def parse_plan(values: object, name: str) -> Plan:
    """The same from what a YAML parser gives; `name` is used in errors."""
    model = parse_configuration(values, name)
    whole = _Reader(values, name)
    parts = whole.section("model_params")
    train, data = whole.section("train_params"), whole.section("dataset_params")
    scales = train.numbers("scales", (1.0, 0.5, 0.25, 0.125), allowed=(1, 0.5, 0.25, 0.125))
    judge = parts.section("discriminator_params")
    discriminator = DiscriminatorConfig(
        scales=judge.numbers("scales", (1.0,), allowed=(1, 0.5, 0.25, 0.125)),
        block_expansion=judge.whole("block_expansion", 32),
        max_features=judge.whole("max_features", 512),
        num_blocks=judge.whole("num_blocks", 4, most=8),
        sn=judge.flag("sn"),
        use_kp=judge.flag("use_kp"),
        num_kp=model.num_kp,
        num_channels=model.num_channels,
        kp_variance=model.kp_variance,
    )
    height, width = parse_frame_shape(values, name)
    training = TrainSettings(
        height_px=height,
        width_px=width,
        num_epochs=train.whole("num_epochs", 100),
        num_repeats=train.whole("num_repeats", 75),
        epoch_milestones=tuple(int(at) for at in train.numbers("epoch_milestones", ())),
        batch_size=train.whole("batch_size", 8),
        lr_generator=train.number("lr_generator", 2e-4),
        lr_discriminator=train.number("lr_discriminator", 2e-4),
        lr_kp_detector=train.number("lr_kp_detector", 2e-4),
        scales=scales,
        transform=_transform(train.section("transform_params")),
        weights=_weights(train.section("loss_weights")),
        augmentation=_augmentation(data.section("augmentation_params")),
        clip_norm=train.number("clip_norm", 10.0),
        seed=train.whole("seed", 0, least=0, most=2**31),
    )
    return Plan(model, discriminator, training)


def _transform(section: _Reader) -> ThinPlateConfig:
    return ThinPlateConfig(
        section.number("sigma_affine", 0.05),
        section.number("sigma_tps", 0.005),
        section.whole("points_tps", 5, least=2, most=32),
    )


def _weights(section: _Reader) -> LossWeights:
    plain = LossWeights()
    return LossWeights(
        section.number("generator_gan", plain.generator_gan),
        section.number("discriminator_gan", plain.discriminator_gan),
        section.numbers("feature_matching", plain.feature_matching),
        section.numbers("perceptual", plain.perceptual),
        section.number("equivariance_value", plain.equivariance_value),
        section.number("equivariance_jacobian", plain.equivariance_jacobian),
    )


def _augmentation(section: _Reader) -> Augmentation:
    flip, jitter = section.section("flip_param"), section.section("jitter_param")
    return Augmentation(
        horizontal_flip=flip.flag("horizontal_flip"),
        time_flip=flip.flag("time_flip"),
        **{name: jitter.number(name, 0.0) for name in ("brightness", "contrast", "saturation", "hue")},
    )


class _Reader:
    """A section of the file; absent ones count as empty."""

    def __init__(self, values: object, where: str) -> None:
        if values is not None and not isinstance(values, Mapping):
            raise ModelFormat(f"“{where}” is not a section of a configuration.", _HINT)
        self._values: Mapping[Any, Any] = values or {}
        self._where = where

    def section(self, name: str) -> _Reader:
        return _Reader(self._values.get(name), name)

    def whole(self, name: str, default: int, *, least: int = 1, most: int = 1 << 20) -> int:
        value = self._values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self._wrong(name, value, f"a whole number from {least} to {most}")
        return value

    def number(self, name: str, default: float) -> float:
        return self._number(name, self._values.get(name, default))

    def numbers(
        self, name: str, default: tuple[float, ...], *, allowed: tuple[float, ...] = ()
    ) -> tuple[float, ...]:
        value = self._values.get(name, default)
        if not isinstance(value, (list, tuple)) or len(value) > 64 or (allowed and not value):
            raise self._wrong(name, value, "a list of numbers")
        found = tuple(self._number(name, one) for one in value)
        if allowed and not set(found) <= set(allowed):
            raise self._wrong(name, value, "made of " + ", ".join(f"{one:g}" for one in allowed))
        return found

    def flag(self, name: str) -> bool:
        value = self._values.get(name, False)
        if not isinstance(value, bool):
            raise self._wrong(name, value, "true or false")
        return value

    def _number(self, name: str, value: object) -> float:
        try:  # YAML reads 2e-4, without a dot, as text
            number = float(value) if isinstance(value, (int, float, str)) else -1.0
        except ValueError:
            number = -1.0
        if isinstance(value, bool) or not 0 <= number <= 1e6:
            raise self._wrong(name, value, "a number, 0 or more")
        return number

    def _wrong(self, name: str, value: object, wanted: str) -> ModelFormat:
        return ModelFormat(f"“{name}” in {self._where} is {str(value)[:40]!r}; it should be {wanted}.", _HINT)
