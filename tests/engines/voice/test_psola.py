"""Marks lie once a period, grains where they are wanted; what has no pitch stays what it was."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.engines.voice.psola import (
    FRAMES_PER_S,
    at_samples,
    lay_grains,
    lay_marks,
    mark_pitch,
    shift_pitch,
)
from likeness.types import Floats

RATE_HZ = 16_000
COUNT = RATE_HZ
FRAMES = FRAMES_PER_S + 1
PITCH = st.floats(80, 400)


def constant(value: float) -> Floats:
    return np.full(FRAMES, value, np.float32)


def sing(f0_hz: Floats, seed: int = 0) -> Floats:
    """Harmonics below 4 kHz that fall off as in a vowel, at phases drawn by chance."""
    turns = np.cumsum(at_samples(f0_hz, COUNT, RATE_HZ)) / RATE_HZ
    rng = np.random.default_rng(seed)
    sound = np.zeros(COUNT)
    for number in range(1, int(4000 / f0_hz.max())):
        sound += np.cos(2 * np.pi * (number * turns + rng.random())) / number**1.2
    return np.asarray(0.3 * sound / np.abs(sound).max(), np.float32)


def pitch_of(sound: Floats, near_hz: float) -> float:
    """Hz, from where the fundamental's peak lies in one long spectrum."""
    middle = sound[2000:-2000]
    power = np.abs(np.fft.rfft(middle * np.hanning(len(middle)), 1 << 18))
    hz = np.arange(len(power)) * RATE_HZ / (1 << 18)
    band = (hz > 0.7 * near_hz) & (hz < 1.4 * near_hz)
    return float(hz[band][power[band].argmax()])


def cents(one_hz: float, other_hz: float) -> float:
    return abs(1200 * float(np.log2(one_hz / other_hz)))


@settings(max_examples=15)
@given(has=PITCH, wanted=PITCH, seed=st.integers(0, 99))
def test_the_pitch_is_the_wanted_one(has: float, wanted: float, seed: int) -> None:
    wanted = float(np.clip(wanted, has / 2, has * 2))
    found = shift_pitch(sing(constant(has), seed), constant(has), constant(wanted), constant(1), RATE_HZ)
    assert cents(pitch_of(found, wanted), wanted) < 3


@settings(max_examples=15)
@given(f0=PITCH, wrong=st.floats(0.98, 1.02), seed=st.integers(0, 99))
def test_marks_follow_the_sound_where_the_known_pitch_is_a_little_wrong(
    f0: float, wrong: float, seed: int
) -> None:
    marks = mark_pitch(sing(constant(f0), seed), constant(f0 * wrong), constant(1), RATE_HZ)
    inside = marks.places[(marks.places > 1000) & (marks.places < COUNT - 1000)]
    assert np.allclose(np.diff(inside), RATE_HZ / f0, atol=0.6)
    assert abs(len(inside) - (COUNT - 2000) / RATE_HZ * f0) < 3


def test_marks_of_a_glide_have_one_for_each_period() -> None:
    f0 = np.linspace(100, 300, FRAMES).astype(np.float32)
    marks = mark_pitch(sing(f0), f0, constant(1), RATE_HZ)
    assert abs(len(marks.places) - 200) <= 2
    assert np.diff(marks.places).min() > 0.8 * RATE_HZ / 300


def test_what_is_not_voiced_is_copied() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, COUNT).astype(np.float32)
    found = shift_pitch(noise, constant(120), constant(300), constant(0), RATE_HZ)
    assert np.abs(found - noise)[100:-100].max() < 1e-4


def test_the_same_pitch_gives_the_same_sound() -> None:
    f0 = np.linspace(150, 180, FRAMES).astype(np.float32)
    sound = sing(f0)
    found = shift_pitch(sound, f0, f0, constant(1), RATE_HZ)
    middle = slice(1000, -1000)
    # The grains stand at the wanted phase, so the whole sound may be moved by part of a period.
    best = max(
        float(np.corrcoef(found[middle], np.roll(sound, lag)[middle])[0, 1]) for lag in range(-110, 110)
    )
    assert best > 0.97


@settings(max_examples=20)
@given(f0=PITCH, turned=st.floats(0, 1))
def test_wanted_marks_are_one_period_apart(f0: float, turned: float) -> None:
    marks = lay_marks(constant(f0), constant(1), COUNT, RATE_HZ, turned=turned)
    assert np.allclose(np.diff(marks.places), RATE_HZ / f0, atol=1e-2)
    assert np.allclose(marks.periods, RATE_HZ / f0, atol=1e-3)


@settings(max_examples=20)
@given(f0=PITCH, cut=st.integers(20, 80))
def test_marks_go_on_in_the_next_piece(f0: float, cut: int) -> None:
    whole = lay_marks(constant(f0), constant(1), COUNT, RATE_HZ)
    begin = cut * RATE_HZ // FRAMES_PER_S
    turned = np.float32(f0) * np.float64(begin) / RATE_HZ
    piece = lay_marks(constant(f0)[cut:], constant(1)[cut:], COUNT - begin, RATE_HZ, turned=float(turned))
    later = whole.places[whole.places > begin + 1]
    assert np.allclose(piece.places[-len(later) :] + begin, later, atol=0.01)


def test_voice_comes_and_goes_without_a_hole_or_a_burst() -> None:
    f0, voiced = constant(140), np.tile(np.repeat([0.0, 1.0], 10), 6)[:FRAMES].astype(np.float32)
    noise = np.random.default_rng(1).normal(0, 0.1, COUNT)
    sound = np.where(at_samples(voiced, COUNT, RATE_HZ) > 0.5, sing(f0), noise).astype(np.float32)
    found = shift_pitch(sound, f0, constant(200), voiced, RATE_HZ)
    blocks = np.sqrt(np.square(found[: COUNT // 400 * 400].reshape(-1, 400)).mean(1))
    was = np.sqrt(np.square(sound[: COUNT // 400 * 400].reshape(-1, 400)).mean(1))
    assert (blocks > 0.4 * was.min()).all()
    assert np.abs(found).max() < 1.3 * np.abs(sound).max()


def test_nothing_to_cut_from_is_silence() -> None:
    empty = np.zeros(0, np.float32)
    marks = mark_pitch(empty, constant(100), constant(1), RATE_HZ)
    wanted = lay_marks(constant(100), constant(1), 800, RATE_HZ)
    assert not lay_grains(empty, marks, wanted, wanted.places, 800, RATE_HZ).any()
