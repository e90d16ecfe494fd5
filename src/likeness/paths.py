"""Where settings and fetched files live on this machine.

| system  | settings                                | cache                          |
|---------|-----------------------------------------|--------------------------------|
| Linux   | `$XDG_CONFIG_HOME` or `~/.config`       | `$XDG_CACHE_HOME` or `~/.cache` |
| macOS   | `~/Library/Application Support`         | `~/Library/Caches`             |
| Windows | `%APPDATA%`                             | `%LOCALAPPDATA%`, below `Cache` |

Each gets a folder `likeness`. `LIKENESS_HOME` overrides both, with `config` and `cache` below it.
Nothing is made here: whoever writes first makes the folder.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def config_dir() -> Path:
    """The folder of what cannot be fetched again: the signing identity, trusted certificates."""
    if home := os.environ.get("LIKENESS_HOME"):
        return Path(home).expanduser().absolute() / "config"
    if sys.platform == "win32":
        return _from_env("APPDATA", Path.home() / "AppData" / "Roaming") / "likeness"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "likeness"
    return _from_env("XDG_CONFIG_HOME", Path.home() / ".config") / "likeness"


def cache_dir() -> Path:
    """The folder of what can be fetched or computed again: models."""
    if home := os.environ.get("LIKENESS_HOME"):
        return Path(home).expanduser().absolute() / "cache"
    if sys.platform == "win32":
        return _from_env("LOCALAPPDATA", Path.home() / "AppData" / "Local") / "likeness" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "likeness"
    return _from_env("XDG_CACHE_HOME", Path.home() / ".cache") / "likeness"


def _from_env(name: str, otherwise: Path) -> Path:
    # XDG Base Directory Specification: a relative path is to be considered invalid and ignored.
    value = os.environ.get(name, "")
    return Path(value) if Path(value).is_absolute() else otherwise
