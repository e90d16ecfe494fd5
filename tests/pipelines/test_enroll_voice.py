"""Enrolment: consent first, one person and the right one, enough of it, or nothing is written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from likeness.consent.match import Comparison, compare_voice
from likeness.consent.parts import Embedding
from likeness.disclosure.sealed_sound import seal_sound
from likeness.disclosure.watermark.audio_search import find_in_sound
from likeness.errors import (
    ConsentMissing,
    ConsentScope,
    EvidenceRefused,
    MediaNotFound,
    NoSpeech,
    OutputExists,
    SubjectMismatch,
    Unreadable,
    UsageError,
)
from likeness.pipelines import enroll_voice
from likeness.pipelines.enroll_voice import Enrolment, enroll
from likeness.speech.speaker import embed_voice
from likeness.types import Floats, Making
from likeness.voices.voice_file import open_voice

from ..voice_people import RATE_HZ, corpus_record, learn, speech, subject_record, write_sound


@pytest.fixture(autouse=True)
def little_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enroll_voice, "LEAST_S", 6.0)
    # It takes its time; one test has it.
    monkeypatch.setattr(enroll_voice, "find_in_sound", lambda samples, rate_hz: None)


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    """A folder with two recordings of one voice, and one that is no use."""
    folder = tmp_path / "samples"
    folder.mkdir()
    half = len(speech()) // 2
    write_sound(folder / "a.wav", speech()[:half])
    write_sound(folder / "b.flac", speech()[half:])
    write_sound(folder / "c.wav", np.zeros(3 * RATE_HZ, np.float32))
    (folder / "notes.txt").write_text("not a sound")
    return folder


def run(samples: Any, out: Path, consent: Any, **options: Any) -> Enrolment:
    return enroll(samples, out, consent=consent, learn=learn, **options)


def test_what_is_learned_and_what_is_left_out(samples: Path, tmp_path: Path) -> None:
    made = run(samples, tmp_path / "anna.voice", corpus_record(tmp_path), name="Anna")
    assert [one.name for one in made.recordings] == ["a.wav", "b.flac"]
    assert [(one.file, one.reason) for one in made.dropped] == [("c.wav", "silence")]
    assert made.used_s == pytest.approx(sum(one.used_s for one in made.recordings))
    assert made.pauses_s > 0.2
    assert made.warnings == ("It learned next to nothing.",)
    found = open_voice(made.path)
    assert (found.name, found.sha256) == ("Anna", made.voice.sha256)
    assert len(found.pool["samples"]) == pytest.approx(made.used_s * RATE_HZ, abs=20)
    assert found.permission.record.kind == "corpus"
    np.testing.assert_allclose(found.speaker @ embed_voice(speech(), RATE_HZ), 1, atol=0.03)
    report = made.to_json()
    assert report["used"][0]["name"] == "a.wav"
    assert report["dropped"][0]["reason"] == "silence"
    assert str(tmp_path) not in str(report)


def test_the_record_is_asked_before_anything_is_opened(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere.wav"
    with pytest.raises(ConsentMissing):
        run(nowhere, tmp_path / "a.voice", None)
    with pytest.raises(ConsentScope):
        run(nowhere, tmp_path / "a.voice", corpus_record(tmp_path, acts=["swap"]))
    with pytest.raises(SubjectMismatch, match="holds no voice"):
        run(nowhere, tmp_path / "a.voice", subject_record(tmp_path, None))
    with pytest.raises(MediaNotFound):
        run(nowhere, tmp_path / "a.voice", corpus_record(tmp_path))


def test_the_voice_has_to_be_the_subjects(samples: Path, tmp_path: Path) -> None:
    own = subject_record(tmp_path, embed_voice(speech(), RATE_HZ))
    made = run(samples, tmp_path / "anna.voice", own)
    (compared,) = open_voice(made.path).permission.compared
    assert compared.verdict == "match"
    assert compared.value is not None
    assert compared.value > 0.9

    stranger = np.zeros(256, np.float32)
    stranger[embed_voice(speech(), RATE_HZ).argmin()] = 1
    with pytest.raises(SubjectMismatch):
        run(samples, tmp_path / "b.voice", subject_record(tmp_path, stranger))
    # 0.7 alike: nobody can tell, and that is not enough.
    alike = embed_voice(speech(), RATE_HZ) * 0.7
    alike[embed_voice(speech(), RATE_HZ).argmin()] += np.sqrt(1 - 0.49)
    with pytest.raises(SubjectMismatch, match=r"cannot be told .* [ab]\.(wav|flac): the voice may"):
        run(samples, tmp_path / "b.voice", subject_record(tmp_path, alike / np.linalg.norm(alike)))
    assert not (tmp_path / "b.voice").exists()


def test_a_recording_of_which_nobody_can_tell(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compare(heard: Floats, reference: Embedding | None, name: str) -> Comparison:
        found = compare_voice(heard, reference, name)
        return replace(found, verdict="cannot tell") if name == "b.flac" else found

    monkeypatch.setattr(enroll_voice, "compare_voice", compare)
    monkeypatch.setattr(enroll_voice, "LEAST_S", 3.0)
    made = run(samples, tmp_path / "a.voice", subject_record(tmp_path, embed_voice(speech(), RATE_HZ)))
    (unsure,) = [one for one in made.dropped if one.reason == "voice not sure"]
    assert unsure.file == "b.flac"
    assert unsure.detail.startswith("the voice may or may not be")
    assert [one.name for one in made.recordings] == ["a.wav"]


def test_two_speakers_are_refused_with_times(samples: Path, tmp_path: Path) -> None:
    write_sound(samples / "d.wav", np.concatenate((speech(), speech(0.75)[: 8 * RATE_HZ])))
    with pytest.raises(SubjectMismatch, match=r"Two people .* d\.wav from 1\d\.\d s to [12]\d\.\d s"):
        run(samples, tmp_path / "a.voice", corpus_record(tmp_path))
    assert not (tmp_path / "a.voice").exists()


def test_our_own_work_is_refused(samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enroll_voice, "find_in_sound", find_in_sound)
    making = Making("voice", "puppet", "1", ())
    seal_sound(speech()[None] / 2, samples / "made.wav", making, rate_hz=RATE_HZ)
    with pytest.raises(EvidenceRefused, match=r"made\.wav carries the watermark"):
        run(samples, tmp_path / "a.voice", corpus_record(tmp_path))
    assert not (tmp_path / "a.voice").exists()


def test_too_little(tmp_path: Path) -> None:
    second = write_sound(tmp_path / "second.wav", speech()[:RATE_HZ])
    loud = write_sound(tmp_path / "loud.wav", np.clip(speech() * 8, -1, 1))
    with pytest.raises(NoSpeech, match="clipped"):
        run([second, loud], tmp_path / "a.voice", corpus_record(tmp_path))
    assert not (tmp_path / "a.voice").exists()


def test_nothing_of_the_subject(tmp_path: Path) -> None:
    record = subject_record(tmp_path, embed_voice(speech(), RATE_HZ))
    silence = write_sound(tmp_path / "silence.wav", np.zeros(3 * RATE_HZ, np.float32))
    short = write_sound(tmp_path / "short.wav", speech()[: RATE_HZ // 10])
    text = tmp_path / "text.wav"
    text.write_text("This is no sound.")
    for samples in (silence, short, text, [silence, short, text]):
        with pytest.raises(NoSpeech, match="hold 0 s of speech"):
            run(samples, tmp_path / "a.voice", record)


@pytest.mark.parametrize("out", ["a.wav", "a"])
def test_the_name_of_the_output(samples: Path, tmp_path: Path, out: str) -> None:
    with pytest.raises(UsageError, match=r"\.voice"):
        run(samples, tmp_path / out, corpus_record(tmp_path))


def test_what_is_there_stays(samples: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.voice"
    path.write_bytes(b"old")
    with pytest.raises(OutputExists):
        run(samples, path, corpus_record(tmp_path))
    assert path.read_bytes() == b"old"
    run(samples, path, corpus_record(tmp_path), overwrite=True)
    assert open_voice(path).name == "a"


def test_files_that_cannot_be(samples: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    (tmp_path / "nothing").mkdir()
    record = corpus_record(tmp_path)
    with pytest.raises(Unreadable):
        run(tmp_path / "empty.wav", tmp_path / "a.voice", record)
    with pytest.raises(MediaNotFound, match="no sound"):
        run(tmp_path / "nothing", tmp_path / "a.voice", record)
    with pytest.raises(UsageError, match="twice"):
        run([samples, samples / "a.wav"], tmp_path / "a.voice", record)
    (samples / "copy.wav").write_bytes((samples / "a.wav").read_bytes())
    listened = []
    with pytest.raises(UsageError, match=r"a\.wav and .*copy\.wav are the same recording"):
        run(samples, tmp_path / "a.voice", record, on_progress=listened.append)
    assert not listened
    (samples / "copy.wav").write_bytes(b"RIFF broken")
    made = run(samples, tmp_path / "a.voice", record)
    (copy,) = [one for one in made.dropped if one.file == "copy.wav"]
    assert (copy.reason, copy.detail[:18]) == ("cannot be read", "it cannot be read ")
