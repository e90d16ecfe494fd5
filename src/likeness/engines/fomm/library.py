"""The user's own models: checkpoints, converted once to safetensors, each under a name.

A model is one file, `<settings>/models/fomm/<name>.safetensors`. Its header says what it is: the
configuration, the corner rule, the file it came from with its SHA-256, the licence that the user stated. It
can be handed on: nothing in it can run.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from likeness import paths
from likeness.engines.fomm.checkpoint import PARTS, Pair, build_pair, read_checkpoint
from likeness.engines.fomm.configuration import parse_configuration, read_values
from likeness.errors import ModelFormat, OutputExists, UnknownModel, UsageError
from likeness.media.files import temporary_beside, write_error

FORMAT, VERSION = "likeness fomm model", 1
SUFFIX = ".safetensors"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class FommModel:
    """A model that is ready to be opened.

    Attributes:
        name: what `--engine fomm:NAME` calls it, or the checkpoint's file name.
        pair: its networks.
        sha256: of the checkpoint it came from.
        licence: as stated when it was imported; "not stated" otherwise.
        whole_frame: it was trained on whole pictures, not on faces.
    """

    name: str
    pair: Pair
    sha256: str
    licence: str = "not stated"
    whole_frame: bool = False


def open_files(checkpoint: Path, configuration: Path, *, align_corners: bool | None = None) -> FommModel:
    """A model from published files. Errors as in `checkpoint.load_pair`."""
    config = parse_configuration(read_values(configuration), configuration.name)
    tensors = read_checkpoint(checkpoint)
    pair = build_pair(config, tensors, checkpoint.name, align_corners=align_corners)
    return FommModel(checkpoint.name, pair, _hash(checkpoint))


def import_model(
    checkpoint: Path,
    configuration: Path,
    name: str,
    *,
    licence: str = "not stated",
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
    path = path_of(name)
    if path.exists() and not overwrite:
        raise OutputExists(
            f"There is a model called “{name}” already.",
            "Choose another name, or add --overwrite (overwrite=True in Python).",
        )
    values = read_values(configuration)
    config = parse_configuration(values, configuration.name)
    tensors = read_checkpoint(checkpoint)
    build_pair(config, tensors, checkpoint.name, align_corners=align_corners)  # refuses what does not fit
    header = {
        "format": FORMAT,
        "version": VERSION,
        "model_params": _plain(values),
        "align_corners": True if align_corners is None else align_corners,
        "whole_frame": whole_frame,
        "from": checkpoint.name,
        "sha256": _hash(checkpoint),
        "licence": licence,
        "imported": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d"),
    }
    flat = {f"{part}.{key}": tensor.contiguous() for part in PARTS for key, tensor in tensors[part].items()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_beside(path) as pending:
            save_file(flat, pending.path, {"likeness": json.dumps(header)})
            pending.commit()
    except OSError as error:
        raise write_error(path, error) from error
    return path


def list_models() -> tuple[str, ...]:
    """The names of the user's models."""
    folder = paths.config_dir() / "models" / "fomm"
    return tuple(sorted(file.stem for file in folder.glob(f"*{SUFFIX}") if _NAME.fullmatch(file.stem)))


def open_model(name: str) -> FommModel:
    """One of the user's models.

    Raises:
        UnknownModel: there is none of this name.
        ModelFormat: its file is damaged, or of a version that this package does not know.
    """
    path = path_of(name)
    if not path.is_file():
        known = ", ".join(list_models()) or "none yet"
        raise UnknownModel(
            f"There is no model called “{name}” (there are: {known}).",
            f"`likeness models import CHECKPOINT --config YAML --name {name}` makes one "
            "(likeness.fomm.import_model in Python).",
        )
    try:
        with safe_open(path, framework="pt") as file:
            header = _read_header(file.metadata(), path)
            flat = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError) as error:
        raise ModelFormat(f"{path.name} is damaged.", "Import the checkpoint again.") from error
    tensors: dict[str, dict[str, Tensor]] = {part: {} for part in PARTS}
    for key, tensor in flat.items():
        part, _, rest = key.partition(".")
        tensors.setdefault(part, {})[rest] = tensor
    config = parse_configuration({"model_params": header["model_params"]}, path.name)
    pair = build_pair(config, tensors, path.name, align_corners=header["align_corners"])
    return FommModel(f"fomm:{name}", pair, header["sha256"], header["licence"], header["whole_frame"])


def path_of(name: str) -> Path:
    """Where the model of this name is kept, whether or not it is there.

    Raises:
        UsageError: the name cannot be one.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be a model's name.", "Use lower-case letters, digits, “.”, “_” and “-”."
        )
    return paths.config_dir() / "models" / "fomm" / f"{name}{SUFFIX}"


def _read_header(metadata: Mapping[str, str] | None, path: Path) -> dict[str, Any]:
    try:
        header = json.loads((metadata or {})["likeness"])
        known = header["format"] == FORMAT
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ModelFormat(f"{path.name} is not a model of ours.", "Import the checkpoint again.") from error
    if not known or header.get("version") != VERSION:
        raise ModelFormat(f"{path.name} is of a version that this program does not know.", "Update likeness.")
    right = {"align_corners": bool, "sha256": str, "licence": str, "model_params": dict, "whole_frame": bool}
    if not all(isinstance(header.get(key), kind) for key, kind in right.items()):
        raise ModelFormat(f"{path.name} is damaged.", "Import the checkpoint again.")
    return header  # type: ignore[no-any-return]


def _plain(values: object) -> dict[str, Any]:
    """The sections that describe the networks, and nothing else of what the file says."""
    model = values["model_params"]  # type: ignore[index]
    return {name: model[name] for name in ("common_params", "kp_detector_params", "generator_params")}


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
