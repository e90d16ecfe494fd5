"""Conversion by a voice model of RVC: what its choices do, and that pieces fit together."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from likeness.engines.rvc import convert, pieces  # noqa: E402
from likeness.engines.rvc.content import ContentModel  # noqa: E402
from likeness.engines.rvc.convert import RvcConverter  # noqa: E402
from likeness.engines.rvc.hearing import by_frame, remove_rumble  # noqa: E402
from likeness.engines.rvc.index import load_index  # noqa: E402
from likeness.engines.rvc.library import load_synthesizer  # noqa: E402
from likeness.engines.rvc.loudness import follow_loudness, limit  # noqa: E402
from likeness.engines.rvc.noise import Noise  # noqa: E402
from likeness.engines.rvc.settings import RvcSettings  # noqa: E402
from likeness.engines.rvc.synthesizer import Synthesizer  # noqa: E402
from likeness.errors import ModelFormat, UsageError  # noqa: E402
from likeness.speech.pitch import Pitch  # noqa: E402
from likeness.types import Floats, ModelRef  # noqa: E402

from ...content_models import reference, write_content  # noqa: E402
from ...rvc_models import SPEAKERS, write_file  # noqa: E402

RATE = 16000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rvc")


@pytest.fixture(scope="module")
def voice(folder: Path) -> Synthesizer:
    return load_synthesizer(write_file(folder / "anna.pth"))


@pytest.fixture(scope="module")
def content(folder: Path) -> ContentModel:
    return ContentModel(write_content(folder / "hubert.onnx"), 768)


class Humming:
    """In place of a voice model: hums the pitch that it is given, as a sine; notes what it was asked."""

    name, version, licence = "humming", "v2", "not stated"
    content_channels, has_pitch, speakers, latent_channels = 768, True, 1, 4
    sample_rate_hz, samples_per_frame = 32000, 320
    ref = ModelRef("humming", "0" * 64)

    def __init__(self, loudness: float = 0.5) -> None:
        self.asked: list[dict[str, Any]] = []
        self.loudness = loudness

    def infer(self, phone: Floats, pitch: None, pitchf: Floats, *rest: Any, **how: Any) -> Floats:
        self.asked.append({"content": phone, "f0_hz": pitchf, "noise": rest[1], **how})
        first, frames = how["skip_head"], how["return_length"]
        held = np.repeat(pitchf[first : first + frames].astype(np.float64), 320)
        turned = how["phase"] + np.cumsum(held / 32000)
        return (self.loudness * np.sin(2 * np.pi * turned)).astype(np.float32)


def converter(voice: Any, content: Any, **choices: Any) -> RvcConverter:
    index = choices.pop("index", None)
    return RvcConverter(voice, content, index, RvcSettings(**choices))


def glide(duration_s: float, rate_hz: int = RATE) -> Floats:
    """A voice of many partials whose pitch glides up and down, with pauses."""
    at = np.arange(round(duration_s * rate_hz)) / rate_hz
    turned = np.cumsum(160 + 40 * np.sin(2 * np.pi * at / 3)) / rate_hz
    sound = sum(np.sin(2 * np.pi * k * turned) / k for k in range(1, 12))
    return (0.2 * sound * (np.sin(2 * np.pi * at / 5) > -0.8)).astype(np.float32)


def run(made: RvcConverter, sound: Floats, rate_hz: int = RATE, block: int = 7001) -> Floats:
    blocks = (sound[at : at + block] for at in range(0, len(sound), block))
    return np.concatenate([np.zeros(0, np.float32), *made.convert_stream(blocks, rate_hz)])


# Whole conversions


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("f0", [0, 1])
def test_every_kind_of_model_converts(tmp_path: Path, version: str, f0: int) -> None:
    channels = {"v1": 256, "v2": 768}[version]
    voice = load_synthesizer(write_file(tmp_path / "a.pth", version=version, f0=f0))
    content = ContentModel(write_content(tmp_path / "a.onnx", channels), channels)
    made = converter(voice, content)
    wave = run(made, glide(1.03, 44100), 44100)
    assert wave.dtype == np.float32
    assert len(wave) == round(len(glide(1.03, 44100)) * 32000 / 44100)
    assert made.rate_for(44100) == 32000
    assert np.isfinite(wave).all()
    assert wave.std() > 1e-3
    assert np.array_equal(wave, run(converter(voice, content), glide(1.03, 44100), 44100))
    assert [one.name for one in made.models] == ["a.pth", "a.onnx"]
    assert made.parameters["index_rate"] == 0.75


@pytest.mark.parametrize("count", [0, 1, 2, 159, 160, 161, 3333])
def test_short_sounds_come_out_as_long_as_they_were(
    voice: Synthesizer, content: ContentModel, count: int
) -> None:
    assert len(run(converter(voice, content), glide(1)[:count])) == 2 * count


def test_the_seed_and_the_speaker_matter(voice: Synthesizer, content: ContentModel) -> None:
    sound = glide(0.5)
    plain = run(converter(voice, content), sound)
    assert np.abs(plain - run(converter(voice, content, seed=1), sound)).max() > 1e-4
    assert np.abs(plain - run(converter(voice, content, speaker=1), sound)).max() > 1e-4


def test_parts_that_do_not_fit_are_refused(folder: Path, voice: Synthesizer, content: ContentModel) -> None:
    small = ContentModel(write_content(folder / "small.onnx", 256), 256)
    with pytest.raises(
        ModelFormat, match=r"small\.onnx has 256 numbers a frame, and anna\.pth listens to 768"
    ):
        RvcConverter(voice, small)
    with pytest.raises(UsageError, match=f"no speaker {SPEAKERS}"):
        converter(voice, content, speaker=SPEAKERS)
    flat = load_synthesizer(write_file(folder / "flat.pth", f0=0))
    with pytest.raises(UsageError, match="trained without pitch"):
        converter(flat, content, transpose=2)


@pytest.mark.parametrize(
    "choice",
    [
        {"protect": 0.6},
        {"index_rate": -0.1},
        {"rms_mix": 2},
        {"transpose": 40},
        {"pitch": "rmvpe"},
        {"seed": -1},
    ],
)
def test_choices_out_of_range_are_refused(choice: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        RvcSettings(**choice)


# Pieces


def test_the_tone_goes_on_over_all_cuts(content: ContentModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut into many pieces or not at all, the same is hummed."""
    sound = glide(7)
    whole = run(converter(Humming(), content, rms_mix=0.25), sound)
    monkeypatch.setattr(pieces, "LONGEST", 160)
    monkeypatch.setattr(pieces, "_SEARCH", 48)
    humming = Humming()
    parts = run(converter(humming, content, rms_mix=0.25), sound)
    assert len(humming.asked) >= 5
    assert len(parts) == len(whole)
    np.testing.assert_allclose(parts, whole, atol=0.01)
    assert np.abs(whole).max() > 0.2


