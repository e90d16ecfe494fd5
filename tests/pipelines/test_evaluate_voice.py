"""Recordings are measured: the right voice scores above a stranger's, and what cannot be told is said."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from likeness.cli.main import run
from likeness.consent import check, draft_corpus, load_or_create_key, sign
from likeness.disclosure.sealed_sound import seal_sound
from likeness.errors import MediaNotFound, NoSpeech, UsageError
from likeness.models import find
from likeness.pipelines.evaluate_voice import VoiceScores, list_samples, skip_disclaimer
from likeness.speech.measures import word_error
from likeness.types import Making
from likeness.voice import evaluate

from ..voice_people import RATE_HZ, speech, write_sound

MODELS = ("speaker-encoder", "pitch", "speech-quality", "speech-quality-p808")
pytestmark = pytest.mark.skipif(any(find(name) is None for name in MODELS), reason=f"needs {MODELS}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Samples of somebody, and of somebody else, and a recording of each."""
    work = tmp_path_factory.mktemp("evaluate")
    for name, shrink in (("anna", 1.0), ("ben", 0.75)):
        sound = speech(shrink)
        thirds = np.array_split(sound, 3)
        (work / name).mkdir()
        for number, part in enumerate(thirds[1:]):
            write_sound(work / name / f"{number}.wav", part)
        write_sound(work / f"{name}.wav", thirds[0])
    return work


@pytest.fixture(autouse=True)
def deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pocketsphinx takes longer than all of the rest; it has tests of its own."""
    monkeypatch.setattr(word_error, "transcribe", lambda sound, rate_hz: "the birch canoe")


def test_the_right_voice_is_nearest(folder: Path) -> None:
    own = evaluate(folder / "anna.wav", target=folder / "anna", source=folder / "anna.wav")
    other = evaluate(folder / "ben.wav", target=[folder / "anna"], source=folder / "ben.wav")
    assert own.similarity.to_target > 0.85 > 0.75 > other.similarity.to_target
    assert (own.similarity.verdict, own.similarity.samples) == ("match", 2)
    assert own.similarity.target_itself is not None
    assert own.similarity.target_itself > 0.85
    assert own.similarity.to_source == pytest.approx(1, abs=1e-5)
    for scores in (own, other):
        assert scores.pitch is not None
        assert scores.pitch.correlation == pytest.approx(1)
        assert (scores.pitch.voicing_errors, scores.delay_s, scores.notes) == (0, 0, ())
        assert scores.words is not None
        assert (scores.words.rate, scores.words.heard) == (0, "the birch canoe")
        assert scores.defects.holes_per_minute == 0
        assert scores.naturalness.score > 2.5


def test_without_a_source_it_says_what_is_missing(folder: Path) -> None:
    scores = evaluate(folder / "anna.wav", target=folder / "anna")
    assert (scores.words, scores.pitch, scores.delay_s) == (None, None, None)
    assert scores.similarity.to_source is None
    assert scores.notes == ("words: need the source or the text", "melody: needs the source")
    told = evaluate(folder / "anna.wav", target=folder / "anna", text="The birch canoe slid!")
    assert told.words is not None
    assert (told.words.rate, told.words.source_rate) == (0.25, None)


def test_the_notes_at_the_start_are_left_out(folder: Path) -> None:
    record = sign(
        draft_corpus("nobody", licence="CC0-1.0", evaluator="tests", acts=("voice",)), load_or_create_key()
    )
    making = Making("voice", "test", "1", (), consent=check(record, act="voice").describe())
    for rate_hz, suffix in ((RATE_HZ, "wav"), (44_100, "mp3")):
        out = folder / f"sealed-{rate_hz}.{suffix}"
        sound = np.repeat(speech()[None, : 4 * RATE_HZ], 1, axis=0)
        seal_sound(sound, out, making, rate_hz=RATE_HZ, overwrite=True)
        scores = evaluate(out, target=folder / "anna", source=write_sound(folder / "a.wav", sound[0]))
        assert scores.duration_s == pytest.approx(4, abs=0.1)
        assert scores.delay_s == pytest.approx(0, abs=0.06)


def test_speech_is_no_disclaimer() -> None:
    for sound in (speech()[: 3 * RATE_HZ], np.zeros(3 * RATE_HZ, np.float32), speech()[:100]):
        assert len(skip_disclaimer(sound)) == len(sound)


def test_what_cannot_be_measured_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no recording")
    with pytest.raises(MediaNotFound):
        evaluate(folder / "anna.wav", target=tmp_path)
    with pytest.raises(UsageError):
        evaluate(folder / "anna.wav", target=[])
    silent = write_sound(tmp_path / "silent.wav", np.zeros(2 * RATE_HZ, np.float32))
    with pytest.raises(NoSpeech):
        evaluate(silent, target=folder / "anna")
    with pytest.raises(NoSpeech):
        evaluate(folder / "anna.wav", target=silent)


def test_samples_are_found_as_elsewhere(folder: Path, tmp_path: Path) -> None:
    one = folder / "anna" / "0.wav"
    assert list_samples(folder / "anna") == [one, folder / "anna" / "1.wav"]
    with pytest.raises(UsageError, match="twice"):
        list_samples([one, folder / "anna"])
    for name in ("a.mpg", "._a.wav", "a.m3u"):
        (tmp_path / name).write_bytes(b"x")
    assert list_samples(iter([tmp_path])) == [tmp_path / "a.mpg"]
    for number in range(200):
        (tmp_path / f"{number}.wav").write_bytes(b"x")
    with pytest.raises(UsageError, match="201 recordings"):
        list_samples(tmp_path)


def test_the_command_says_it_all(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["voice", "evaluate", folder / "anna.wav", "--target", folder / "anna"]
    words += ["--source", folder / "anna.wav", "--text", "the birch canoe slid"]
    assert run([str(word) for word in words]) == 0
    said = capsys.readouterr().out
    for part in (
        "(match)",
        "correlation 1.000",
        "25% against the text; the source itself 25%",
        "clipped 0.00%",
    ):
        assert part in said
    assert run([str(word) for word in (*words, "--json", "-")]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["similarity"]["verdict"] == "match"
    assert values["pitch"]["shift_semitones"] == 0
    assert set(values) == set(VoiceScores.__dataclass_fields__)
    assert run(["voice", "evaluate", "nothing.wav", "--target", str(folder)]) == 3
