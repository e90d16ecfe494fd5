"""`likeness voice enroll`, `convert` and `say`, as somebody types them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import likeness
from likeness import voice
from likeness.pipelines import enroll_voice, target_voice
from likeness.voices.voice_file import write_voice

from ..voice_people import RATE_HZ, Quiet, corpus_record, learn, make_voice, speech, write_sound
from .conftest import Outcome

Cli = Callable[..., Outcome]
RECORD = ["--consent", "voices.consent.json"]


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """No torch, and little speech is enough."""
    monkeypatch.setattr(voice, "_learn", learn)
    monkeypatch.setattr(target_voice, "need_extra", lambda: None)
    monkeypatch.setattr(enroll_voice, "LEAST_S", 6.0)
    monkeypatch.setattr(enroll_voice, "find_in_sound", lambda samples, rate_hz: None)
    monkeypatch.setattr(target_voice, "open_own", lambda voice, heard, config: Quiet(heard, config))


@pytest.fixture
def record(tmp_path: Path) -> Path:
    path = tmp_path / "voices.consent.json"
    corpus_record(tmp_path).save(path)
    return path


@pytest.fixture
def anna(tmp_path: Path) -> Path:
    write_voice(make_voice(corpus_record(tmp_path)), tmp_path / "anna.voice")
    return tmp_path / "anna.voice"


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    return write_sound(tmp_path / "talk.wav", speech()[: 4 * RATE_HZ])


def test_enroll(cli: Cli, record: Path, tmp_path: Path) -> None:
    folder = tmp_path / "samples"
    folder.mkdir()
    write_sound(folder / "a.wav", speech())
    write_sound(folder / "b.wav", np.zeros(RATE_HZ, np.float32))
    (folder / "c.wav").write_bytes(b"RIFF broken")
    out, report = tmp_path / "anna.voice", tmp_path / "report.json"
    done = cli("voice", "enroll", folder, "-o", out, "--consent", record, "--json", report)
    assert done.code == 0, done.err
    assert "s of speech from 1 file\n" in done.out
    assert "left out: b.wav 0.0-1.0 s, silence" in done.out
    assert "left out: c.wav cannot be read: it cannot be read as video or sound" in done.out
    assert "note: It learned next to nothing." in done.out
    values = json.loads(report.read_text())
    assert values["dropped"][0]["reason"] == "silence"
    assert voice.open_voice(out).name == "anna"


def test_convert(cli: Cli, anna: Path, talk: Path, tmp_path: Path) -> None:
    done = cli(
        "voice", "convert", talk, "--to", anna, "-o", tmp_path / "out.wav", "--sing", "--transpose", "-12"
    )
    assert done.code == 0, done.err
    assert "4.0 s at 16000 Hz" in done.out
    assert "marked with: disclaimer, watermark, credentials" in done.out
    assert likeness.verify(tmp_path / "out.wav").act == "voice"


def test_a_batch(cli: Cli, anna: Path, talk: Path, tmp_path: Path) -> None:
    bad = write_sound(tmp_path / "bad.wav", np.zeros(RATE_HZ, np.float32))
    done = cli("voice", "convert", talk, bad, "--to", anna, "-o", tmp_path / "out")
    assert done.code == 3
    assert "1 of 2 converted" in done.out
    assert "not converted" in done.err
    assert "next: Check the microphone" in done.err
    assert [one.name for one in (tmp_path / "out").iterdir()] == ["talk.wav"]


def test_say(cli: Cli, anna: Path, tmp_path: Path) -> None:
    done = cli(
        "voice", "say", "Rice is often served in round bowls.", "--voice", anna, "-o", tmp_path / "a.wav"
    )
    assert done.code == 0, done.err
    assert "at 24000 Hz" in done.out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["convert", "talk.wav", "--to", "none.voice", "-o", "out.wav"], 3),
        (["convert", "talk.wav", "--to", "talk.wav", "-o", "out.wav"], 7),
        (["convert", "talk.wav", "-o", "out.wav"], 2),
        (["convert", "talk.wav", "talk2.wav", "--to", "anna.voice", "-o", "out.wav"], 2),
        (["convert", "none.wav", "--to", "anna.voice", "-o", "out.wav"], 3),
        (["convert", "talk.wav", "--to", "anna.voice", "-o", "out.txt"], 3),
        (["convert", "talk.wav", "--to", "anna.voice", "-o", "talk.wav", "--overwrite"], 2),
        (["convert", "talk.wav", "--to", "anna.voice", "-o", "anna.voice"], 9),
        (["convert", "talk.wav", "--to", "anna.voice", "-o", "out.wav", "--likeness", "2"], 2),
        (["convert", "talk.wav", "--to", "anna.voice", "-o", "out.wav", "--transpose", "up"], 2),
        (["convert", "talk.wav", "--to", "anna.voice", "-o", "out.wav", "--music", "drop"], 2),
        (["convert", "talk.wav", "--to", "anna.voice", "-o", "out.wav", "--label", "none"], 5),
        (["convert", "talk.wav", "--to", "anna.voice", "-o", "nowhere/out.wav"], 9),
        (["convert", "talk.wav", "--to", "anna.voice", "-o", "out.mp4"], 3),
        (["say", "", "--voice", "anna.voice", "-o", "out.wav"], 2),
        (["say", "Hello.", "--voice", "anna.voice", "-o", "out.wav", "--speed", "9"], 2),
        (["enroll", "talk.wav", "-o", "a.voice", "--consent", "none.json"], 5),
        (["enroll", "talk.wav", "-o", "a.wav", "--consent", "voices.consent.json"], 2),
        (["enroll", "none.wav", "-o", "a.voice", "--consent", "voices.consent.json"], 3),
        (["enroll", "talk.wav", "-o", "a.voice", "--consent", "voices.consent.json"], 3),  # too short
        (["enroll", "talk.wav", "-o", "anna.voice", "--consent", "voices.consent.json"], 9),
        (["enroll", "talk.wav", "-o", "a.voice", "--json", "voices.consent.json", *RECORD], 9),
        (["enroll", "talk.wav", "-o", "a.voice", "--json", "tmp/../a.voice", *RECORD], 2),
        (["enroll", "talk.wav", "-o", "a.voice", "--json", "talk.wav", *RECORD], 9),
    ],
)
def test_refusals(
    cli: Cli,
    anna: Path,
    talk: Path,
    record: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[Any],
    code: int,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "talk2.wav").write_bytes(talk.read_bytes())
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    done = cli("voice", *words)
    assert done.is_refusal(code), (done.code, done.err)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
