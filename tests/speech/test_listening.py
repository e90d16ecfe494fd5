"""Pitch, activity, words and phonemes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.errors import MissingExtra, UsageError
from likeness.media.mono import read_mono
from likeness.speech import activity, phonemes, pitch, words
from likeness.types import Floats

Voice = Callable[..., Floats]
SOUNDS = st.lists(st.sampled_from(["S", "AH", "T", "IY"]), max_size=12)
SAID = "and so my fellow americans ask not what your country can do for you"


@pytest.fixture(scope="session")
def speech(shared: Path) -> Floats:
    """(n,) at 16 kHz: a real voice."""
    return read_mono(shared / "media" / "speech" / "whisper__jfk.flac", rate_hz=16_000, max_s=60)


@pytest.mark.parametrize("pitch_hz", [95.0, 210.0])
def test_pitch_is_followed(synthetic_voice: Voice, pitch_hz: float) -> None:
    found = pitch.follow_pitch(synthetic_voice(3, pitch_hz) * np.float32(0.1), 16_000)
    time_s = np.arange(len(found.f0_hz)) * pitch.HOP_S
    true_hz = pitch_hz * (1 + 0.06 * np.sin(2 * np.pi * 0.9 * time_s))
    cents = 1200 * np.log2(found.f0_hz[3:-3] / true_hz[3:-3])
    assert np.median(np.abs(cents)) < 10
    assert np.mean(np.abs(cents) > 50) < 0.02
    assert found.median_hz == pytest.approx(pitch_hz, rel=0.02)


def test_blocks_of_pitch_join_without_a_seam(synthetic_voice: Voice) -> None:
    sound = np.tile(synthetic_voice(8, 130) * np.float32(0.1), 5)  # 40 s: more than one block
    found = pitch.follow_pitch(sound, 16_000)
    assert len(found.f0_hz) == len(sound) // 256
    seam = slice(1870, 1880)
    alone = pitch.follow_pitch(sound[1800 * 256 : 1950 * 256], 16_000)
    np.testing.assert_allclose(found.f0_hz[seam], alone.f0_hz[70:80], rtol=1e-3)


def test_silence_has_no_pitch() -> None:
    found = pitch.follow_pitch(np.zeros(16_000, np.float32), 16_000)
    assert found.median_hz is None
    assert not found.confidence.any()
    assert len(pitch.follow_pitch(np.zeros(0, np.float32), 16_000).f0_hz) == 0


@pytest.mark.parametrize(("low", "high"), [(10, 500), (200, 100), (100, 101), (100, 9000)])
def test_an_impossible_range_of_pitch_is_refused(low: float, high: float) -> None:
    with pytest.raises(UsageError):
        pitch.follow_pitch(np.zeros(16_000, np.float32), 16_000, min_hz=low, max_hz=high)


def test_noise_and_silence_are_no_speech() -> None:
    noise = np.random.default_rng(3).normal(0, 0.05, 32_000).astype(np.float32)
    assert activity.find_speech(noise, 16_000) == []
    assert activity.find_speech(np.zeros(32_000, np.float32), 16_000) == []
    assert len(activity.speech_probability(np.zeros(0, np.float32), 16_000)) == 0
    assert len(activity.speech_probability(np.zeros(513, np.float32), 16_000)) == 2


def test_speech_is_found_where_it_is(speech: Floats) -> None:
    pause = np.zeros(32_000, np.float32)
    found = activity.find_speech(np.concatenate([pause, speech[:32_000], pause]), 16_000)
    assert len(found) == 1
    assert found[0][0] == pytest.approx(2.35, abs=0.2)
    assert found[0][1] == pytest.approx(4.0, abs=0.3)


def test_a_long_sound_goes_through_in_blocks(speech: Floats) -> None:
    once = activity.speech_probability(speech, 16_000)
    twice = activity.speech_probability(np.concatenate([speech, speech]), 16_000)
    np.testing.assert_allclose(twice[: len(once) - 1], once[:-1], atol=1e-4)


def test_phonemes_of_what_was_said_are_heard(speech: Floats) -> None:
    heard = phonemes.hear(speech, 16_000)
    assert phonemes.error_rate(phonemes.expect(SAID + " ask what you can do for your country"), heard) < 0.3
    assert (
        phonemes.error_rate(phonemes.expect("the quick brown fox jumps over the lazy dog " * 2), heard) > 0.6
    )


def test_nothing_is_heard_in_silence() -> None:
    assert phonemes.hear(np.zeros(100, np.float32), 16_000) == ()
    assert len(phonemes.hear(np.zeros(16_000, np.float32), 16_000)) <= 1


def test_what_is_too_long_to_hear_is_refused() -> None:
    with pytest.raises(UsageError):
        phonemes.hear(np.zeros(int(phonemes.MAX_S * 16_000) + 16, np.float32), 16_000)


def test_text_becomes_sounds() -> None:
    assert phonemes.expect("Seven,") == ("S", "EH", "V", "AH", "N")
    assert phonemes.expect("law bird") == ("L", "AA", "B", "AH", "D")
    with pytest.raises(UsageError, match="xqzzk"):
        phonemes.expect("seven xqzzk")


@given(SOUNDS.filter(bool), SOUNDS, SOUNDS)
def test_the_error_rate_is_a_distance(a: list[str], b: list[str], c: list[str]) -> None:
    def distance(x: list[str], y: list[str]) -> float:
        return phonemes.error_rate(x, y) * len(x) if x else len(y)

    assert distance(a, a) == 0
    assert distance(a, b) == pytest.approx(distance(b, a))
    assert distance(a, c) <= distance(a, b) + distance(b, c) + 1e-9
    assert abs(len(a) - len(b)) <= distance(a, b) + 1e-9 <= max(len(a), len(b)) + 1e-6


def test_the_error_rate_of_nothing_is_no_number() -> None:
    with pytest.raises(UsageError):
        phonemes.error_rate((), ("S",))


def test_a_grammar_tells_its_sentences_apart(speech: Floats) -> None:
    rule = f"{SAID.replace('ask not', '(ask not | ask now | do ask)')} ask what you can do for your country"
    assert words.recognise(speech, 16_000, rule).startswith(SAID)
    assert "americans" in words.transcribe(speech[: 16_000 * 5 // 2], 16_000)


def test_without_the_extra_the_next_step_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtra) as caught:
        pitch.follow_pitch(np.zeros(16_000, np.float32), 16_000)
    assert 'pip install "likeness[speech]"' in caught.value.hint
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    with pytest.raises(MissingExtra):
        words.transcribe(np.zeros(16_000, np.float32), 16_000)


def test_a_voice_is_known_without_the_extra() -> None:
    program = (
        "import sys; sys.modules['onnxruntime'] = sys.modules['pocketsphinx'] = None\n"
        "import numpy as np, likeness.speech.speaker as s, likeness.speech.phonemes\n"
        "print(s.embed_voice(np.random.default_rng(1).normal(0, .1, 48000).astype('f4'), 16000).shape)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(256,)"
