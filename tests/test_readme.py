"""The commands with which the README swaps a face work as they stand there, with less training."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

import likeness
from likeness.cli.main import run

pytestmark = pytest.mark.full


def test_swap_a_face(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "home"))
    work = tmp_path / "work"
    shutil.copytree(repository / "examples", work / "examples")
    monkeypatch.chdir(work)
    page = (repository / "README.md").read_text(encoding="utf-8")
    section = page.split("## Swap a face\n")[1].split("\n## ")[0]
    commands = re.findall(r"^\$ likeness (.*)$", section, re.MULTILINE)
    assert [command.split()[1] for command in commands] == [
        "corpus",
        "extract",
        "extract",
        "train",
        "convert",
        "quick",
    ]
    for command in commands:
        code = run(shlex.split(command.replace("--minutes 5", "--steps 2")))
        assert code == 0, (command, capfd.readouterr().err)
    for made in ("swapped.mp4", "quick.mp4"):
        found = likeness.verify(work / made)
        assert (found.state, found.act) == ("valid", "swap"), made
