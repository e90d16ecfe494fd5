from __future__ import annotations

import sys
from pathlib import Path

import pytest

from likeness import paths

VARIABLES = ("LIKENESS_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "APPDATA", "LOCALAPPDATA")


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)


def test_linux(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert paths.config_dir() == tmp_path / ".config" / "likeness"
    assert paths.cache_dir() == tmp_path / ".cache" / "likeness"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "c"))
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/is/ignored")
    assert paths.config_dir() == tmp_path / "c" / "likeness"
    assert paths.cache_dir() == tmp_path / ".cache" / "likeness"


def test_macos(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert paths.config_dir() == tmp_path / "Library" / "Application Support" / "likeness"
    assert paths.cache_dir() == tmp_path / "Library" / "Caches" / "likeness"


def test_windows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("APPDATA", str(tmp_path / "roaming"))
    assert paths.config_dir() == tmp_path / "roaming" / "likeness"
    assert paths.cache_dir() == tmp_path / "AppData" / "Local" / "likeness" / "Cache"


def test_one_variable_moves_everything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIKENESS_HOME", "mine")
    assert paths.config_dir() == tmp_path / "mine" / "config"
    assert paths.cache_dir() == tmp_path / "mine" / "cache"
