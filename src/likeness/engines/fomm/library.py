"""The user's own models of this kind (see `engines.shelf`), and models straight from published files.

Beside what every model says of itself, its header holds the configuration and the corner rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from likeness.engines.fomm.checkpoint import PARTS, Pair, build_pair, read_checkpoint
from likeness.engines.fomm.configuration import (
    parse_configuration,
    parse_frame_shape,
    read_values,
    write_configuration,
)
from likeness.engines.shelf import NOT_STATED, Shelf, expect, hash_of
from likeness.nn.fomm import FommConfig

_SHELF = Shelf(
    "fomm",
    "`likeness models import CHECKPOINT --config YAML --name {name}` makes one "
    "(likeness.fomm.import_model in Python).",
)


@dataclass(frozen=True, slots=True)
class FommModel:
    """A model that is ready to be opened.

    Attributes:
        name: what `--engine fomm:NAME` calls it, or the checkpoint's file name.
        pair: its networks.
        sha256: of the checkpoint it came from.
        licence: as stated when it was imported; "not stated" otherwise.
        whole_frame: it was trained on whole pictures, not on faces.
        side_px: of the squares that it works on, as it was trained.
        consent: SHA-256 of the consent records that it was trained under here.
    """

    name: str
    pair: Pair
    sha256: str
    licence: str = NOT_STATED
    whole_frame: bool = False
    side_px: int = 256
    consent: tuple[str, ...] = ()


def open_files(checkpoint: Path, configuration: Path) -> FommModel:
    """A model from published files, with the corner rule of published weights.

    Errors as in `checkpoint.load_pair`.
    """
    config, side_px = _dimensions(read_values(configuration), configuration.name)
    held = read_checkpoint(checkpoint)
    pair = build_pair(config, held.tensors, checkpoint.name, align_corners=None)
    return FommModel(checkpoint.name, pair, hash_of(checkpoint), side_px=side_px, consent=held.consent)


def import_model(
    checkpoint: Path,
    configuration: Path,
    name: str,
    *,
    licence: str = NOT_STATED,
    align_corners: bool | None = None,
    whole_frame: bool = False,
    overwrite: bool = False,
) -> Path:
    """Convert published files to one of the user's models.

    Args:
        name: lower-case letters, digits, ".", "_" and "-".
        licence: under which the weights were published, for the record.
        align_corners: see `checkpoint.load_pair`.
        whole_frame: it was trained on whole pictures (bodies, clothes, drawings), not on faces.

    Returns:
        The file.

    Raises:
        UsageError: the name cannot be one.
        OutputExists: there is a model of this name.
        MediaNotFound, ModelFormat: the files cannot be read, or do not belong together.
    """
    path = _SHELF.free_place(name, overwrite=overwrite)
    config, side_px = _dimensions(read_values(configuration), configuration.name)
    tensors, consent = read_checkpoint(checkpoint)
    build_pair(config, tensors, checkpoint.name, align_corners=align_corners)  # refuses what does not fit
    about = {
        **write_configuration(config),
        "align_corners": True if align_corners is None else align_corners,
        "dataset_params": {"frame_shape": [side_px, side_px, 3]},
        "whole_frame": whole_frame,
        "consent": consent,
    }
    flat = {f"{part}.{key}": tensor for part in PARTS for key, tensor in tensors[part].items()}
    _SHELF.put(path, flat, about, checkpoint=checkpoint, licence=licence)
    return path


def list_models() -> tuple[str, ...]:
    """The names of the user's models."""
    return _SHELF.names()


def open_model(name: str) -> FommModel:
    """One of the user's models.

    Raises:
        UnknownModel: there is none of this name.
        ModelFormat: its file is damaged, or of a version that this package does not know.
    """
    path = path_of(name)
    header, flat = _SHELF.open(name)
    header.setdefault("consent", [])  # models that were imported earlier do not say
    expect(header, path, align_corners=bool, model_params=dict, whole_frame=bool, consent=list)
    tensors: dict[str, dict[str, Tensor]] = {part: {} for part in PARTS}
    for key, tensor in flat.items():
        part, _, rest = key.partition(".")
        tensors.setdefault(part, {})[rest] = tensor
    config, side_px = _dimensions(header, path.name)
    pair = build_pair(config, tensors, path.name, align_corners=header["align_corners"])
    return FommModel(
        f"fomm:{name}",
        pair,
        header["sha256"],
        header["licence"],
        header["whole_frame"],
        side_px,
        tuple(map(str, header["consent"])),
    )


def path_of(name: str) -> Path:
    """Where the model of this name is kept, whether or not it is there.

    Raises:
        UsageError: the name cannot be one.
    """
    return _SHELF.path_of(name)


def _dimensions(values: object, name: str) -> tuple[FommConfig, int]:
    """The networks', and the side of their pictures: the longer one, should they be no squares."""
    return parse_configuration(values, name), max(parse_frame_shape(values, name))
