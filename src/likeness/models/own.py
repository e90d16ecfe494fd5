"""The user's own models, as their files describe themselves; no weights are read. See `engines.shelf`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from likeness import paths
from likeness.errors import UnknownModel

_LONGEST = 200


@dataclass(frozen=True, slots=True)
class OwnModel:
    """A model that somebody imported.

    Attributes:
        name: what `--engine` calls it: "fomm:vox".
        path: its file.
        about: what the file says of itself, under "licence", "from", "sha256", "imported", "consent" and
            others; nothing if it is damaged. Its content is of unknown origin: `say` shows it safely.
    """

    name: str
    path: Path
    about: Mapping[str, Any]

    def say(self, key: str) -> str:
        """One of these in a line of text; empty where it is not said."""
        value = self.about.get(key, "")
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        return "".join(letter for letter in text if letter.isprintable())[:_LONGEST]


def own_models() -> tuple[OwnModel, ...]:
    """All of them, by their names."""
    files = (paths.config_dir() / "models").glob("*/*.safetensors")
    return tuple(OwnModel(f"{file.parent.name}:{file.stem}", file, _header(file)) for file in sorted(files))


def own_model(name: str) -> OwnModel:
    """The one of this name.

    Raises:
        UnknownModel: there is none.
    """
    models = {model.name: model for model in own_models()}
    if name not in models:
        raise UnknownModel(
            f"There is no model called “{name}” of yours.", f"There are: {', '.join(models) or 'none yet'}."
        )
    return models[name]


def _header(path: Path) -> Mapping[str, Any]:
    try:
        with safe_open(path, framework="numpy") as file:
            header = json.loads((file.metadata() or {})["likeness"])
    except (SafetensorError, OSError, KeyError, ValueError, RecursionError):
        return {}
    return header if isinstance(header, dict) else {}
