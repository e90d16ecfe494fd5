"""A voice model of RVC behind `convert`: consent first, then files, and what it says is compared."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from likeness import consent
from likeness.consent import ConsentKey, ConsentRecord, Embedding
from likeness.errors import (
    ConsentMissing,
    ConsentScope,
    LikenessError,
    ModelFormat,
    SubjectMismatch,
    UnknownModel,
    UsageError,
)
from likeness.media.mono import read_mono
from likeness.pipelines.convert_voice import convert
from likeness.pipelines.rvc_voice import Overheard, rvc_target
from likeness.pipelines.target_voice import Target
from likeness.rvc import import_model
from likeness.speech.speaker import VOICE_MODEL, embed_voice
from likeness.types import Floats

from ..content_models import write_content
from ..rvc_models import write_file
from ..speech.voices import synthetic_voice
from ..voice_people import corpus_record

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
    with pytest.raises(SubjectMismatch, match="holds no voice to compare with"):
        target(folder, subject_record(tmp_path, None))


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


class Speaks:
    """A `VoiceConverter` that says the same whatever it hears."""

    name, version, models, parameters = "speaks", "1", (), {}

    def __init__(self, sound: Floats) -> None:
        self.sound = sound

    def rate_for(self, rate_hz: int) -> int:
        return RATE

    def convert_stream(self, blocks: Iterable[Floats], rate_hz: int) -> Iterator[Floats]:
        for at in range(0, len(self.sound), RATE):
            yield self.sound[at : at + RATE]

    def notes(self) -> tuple[str, ...]:
        return ("It speaks.",)


def overheard(record: ConsentRecord, sound: Floats) -> Overheard:
    return Overheard(Speaks(sound.astype(np.float32)), consent.check(record, act="voice"), "v.pth")


def test_what_is_made_is_compared_with_the_record(
    tmp_path: Path, talk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("likeness.pipelines.rvc_voice.COMPARED_S", 3.0)
    record = subject_record(tmp_path, talk)
    sound = 0.1 * synthetic_voice(6, 140)
    own = overheard(record, sound)
    assert sum(map(len, own.convert_stream([], RATE))) == 6 * RATE
    assert own.notes() == ("It speaks.",)
    far = np.zeros(256, np.float32)
    far[int(np.argmin(embed_voice(sound, RATE)))] = 1
    references = replace(record.references, voice=Embedding.of(VOICE_MODEL, far))
    other = overheard(
        consent.sign(replace(record, references=references, signature=None), a_key(tmp_path)), sound
    )
    given = 0
    with pytest.raises(SubjectMismatch, match="another person's"):
        for block in other.convert_stream([], RATE):
            given += len(block)
    assert given < 4 * RATE
    silent = overheard(record, np.zeros(2 * RATE))
    assert sum(map(len, silent.convert_stream([], RATE))) == 2 * RATE
    assert "could not be compared" in silent.notes()[1]


def test_under_a_corpus_record_nobody_is_compared(corpus: ConsentRecord) -> None:
    other = overheard(corpus, 0.1 * synthetic_voice(4, 320, stretch=1.3))
    assert sum(map(len, other.convert_stream([], RATE))) == 4 * RATE