def test_a_frame_gets_the_same_noise_in_whatever_piece(voice: Synthesizer) -> None:
    noise = Noise(voice, 0.5, 7)
    whole, part = noise.draw(0, 500), noise.draw(230, 111)
    assert np.array_equal(whole.latent[:, 230:341], part.latent)
    assert whole.source is not None
    assert part.source is not None
    assert np.array_equal(whole.source[230 * 320 : 341 * 320], part.source)
    assert whole.source.std() == pytest.approx(0.5, abs=0.01)


@settings(max_examples=40, database=None)
@given(count=st.integers(1, 90_000), block=st.integers(1, 30_000), seed=st.integers(0, 9))
def test_pieces_hold_all_of_the_sound(count: int, block: int, seed: int) -> None:
    sound = np.random.default_rng(seed).standard_normal(count).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "LONGEST", 160)
        patch.setattr(pieces, "_SEARCH", 48)
        found = list(pieces.cut(sound[at : at + block] for at in range(0, count, block)))
    edge = pieces.CONTEXT * pieces.FRAME
    assert all(len(piece.sound) == 2 * edge + 160 * pieces.FRAME for piece in found[:-1])
    assert len(found[-1].sound) == 2 * edge + found[-1].frames * pieces.FRAME
    assert [piece.is_last for piece in found] == [False] * (len(found) - 1) + [True]
    kept = np.concatenate([piece.sound[edge:][: piece.frames * pieces.FRAME] for piece in found])
    assert np.array_equal(kept[:count], sound)
    assert not kept[count:].any()
    assert len(kept) - count < pieces.FRAME
    assert all(piece.start % 8 == 0 and piece.frames <= 160 + pieces.CONTEXT for piece in found)
    for piece, after in pairwise(found):
        at = piece.start + piece.frames
        assert after.start == at
        around = sound[at * 160 - edge : at * 160 + edge]
        assert np.array_equal(after.sound[: 2 * edge][: len(around)], around)


