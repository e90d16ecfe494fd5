"""The configuration files that come with checkpoints: YAML, of which the model's dimensions matter here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from likeness.errors import MediaNotFound, ModelFormat
from likeness.nn.fomm import FommConfig, HourglassConfig

LARGEST_BYTES = 1 << 18
# What the sections hold that is called the same here and there.
_COMMON = ("num_kp", "num_channels", "estimate_jacobian")
_DETECTOR = ("temperature", "single_jacobian_map", "pad")
_GENERATOR = (
    "block_expansion", "max_features", "num_down_blocks", "num_bottleneck_blocks", "estimate_occlusion_map"
)  # fmt: skip
_HINT = "Give the model's .yaml file: of a published checkpoint, the one it was published with."


def read_configuration(path: Path) -> FommConfig:
    """The dimensions of the model that a configuration file describes.

    Raises:
        MediaNotFound: there is no such file.
        ModelFormat: it is not such a file, or a value in it makes no sense.
    """
    return parse_configuration(read_values(path), path.name)


def read_values(path: Path) -> object:
    """What the file says, not looked at yet. Errors as in `read_configuration`."""
    if not path.is_file():
        raise MediaNotFound(f"There is no file {path}.", _HINT)
    if path.stat().st_size > LARGEST_BYTES:
        raise ModelFormat(f"{path.name} is too large for a configuration file.", _HINT)
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise ModelFormat(f"{path.name} is not a YAML file.", _HINT) from error


def parse_configuration(values: object, name: str) -> FommConfig:
    """The same from what a YAML parser gives; `name` is used in errors."""
    model = _Section(values, name)["model_params"]
    common, detector, generator = (
        model["common_params"], model["kp_detector_params"], model["generator_params"]
    )  # fmt: skip
    motion = generator["dense_motion_params"]
    return FommConfig(
        num_kp=common.whole("num_kp", most=256),
        num_channels=common.whole("num_channels", default=3, least=3, most=3),
        estimate_jacobian=common.flag("estimate_jacobian"),
        keypoints=detector.hourglass(),
        keypoint_scale=detector.scale(),
        temperature=detector.number("temperature"),
        single_jacobian_map=detector.flag("single_jacobian_map"),
        pad=detector.whole("pad", default=0, least=0, most=8),
        block_expansion=generator.whole("block_expansion"),
        max_features=generator.whole("max_features"),
        num_down_blocks=generator.whole("num_down_blocks", most=8),
        num_bottleneck_blocks=generator.whole("num_bottleneck_blocks", least=0, most=64),
        estimate_occlusion_map=generator.flag("estimate_occlusion_map"),
        motion=motion.hourglass(),
        motion_scale=motion.scale(),
        kp_variance=motion.number("kp_variance", default=0.01),
    )


def parse_frame_shape(values: object, name: str) -> tuple[int, int]:
    """Height and width of the pictures that a model is trained with, px; 256 where nothing is said."""
    return _Section(values, name).get("dataset_params").shape("frame_shape")


def write_configuration(config: FommConfig) -> dict[str, Any]:
    """The reverse of `parse_configuration`: what the networks need of a file, and no more."""

    def hourglass(shape: HourglassConfig, scale: float) -> dict[str, Any]:
        return {**asdict(shape), "scale_factor": scale}

    common, detector, generator = (
        {name: getattr(config, name) for name in names} for names in (_COMMON, _DETECTOR, _GENERATOR)
    )
    motion = hourglass(config.motion, config.motion_scale) | {"kp_variance": config.kp_variance}
    return {
        "model_params": {
            "common_params": common,
            "kp_detector_params": detector | hourglass(config.keypoints, config.keypoint_scale),
            "generator_params": generator | {"dense_motion_params": motion},
        }
    }


class _Section:
    """A mapping of the file, which says where something is missing or wrong."""

    def __init__(self, values: object, where: str) -> None:
        if not isinstance(values, Mapping):
            raise ModelFormat(f"{where} is not a section of a model's configuration.", _HINT)
        self._values: Mapping[Any, Any] = values
        self._where = where

    def __getitem__(self, name: str) -> _Section:
        return _Section(self._values.get(name), f"“{name}” of {self._where.split(' of ')[-1]}")

    def get(self, name: str) -> _Section:
        """As above, but one that is not there counts as empty."""
        return self[name] if self._values.get(name) is not None else _Section({}, name)

    def shape(self, name: str) -> tuple[int, int]:
        """Height and width from [height, width, 3]; the 3 may be left out."""
        value = self._values.get(name, [256, 256, 3])
        sides = value[:2] if isinstance(value, list) and value[2:] in ([], [3]) else []
        if len(sides) != 2 or not all(type(side) is int and 16 <= side <= 2048 for side in sides):
            raise self._wrong(name, value, "[height, width, 3], 16 to 2048 px")
        return sides[0], sides[1]

    def whole(self, name: str, *, default: int | None = None, least: int = 1, most: int = 4096) -> int:
        value = self._values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self._wrong(name, value, f"a whole number from {least} to {most}")
        return value

    def number(self, name: str, *, default: float | None = None) -> float:
        value = self._values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 1e3:
            raise self._wrong(name, value, "a number above 0")
        return float(value)

    def flag(self, name: str) -> bool:
        value = self._values.get(name, False)
        if not isinstance(value, bool):
            raise self._wrong(name, value, "true or false")
        return value

    def scale(self) -> float:
        value = self.number("scale_factor", default=1)
        if value not in (1, 0.5, 0.25, 0.125):
            raise self._wrong("scale_factor", value, "1, 0.5, 0.25 or 0.125")
        return value

    def hourglass(self) -> HourglassConfig:
        return HourglassConfig(
            self.whole("block_expansion"), self.whole("max_features"), self.whole("num_blocks", most=8)
        )

    def _wrong(self, name: str, value: object, wanted: str) -> ModelFormat:
        told = "is missing" if value is None else f"is {str(value)[:40]!r}"
        return ModelFormat(f"“{name}” in {self._where} {told}; it should be {wanted}.", _HINT)
