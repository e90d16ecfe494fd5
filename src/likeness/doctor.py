"""Looks at this installation and says, for each gap, what to do about it. Changes and fetches nothing."""

from __future__ import annotations

import importlib
import os
import platform
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal, TypeAlias

from likeness import models, paths, registry
from likeness.errors import LikenessError

State: TypeAlias = Literal["ok", "gap", "broken"]

_PULL = "`likeness models pull {}` fetches it now; otherwise it is fetched on first use."
_MODULES = {
    "numpy": "numpy",
    "opencv-python-headless": "cv2",
    "numba": "numba",
    "ai-edge-litert": "ai_edge_litert.interpreter",
    "av": "av",
    "pillow": "PIL.Image",
    "safetensors": "safetensors.numpy",
    "c2pa-python": "c2pa",
    "cryptography": "cryptography.x509",
}
_ENCODERS = {
    "libx264": ("H.264 picture of .mp4", True),
    "aac": ("sound of .mp4", True),
    "libvpx-vp9": ("VP9 picture of .webm", False),
    "libopus": ("sound of .webm", False),
    "gif": (".gif", False),
}
_NOT_FOR_USERS = ("all", "dev", "reference")
_LOW_BYTES = 500e6


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        topic: "system", "packages", "extras", "engines", "models", "encoders", "identity" or "storage".
        name: what it is.
        state: "ok"; "gap", where something optional is missing; "broken", where something needed is.
        detail: what was found.
        advice: what to do about it; empty where all is well.
    """

    topic: str
    name: str
    state: State
    detail: str
    advice: str = ""


def examine() -> tuple[Check, ...]:
    """All checks, by topic. Slow on purpose: every package is imported to see that it can be."""
    return (
        *_system(),
        *_packages(),
        *_extras(),
        *_engines(),
        *_models(),
        *_encoders(),
        _identity(),
        *_storage(),
    )


def is_sound(checks: tuple[Check, ...]) -> bool:
    """Whether nothing that is needed is broken."""
    return all(check.state != "broken" for check in checks)


def _system() -> Iterator[Check]:
    yield Check("system", "likeness", "ok", metadata.version("likeness"))
    yield Check("system", "Python", "ok", f"{platform.python_version()} ({platform.python_implementation()})")
    yield Check("system", "machine", "ok", f"{platform.platform()}, {os.cpu_count()} processors")


def _packages() -> Iterator[Check]:
    for package, module in _MODULES.items():
        try:
            importlib.import_module(module)
            yield Check("packages", package, "ok", metadata.version(package))
        except (ImportError, OSError) as error:
            advice = f"Run `python -m pip install --force-reinstall {package}`."
            yield Check("packages", package, "broken", f"cannot be imported: {error}", advice)


def _extras() -> Iterator[Check]:
    needed: dict[str, list[str]] = {}
    for requirement in metadata.requires("likeness") or ():
        found = re.fullmatch(r"([\w.-]+).*;.*extra == ['\"]([\w-]+)['\"].*", requirement)
        if found and found[1] != "likeness" and found[2] not in _NOT_FOR_USERS:
            needed.setdefault(found[2], []).append(found[1])
    for extra, names in needed.items():
        missing = [name for name in names if not _is_installed(name)]
        if missing:
            detail = f"not installed ({', '.join(missing)})"
            yield Check("extras", extra, "gap", detail, f"If wanted: `pip install 'likeness[{extra}]'`.")
        else:
            yield Check(
                "extras", extra, "ok", ", ".join(f"{name} {metadata.version(name)}" for name in names)
            )


def _is_installed(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True


def _engines() -> Iterator[Check]:
    for name in registry.engine_names():
        try:
            engine = registry.get_engine(name)
            yield Check("engines", name, "ok", f"version {engine.version}")
        except (LikenessError, ImportError) as error:
            advice = error.hint if isinstance(error, LikenessError) else "Reinstall likeness."
            yield Check("engines", name, "broken", str(error), advice)


def _models() -> Iterator[Check]:
    for entry in models.all_models():
        about = f"{entry.licence}, {entry.attribution}"
        try:
            path = models.fetch(entry.name, offline=True) if models.find(entry.name) else None
        except LikenessError as error:
            yield Check("models", entry.name, "broken", error.what, error.hint)
            continue
        if path:
            yield Check("models", entry.name, "ok", f"{about}; intact")
        else:
            yield Check("models", entry.name, "gap", f"{about}; not fetched yet", _PULL.format(entry.name))


def _encoders() -> Iterator[Check]:
    try:
        import av
        from av.codec import Codec
    except (ImportError, OSError):
        return  # already said under "packages"
    for name, (use, needed) in _ENCODERS.items():
        try:
            Codec(name, "w")
            yield Check("encoders", name, "ok", use)
        except ValueError:
            advice = "Take PyAV from a wheel: `python -m pip install --force-reinstall --only-binary=av av`."
            state: State = "broken" if needed else "gap"
            yield Check("encoders", name, state, f"missing from PyAV {av.__version__}: no {use}", advice)


def _identity() -> Check:
    from likeness.disclosure.signer import identity

    try:
        found = identity.load()
    except LikenessError as error:
        return Check("identity", "signing identity", "broken", error.what, error.hint)
    if found is None:
        return Check("identity", "signing identity", "ok", "none yet; made with the first output")
    return Check(
        "identity", "signing identity", "ok", f"{found.name}, valid until {found.not_after:%Y-%m-%d}"
    )


def _storage() -> Iterator[Check]:
    cache = paths.cache_dir()
    there = _nearest_existing(cache)
    if os.access(there, os.W_OK):
        used = sum(file.stat().st_size for file in cache.rglob("*") if file.is_file())
        yield Check("storage", "cache", "ok", f"{cache}, {used / 1e6:.1f} MB")
    else:
        advice = "Make it writable, or set LIKENESS_HOME to a folder that is."
        yield Check("storage", "cache", "broken", f"{there} is not writable", advice)
    free = shutil.disk_usage(there).free
    low = free < _LOW_BYTES
    advice = "Make room, or set LIKENESS_HOME to a folder on another disk." if low else ""
    yield Check("storage", "free disk", "gap" if low else "ok", f"{free / 1e9:.1f} GB", advice)


def _nearest_existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())
