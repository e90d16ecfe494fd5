"""The person's own sounds in the wanted envelope; a song keeps its pitch to the cent."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from likeness.engines.voice.analysis import Features, frame_energy
from likeness.engines.voice.clear import Envelopes
from likeness.engines.voice.close import CloseVoice, Liveliness, whole_envelope
from likeness.engines.voice.envelope import HOP, RATE_HZ, spectral_envelope
from likeness.engines.voice.psola import follow_cycles
from likeness.nn.voice_synthesis import HARMONIC_BANDS, NOISE_BANDS
from likeness.types import Floats

from .spoken import speak, turns_of

SOUNDS = [0, 2, -1, 1, 3, 0]


class Knows:
    """A decoder that gives the same bands for everything."""

    def shape(self, said: Floats, f0_hz: Floats, voiced: Floats, energy: Floats) -> Envelopes:
        slope = np.linspace(0, -4, HARMONIC_BANDS, dtype=np.float32)
        harmonic = np.tile(slope, (len(f0_hz), 1)) + np.where(voiced >= 0.5, 0, -7)[:, None]
        return Envelopes(harmonic, np.full((len(f0_hz), NOISE_BANDS), -5, np.float32))


@pytest.fixture(scope="module")
def person() -> list[Features]:
    return [speak([0, 1, 2, 3, -1, 0, 2, 1], 110), speak([3, -1, 2, 0, 1, 3], 118, seed=1)]


@pytest.fixture(scope="module")
def voice(person: list[Features]) -> CloseVoice:
    return CloseVoice(person, Knows())  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def source() -> Features:
    return speak(SOUNDS, 190, stretch=1.2, seed=5)


def level(envelope: Floats) -> Floats:
    return envelope - envelope.mean(1, keepdims=True)


def pitch_error_cents(sound: Floats, f0_hz: Floats, voiced: Floats) -> Floats:
    """At every voiced sample that is not at a rim, from the phase of the fundamental."""
    cycles = follow_cycles(sound, f0_hz, voiced, RATE_HZ)
    hop = 400
    found_hz = (cycles[hop:] - cycles[:-hop]) * RATE_HZ / hop
    wanted = turns_of(f0_hz)[1 : len(sound) + 1]
    wanted_hz = (wanted[hop:] - wanted[:-hop]) * RATE_HZ / hop
    inner = np.convolve(voiced, np.ones(13), "same") > 12.5
    inside = np.repeat(inner, HOP)[hop // 2 : hop // 2 + len(found_hz)]
    return 1200 * np.abs(np.log2(found_hz[inside] / wanted_hz[inside]))


def test_harmonics_and_noise_add_up() -> None:
    harmonic = np.tile(np.linspace(0, -4, HARMONIC_BANDS, dtype=np.float32), (3, 1))
    quiet, loud = np.full((3, NOISE_BANDS), -20, "f4"), np.full((3, NOISE_BANDS), 3, "f4")
    assert np.allclose(whole_envelope(Envelopes(harmonic, quiet)), np.linspace(0, -4, 48), atol=1e-4)
    assert np.allclose(whole_envelope(Envelopes(harmonic, loud)), 3, atol=0.01)


def test_dull_envelopes_become_as_lively_as_the_true_ones() -> None:
    rng = np.random.default_rng(0)
    true = level(rng.normal(0, 1, (600, 48)).astype(np.float32)) + np.linspace(1, -1, 48, dtype=np.float32)
    made = 0.75 * true + 0.2
    voiced, energy = np.repeat([0.0, 1.0], 300).astype(np.float32), np.full(600, -3, np.float32)
    lively = Liveliness.compare(made, true, voiced, energy)
    assert np.abs(lively.restore(made, voiced) - level(true)).max() < 0.02


def test_frames_of_a_kind_that_was_never_heard_stay_as_they_are() -> None:
    made = np.random.default_rng(0).normal(0, 1, (200, 48)).astype(np.float32)
    voiced, energy = np.ones(200, np.float32), np.full(200, -3, np.float32)
    lively = Liveliness.compare(made, made + 1, voiced, energy)
    assert np.allclose(lively.restore(made, 0 * voiced), level(made), atol=1e-5)


def test_a_long_song_gets_the_persons_mean() -> None:
    rng = np.random.default_rng(1)
    true = rng.normal(0, 1, (600, 48)).astype(np.float32)
    voiced, energy = np.tile([0.0, 1.0], 300).astype(np.float32), np.full(600, -3, np.float32)
    lively = Liveliness.compare(true, true, voiced, energy)
    song = np.tile(true, (20, 1)) + np.linspace(1, -1, 48, dtype=np.float32)
    sung = np.tile(voiced, 20)
    centred = lively.centre(song, sung)
    assert np.abs(centred[sung == 1].mean(0) - lively.true[1]).max() < 0.06
    assert np.array_equal(centred[sung == 0], song[sung == 0])
    assert np.array_equal(lively.centre(song, 0 * sung), song)


def test_what_is_said_has_the_wanted_pitch_envelope_and_loudness(voice: CloseVoice, source: Features) -> None:
    f0_hz = source.f0_hz * np.float32(0.6)
    like = speak(SOUNDS, 114, seed=9)
    turns = turns_of(source.f0_hz, 0.6)
    found = voice.convert(source, turns, like.envelope)
    assert found.dtype == np.float32
    assert len(found) == len(source.samples)
    errors = pitch_error_cents(found, f0_hz, source.voiced)
    assert np.median(errors) < 5
    assert (errors > 50).mean() < 0.05
    measured = level(spectral_envelope(found, f0_hz, source.voiced))
    was = level(source.envelope)
    wanted = level(like.envelope)
    apart, before = (np.sqrt(np.square(one - wanted).mean(1)) for one in (measured, was))
    assert np.median(apart) < 0.5 * np.median(before)
    assert np.median(np.abs(frame_energy(found, len(source)) - source.energy)) < 0.1


def test_protected_consonants_are_the_sources_own(voice: CloseVoice, source: Features) -> None:
    wanted = np.repeat(source.envelope.mean(0, keepdims=True), len(source), axis=0)
    wanted = np.where(source.voiced[:, None] >= 0.5, wanted, source.envelope)
    turns = turns_of(source.f0_hz, 0.6)
    hiss = slice(int(2.2 * 0.24 * RATE_HZ), int(2.8 * 0.24 * RATE_HZ))
    alike = [
        np.corrcoef(voice.convert(source, turns, wanted, protect=share)[hiss], source.samples[hiss])[0, 1]
        for share in (0.0, 1.0)
    ]
    assert abs(alike[0]) < 0.3
    assert alike[1] > 0.8


@pytest.mark.parametrize("semitones", [0, -12, 7])
def test_a_song_keeps_its_pitch_to_the_cent(voice: CloseVoice, semitones: int) -> None:
    song = speak([0, 0, 1, 1, 2, 2], 220, seed=3)
    factor = 2 ** (semitones / 12)
    envelope = voice.envelope(Knows().shape(song.content, song.f0_hz, song.voiced, song.energy), song.voiced)
    found = voice.sing(song, turns_of(song.f0_hz, factor), envelope, moved=bool(semitones))
    errors = pitch_error_cents(found, song.f0_hz * np.float32(factor), song.voiced)
    assert np.median(errors) < 5
    assert (errors > 50).mean() < 0.04  # where one vowel jumps into the next


def test_a_protected_breath_in_a_song_is_left_alone(voice: CloseVoice) -> None:
    song = dataclasses.replace(speak([0, -1, -1, 2], 220, seed=4))
    envelope = np.repeat(np.linspace(2, -2, 48, dtype=np.float32)[None], len(song), axis=0)
    found = voice.sing(song, turns_of(song.f0_hz), envelope, moved=False, protect=1.0)
    middle = slice(int(1.3 * 0.24 * RATE_HZ), int(2.7 * 0.24 * RATE_HZ))
    assert np.corrcoef(found[middle], song.samples[middle])[0, 1] > 0.98
