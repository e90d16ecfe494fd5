"""`likeness.rvc`: voice models of RVC in Python."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
torch = pytest.importorskip("torch")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from safetensors import safe_open  # noqa: E402

from likeness import paths  # noqa: E402
from likeness.cli.main import run  # noqa: E402
from likeness.errors import MediaNotFound, ModelFormat, OutputExists, UnknownModel, UsageError  # noqa: E402
from likeness.fomm import load_checkpoints  # noqa: E402
from likeness.rvc import (  # noqa: E402
    Draws,
    Synthesizer,
    coarse_pitch,
    import_model,
    list_models,
    load_synthesizer,
    open_model,
)
from likeness.types import Floats  # noqa: E402

from .fomm_models import write_files  # noqa: E402
from .rvc_models import SAMPLES_PER_FRAME, SPEAKERS, write_file  # noqa: E402

FRAMES = 12
VARIANTS = ("v1_f0_40k", "v1_nof0_48k", "v2_f0_48k", "v2_nof0_32k", "v2_f0_40k_f32")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_file(tmp_path_factory.mktemp("voices") / "anna.pth")


@pytest.fixture(scope="module")
def synth(file: Path) -> Synthesizer:
    return load_synthesizer(str(file))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Synthesizer:
    """Version 1, without pitch."""
    return load_synthesizer(write_file(tmp_path_factory.mktemp("voices") / "b.pth", version="v1", f0=0))


def phone(frames: int = FRAMES, channels: int = 768) -> Floats:
    return np.random.default_rng(0).standard_normal((frames, channels), np.float32)


def pitchf(frames: int = FRAMES) -> Floats:
    return np.where(np.arange(frames) % 5 == 0, 0, np.linspace(90, 400, frames)).astype(np.float32)


@pytest.mark.parametrize("variant", VARIANTS)
def test_golden_waves_come_out_of_the_public_names(shared: Path, variant: str) -> None:
    golden = shared / "golden" / "rvc"
    if not golden.is_dir():
        pytest.skip("the golden files are not here")
    synth = load_synthesizer(golden / f"{variant}.pth")
    with np.load(golden / f"{variant}.npz") as file:
        known: dict[str, Any] = dict(file)
    spoken = (known["phone"], known.get("pitch"), known.get("pitchf"))
    made = {
        "wave": synth.infer(*spoken, sid=known["sid"], noise=0.0),
        "wave_sid_b": synth.infer(*spoken, sid=int(known["sid_b"])),
        "wave_noise": synth.infer(*spoken, known["sid"], Draws(known["noise_z"], known.get("noise_source"))),
    }
    if "wave_skip" in known:
        part = {name: known[name] for name in ("skip_head", "return_length")}
        made["wave_skip"] = synth.infer(*spoken, known["sid"], **part)
    if "pitch" in known:
        np.testing.assert_array_equal(coarse_pitch(known["pitchf"]), known["pitch"])
    assert synth.has_pitch == ("pitch" in known)
    for name, wave in made.items():
        assert wave.dtype == np.float32
        error = np.abs(wave - known[name])
        assert error.max() < 1e-4, name
        assert error.mean() < 5e-6, name


def test_a_synthesizer_says_what_it_is(synth: Synthesizer, plain: Synthesizer, file: Path) -> None:
    assert (synth.version, synth.content_channels, synth.has_pitch) == ("v2", 768, True)
    assert (plain.version, plain.content_channels, plain.has_pitch) == ("v1", 256, False)
    assert (synth.speakers, synth.sample_rate_hz, synth.samples_per_frame) == (
        SPEAKERS,
        32000,
        SAMPLES_PER_FRAME,
    )
    assert synth.ref.name == "anna.pth"
    assert synth.ref.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert synth.licence == "not stated"


def test_a_wave_has_the_length_of_its_frames(synth: Synthesizer, plain: Synthesizer) -> None:
    for frames in (1, 2, FRAMES):
        assert synth.infer(phone(frames), None, pitchf(frames)).shape == (frames * SAMPLES_PER_FRAME,)
        assert plain.infer(phone(frames, 256)).shape == (frames * SAMPLES_PER_FRAME,)


def test_coarse_pitch_is_taken_from_the_pitch_unless_it_is_given(synth: Synthesizer) -> None:
    given_both = synth.infer(phone(), coarse_pitch(pitchf()), pitchf())
    np.testing.assert_array_equal(synth.infer(phone(), None, pitchf()), given_both)
    assert np.abs(synth.infer(phone(), np.full(FRAMES, 200), pitchf()) - given_both).max() > 1e-4


def test_models_without_pitch_ignore_it(plain: Synthesizer) -> None:
    content = phone(channels=256)
    np.testing.assert_array_equal(plain.infer(content, None, pitchf()), plain.infer(content))


def test_other_floats_are_taken_too(synth: Synthesizer) -> None:
    wanted = synth.infer(phone(), None, pitchf())
    np.testing.assert_array_equal(synth.infer(phone().astype(np.float64), None, pitchf().tolist()), wanted)
    strided = np.repeat(phone(), 2, axis=0)[::2]
    np.testing.assert_array_equal(synth.infer(strided, None, pitchf()), wanted)


def test_noise_is_drawn_from_the_seed(synth: Synthesizer, plain: Synthesizer) -> None:
    still, hz = synth.infer(phone(), None, pitchf()), pitchf()
    drawn = synth.infer(phone(), None, hz, noise=1.0)
    np.testing.assert_array_equal(drawn, synth.infer(phone(), None, hz, noise=1, seed=0))
    assert np.abs(drawn - still).max() > 1e-3
    assert np.abs(drawn - synth.infer(phone(), None, hz, noise=1.0, seed=1)).max() > 1e-3
    faint = synth.infer(phone(), None, hz, noise=1e-4)
    assert 0 < np.abs(faint - still).max() < np.abs(drawn - still).max() / 10
    assert np.abs(plain.infer(phone(channels=256), noise=0.5) - plain.infer(phone(channels=256))).max() > 1e-3


def test_draws_can_be_given(synth: Synthesizer) -> None:
    draw = np.random.default_rng(7)
    latent = draw.standard_normal((4, FRAMES), np.float32)
    source = draw.standard_normal(FRAMES * SAMPLES_PER_FRAME, np.float32)
    given_both = synth.infer(phone(), None, pitchf(), noise=Draws(latent, source))
    np.testing.assert_array_equal(given_both, synth.infer(phone(), None, pitchf(), noise=1.0, seed=7))
    assert np.abs(given_both - synth.infer(phone(), None, pitchf(), noise=Draws(latent))).max() > 1e-5


@given(st.integers(0, FRAMES - 1), st.data())
@settings(max_examples=15)
def test_a_part_is_as_long_as_was_asked(synth: Synthesizer, head: int, data: st.DataObject) -> None:
    length = data.draw(st.integers(1, FRAMES - head))
    part = synth.infer(phone(), None, pitchf(), skip_head=head, return_length=length)
    assert part.shape == (length * SAMPLES_PER_FRAME,)
    rest = synth.infer(phone(), None, pitchf(), skip_head=head)
    assert rest.shape == ((FRAMES - head) * SAMPLES_PER_FRAME,)


NAN, INF = float("nan"), float("inf")
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"phone": phone(channels=256)}, "listens to .frames, 768"),
    ({"phone": phone()[0]}, "is of shape"),
    ({"phone": phone()[None]}, "is of shape"),
    ({"phone": phone(0)}, "0 frames"),
    ({"phone": np.zeros((7000, 768), np.float32)}, "7000 frames"),
    ({"phone": phone().astype(np.int32)}, "of type int32"),
    ({"phone": phone().astype(str)}, "of type <U"),
    ({"phone": phone() * np.float32(NAN)}, "no number"),
    ({"phone": phone() * np.float32(INF)}, "no number"),
    ({"phone": np.full((FRAMES, 768), 1e300)}, "no number"),
    ({"pitchf": None}, "needs the pitch"),
    ({"pitchf": pitchf(FRAMES + 1)}, "pitchf is of shape .13.*12 frames"),
    ({"pitchf": pitchf()[None]}, "pitchf is of shape"),
    ({"pitchf": pitchf() - 100}, "reaches from -100"),
    ({"pitchf": pitchf() * 1000}, "Hz"),
    ({"pitchf": pitchf() * np.float32(NAN)}, "no number"),
    ({"pitch": np.ones(FRAMES)}, "not of whole numbers"),
    ({"pitch": np.ones(FRAMES - 1, int)}, "pitch is of shape .11"),
    ({"pitch": np.zeros(FRAMES, int)}, "reaches from 0 to 0"),
    ({"pitch": np.full(FRAMES, 256)}, "to 256"),
    ({"sid": SPEAKERS}, "sid is 3"),
    ({"sid": -1}, "sid is -1"),
    ({"sid": 0.0}, "sid is 0.0"),
    ({"sid": True}, "sid is True"),
    ({"noise": -0.1}, "noise is -0.1"),
    ({"noise": 2}, "noise is 2"),
    ({"noise": NAN}, "noise is nan"),
    ({"noise": "much"}, "noise is 'much'"),
    ({"phase": NAN}, "phase is nan"),
    ({"phase": "late"}, "phase is 'late'"),
    ({"noise": Draws(np.zeros((4, 3), np.float32))}, "draws are of shape"),
    ({"noise": Draws(np.zeros((4, FRAMES), np.float32), np.zeros(3, np.float32))}, "draws are of shape"),
    ({"noise": 1.0, "seed": -1}, "seed is -1"),
    ({"skip_head": FRAMES}, "skip_head is 12"),
    ({"skip_head": -1}, "skip_head is -1"),
    ({"skip_head": 5, "return_length": 8}, "return_length is 8"),
    ({"return_length": 0}, "return_length is 0"),
]


@pytest.mark.parametrize(
    ("change", "says"), REFUSED, ids=[f"{n}-{says}" for n, (_, says) in enumerate(REFUSED)]
)
def test_what_does_not_fit_is_refused(synth: Synthesizer, change: dict[str, Any], says: str) -> None:
    asked = {"phone": phone(), "pitch": None, "pitchf": pitchf(), **change}
    with pytest.raises(UsageError, match=says) as found:
        synth.infer(**asked)
    assert found.value.hint


@given(st.floats(0, 2000))
def test_coarse_pitch_rises_with_the_pitch(hz: float) -> None:
    low, high = coarse_pitch([hz, hz * 1.02 + 1])
    assert 1 <= low <= high <= 255


def test_coarse_pitch_of_known_values() -> None:
    assert coarse_pitch(np.array([0, 20, 50, 1100, 5000])).tolist() == [1, 1, 1, 255, 255]
    # Half-way between 50 and 1100 Hz on the mel scale: 700 * (sqrt(1.0714 * 2.5714) - 1).
    assert coarse_pitch([461.9])[0] == 128
    assert coarse_pitch(np.zeros(3, np.float32)).dtype == np.int64


@pytest.mark.parametrize("f0", [[NAN], [INF], [-1.0], ["a"], 440.0, [[440.0]]])
def test_coarse_pitch_refuses_what_is_no_pitch(f0: Any) -> None:
    with pytest.raises(UsageError):
        coarse_pitch(f0)


def test_an_imported_voice_is_the_same_voice(file: Path, synth: Synthesizer, home: Path) -> None:
    kept = import_model(file, "anna", licence="CC0-1.0", overwrite=True)
    assert kept.is_relative_to(paths.config_dir())
    assert "anna" in list_models()
    opened = open_model("anna")
    assert (opened.name, opened.licence, opened.sha256) == ("rvc:anna", "CC0-1.0", synth.sha256)
    wanted = synth.infer(phone(), None, pitchf())
    np.testing.assert_array_equal(opened.infer(phone(), None, pitchf()), wanted)
    handed_on = load_synthesizer(kept)
    assert handed_on.licence == "CC0-1.0"
    np.testing.assert_array_equal(handed_on.infer(phone(), None, pitchf()), wanted)
    with safe_open(kept, framework="np") as stored:
        header = json.loads(stored.metadata()["likeness"])
        assert stored.get_tensor("emb_g.weight").dtype == np.float16, "no larger than it was"
    assert header["from"] == "anna.pth"
    with pytest.raises(OutputExists):
        import_model(file, "anna")
    kept.unlink()


def test_kinds_of_models_are_not_mistaken(tmp_path: Path, file: Path, home: Path) -> None:
    checkpoint, configuration = write_files(tmp_path)
    with pytest.raises(ModelFormat, match="moves pictures, not a voice"):
        load_synthesizer(checkpoint)
    with pytest.raises(ModelFormat, match="no part “generator”"):
        load_checkpoints(configuration, file)
    from likeness.fomm import import_model as import_fomm

    other = import_fomm(checkpoint, configuration, "a-face")
    with pytest.raises(ModelFormat, match="no model of the kind rvc, but 'likeness fomm model'"):
        load_synthesizer(other)
    other.unlink()


def test_what_is_not_there_is_said_to_be_missing(tmp_path: Path, home: Path) -> None:
    for name in ("none.pth", "none.safetensors"):
        with pytest.raises(MediaNotFound):
            load_synthesizer(tmp_path / name)
    with pytest.raises(UnknownModel) as found:
        open_model("nobody")
    assert "--name nobody" in found.value.hint
    with pytest.raises(UsageError):
        open_model("../nobody")


def test_a_damaged_model_of_ours_is_refused(tmp_path: Path, file: Path, home: Path) -> None:
    kept = import_model(file, "soon-damaged")
    whole = kept.read_bytes()
    kept.unlink()
    path = tmp_path / "a.safetensors"
    for data in (whole[:-100], whole[:50], b"", whole.replace(b'\\"v2\\"', b'\\"v9\\"', 1)):
        path.write_bytes(data)
        with pytest.raises(ModelFormat):
            load_synthesizer(path)


def test_the_command_line_imports_voices(
    tmp_path: Path, file: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["models", "import", str(file), "--name", "berta", "--licence", "MIT"]) == 0
    assert "--engine rvc:berta" in capsys.readouterr().out
    opened = open_model("berta")
    assert opened.licence == "MIT"
    assert run(["models", "import", str(file), "--name", "berta"]) == 9
    assert run(["models", "import", str(file), "--name", "c", "--whole-frame"]) == 2
    checkpoint, _ = write_files(tmp_path)
    assert run(["models", "import", str(checkpoint), "--name", "c"]) == 7
    assert "--config" in capsys.readouterr().err
    assert "c" not in list_models()
