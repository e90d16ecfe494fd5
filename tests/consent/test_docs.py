"""What docs/consent.md shows works as it stands there, word for word, and prints what is printed there."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature

from likeness import consent
from likeness.cli.main import run

# What differs from run to run: hashes, keys, numbers of records, days, names of identities, folders.
CHANGING = re.compile(
    r"\b(?:[0-9a-f]{4} ){7}[0-9a-f]{4}\b|\b(?=[0-9a-f]*\d)[0-9a-f]{6,64}\b|\d{4}-\d\d-\d\d(?:T[\d:]+Z)?"
    r"|\b\d\d:\d\d\b|~?/\S+/|\b\d+\.\d\d\b|\b[0-9a-f]{8}\b"
)


@pytest.fixture
def page(repository: Path) -> str:
    return (repository / "docs" / "consent.md").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hopper_path: Path, carphone_path: Path) -> Path:
    """A folder with the two files that the reader is asked for, and a home without a key."""
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "home"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    shutil.copy(hopper_path, "portrait.jpg")
    shutil.copy(carphone_path, "talk.mp4")
    return tmp_path / "work"


def blocks(page: str, kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", page, re.DOTALL)


def steps(page: str) -> list[tuple[str, list[str]]]:
    """The commands of the page and the lines that are said to follow each."""
    found: list[tuple[str, list[str]]] = []
    for line in "".join(blocks(page, "console")).splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line.strip():
            found[-1][1].append(line)
    return found


def plain(lines: list[str]) -> list[str]:
    return [CHANGING.sub("…", line.rstrip()) for line in lines if line.strip()]


def test_the_walk_through(
    page: str, folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)

    def agree(question: str, **_: object) -> None:
        print(f"{question} [y/N]: y")

    monkeypatch.setattr("typer.confirm", agree)
    commands = steps(page)
    assert len(commands) >= 10
    for command, expected in commands:
        capfd.readouterr()
        run(shlex.split(command)[1:])
        captured = capfd.readouterr()
        assert plain([*captured.out.splitlines(), *captured.err.splitlines()]) == plain(expected), command


def test_the_example_in_python(page: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    example, other_tools = blocks(page, "python")
    exec(compile(example, "consent.md", "exec"), {})
    assert "the face fitted its reference" in capsys.readouterr().out
    assert Path("grace.mp4").exists()
    exec(compile(other_tools, "consent.md", "exec"), {})
    text = Path("grace.consent.json").read_text(encoding="utf-8")
    Path("grace.consent.json").write_text(text.replace("film", "firm"), encoding="utf-8")
    with pytest.raises(InvalidSignature):
        exec(compile(other_tools, "consent.md", "exec"), {})


def test_every_field_is_documented(page: str) -> None:
    record = consent.draft(subject="A", requester="B", acts=["voice"], purposes=["c"])
    for name in json.loads(record.to_bytes()):
        assert f"`{name}`" in page, name
