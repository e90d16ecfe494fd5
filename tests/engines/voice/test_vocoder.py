"""Pulses, noise and their filters."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from likeness.engines.voice.envelope import spectral_envelope
from likeness.engines.voice.vocoder import Vocoder, hiss, pulse_train, turn
from likeness.nn.voice_synthesis import HARMONIC_BANDS, HOP, NOISE_BANDS, Synthesis, minimum_phase
from likeness.types import Floats

RATE_HZ = 16_000


def steady(count: int, level: float, bands: int) -> Floats:
    return np.full((count, bands), level, np.float32)


def test_turns_follow_the_pitch() -> None:
    f0_hz = np.full(100, 200, np.float32)
    turns = turn(f0_hz)
    assert turns.shape == (100 * HOP + 1,)
    assert turns[-1] == pytest.approx(200)
    rising = np.linspace(100, 300, 101).astype(np.float32)
    assert turn(rising)[100 * HOP] == pytest.approx(200, rel=1e-3)


@pytest.mark.parametrize("f0_hz", [60.0, 133.3, 500.0, 1100.0])
def test_pulses_are_harmonics_of_equal_strength(f0_hz: float) -> None:
    turns = turn(np.full(200, f0_hz, np.float32))
    pulses = pulse_train(turns[:-1], np.diff(turns) * RATE_HZ)
    assert np.sqrt(np.mean(pulses**2)) == pytest.approx(1, rel=0.1)
    spectrum = np.abs(np.fft.rfft(pulses * np.hanning(len(pulses)))) / len(pulses) * 4
    top_hz = min(7600, 8000 - f0_hz)
    orders = np.arange(1, int(top_hz / f0_hz) + 1)
    peaks = [spectrum[round(order * f0_hz * 2) - 2 : round(order * f0_hz * 2) + 3].max() for order in orders]
    expected = np.sqrt(2 / (top_hz / f0_hz))
    np.testing.assert_allclose(peaks, expected, rtol=0.2)
    assert spectrum[-10:].max() < 0.02 * expected


def test_pulses_stand_where_a_turn_is_whole() -> None:
    turns = turn(np.full(50, 100, np.float32))
    pulses = pulse_train(turns[:-1], np.diff(turns) * RATE_HZ)
    assert set(np.flatnonzero(pulses > 0.9 * pulses.max())) >= set(range(0, 50 * HOP, 160))


def test_noise_is_the_same_wherever_it_is_cut() -> None:
    whole = hiss(-5000, 40_000)
    assert whole.std() == pytest.approx(1, rel=0.02)
    np.testing.assert_array_equal(hiss(16_000, 17_000), whole[21_000:22_000])
    assert len(hiss(7, 7)) == 0


def test_flat_envelopes_change_nothing() -> None:
    """A filter of amplitude 1 is none; its phase is 0."""
    synthesis = Synthesis()
    sound = torch.randn(2, 30 * HOP, generator=torch.Generator().manual_seed(0))
    flat, silent = torch.zeros(2, 30, HARMONIC_BANDS), torch.full((2, 30, NOISE_BANDS), -20.0)
    made = synthesis(flat, silent, sound, torch.zeros_like(sound))
    torch.testing.assert_close(made, sound, atol=1e-4, rtol=1e-3)


def test_filters_ring_after_and_not_before() -> None:
    pulse = torch.zeros(1, 20 * HOP)
    pulse[0, 10 * HOP] = 1
    envelope = torch.zeros(1, 20, HARMONIC_BANDS)
    envelope[..., 10:30] = 3
    made = Synthesis()(envelope, torch.full((1, 20, NOISE_BANDS), -20.0), pulse, torch.zeros_like(pulse))[0]
    before, after = made[: 10 * HOP - 1].square().sum(), made[10 * HOP :].square().sum()
    assert before < 1e-3 * after


def test_the_phase_is_minimal() -> None:
    """Its cepstrum is causal."""
    magnitude, phase = minimum_phase(24)
    generator = torch.Generator().manual_seed(1)
    bands = torch.randn(1, 24, generator=generator)
    cepstrum = np.fft.irfft((bands @ magnitude + 1j * (bands @ phase)).numpy()[0])
    half = len(cepstrum) // 2
    assert np.abs(cepstrum[half + 1 :]).max() < 1e-4 * np.abs(cepstrum[:half]).max()


def test_the_envelope_comes_out_that_went_in() -> None:
    count = 100
    wanted = np.tile(np.interp(np.arange(80), [0, 20, 40, 79], [0, 1, -1, -2]), (count, 1)).astype(np.float32)
    f0_hz = np.full(count, 120, np.float32)
    made = Vocoder().render(wanted, steady(count, -12, NOISE_BANDS), turn(f0_hz))
    found = spectral_envelope(made, f0_hz, np.ones(count, np.float32))[20:80].mean(0)
    places = np.linspace(0, 79, 48)
    error = (found - np.interp(places, np.arange(80), wanted[0]))[5:44]
    assert np.abs(error - error.mean()).max() < 0.35
    assert abs(error.mean()) < 0.2


def test_a_block_sounds_the_same_alone() -> None:
    rng = np.random.default_rng(0)
    harmonic = rng.standard_normal((60, HARMONIC_BANDS), np.float32)
    noise = rng.standard_normal((60, NOISE_BANDS), np.float32)
    turns = turn(np.linspace(100, 200, 60).astype(np.float32))
    whole = Vocoder().render(harmonic, noise, turns)
    part = Vocoder().render(harmonic[20:40], noise[20:40], turns[20 * HOP : 40 * HOP + 1], begin=20)
    inner = slice(3 * HOP, 17 * HOP)
    np.testing.assert_allclose(part[inner], whole[20 * HOP : 40 * HOP][inner], atol=1e-3)
