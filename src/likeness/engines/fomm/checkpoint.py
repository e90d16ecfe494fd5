"""Published checkpoints of the First Order Motion Model: files of unknown origin."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from likeness.engines import checkpoints
from likeness.errors import ModelFormat
from likeness.nn.fomm import FommConfig, Generator, KeypointDetector

LARGEST_BYTES = 4 << 30
PARTS = ("generator", "kp_detector")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_HINT = "The configuration is another checkpoint's: give the one it came with."


class Pair(NamedTuple):
    """A loaded model, ready to use: both in evaluation mode, on the CPU, float32."""

    generator: Generator
    kp_detector: KeypointDetector


class Checkpoint(NamedTuple):
    """What a file holds that animating, or importing, needs.

    Attributes:
        tensors: by part: "generator", "kp_detector".
        consent: SHA-256 of the consent records that a training here was given.
    """

    tensors: dict[str, dict[str, Tensor]]
    consent: tuple[str, ...]


def load_pair(config: FommConfig, path: Path, *, align_corners: bool | None = None) -> Pair:
    """The networks of a checkpoint.

    Args:
        align_corners: the corner rule of `grid_sample`. The published weights were trained with torch 1.0,
            whose only rule is today's True; None means that. Weights that somebody trained with a newer
            torch (1.3 or later) and the original code need False.

    Raises:
        MediaNotFound, ModelFormat: see `read_checkpoint`; also, tensors are missing or of another shape.
    """
    return build_pair(config, read_checkpoint(path).tensors, path.name, align_corners=align_corners)


def build_pair(
    config: FommConfig, tensors: Mapping[str, Mapping[str, Tensor]], name: str, *, align_corners: bool | None
) -> Pair:
    """The networks from tensors by part ("generator", "kp_detector"); `name` is used in errors."""
    corners = True if align_corners is None else align_corners
    with torch.device("meta"):
        pair = Pair(Generator(config, corners), KeypointDetector(config))
    for part, net in zip(PARTS, pair, strict=True):
        checkpoints.fill(net, tensors[part], f"“{part}” of {name}", _HINT)
        net.requires_grad_(False).eval()
    return pair


def read_checkpoint(path: Path) -> Checkpoint:
    """A checkpoint, without the parts that only training needs.

    Raises:
        MediaNotFound, ModelFormat: see `checkpoints.read_checkpoint`; also, a part is missing.
    """
    content = checkpoints.read_checkpoint(path, largest_bytes=LARGEST_BYTES)
    return Checkpoint({part: _tensors(content, part, path.name) for part in PARTS}, _consent(content))


def _tensors(content: object, part: str, name: str) -> dict[str, Tensor]:
    values = content.get(part) if isinstance(content, dict) else None
    if not isinstance(values, Mapping) or not values:
        found = checkpoints.name_some(sorted(map(str, content))) if isinstance(content, dict) else "no parts"
        raise ModelFormat(
            f"{name} has no part “{part}” (it has: {found}).",
            "A checkpoint of the First Order Motion Model has generator and kp_detector.",
        )
    tensors = checkpoints.tensors_in(values, f"“{part}” of {name}")
    # `DataParallel` puts its own name before all others.
    return {key.removeprefix("module."): value for key, value in tensors.items()}


def _consent(content: object) -> tuple[str, ...]:
    training = content.get("training") if isinstance(content, dict) else None
    named = training.get("consent") if isinstance(training, dict) else None
    if not isinstance(named, (list, tuple)):
        return ()
    return tuple(one for one in named if isinstance(one, str) and _SHA256.fullmatch(one))
