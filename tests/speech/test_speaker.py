from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness import models
from likeness.errors import ModelFormat, NoSpeech, UsageError
from likeness.media.mono import resample
from likeness.speech import speaker, speaker_weights
from likeness.speech.mel import mel_power
from likeness.types import Floats

Voice = Callable[..., Floats]
GOLDEN = [("low", 4.0, 110.0, 0.1), ("high", 2.3, 215.0, 0.002)]


@pytest.mark.parametrize(("name", "seconds", "pitch_hz", "level"), GOLDEN)
def test_the_network_answers_as_the_original(
    golden: dict[str, Floats],
    synthetic_voice: Voice,
    name: str,
    seconds: float,
    pitch_hz: float,
    level: float,
) -> None:
    windows, starts = speaker.embed_speech(synthetic_voice(seconds, pitch_hz) * np.float32(level))
    assert windows.shape == golden[f"{name}_windows"].shape
    assert len(starts) == len(windows)
    np.testing.assert_allclose(windows, golden[f"{name}_windows"], atol=2e-5)
    mean = windows.mean(0)
    np.testing.assert_allclose(mean / np.linalg.norm(mean), golden[f"{name}_embedding"], atol=2e-5)


@pytest.mark.parametrize(("name", "seconds", "pitch_hz", "level"), GOLDEN)
def test_the_mel_spectrogram_is_the_original_s(
    golden: dict[str, Floats],
    synthetic_voice: Voice,
    name: str,
    seconds: float,
    pitch_hz: float,
    level: float,
) -> None:
    sound = synthetic_voice(seconds, pitch_hz) * np.float32(max(level, 10**-1.5))  # quiet ones get -30 dB
    expected = golden[f"{name}_mel"]
    found = mel_power(sound, 16_000, window=400, hop=160, bands=40)[50:60]
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5 * expected.max())


def test_an_embedding_is_a_direction(synthetic_voice: Voice) -> None:
    embedding = speaker.embed_voice(synthetic_voice(3, 120) * np.float32(0.1), 16_000)
    assert embedding.shape == (256,)
    assert embedding.dtype == np.float32
    assert np.linalg.norm(embedding) == pytest.approx(1, abs=1e-5)
    assert embedding.min() >= 0


def test_one_voice_is_nearer_to_itself_than_to_another(synthetic_voice: Voice) -> None:
    whole = synthetic_voice(8, 110, stretch=0.9)
    first, second = (speaker.embed_voice(part, 16_000) for part in (whole[:64_000], whole[64_000:]))
    other = speaker.embed_voice(synthetic_voice(4, 230, stretch=1.15), 16_000)
    assert speaker.similarity(first, second) > 0.9
    assert speaker.similarity(first, other) < speaker.similarity(first, second) - 0.2


@pytest.mark.parametrize("rate_hz", [22_050, 44_100, 48_000])
def test_the_rate_does_not_matter(synthetic_voice: Voice, rate_hz: int) -> None:
    sound = synthetic_voice(3, 140) * np.float32(0.1)
    there = resample(sound, 16_000, rate_hz)
    same = speaker.similarity(speaker.embed_voice(sound, 16_000), speaker.embed_voice(there, rate_hz))
    assert same > 0.99


def test_loudness_and_pauses_hardly_matter(synthetic_voice: Voice) -> None:
    sound = synthetic_voice(4, 140) * np.float32(0.03)
    quiet = speaker.embed_voice(sound * np.float32(0.01), 16_000)
    assert speaker.similarity(speaker.embed_voice(sound, 16_000), quiet) > 0.999
    parts = [sound[:32_000], np.zeros(48_000, np.float32), sound[32_000:], np.zeros(16_000, np.float32)]
    paused = np.concatenate(parts) * np.float32(0.05)
    same = speaker.similarity(speaker.embed_voice(sound, 16_000), speaker.embed_voice(paused, 16_000))
    assert same > 0.85


def test_windows_know_where_they_begin(synthetic_voice: Voice) -> None:
    sound = np.concatenate([np.zeros(48_000, np.float32), synthetic_voice(4, 140)])
    windows, starts_s = speaker.embed_windows(sound, 16_000)
    assert len(windows) == len(starts_s)
    assert starts_s[0] == pytest.approx(3 - 0.18, abs=0.035)
    assert np.diff(starts_s) == pytest.approx(0.77)


def test_a_telephone_is_noticed(synthetic_voice: Voice) -> None:
    sound = synthetic_voice(3, 140) * np.float32(0.1)
    assert not speaker.is_narrow_band(sound, 16_000)
    assert speaker.is_narrow_band(resample(sound, 16_000, 8000), 8000)
    assert speaker.is_narrow_band(resample(resample(sound, 16_000, 8000), 8000, 44_100), 44_100)
    assert not speaker.is_narrow_band(np.zeros(16_000, np.float32), 16_000)


@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.5, 1.4])
def test_too_little_is_refused(synthetic_voice: Voice, seconds: float) -> None:
    with pytest.raises(NoSpeech):
        speaker.embed_voice(synthetic_voice(2, 140)[: int(seconds * 16_000)], 16_000)


def test_silence_is_refused() -> None:
    with pytest.raises(NoSpeech):
        speaker.embed_voice(np.zeros(64_000, np.float32), 16_000)


@pytest.mark.parametrize("sound", [np.zeros((2, 9), np.float32), np.full(40_000, np.nan, np.float32)])
def test_what_is_no_sound_is_refused(sound: Floats) -> None:
    with pytest.raises(UsageError):
        speaker.embed_voice(sound, 16_000)


@given(st.floats(0, 1))
def test_every_similarity_has_its_verdict(similarity: float) -> None:
    verdict = speaker.judge(similarity)
    assert (verdict == "match") == (similarity >= speaker.MATCH)
    assert (verdict == "no match") == (similarity < speaker.NO_MATCH)


def test_similarity_wants_embeddings() -> None:
    with pytest.raises(UsageError):
        speaker.similarity(np.ones(3, np.float32), np.ones(256, np.float32))
    assert speaker.similarity(np.zeros(256, np.float32), np.ones(256, np.float32)) == 0


def test_a_shifted_checkpoint_is_refused() -> None:
    checkpoint = models.fetch("speaker-encoder").read_bytes()
    for other in (b"", b"\0" + checkpoint, checkpoint[:300_000]):
        with pytest.raises(ModelFormat):
            speaker_weights.take_apart(other)