def test_a_sound_is_cut_where_it_is_quiet() -> None:
    sound = np.random.default_rng(0).standard_normal(30 * RATE).astype(np.float32)
    sound[8 * RATE : 8 * RATE + 3000] = 0
    first = next(iter(pieces.cut([sound])))
    assert 8 * RATE <= first.frames * 160 <= 8 * RATE + 3000


def test_memory_does_not_grow(content: ContentModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more is read than what the next piece needs."""
    monkeypatch.setattr(pieces, "LONGEST", 160)
    monkeypatch.setattr(pieces, "_SEARCH", 48)
    read = 0

    def blocks() -> Iterator[Floats]:
        nonlocal read
        for _ in range(1000):
            read += RATE // 10
            yield np.zeros(RATE // 10, np.float32)

    stream = converter(Humming(), content).convert_stream(blocks(), RATE)
    given = 0
    for _ in range(5):
        given += len(next(stream)) // 2
        assert read - given < 4 * RATE


# What the choices do


def asked(content: Any, sound: Floats, **choices: Any) -> dict[str, Any]:
    humming = Humming()
    run(converter(humming, content, **choices), sound)
    return humming.asked[0]


def test_content_and_pitch_are_in_step(content: ContentModel) -> None:
    """Each frame of content is given twice, and begins where its pitch is taken."""
    sound = glide(2)
    seen = asked(content, sound)
    heard = reference(remove_rumble(np.pad(sound, 16640, mode="reflect")))
    np.testing.assert_allclose(seen["content"], np.repeat(heard, 2, 0), atol=1e-3)
    f0_hz = seen["f0_hz"][104:304]
    at = np.arange(200) / 100
    error = np.abs(f0_hz / (160 + 40 * np.sin(2 * np.pi * at / 3)) - 1)
    assert np.median(error[f0_hz > 0]) < 0.01
    assert (f0_hz > 0).mean() > 0.9


def test_transposition_moves_the_pitch_and_nothing_else(content: ContentModel) -> None:
    plain, up = (asked(content, glide(1), transpose=by) for by in (0, 12))
    np.testing.assert_allclose(up["f0_hz"], 2 * plain["f0_hz"], rtol=1e-6)
    assert np.array_equal(up["content"], plain["content"])


class Silent:
    """A content model that hears the same in everything."""

    name, channels, ref = "silent", 768, ModelRef("silent", "0" * 64)

    def listen(self, sound: Floats) -> Floats:
        return np.ones((len(sound) // 320 - 1, 768), np.float32)


@pytest.mark.parametrize("protect", [0.0, 0.33, 0.5])
def test_index_and_protect(tmp_path: Path, protect: float) -> None:
    """All of the index is 3: voiced frames come to 0.25 · 1 + 0.75 · 3, and others part of that way."""
    np.save(tmp_path / "a.npy", np.full((20, 768), 3, np.float32))
    index = load_index(tmp_path / "a.npy", 768)
    sound = np.concatenate((glide(1), np.zeros(RATE, np.float32)))
    seen = asked(Silent(), sound, index=index, protect=protect)
    voiced = seen["f0_hz"] > 0
    assert 0.2 < voiced.mean() < 0.8
    np.testing.assert_allclose(seen["content"][voiced], 2.5, rtol=1e-5)
    share = 1 if protect == 0.5 else protect
    np.testing.assert_allclose(seen["content"][~voiced], 1 + 1.5 * share, rtol=1e-5)
    np.testing.assert_array_equal(asked(Silent(), sound, index=index, index_rate=0)["content"], 1)


def test_the_result_can_swell_as_the_source_does(content: ContentModel) -> None:
    """The humming is equally loud everywhere; the source grows tenfold."""
    sound = glide(6)
    sound[: 3 * RATE] *= 0.1
    levels = {}
    for mix in (0.0, 0.5, 1.0):
        wave = run(converter(Humming(0.2), content, rms_mix=mix), sound)
        levels[mix] = np.sqrt(np.mean(np.square(wave[4 * 32000 : 5 * 32000]))) / np.sqrt(
            np.mean(np.square(wave[1 * 32000 : 2 * 32000]))
        )
    assert levels[0.0] == pytest.approx(10, rel=0.15)
    assert levels[0.5] == pytest.approx(10**0.5, rel=0.15)
    assert levels[1.0] == pytest.approx(1, rel=0.15)


def test_loudness_is_that_of_the_source_after_all() -> None:
    draw = np.random.default_rng(0)
    wave = (0.05 * draw.standard_normal((500, 320))).astype(np.float32)
    source = (0.3 * draw.standard_normal((500, 160))).astype(np.float32)
    same = follow_loudness(wave, source, 0)
    assert np.sqrt(np.mean(np.square(same))) == pytest.approx(0.3, rel=0.02)
    assert follow_loudness(wave, source, 1) is wave
    assert not follow_loudness(wave, np.zeros_like(source), 0).any()
    assert np.isfinite(follow_loudness(np.zeros_like(wave), source, 0)).all()


def test_what_is_too_loud_is_turned_down_and_not_clipped() -> None:
    wave = np.sin(np.arange(32000) * 0.05).reshape(100, 320).astype(np.float32)
    quiet = (0.9 * wave).astype(np.float32)
    assert limit(quiet) is quiet
    loud = wave.copy()
    loud[50] *= 3
    made = limit(loud)
    assert np.abs(made).max() <= 0.99
    np.testing.assert_allclose(made[50], loud[50] * 0.99 / np.abs(loud[50]).max(), atol=0.02)
    np.testing.assert_allclose(made[:30], np.clip(wave[:30], -0.99, 0.99), atol=0.02)


def test_rumble_goes_and_voices_stay() -> None:
    at = np.arange(2 * RATE) / RATE
    low, high = np.sin(2 * np.pi * 20 * at) + 0.5, np.sin(2 * np.pi * 120 * at)
    made = remove_rumble((low + high).astype(np.float32))
    np.testing.assert_allclose(made[RATE // 2 : -RATE // 2], high[RATE // 2 : -RATE // 2], atol=0.01)


def test_pitch_is_taken_between_frames() -> None:
    pitch = Pitch(np.float32([100, 200, 999, 400]), np.float32([1, 1, 0, 1]))
    np.testing.assert_allclose(by_frame(pitch, 0.02, 7), [100, 141.4, 200, 237.8, 0, 336.4, 400], rtol=1e-2)
    assert not by_frame(Pitch(np.float32([100]), np.float32([0])), 0.02, 5).any()
    assert not by_frame(Pitch(np.zeros(0, np.float32), np.zeros(0, np.float32)), 0.02, 5).any()


def test_the_margin_covers_what_loudness_needs() -> None:
    assert convert._MARGIN < pieces.CONTEXT - 2 * 3
