from __future__ import annotations

from pathlib import Path

import pytest

from likeness.cli.main import run
from likeness.demo import make_demo
from likeness.errors import NotWritable
from likeness.verification import verify


def test_the_demo_makes_three_files_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "demo"
    assert run(["demo", "--out", str(folder)]) == 0
    assert {path.name for path in folder.iterdir()} == {"hopper.mp4", "side_by_side.mp4", "index.html"}
    for name in ("hopper.mp4", "side_by_side.mp4"):
        found = verify(folder / name)
        assert (found.state, found.own) == ("valid", True), name
    mark = verify(folder / "hopper.mp4").watermark
    assert mark.found
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert page.count(f"manifest {mark.manifest}…") >= 2, "in the file, and after compression"
    said = capsys.readouterr().out
    assert len(said.splitlines()) <= 7
    assert str(folder / "index.html") in said


def test_a_file_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "demo").write_text("mine")
    with pytest.raises(NotWritable):
        make_demo(tmp_path / "demo")
