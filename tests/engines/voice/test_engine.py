"""A voice that converts: made of the weights in the package and a made-up speaker, without any tuning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from likeness.config import VoiceConfig
from likeness.consent import Permission
from likeness.engines.voice.analysis import Features, analyse, find_pitch, join, level_gain
from likeness.engines.voice.base import Heard
from likeness.engines.voice.clear import SPEAKER, ClearVoice, Source, at_frames, pretrained
from likeness.engines.voice.engine import DISGUISE, ENGINE, VoiceEngine, disguise_for, near, soften
from likeness.engines.voice.manner import Spread, carry
from likeness.engines.voice.pool import pack, unpack
from likeness.errors import ModelFormat
from likeness.speech.content import CONTENT_MODEL
from likeness.types import Floats
from likeness.voices.voice import Arrays, Learnt, PitchRange, Voice

RATE_HZ = 16_000


def speak(seconds: float, pitch_hz: float, *, seed: int = 0) -> Floats:
    """Vowels of 0.3 s between hisses of 0.1 s; the pitch sways by a third."""
    time = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    f0 = pitch_hz * np.exp(0.15 * np.sin(2 * np.pi * 0.7 * time))
    turns = np.cumsum(f0) / RATE_HZ
    formants = np.array(((730, 1090), (270, 2290), (300, 870)), float)[(time / 0.4).astype(int) % 3]
    sound = np.zeros_like(time)
    for order in range(1, int(6000 / pitch_hz)):
        gain = sum(1 / (1 + ((order * f0 - formants[:, n]) / 90) ** 2) for n in (0, 1))
        sound += (gain + 0.01) * np.cos(2 * np.pi * order * turns)
    noise = np.random.default_rng(seed).standard_normal(len(time))
    hissing = (time % 0.4) > 0.3
    return np.where(hissing, 0.02 * noise, 0.05 * sound).astype(np.float32)


def decoder() -> dict[str, Floats]:
    speaker = np.full(256, 1 / 16, np.float32)
    return {name: array.astype(np.float16) for name, array in pretrained().decoder.items()} | {
        SPEAKER: speaker
    }


@pytest.fixture(scope="module")
def person() -> list[Features]:
    """Somebody who speaks at 200 Hz."""
    return [analyse(speak(4, 200), RATE_HZ), analyse(speak(3, 200, seed=1), RATE_HZ)]


@pytest.fixture(scope="module")
def voice(person: list[Features]) -> Voice:
    whole = join(person)
    pitch = PitchRange.of(whole.f0_hz, whole.voiced)
    assert pitch is not None
    learnt = Learnt(ENGINE, "1", pitch, pack(person), decoder(), {"content": CONTENT_MODEL})
    return Voice("somebody", cast(Permission, None), np.zeros(256, np.float32), learnt, (), {})


def heard(sound: Floats) -> Heard:
    features = analyse(sound, RATE_HZ)
    seconds = len(sound) / RATE_HZ
    return Heard(PitchRange.of(features.f0_hz, features.voiced), seconds, seconds, 0.06 / level_gain(sound))


def pieces(sound: Floats, size: int) -> Iterator[Floats]:
    for begin in range(0, len(sound), size):
        yield sound[begin : begin + size]


def convert(
    voice: Voice, sound: Floats, *, semitones: float = 0.0, size: int = 16_000, **options: object
) -> Floats:
    config = VoiceConfig(**options)  # type: ignore[arg-type]
    engine = VoiceEngine(voice, heard(sound), config, semitones)
    return np.concatenate(list(engine.convert_stream(pieces(sound, size), RATE_HZ)))


@pytest.mark.parametrize("likeness", [0.0, 0.5, 1.0])
def test_the_pitch_becomes_the_persons(voice: Voice, likeness: float) -> None:
    sound = speak(4, 110)
    made = convert(voice, sound, likeness=likeness)
    assert made.shape == sound.shape
    assert np.abs(made).max() <= 1
    old, found = analyse(sound, RATE_HZ), analyse(made, RATE_HZ)
    both = (old.voiced > 0.5) & (found.voiced > 0.5)
    assert np.mean((old.voiced > 0.5) != (found.voiced > 0.5)) < 0.1
    assert np.median(found.f0_hz[both]) == pytest.approx(voice.pitch.median_hz, rel=0.03)
    melody = np.stack((np.log(old.f0_hz[both]), np.log(found.f0_hz[both])))
    off = np.abs(np.diff(melody - np.median(melody, 1, keepdims=True), axis=0)[0])
    clean = off < np.percentile(off, 95)  # where a hiss begins, the pitch is anybody's guess
    assert np.corrcoef(melody[:, clean])[0, 1] > 0.95


@pytest.mark.parametrize("semitones", [0.0, 12.0])
def test_sung_the_pitch_stays(voice: Voice, semitones: float) -> None:
    sound = speak(3, 110)
    made = convert(voice, sound, sing=True, semitones=semitones)
    old, _ = find_pitch(sound, 300)
    new, sure = find_pitch(made, 300)
    cents = 1200 * np.abs(np.log2(new / old) - semitones / 12)
    assert np.median(cents[sure > 0.5]) < 15


def test_it_does_not_matter_how_the_sound_comes(voice: Voice) -> None:
    sound = speak(13, 110)  # more than one block
    one, other = (convert(voice, sound, likeness=0.0, size=size) for size in (len(sound), 3333))
    np.testing.assert_array_equal(one, other)


def test_blocks_join_without_a_gap(voice: Voice) -> None:
    """Where one block ends, it is as loud as before and after it, and as before the conversion."""
    sound = speak(13, 110)
    made = convert(voice, sound, likeness=0.0)
    levels = [np.sqrt(np.mean(made[at - 800 : at + 800] ** 2)) for at in range(8000, len(made) - 8000, 800)]
    seam = np.sqrt(np.mean(made[160_000 - 800 : 160_000 + 800] ** 2))
    assert min(levels) * 0.9 < seam < max(levels) * 1.1
    steps = np.abs(np.diff(made))
    assert steps[159_990:160_340].max() <= steps.max()


def test_silence_stays_silent(voice: Voice) -> None:
    quiet = np.concatenate((speak(2, 110), np.zeros(2 * RATE_HZ, np.float32)))
    made = convert(voice, quiet)
    assert np.abs(made[-RATE_HZ:]).max() < 0.02 * np.abs(made).max()


def test_another_engines_voice_is_refused(voice: Voice) -> None:
    learnt = Learnt("another", "1", voice.pitch, voice.pool, voice.decoder, voice.learnt.settings)
    other = Voice("x", voice.permission, voice.speaker, learnt, (), {})
    with pytest.raises(ModelFormat, match="another engine"):
        VoiceEngine(other, Heard(None, 1, 1, 0.06), VoiceConfig(), 0)


@pytest.mark.parametrize("name", ["leave.bias", SPEAKER])
@pytest.mark.parametrize("change", ["missing", "shape", "nan"])
def test_weights_that_do_not_fit_are_refused(name: str, change: str) -> None:
    if (name, change) == (SPEAKER, "nan"):
        pytest.skip("any direction is a speaker")
    arrays = decoder()
    if change == "missing":
        del arrays[name]
    elif change == "shape":
        arrays[name] = arrays[name][:-1]
    else:
        arrays[name] = arrays[name] * np.float16(np.nan)
    with pytest.raises(ModelFormat):
        ClearVoice(arrays)


def test_speech_is_kept(person: list[Features]) -> None:
    again = unpack(pack(person))
    assert [len(one) for one in again] == [len(one) for one in person]
    for one, other in zip(again, person, strict=True):
        np.testing.assert_allclose(one.samples, other.samples, atol=1e-4)
        np.testing.assert_allclose(one.content, other.content, atol=0.02)
        np.testing.assert_allclose(one.energy, other.energy, atol=0.01)
        np.testing.assert_array_equal(one.f0_hz, other.f0_hz)


@pytest.mark.parametrize("name", ["lengths", "samples", "content", "f0_hz"])
def test_damaged_speech_is_refused(person: list[Features], name: str) -> None:
    pool: Arrays = pack(person)
    for broken in (
        {key: array for key, array in pool.items() if key != name},
        {**pool, name: pool[name][:-1]},
        {**pool, name: pool[name] * 0},
    ):
        if name in ("samples", "content") and len(broken) == len(pool) and not broken[name].any():
            continue  # silence is speech like any other
        with pytest.raises(ModelFormat):
            unpack(broken)


def test_content_between_frames_lies_between() -> None:
    content = np.arange(4, dtype=np.float32)[:, None] * np.ones(144, np.float32)
    np.testing.assert_allclose(at_frames(content)[:, 0], [0, 0.5, 1, 1.5, 2, 2.5, 3, 3])


def test_who_speaks_is_taken_away() -> None:
    rng = np.random.default_rng(0)
    said = rng.standard_normal((2000, 144), np.float32)
    loud = np.full(2000, -2.5, np.float32)
    results = []
    for own in (0.0, 5.0):
        source = Source()
        source.hear(said + np.float32(own), loud)
        results.append(source.say(said + np.float32(own), 0.0))
    assert np.abs(results[0] - results[1]).max() < 0.4


@given(hnp.arrays(np.float32, st.integers(1, 200), elements=st.floats(-50, 50, width=32)))
def test_softened_sound_stays_within_bounds(samples: Floats) -> None:
    soft = soften(samples)
    assert np.abs(soft).max() <= 1
    quiet = np.abs(samples) <= 0.8
    np.testing.assert_array_equal(soft[quiet], samples[quiet])
    assert (np.sign(soft) == np.sign(samples)).all()


def test_noisy_sources_are_disguised_more() -> None:
    quiet, loud = np.linspace(-9, -2, 25), np.linspace(-4, -2.5, 25)
    assert disguise_for(0, None) == disguise_for(0, quiet) == DISGUISE
    assert disguise_for(0, loud) == disguise_for(1, quiet) == disguise_for(1, None) == 1
    for likeness in (0.0, 0.5):
        reaches = [np.linspace(-2 - reach, -2, 25) for reach in np.linspace(1, 3, 9)]
        between = [disguise_for(likeness, reach) for reach in reaches]
        assert (np.diff(between) <= 0).all()
        assert between[0] > between[-1]


def test_what_lies_near() -> None:
    marked = np.zeros(60, bool)
    marked[30] = True
    for frames in (0, 3, 10, 500):
        share = near(marked, frames)
        assert share.shape == (60,)
        assert share[30] > 0.5
        assert ((share > 0.99) >= (np.abs(np.arange(60) - 30) <= frames - 2)).all()
        assert share[np.abs(np.arange(60) - 30) > frames + 6].max(initial=0) == 0


@given(st.integers(0, 100))
def test_courses_are_carried_in_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    old, new = (rng.normal(mean, scale, 3000).astype(np.float32) for mean, scale in ((-4, 1.0), (-6, 0.5)))
    source, target = Spread(-12, 1, 0.05), Spread(-12, 1, 0.05)
    source.hear(old)
    target.hear(new)
    carried = carry(np.sort(old), source, target)
    assert (np.diff(carried) >= -1e-6).all()
    np.testing.assert_allclose(
        np.percentile(carried, (10, 50, 90)), np.percentile(new, (10, 50, 90)), atol=0.1
    )


def test_little_says_nothing() -> None:
    source, target = Spread(0, 1, 0.1), Spread(0, 1, 0.1, most=100)
    values = np.linspace(0, 1, 300, dtype=np.float32)
    target.hear(values)
    np.testing.assert_array_equal(carry(values, source, target), values)
    before = target.quantiles
    target.hear(values * 0)
    assert before is not None
    np.testing.assert_array_equal(target.quantiles, before)  # it was settled
