"""Published voice models of RVC (`.pth`): files of unknown origin."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from likeness.engines import checkpoints
from likeness.engines.rvc.configuration import VERSIONS, parse_configuration
from likeness.errors import ModelFormat
from likeness.nn.rvc import RvcNet
from likeness.nn.rvc_config import RvcConfig

LARGEST_BYTES = 1 << 30
LARGEST_PARAMETERS = 200_000_000
"""Published models have at most 37 million."""

_TABLE, _CONTENT = "emb_g.weight", "enc_p.emb_phone.weight"
_TRAINING_ONLY = "enc_q."
# Magnitude and direction, as old and new versions of PyTorch call them.
_NORMED = (
    (".weight_g", ".weight_v"),
    (".parametrizations.weight.original0", ".parametrizations.weight.original1"),
)
_HINT = "Download the model again; if it says the same again, ask whoever made it."
_AN_RVC_VOICE = "A voice model of RVC has the parts weight, config, f0 and version."


class Voice(NamedTuple):
    """A voice model as it was read: checked as far as can be without building it.

    Attributes:
        config: its dimensions.
        version: "v1" or "v2".
        values: its "config", as it was stored.
        tensors: its weights by name, as they were stored: weight norm in two parts, half precision or single.
    """

    config: RvcConfig
    version: str
    values: list[Any]
    tensors: dict[str, Tensor]


def read_voice(path: Path) -> Voice:
    """What a published file holds.

    Raises:
        MediaNotFound: there is no such file.
        ModelFormat: it is something else, damaged, wants to run code, or contradicts itself.
    """
    content = checkpoints.read_checkpoint(path, largest_bytes=LARGEST_BYTES)
    return parse_voice(content, path.name)


def parse_voice(content: object, name: str) -> Voice:
    """The same from what was in the file. Errors as in `read_voice`."""
    if not isinstance(content, Mapping) or not isinstance(content.get("weight"), Mapping):
        raise _another_kind(content, name)
    where = f"“weight” of {name}"
    tensors = checkpoints.tensors_in(content["weight"], where)
    tensors = {key: value for key, value in tensors.items() if not key.startswith(_TRAINING_ONLY)}
    for key, value in tensors.items():
        if not value.is_floating_point() or not bool(torch.isfinite(value).all()):
            raise ModelFormat(f"{checkpoints.show(key)} in {where} holds what is no number.", _HINT)
    for key in (_TABLE, _CONTENT):
        if key not in tensors:
            raise ModelFormat(f"{where} lacks {key}.", _AN_RVC_VOICE)
        if tensors[key].ndim != 2 or not 1 <= len(tensors[key]) <= 1 << 16:
            raise ModelFormat(f"{key} in {where} is no table.", _HINT)
    version = content.get("version", "v1")  # the first models did not say
    if not isinstance(version, str) or version not in VERSIONS:
        raise ModelFormat(
            f"{name} is of version “{checkpoints.show(version)}”; known are {', '.join(VERSIONS)}.",
            "Look for a model of one of those, or update likeness.",
        )
    _check_content(tensors[_CONTENT], version, name)
    config = parse_configuration(
        content.get("config"),
        version=version,
        has_pitch=_has_pitch(content, name),
        speakers=len(tensors[_TABLE]),
        name=name,
    )
    return Voice(config, version, list(content["config"]), tensors)


def build_net(voice: Voice, name: str) -> RvcNet:
    """The network, in evaluation mode, on the CPU, float32, weight norm folded; `name` is used in errors.

    Raises:
        ModelFormat: tensors are missing, left over or of another shape; or it would be far too large.
    """
    where = f"“weight” of {name}"
    with torch.device("meta"):
        net = RvcNet(voice.config)
    count = sum(parameter.numel() for parameter in net.parameters())
    if count > LARGEST_PARAMETERS:
        raise ModelFormat(f"“config” of {name} asks for {count / 1e6:.0f} million numbers.", _HINT)
    checkpoints.fill(net, _fold(voice.tensors, where), where, _HINT)
    return net.requires_grad_(False).eval()


def _fold(tensors: Mapping[str, Tensor], where: str) -> dict[str, Tensor]:
    """Weight norm undone: g · v / |v|, the length taken over all axes but the first.

    Salimans and Kingma, "Weight Normalization", NeurIPS 2016.
    """
    folded = {key: value.float() for key, value in tensors.items()}
    for magnitude, direction in _NORMED:
        heads = {
            key.removesuffix(end) for end in (magnitude, direction) for key in folded if key.endswith(end)
        }
        for head in sorted(heads):
            shown = checkpoints.show(head)
            missing = [head + end for end in (magnitude, direction) if head + end not in folded]
            if missing:
                raise ModelFormat(f"{where} lacks {checkpoints.show(missing[0])}.", _HINT)
            g, v = folded.pop(head + magnitude), folded.pop(head + direction)
            if v.ndim < 2 or g.shape != (len(v), *[1] * (v.ndim - 1)):
                raise ModelFormat(f"{shown}{magnitude} and {direction[1:]} in {where} do not match.", _HINT)
            length = torch.linalg.vector_norm(v, dim=tuple(range(1, v.ndim)), keepdim=True)
            if not bool((length > 0).all()):
                raise ModelFormat(f"{shown}{direction} in {where} has no direction.", _HINT)
            folded[f"{head}.weight"] = v * (g / length)
    return folded


def _has_pitch(content: Mapping[Any, Any], name: str) -> bool:
    value = content.get("f0", 1)  # the first models did not say
    if not isinstance(value, int) or value not in (0, 1):
        raise ModelFormat(f"“f0” in {name} is {checkpoints.show(value)}; it should be 0 or 1.", _HINT)
    return bool(value)


def _check_content(weight: Tensor, version: str, name: str) -> None:
    size = weight.shape[1]
    if size == VERSIONS[version]:
        return
    fits = [other for other, its in VERSIONS.items() if its == size]
    told = f", as {fits[0]} does" if fits else ""
    raise ModelFormat(
        f"{name} says that it is {version}, but listens to {size} numbers a frame{told}, instead of "
        f"{VERSIONS[version]}.",
        "Ask whoever made it which version it is of.",
    )


def _another_kind(content: object, name: str) -> ModelFormat:
    """Checkpoints that are something else, and are often taken for a voice."""
    parts = set(content) if isinstance(content, Mapping) else set()
    if {"generator", "kp_detector"} <= parts:
        return ModelFormat(
            f"{name} is a First Order Motion Model, which moves pictures, not a voice.",
            "likeness.fomm takes it in Python, and `likeness models import` with --config.",
        )
    if "model" in parts and parts & {"optimizer", "iteration", "learning_rate"}:
        return ModelFormat(
            f"{name} is a training's state (as G_….pth and D_….pth are), not a finished voice.",
            "Give the small model that was extracted from it, which RVC keeps in its folder of weights.",
        )
    found = checkpoints.name_some(sorted(map(str, parts))) or "no parts"
    return ModelFormat(f"{name} has no part “weight” (it has: {found}).", _AN_RVC_VOICE)
