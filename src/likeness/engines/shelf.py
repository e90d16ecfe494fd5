"""The user's own models: checkpoints, converted once to safetensors, each under a name.

A model is one file, `<settings>/models/<kind>/<name>.safetensors`. Its header says what it is, which file it
came from with its SHA-256, and the licence that the user stated. It can be handed on: nothing in it can run.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from likeness import paths
from likeness.errors import ModelFormat, OutputExists, UnknownModel, UsageError
from likeness.media.files import temporary_beside, write_error

VERSION = 1
SUFFIX = ".safetensors"
NOT_STATED = "not stated"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_AGAIN = "Import the checkpoint again."


class Kept(NamedTuple):
    """What a model's file holds.

    Attributes:
        header: "sha256" and "licence", which are text, and what the engine wrote about the model.
        tensors: by name.
    """

    header: dict[str, Any]
    tensors: dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class Shelf:
    """All models of one kind.

    Attributes:
        kind: "fomm", "rvc" …
        how: how one is made, for the error when there is none; "{name}" stands for its name.
    """

    kind: str
    how: str

    def names(self) -> tuple[str, ...]:
        """Of the models that there are."""
        return tuple(
            sorted(file.stem for file in self._folder.glob(f"*{SUFFIX}") if _NAME.fullmatch(file.stem))
        )

    def path_of(self, name: str) -> Path:
        """Where the model of this name is kept, whether or not it is there.

        Raises:
            UsageError: the name cannot be one.
        """
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} cannot be a model's name.", "Use lower-case letters, digits, “.”, “_” and “-”."
            )
        return self._folder / f"{name}{SUFFIX}"

    def free_place(self, name: str, *, overwrite: bool) -> Path:
        """Where a new model of this name goes.

        Raises:
            UsageError: the name cannot be one.
            OutputExists: there is a model of this name, and it is not to be replaced.
        """
        path = self.path_of(name)
        if path.exists() and not overwrite:
            raise OutputExists(
                f"There is a model called “{name}” already.",
                "Choose another name, or add --overwrite (overwrite=True in Python).",
            )
        return path

    def put(
        self,
        path: Path,
        tensors: Mapping[str, Tensor],
        about: Mapping[str, Any],
        *,
        checkpoint: Path,
        licence: str,
    ) -> None:
        """Write a model, whole or not at all.

        Args:
            path: from `free_place`.
            about: what the engine needs to know of it again.
            checkpoint: the file that it came from.

        Raises:
            ModelFormat: `about` holds what JSON cannot.
            OutputError: it cannot be written.
        """
        header = {
            "format": self._format,
            "version": VERSION,
            **about,
            "from": checkpoint.name,
            "sha256": hash_of(checkpoint),
            "licence": licence,
            "imported": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d"),
        }
        try:
            text = json.dumps(header)
        except (TypeError, ValueError, RecursionError) as error:
            raise ModelFormat(
                f"What is said of {checkpoint.name} holds a value that is no text, number or list.",
                "Take it out of the configuration; the networks do not need it.",
            ) from error
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary_beside(path) as pending:
                # Not by `save_file`, which does not say why it failed.
                pending.path.write_bytes(save(_apart(tensors), {"likeness": text}))
                pending.commit()
        except OSError as error:
            raise write_error(path, error) from error

    def open(self, name: str) -> Kept:
        """A model by its name.

        Raises:
            UsageError: the name cannot be one.
            UnknownModel: there is none of this name.
            ModelFormat: see `read`.
        """
        path = self.path_of(name)
        if not path.is_file():
            known = ", ".join(self.names()) or "none yet"
            raise UnknownModel(
                f"There is no model called “{name}” (there are: {known}).", self.how.replace("{name}", name)
            )
        return self.read(path)

    def read(self, path: Path) -> Kept:
        """What the file holds; the engine has to look at what it wrote about the model.

        Raises:
            ModelFormat: it is damaged, of another kind, or of a version that this package does not know.
        """
        try:
            with safe_open(path, framework="pt") as file:
                header = self._header(file.metadata(), path)
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a mapping
        except (SafetensorError, OSError) as error:
            raise ModelFormat(f"{path.name} is damaged.", _AGAIN) from error
        return Kept(header, tensors)

    def _header(self, metadata: Mapping[str, str] | None, path: Path) -> dict[str, Any]:
        try:
            header = json.loads((metadata or {})["likeness"])
            known = header["format"] == self._format
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise ModelFormat(f"{path.name} is not a model of ours.", _AGAIN) from error
        if not known:
            raise ModelFormat(
                f"{path.name} is no model of the kind {self.kind}, but {str(header['format'])[:40]!r}.",
                "Use it with the engine that it was imported for.",
            )
        if header.get("version") != VERSION:
            raise ModelFormat(
                f"{path.name} is of a version that this program does not know.", "Update likeness."
            )
        expect(header, path, sha256=str, licence=str)
        return header  # type: ignore[no-any-return]

    @property
    def _folder(self) -> Path:
        return paths.config_dir() / "models" / self.kind

    @property
    def _format(self) -> str:
        return f"likeness {self.kind} model"


def expect(header: Mapping[str, Any], path: Path, **kinds: type) -> None:
    """Refuse a header in which something is missing or of another type.

    Raises:
        ModelFormat
    """
    if not all(isinstance(header.get(key), kind) for key, kind in kinds.items()):
        raise ModelFormat(f"{path.name} is damaged.", _AGAIN)


def hash_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _apart(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Safetensors keeps no tensors that lie in each other's memory."""
    seen: set[int] = set()
    apart = {}
    for key, tensor in tensors.items():
        start = tensor.untyped_storage().data_ptr()
        apart[key] = tensor.clone().contiguous() if start in seen else tensor.contiguous()
        seen.add(start)
    return apart
