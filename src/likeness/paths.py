"""Where this package keeps its files on a person's machine.

    LIKENESS_HOME set     LIKENESS_HOME/config, LIKENESS_HOME/cache
    Linux and others      $XDG_CONFIG_HOME/likeness, $XDG_CACHE_HOME/likeness (else ~/.config, ~/.cache)
    macOS                 ~/Library/Application Support/likeness, ~/Library/Caches/likeness
    Windows               %APPDATA%\\likeness, %LOCALAPPDATA%\\likeness\\cache

Nothing is created here: whoever writes first makes the folder.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

HOME_VARIABLE = "LIKENESS_HOME"


def config_dir() -> Path:
    """The folder for what cannot be fetched again: the signing identity, trusted certificates."""
    return _dir("config", xdg="XDG_CONFIG_HOME", unix=".config", mac="Application Support", windows="APPDATA")


def cache_dir() -> Path:
    """The folder for what can be fetched or computed again: models."""
    return _dir("cache", xdg="XDG_CACHE_HOME", unix=".cache", mac="Caches", windows="LOCALAPPDATA")


def _dir(kind: str, *, xdg: str, unix: str, mac: str, windows: str) -> Path:
    if home := os.environ.get(HOME_VARIABLE):
        return Path(home).expanduser().absolute() / kind
    if sys.platform == "darwin":
        return Path.home() / "Library" / mac / "likeness"
    if os.name == "nt":
        base = os.environ.get(windows) or str(
            Path.home() / "AppData" / ("Roaming" if kind == "config" else "Local")
        )
        return Path(base) / "likeness" / ("" if kind == "config" else kind)
    base = os.environ.get(xdg, "")
    # The XDG specification: a relative path is invalid and has to be ignored.
    return (Path(base) if Path(base).is_absolute() else Path.home() / unix) / "likeness"
