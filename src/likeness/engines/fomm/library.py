"""The user's own models of this kind (see `engines.shelf`), and models straight from published files.

Beside what every model says of itself, its header holds the configuration and the corner rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from likeness.engines.fomm.checkpoint import PARTS, Pair, build_pair, read_checkpoint
from likeness.engines.fomm.configuration import parse_configuration, read_configuration, write_configuration
from likeness.engines.shelf import NOT_STATED, Shelf, expect, hash_of

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
        consent: SHA-256 of the consent records that it was trained under here.
    """

    name: str
    pair: Pair
    sha256: str
    licence: str = NOT_STATED
    whole_frame: bool = False
    consent: tuple[str, ...] = ()


def open_files(checkpoint: Path, configuration: Path, *, align_corners: bool | None = None) -> FommModel:
    """A model from published files. Errors as in `checkpoint.load_pair`."""
    config = read_configuration(configuration)
    held = read_checkpoint(checkpoint)
    pair = build_pair(config, held.tensors, checkpoint.name, align_corners=align_corners)
    return FommModel(checkpoint.name, pair, hash_of(checkpoint), consent=held.consent)


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
    config = read_configuration(configuration)
    tensors, consent = read_checkpoint(checkpoint)
    build_pair(config, tensors, checkpoint.name, align_corners=align_corners)  # refuses what does not fit
    about = {
        **write_configuration(config),
        "align_corners": True if align_corners is None else align_corners,
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
    config = parse_configuration({"model_params": header["model_params"]}, path.name)
    pair = build_pair(config, tensors, path.name, align_corners=header["align_corners"])
    return FommModel(
        f"fomm:{name}",
        pair,
        header["sha256"],
        header["licence"],
        header["whole_frame"],
        tuple(map(str, header["consent"])),
    )


def path_of(name: str) -> Path:
    """Where the model of this name is kept, whether or not it is there.

    Raises:
        UsageError: the name cannot be one.
    """
    return _SHELF.path_of(name)
