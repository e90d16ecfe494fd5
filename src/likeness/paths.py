"""Where settings and fetched files live on this machine.

| system  | settings                                | cache                          |
|---------|-----------------------------------------|--------------------------------|
| Linux   | `$XDG_CONFIG_HOME` or `~/.config`       | `$XDG_CACHE_HOME` or `~/.cache` |
| macOS   | `~/Library/Application Support`         | `~/Library/Caches`             |
| Windows | `%APPDATA%`                             | `%LOCALAPPDATA%`, below `Cache` |

Each gets a folder `likeness`. `LIKENESS_HOME` overrides both, with `config` and `cache` below it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def config_dir() -> Path:
    """The folder of settings and of the signing identity (it may not exist yet)."""
    if home := os.environ.get("LIKENESS_HOME"):
        return Path(home).expanduser() / "config"
    if sys.platform == "win32":
        return _from_env("APPDATA", Path.home() / "AppData" / "Roaming") / "likeness"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "likeness"
    return _from_env("XDG_CONFIG_HOME", Path.home() / ".config") / "likeness"


def cache_dir() -> Path:
    """The folder of files that can be fetched or made again (it may not exist yet)."""
    if home := os.environ.get("LIKENESS_HOME"):
        return Path(home).expanduser() / "cache"
    if sys.platform == "win32":
        return _from_env("LOCALAPPDATA", Path.home() / "AppData" / "Local") / "likeness" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "likeness"
    return _from_env("XDG_CACHE_HOME", Path.home() / ".cache") / "likeness"


def _from_env(name: str, otherwise: Path) -> Path:
    # XDG Base Directory Specification: a relative path is to be considered invalid and ignored.
    value = os.environ.get(name, "")
    return Path(value) if Path(value).is_absolute() else otherwise
