"""The person's own sounds in the wanted envelope; a song keeps its pitch to the cent."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from likeness.engines.voice.analysis import Features, frame_energy
from likeness.engines.voice.clear import Envelopes
from likeness.engines.voice.close import CloseVoice, whole_envelope
from likeness.engines.voice.envelope import HOP, RATE_HZ, spectral_envelope
from likeness.engines.voice.psola import Places as Cycles
from likeness.engines.voice.psola import follow_cycles
from likeness.nn.voice_synthesis import HARMONIC_BANDS, NOISE_BANDS
from likeness.types import Floats

from .spoken import speak, turns_of

SOUNDS = [0, 2, -1, 1, 3, 0]


@pytest.fixture(scope="module")
def person() -> list[Features]:
    return [speak([0, 1, 2, 3, -1, 0, 2, 1], 110), speak([3, -1, 2, 0, 1, 3], 118, seed=1)]


@pytest.fixture(scope="module")
def voice(person: list[Features]) -> CloseVoice:
    return CloseVoice(person)


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


def say(voice: CloseVoice, source: Features, turns: Cycles, envelope: Floats, protect: float = 0.0) -> Floats:
    chosen = voice.choose(source, turns, envelope)
    return voice.convert(source, turns, envelope, chosen, shaped=0.5, protect=protect)


def test_a_song_gets_the_persons_mean(voice: CloseVoice, person: list[Features]) -> None:
    song = speak([0, 0, 1, 1, 2, 2, 3, 3] * 4, 220, seed=3)
    own = np.concatenate([level(one.envelope[one.voiced >= 0.5]) for one in person]).mean(0)
    apart = []
    for slope in (0, 2):
        tilted = song.envelope + np.linspace(slope, -slope, 48, dtype=np.float32)
        found = voice.sing(song, turns_of(song.f0_hz), tilted, moved=False)
        mean = level(spectral_envelope(found, song.f0_hz, song.voiced)).mean(0)
        apart.append(float(np.abs(mean - own).mean()))
    was = float(np.abs(level(song.envelope).mean(0) - own).mean())
    assert apart[0] < 0.6 * was + 0.05
    assert apart[1] < apart[0] + 0.5


def test_what_is_said_has_the_wanted_pitch_envelope_and_loudness(voice: CloseVoice, source: Features) -> None:
    f0_hz = source.f0_hz * np.float32(0.6)
    like = speak(SOUNDS, 114, seed=9)
    turns = turns_of(source.f0_hz, 0.6)
    found = say(voice, source, turns, like.envelope)
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


def test_sounds_are_as_loud_against_each_other_as_the_persons_are(source: Features) -> None:
    def record(quiet: float) -> Features:
        said = [0, 1, 2, 3, -1, 0, 2, 1]
        one = speak(said, 110)
        each = len(one.samples) // len(said)
        gain = np.repeat([quiet if sound == 2 else 1.0 for sound in said], each).astype("f4")
        samples = one.samples * gain
        return dataclasses.replace(one, samples=samples, energy=frame_energy(samples, len(one)))

    each = len(source) // len(SOUNDS)
    of_two = np.repeat(np.array(SOUNDS) == 2, each)
    energies = []
    for quiet in (1.0, 0.4):
        made = say(CloseVoice([record(quiet)]), source, turns_of(source.f0_hz, 0.6), source.envelope)
        energies.append(frame_energy(made, len(source)))
    change = energies[1] - energies[0]
    assert np.median(change[of_two]) < -0.3
    assert np.median(change[~of_two]) > -0.1
    assert abs(change.mean()) < 0.1  # over words it is the source's


def test_protected_consonants_are_the_sources_own(voice: CloseVoice, source: Features) -> None:
    wanted = np.repeat(source.envelope.mean(0, keepdims=True), len(source), axis=0)
    wanted = np.where(source.voiced[:, None] >= 0.5, wanted, source.envelope)
    turns = turns_of(source.f0_hz, 0.6)
    hiss = slice(int(2.2 * 0.24 * RATE_HZ), int(2.8 * 0.24 * RATE_HZ))
    alike = [
        np.corrcoef(say(voice, source, turns, wanted, protect=share)[hiss], source.samples[hiss])[0, 1]
        for share in (0.0, 1.0)
    ]
    assert abs(alike[0]) < 0.3
    assert alike[1] > 0.8


@pytest.mark.parametrize("semitones", [0, -12, 7])
def test_a_song_keeps_its_pitch_to_the_cent(voice: CloseVoice, semitones: int) -> None:
    song = speak([0, 0, 1, 1, 2, 2], 220, seed=3)
    factor = 2 ** (semitones / 12)
    envelope = np.tile(np.linspace(0, -4, 48, dtype=np.float32), (len(song), 1))
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
