"""What is known of a recording: pitch, energy and envelope of voices that are made of sines."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.engines.voice.analysis import LEVEL, Features, analyse, frame_energy, join, level_gain
from likeness.engines.voice.envelope import BANDS, spectral_envelope
from likeness.errors import UsageError
from likeness.nn.mel import mel_weights
from likeness.speech.content import SIZE
from likeness.types import Floats

RATE_HZ = 16_000


def voice(seconds: float, f0_hz: float, *, tilt: float = 1.0) -> Floats:
    """(n,) harmonics whose amplitude falls with f^−tilt."""
    time_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    orders = np.arange(1, int(7900 / f0_hz))
    waves = np.cos(2 * np.pi * f0_hz * orders[:, None] * time_s + orders[:, None] ** 2)
    return np.asarray((orders[:, None] ** -tilt * waves).sum(0) * 0.02, np.float32)


@pytest.fixture(scope="module")
def features() -> Features:
    """Half a second of silence, and 1.5 s at 150 Hz."""
    return analyse(np.concatenate((np.zeros(8000, np.float32), voice(1.5, 150))), RATE_HZ)


def test_all_courses_have_one_length(features: Features) -> None:
    count = len(features)
    assert count == 2 * (2 * RATE_HZ // 320 + 1)
    assert features.samples.shape == (160 * count,)
    assert features.content.shape == (count // 2, SIZE)
    assert features.envelope.shape == (count, BANDS)
    for course in (features.f0_hz, features.voiced, features.energy):
        assert course.shape == (count,)
        assert course.dtype == np.float32


def test_pitch_and_silence_are_found(features: Features) -> None:
    assert (features.voiced[:45] < 0.5).all()
    assert (features.voiced[55:195] >= 0.5).all()
    np.testing.assert_allclose(features.f0_hz[55:195], 150, rtol=0.01)
    assert features.energy[:45].max() < -11
    assert np.exp(features.energy[60:190]) == pytest.approx(LEVEL, rel=0.1)


def test_a_part_is_cut_out_of_all_courses(features: Features) -> None:
    part = features.cut(60, 100)
    assert len(part) == 40
    np.testing.assert_array_equal(part.samples, features.samples[9600:16000])
    np.testing.assert_array_equal(part.content, features.content[30:50])
    np.testing.assert_array_equal(part.envelope, features.envelope[60:100])
    with pytest.raises(UsageError):
        features.cut(61, 100)


def test_parts_are_joined_again(features: Features) -> None:
    whole = join([features.cut(0, 100), features.cut(100, len(features))])
    for name in ("samples", "content", "f0_hz", "voiced", "energy", "envelope"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(features, name))
    with pytest.raises(UsageError):
        join([])


@pytest.mark.parametrize("length", [0, 1, 319, 320, 5000])
def test_short_sounds_have_frames_too(length: int) -> None:
    features = analyse(np.full(length, 0.1, np.float32), RATE_HZ)
    assert len(features) == 2 * (length // 320 + 1)
    assert all(np.isfinite(getattr(features, name)).all() for name in ("content", "energy", "envelope"))


@given(gain=st.floats(1e-3, 1.0))
def test_speech_comes_to_one_level(gain: float) -> None:
    sound = voice(0.5, 120) * np.float32(gain)
    assert level_gain(sound) * gain == pytest.approx(level_gain(voice(0.5, 120)), rel=1e-3)
    assert level_gain(np.zeros(9000, np.float32)) == 1.0


def test_energy_follows_the_sound() -> None:
    sound = np.random.default_rng(0).standard_normal(RATE_HZ, np.float32) * np.float32(0.1)
    assert np.exp(frame_energy(sound, 100)[5:95]).mean() == pytest.approx(0.1, rel=0.05)


@pytest.mark.parametrize("f0_hz", [90.0, 140.0, 260.0])
def test_the_envelope_runs_through_the_harmonics(f0_hz: float) -> None:
    """At every pitch the same line, f^−1, though the harmonics lie elsewhere."""
    sound = voice(1.0, f0_hz) * np.float32(f0_hz / 140) ** np.float32(0.5)
    found = spectral_envelope(sound, np.full(100, f0_hz, np.float32), np.ones(100, np.float32))[20:80]
    places_hz = 700 * (np.exp(np.linspace(0, np.log1p(8000 / 700), BANDS)) - 1)
    inner = (places_hz > 2 * f0_hz) & (places_hz < 7000)
    line = found.mean(0)[inner] + np.log(places_hz[inner])
    assert np.std(line) < 0.1
    assert found[:, inner].std(0).max() < 0.1


def test_white_noise_has_a_flat_envelope() -> None:
    noise = np.random.default_rng(0).standard_normal(RATE_HZ * 4, np.float32)
    found = spectral_envelope(noise, np.full(400, 100, np.float32), np.zeros(400, np.float32)).mean(0)
    assert np.abs(found[2:]).max() < 0.35


def test_mel_weights_are_straight_lines() -> None:
    weights = mel_weights(48, 321)
    np.testing.assert_allclose(weights.sum(0), 1, atol=1e-5)
    assert ((weights > 0).sum(0) <= 2).all()
