"""What CONTRIBUTING.md promises: the engine it shows is short, and works as it stands there."""

from __future__ import annotations

import re
import sys
from fractions import Fraction
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import pytest

import likeness
from likeness import AnimateConfig, registry


@pytest.fixture
def shown(repository: Path) -> str:
    text = (repository / "CONTRIBUTING.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert found
    return found[1]


def test_the_engine_takes_twenty_lines(shown: str) -> None:
    assert sum(bool(line.strip()) for line in shown.splitlines()) <= 20


def test_the_engine_works(
    shown: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, hopper_path: Path, carphone_path: Path
) -> None:
    package = ModuleType("your_package")
    exec(compile(shown, "CONTRIBUTING.md", "exec"), package.__dict__)
    monkeypatch.setitem(sys.modules, "your_package", package)
    ours = EntryPoint("nod", "your_package:NodEngine", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: (ours,))
    made = likeness.animate(
        hopper_path,
        carphone_path,
        out=tmp_path / "nod.mp4",
        engine="nod",
        config=AnimateConfig(max_side=200, end_s=Fraction(1, 2)),
    )
    assert made.frames == 15
    assert likeness.verify(made.path).engine.startswith("likeness nod")
