"""The measures of converted voices say what they are said to say, and are lowered by what they look for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.errors import NoSpeech, UsageError
from likeness.models import find
from likeness.speech.measures import defects
from likeness.speech.measures.delay import align, find_delay_s
from likeness.speech.measures.naturalness import rate_naturalness
from likeness.speech.measures.pitch_error import judge_pitch
from likeness.speech.measures.word_error import error_rate
from likeness.speech.pitch import Pitch
from likeness.types import Floats

RATE_HZ = 16_000
needs_pitch = pytest.mark.skipif(find("pitch") is None, reason="needs pitch")
needs_quality = pytest.mark.skipif(
    find("speech-quality") is None or find("speech-quality-p808") is None, reason="needs speech-quality"
)


@pytest.fixture(scope="module")
def speech(synthetic_voice: Callable[..., Floats]) -> Floats:
    """3 s of a voice with two pauses, and a little room in it."""
    sound = 0.1 * synthetic_voice(3.0, 130.0)
    for begin in (1.0, 2.1):
        sound[int(begin * RATE_HZ) : int((begin + 0.3) * RATE_HZ)] = 0
    room = np.random.default_rng(0).standard_normal(len(sound), np.float32)
    return sound + np.float32(3e-5) * room


def course(f0_hz: Floats, voiced: Floats | None = None) -> Pitch:
    return Pitch(f0_hz, np.ones_like(f0_hz) if voiced is None else voiced)


MELODY = (200 * 2 ** (np.sin(np.arange(200) / 9) / 3)).astype(np.float32)


@given(st.floats(-24, 24), st.floats(0.3, 2.0))
def test_melody_may_be_moved_and_stretched(shift: float, stretch: float) -> None:
    moved = 200 * (MELODY / 200) ** np.float32(stretch) * np.float32(2 ** (shift / 12))
    found = judge_pitch(course(moved), course(MELODY))
    assert found.correlation == pytest.approx(1, abs=1e-4)
    assert found.voicing_errors == 0


@given(st.integers(-24, 24), st.floats(-45, 45))
def test_a_song_is_off_by_what_is_no_whole_semitone(semitones: int, cents: float) -> None:
    sung = MELODY * np.float32(2 ** ((semitones + cents / 100) / 12))
    found = judge_pitch(course(sung), course(MELODY))
    assert found.shift_semitones == pytest.approx(semitones + cents / 100, abs=1e-2)
    assert found.cents == pytest.approx(abs(cents), abs=1)
    assert found.beyond_50_cents == 0
    asked = judge_pitch(course(sung), course(MELODY), shift_semitones=semitones + 1)
    assert asked.cents == pytest.approx(100 - cents, abs=1)


def test_melody_that_is_lost_correlates_no_more() -> None:
    chance = np.random.default_rng(1).permutation(MELODY)
    found = judge_pitch(course(chance), course(MELODY))
    assert abs(found.correlation) < 0.3
    assert found.beyond_50_cents > 0.5
    assert judge_pitch(course(np.full_like(MELODY, 150)), course(MELODY)).correlation == 0


def test_voicing_errors_are_those_of_either_kind() -> None:
    voiced = np.ones(200, np.float32)
    wrong = voiced.copy()
    wrong[:20] = 0
    assert judge_pitch(course(MELODY, wrong), course(MELODY)).voicing_errors == pytest.approx(0.1)
    assert judge_pitch(course(MELODY), course(MELODY, wrong)).voicing_errors == pytest.approx(0.1)
    with pytest.raises(NoSpeech):
        judge_pitch(course(MELODY, 1 - wrong), course(MELODY, wrong))


@given(st.integers(-300, 300))
def test_a_delay_is_found(speech: Floats, steps: int) -> None:
    shift = steps * RATE_HZ // 200
    silence = np.zeros(abs(shift), np.float32)
    made = np.concatenate((silence, speech)) if shift >= 0 else speech[-shift:]
    assert find_delay_s(-0.3 * made, speech, RATE_HZ) == pytest.approx(shift / RATE_HZ, abs=1e-3)
    a, b, _ = align(made, speech, RATE_HZ)
    assert np.array_equal(a, b)


def test_nothing_cannot_be_aligned(speech: Floats) -> None:
    with pytest.raises(UsageError):
        find_delay_s(speech[:100], speech, RATE_HZ)


@pytest.mark.parametrize(
    ("heard", "rate"),
    [
        ("Say it again, Sam!", 0),
        ("say it, Sam", 0.25),
        ("say it again again Sam", 0.25),
        ("play it against ham", 0.75),
        ("", 1),
    ],
)
def test_words_are_counted(heard: str, rate: float) -> None:
    assert error_rate("Say it again, Sam.", heard) == rate


@pytest.mark.parametrize("times", [1.5, 3.0])
def test_clipping_is_found(speech: Floats, times: float) -> None:
    peak = float(np.abs(speech).max())
    assert defects.measure_clipping(speech) == 0
    clipped = np.clip(times * speech, -peak, peak)
    cut_off = float((np.abs(times * speech) >= peak).mean())
    assert 0.5 * cut_off < defects.measure_clipping(clipped) <= cut_off


def test_clicks_are_found(speech: Floats) -> None:
    assert len(defects.find_clicks(speech)) == 0
    places = (8000, 24_500, 40_000)
    torn = speech.copy()
    torn[list(places)] += np.float32(0.5)
    found = defects.find_clicks(torn)
    assert found == pytest.approx(np.array(places) / RATE_HZ, abs=0.002)


@pytest.mark.parametrize("length_s", [0.005, 0.02, 0.06])
def test_holes_are_found_and_pauses_are_none(speech: Floats, length_s: float) -> None:
    assert len(defects.find_holes(speech)) == 0
    holed = speech.copy()
    holed[10_000 : 10_000 + int(length_s * RATE_HZ)] = 0
    assert defects.find_holes(holed) == pytest.approx([0.625], abs=0.002)


@needs_pitch
def test_buzz_between_words_is_found(speech: Floats) -> None:
    pulses = np.zeros_like(speech)
    pulses[::133] = 0.05
    clean = defects.find_defects(speech, RATE_HZ, speech)
    buzzing = defects.find_defects(speech + pulses, RATE_HZ, speech)
    assert clean.buzz == 0
    assert buzzing.buzz is not None
    assert buzzing.buzz > 0.9
    assert clean.pause_level_db is not None
    assert buzzing.pause_level_db is not None
    assert clean.pause_level_db < -60 < buzzing.pause_level_db
    whole = defects.find_defects(speech[: RATE_HZ // 2], RATE_HZ)
    assert (whole.buzz, whole.pause_level_db) == (None, None)


@needs_quality
def test_noise_is_rated_below_what_is_clean(speech: Floats) -> None:
    noise = np.random.default_rng(2).standard_normal(len(speech), np.float32)
    clean, noisy = rate_naturalness(speech, RATE_HZ), rate_naturalness(speech + 0.05 * noise, RATE_HZ)
    assert 1 <= noisy.overall < clean.overall - 0.3 < 5
    assert 1 <= noisy.score < clean.score - 0.2 < 5
    assert clean.score == pytest.approx((clean.overall + clean.mos) / 2)
    assert noisy.background < clean.background - 0.5
    with pytest.raises(NoSpeech):
        rate_naturalness(speech[:100], RATE_HZ)
