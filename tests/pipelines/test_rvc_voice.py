"""A voice model of RVC behind `convert`: consent first, then files, and what it says is compared."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

import likeness
from likeness import consent
from likeness.consent import ConsentKey, ConsentRecord, Embedding
from likeness.errors import (
    ConsentMissing,
    ConsentScope,
    LikenessError,
    ModelFormat,
    NoSpeech,
    SubjectMismatch,
    UnknownModel,
    UsageError,
)
from likeness.media.mono import read_mono
from likeness.pipelines.convert_voice import convert
from likeness.pipelines.rvc_voice import compare_first, rvc_target
from likeness.pipelines.say import say
from likeness.pipelines.target_voice import Target
from likeness.progress import Progress
from likeness.rvc import import_model
from likeness.speech.speaker import VOICE_MODEL, embed_voice
from likeness.types import Floats

from ..content_models import write_content
from ..rvc_models import write_file
from ..speech.voices import synthetic_voice
from ..voice_people import Quiet, corpus_record, speech

RATE = 16000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rvc")
    write_file(folder / "v.pth")
    write_content(folder / "hubert.onnx")
    np.save(folder / "v.npy", np.random.default_rng(0).standard_normal((50, 768)).astype(np.float32))
    return folder


@pytest.fixture(scope="module")
def corpus(folder: Path) -> ConsentRecord:
    return corpus_record(folder)


@pytest.fixture(scope="module")
def talk(folder: Path) -> Path:
    return write_sound(folder / "talk.wav", 0.1 * synthetic_voice(4, 140))


def write_sound(path: Path, samples: Floats) -> Path:
    from likeness.media.writer import SoundWriter

    with SoundWriter(path, format="wav", rate_hz=RATE, channels=1) as writer:
        writer.write(samples[None].astype(np.float32))
    return path


def subject_record(folder: Path, voice: Path | None, **changes: Any) -> ConsentRecord:
    said: dict[str, Any] = {
        "subject": "Anna", "requester": "Ben", "acts": ["voice"], "purposes": ["a test"],
        "valid_until": dt.date.today() + dt.timedelta(days=30), **changes,
    }  # fmt: skip
    made = consent.draft(**said)
    if voice is not None:
        made = consent.add_references(made, voice=voice)
    return consent.sign(made, a_key(folder))


def a_key(folder: Path) -> ConsentKey:
    file = folder / "anna.pem"
    return consent.load_key(file) if file.exists() else consent.create_key(file)


def target(folder: Path, record: Any, **choices: Any) -> Target:
    return rvc_target(
        choices.pop("model", folder / "v.pth"), content=folder / "hubert.onnx", consent=record, **choices
    )


def test_a_recording_is_converted_and_sealed(
    folder: Path, corpus: ConsentRecord, talk: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.wav"
    to = target(folder, corpus, index=folder / "v.npy")
    made = convert(talk, to=to, out=out, sing=True, transpose=3.0)
    assert made.duration_s == pytest.approx(4)
    assert made.rate_hz == 32000
    assert made.making.parameters["transpose"] == 3
    assert [model.name for model in made.making.models] == ["v.pth", "hubert.onnx", "v.npy"]
    assert len(made.sealed.layers) == 3
    sound = read_mono(out, rate_hz=32000, max_s=30)
    assert np.isfinite(sound).all()
    assert sound.std() > 1e-4


def test_an_imported_model_is_called_by_its_name(
    folder: Path, corpus: ConsentRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path))
    with pytest.raises(UnknownModel):
        target(folder, corpus, model="rvc:anna")
    import_model(folder / "v.pth", "anna", licence="MIT")
    from likeness.config import VoiceConfig
    from likeness.engines.voice.base import Heard

    converter = target(folder, corpus, model="rvc:anna").open(Heard(None, 1, 1, 0.1), VoiceConfig())
    assert converter.models[0].name == "rvc:anna"
    assert converter.parameters["licence"] == "MIT"


def test_consent_comes_first(folder: Path, tmp_path: Path, talk: Path) -> None:
    """No file is opened without it."""
    with pytest.raises(ConsentMissing):
        rvc_target(tmp_path / "none.pth", content=tmp_path / "none.onnx", consent=None)
    record = subject_record(tmp_path, talk, acts=["animate"])
    with pytest.raises(ConsentScope):
        rvc_target(tmp_path / "none.pth", content=tmp_path / "none.onnx", consent=record)


def test_a_record_without_a_voice_is_not_enough(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SubjectMismatch, match="holds no voice to compare with") as refusal:
        target(folder, subject_record(tmp_path, None))
    assert "--voice" in refusal.value.hint
    assert "face" not in refusal.value.hint


def test_what_does_not_fit_is_refused_before_anything_is_heard(
    folder: Path, corpus: ConsentRecord, tmp_path: Path
) -> None:
    from likeness.engines.rvc.settings import RvcSettings

    write_content(tmp_path / "small.onnx", 256)
    with pytest.raises(ModelFormat, match="256 numbers a frame, and 768 are wanted"):
        rvc_target(folder / "v.pth", content=tmp_path / "small.onnx", consent=corpus)
    with pytest.raises(UsageError, match="no speaker 9"):
        target(folder, corpus, settings=RvcSettings(speaker=9))
    for wrong in ("v.pth", "hubert.onnx", "none.index"):
        with pytest.raises(LikenessError):
            target(folder, corpus, index=folder / wrong)


def blocks_of(sound: Floats) -> Iterator[Floats]:
    """A second at a time."""
    for at in range(0, len(sound), RATE):
        yield sound[at : at + RATE].astype(np.float32)


def of_another(record: ConsentRecord, sound: Floats, folder: Path) -> ConsentRecord:
    """The same record, with a voice in it that is far from this one."""
    far = np.zeros(256, np.float32)
    far[int(np.argmin(embed_voice(sound, RATE)))] = 1
    references = replace(record.references, voice=Embedding.of(VOICE_MODEL, far))
    return consent.sign(replace(record, references=references, signature=None), a_key(folder))


def test_what_is_made_is_compared_with_the_record(
    tmp_path: Path, talk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("likeness.pipelines.rvc_voice.COMPARED_S", 3.0)
    record = subject_record(tmp_path, talk)
    sound = (0.1 * synthetic_voice(6, 140)).astype(np.float32)
    given = blocks_of(sound)
    permission, made = compare_first(consent.check(record, act="voice"), "v.pth", given, RATE)
    assert [one.verdict for one in permission.compared] == ["match"]
    assert len(next(given)) == RATE, "no more was made than what was compared"
    assert np.array_equal(np.concatenate(list(made)), np.delete(sound, np.s_[3 * RATE : 4 * RATE]))
    given = blocks_of(sound)
    with pytest.raises(SubjectMismatch, match="another person's") as refusal:
        compare_first(consent.check(of_another(record, sound, tmp_path)), "v.pth", given, RATE)
    assert refusal.value.hint == "Use that person's voice, or a record of the person who is heard."
    assert sum(map(len, given)) == 3 * RATE
    for little in (np.zeros(2 * RATE), np.zeros(0), sound[:RATE]):
        with pytest.raises(NoSpeech, match="cannot be told"):
            compare_first(consent.check(record, act="voice"), "v.pth", blocks_of(little), RATE)


def test_under_a_corpus_record_nobody_is_compared(corpus: ConsentRecord) -> None:
    permission = consent.check(corpus, act="voice")
    given = blocks_of(0.1 * synthetic_voice(4, 320, stretch=1.3))
    found, made = compare_first(permission, "v.pth", given, RATE)
    assert found is permission
    assert sum(map(len, made)) == 4 * RATE


def says_what_it_hears(folder: Path, record: ConsentRecord) -> Target:
    """A target of RVC, with a stand-in for the network, which changes nothing but the loudness."""
    return replace(target(folder, record), open=Quiet)


def test_the_credentials_say_how_the_voice_compared(folder: Path, talk: Path, tmp_path: Path) -> None:
    record, out = subject_record(tmp_path, talk), tmp_path / "out.wav"
    steps: list[Progress] = []
    made = convert(talk, to=says_what_it_hears(folder, record), out=out, sing=True, on_progress=steps.append)
    found = likeness.verify(out)
    assert found.state == "valid"
    assert found.consent is not None
    assert found.consent.sha256 == record.sha256
    assert found.consent.statement.endswith("; the voice fitted its reference.")
    assert made.making.consent is not None
    assert made.making.consent.statement == found.consent.statement
    assert made.duration_s == pytest.approx(4)
    assert [one.done for one in steps if one.stage == "convert"][-1] == 4


def test_too_little_to_compare_leaves_nothing_behind(folder: Path, talk: Path, tmp_path: Path) -> None:
    """A short source is no way around the comparison."""
    sound = read_mono(talk, rate_hz=RATE, max_s=30)
    record = of_another(subject_record(tmp_path, talk), sound, tmp_path)
    (tmp_path / "out").mkdir()
    for seconds, error in ((3, SubjectMismatch), (1, NoSpeech)):
        source = write_sound(tmp_path / "short.wav", sound[: seconds * RATE])
        with pytest.raises(error):
            convert(source, to=says_what_it_hears(folder, record), out=tmp_path / "out" / "a.wav", sing=True)
        source.unlink()
    silent = replace(target(folder, record), open=lambda *heard: Quiet(*heard, gain=0.0))
    with pytest.raises(NoSpeech, match="cannot be told"):
        convert(talk, to=silent, out=tmp_path / "out" / "a.wav", sing=True)
    assert list((tmp_path / "out").iterdir()) == []


def test_another_voice_leaves_nothing_behind(folder: Path, talk: Path, tmp_path: Path) -> None:
    sound = read_mono(talk, rate_hz=RATE, max_s=30)
    record = of_another(subject_record(tmp_path, talk), sound, tmp_path)
    (tmp_path / "out").mkdir()
    with pytest.raises(SubjectMismatch, match="another person's"):
        convert(talk, to=says_what_it_hears(folder, record), out=tmp_path / "out" / "out.wav", sing=True)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_text_is_compared_as_well(folder: Path, tmp_path: Path) -> None:
    record = subject_record(tmp_path, write_sound(tmp_path / "read.wav", speech()))
    made = say("Glue the sheet to the dark blue background.", voice=says_what_it_hears(folder, record),
               out=tmp_path / "said.wav")  # fmt: skip
    found = likeness.verify(made.path)
    assert found.consent is not None
    assert found.consent.statement.endswith("; the voice fitted its reference.")
