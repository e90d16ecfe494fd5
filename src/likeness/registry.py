"""Engines by name.

An engine is a class that an installed package names under the entry point group `likeness.engines`:

    [project.entry-points."likeness.engines"]
    mesh = "likeness.engines.mesh:MeshEngine"

Ours are found in the very same way as everybody else's.
"""

from __future__ import annotations

from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from likeness.errors import EngineError, MissingExtra, UnknownEngine

GROUP = "likeness.engines"


def engine_names() -> tuple[str, ...]:
    """The names of all installed engines, in alphabetical order; none of them is imported."""
    return tuple(sorted(_entries()))


def get_engine(name: str) -> type[Any]:
    """The class of the engine called `name`; it satisfies the protocol in `likeness.engines.base`.

    Raises:
        UnknownEngine: no installed package offers it; the hint lists what there is.
        MissingExtra: it is known, but something that it imports is not installed.
        EngineError: its entry point does not lead to a class.
    """
    entries = _entries()
    if name not in entries:
        raise _unknown(name, sorted(entries))
    entry = entries[name]
    try:
        engine = entry.load()
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"The engine “{name}” needs {error.name}, which is not installed.",
            "`pip install 'likeness[all]'` installs everything; `likeness doctor` shows what is missing.",
        ) from error
    except AttributeError as error:
        raise _not_a_class(entry) from error
    if not isinstance(engine, type):
        raise _not_a_class(entry)
    return engine


def split_name(engine: str) -> tuple[str, str]:
    """Name and model of an engine that is called "fomm:vox"; without a model, the second is empty."""
    name, _, model = engine.partition(":")
    return name, model


def _entries() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def _unknown(name: str, names: list[str]) -> UnknownEngine:
    close = get_close_matches(name, names, n=1)
    suggestion = f"Did you mean “{close[0]}”? " if close else ""
    return UnknownEngine(
        f"There is no engine called “{name}”.",
        f"{suggestion}Installed engines: {', '.join(names) or 'none'}.",
    )


def _not_a_class(entry: EntryPoint) -> EngineError:
    package = entry.dist.name if entry.dist else "its package"
    return EngineError(
        f"The engine “{entry.name}” cannot be loaded: {entry.value} is not a class.",
        f"Tell whoever maintains {package}, or choose another engine.",
    )
