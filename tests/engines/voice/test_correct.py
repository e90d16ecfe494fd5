"""What comes out has the envelope and the loudness that were wanted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.engines.voice.analysis import frame_energy
from likeness.engines.voice.correct import (
    match_energy,
    shape,
    smooth,
    weigh_bands,
    weigh_bins,
)
from likeness.engines.voice.envelope import BANDS, HOP, RATE_HZ, spectral_envelope
from likeness.types import Floats

from .spoken import speak

NOISE = np.random.default_rng(0).normal(0, 0.05, RATE_HZ).astype(np.float32)
FRAMES = RATE_HZ // HOP


def level(envelope: Floats) -> Floats:
    return envelope - envelope.mean(1, keepdims=True)


@settings(max_examples=20)
@given(count=st.integers(1, 3000), gain=st.floats(-2, 2))
def test_one_gain_everywhere_is_a_gain(count: int, gain: float) -> None:
    frames = count // HOP + 1
    found = weigh_bands(NOISE[:count], np.full((frames, BANDS), gain, np.float32))
    assert np.allclose(found, NOISE[:count] * np.exp(gain), rtol=1e-3, atol=1e-5)


def test_one_band_is_made_louder_and_no_other() -> None:
    gains = np.zeros((FRAMES, BANDS), np.float32)
    gains[:, 30] = 1.5
    before = spectral_envelope(NOISE, np.full(FRAMES, 100, "f4"), np.zeros(FRAMES, "f4")).mean(0)
    after = spectral_envelope(
        weigh_bands(NOISE, gains), np.full(FRAMES, 100, "f4"), np.zeros(FRAMES, "f4")
    ).mean(0)
    assert (after - before).argmax() == 30
    assert np.abs(np.delete(after - before, [28, 29, 30, 31, 32])).max() < 0.1


def test_any_window_gives_the_sound_back() -> None:
    for window in (64, 640, 1764):
        ones = np.ones((4 * len(NOISE) // window + 1, window // 2 + 1), np.float32)
        assert np.allclose(weigh_bins(NOISE, ones, window), NOISE, atol=1e-5)


def test_a_vowel_gets_another_vowels_envelope() -> None:
    has, wanted = speak([0, 2, 0, 2], 120), speak([1, 3, 1, 3], 120)
    found = shape(has.samples, wanted.envelope, has.f0_hz, has.voiced, has.energy)
    measured = level(spectral_envelope(found, has.f0_hz, has.voiced))
    apart = np.sqrt(np.square(measured - level(wanted.envelope)).mean(1))
    was = np.sqrt(np.square(level(has.envelope) - level(wanted.envelope)).mean(1))
    assert np.median(apart) < 0.35 * np.median(was)
    assert np.median(np.abs(frame_energy(found, len(has)) - has.energy)) < 0.05


def test_nothing_is_shaped_by_no_amount() -> None:
    has, wanted = speak([0, 2], 120), speak([1, 3], 120)
    found = shape(has.samples, wanted.envelope, has.f0_hz, has.voiced, has.energy, amount=0.0)
    assert np.abs(found - has.samples).max() < 0.02 * np.abs(has.samples).max()


def test_silence_stays_silent() -> None:
    has = speak([0, 1], 120)
    quiet = np.full(len(has), -11.5, np.float32)
    found = shape(1e-6 * NOISE[: len(has.samples)], has.envelope, has.f0_hz, 0 * has.voiced, quiet)
    assert np.abs(found).max() < 1e-4


def test_loudness_follows_the_wanted_one() -> None:
    energy = (-3 - 1.5 * np.sin(np.arange(FRAMES) / 12)).astype(np.float32)
    found = frame_energy(match_energy(NOISE, energy), FRAMES)
    assert np.abs(found - energy)[3:-3].max() < 0.4
    assert abs(float((found - energy)[3:-3].mean())) < 0.05


@pytest.mark.parametrize("shape_of", [(50,), (50, 4)])
def test_smoothing_keeps_constants_and_means(shape_of: tuple[int, ...]) -> None:
    assert np.allclose(smooth(np.full(shape_of, 3.0, np.float32), 2), 3)
    spike = np.zeros(shape_of, np.float32)
    spike[25] = 1
    assert np.allclose(smooth(spike, 2).sum(0), 1)
