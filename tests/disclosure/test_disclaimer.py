"""The three notes that say that a sound is synthetic."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.disclosure.disclaimer import (
    LOUDEST_DBFS,
    NOTES_HZ,
    SILENCE_S,
    SOFTEST_DBFS,
    SOUNDING_S,
    USUAL_DBFS,
    Disclaimer,
    chime,
    loudness_dbfs,
)
from likeness.disclosure.label import TEXTS
from likeness.errors import UsageError

RATE_HZ = 16000


@pytest.mark.parametrize("rate_hz", [8000, 44100, 192000])
def test_the_notes_are_heard_one_after_the_other(rate_hz: int) -> None:
    sound = chime(rate_hz)
    assert len(sound) == round(SOUNDING_S * rate_hz)
    for number, pitch_hz in enumerate(NOTES_HZ):
        begin = int((0.2 * number + 0.02) * rate_hz)
        piece = sound[begin : begin + int(0.18 * rate_hz)]
        spectrum = np.abs(np.fft.rfft(piece * np.hanning(len(piece)), 8 * len(piece)))
        loudest_hz = spectrum.argmax() * rate_hz / (8 * len(piece))
        assert loudest_hz == pytest.approx(pitch_hz, rel=0.02)


def test_it_is_the_same_at_every_sampling_rate() -> None:
    assert chime(48000)[::3] == pytest.approx(chime(16000), abs=2e-3)


def test_it_begins_and_ends_without_a_click() -> None:
    sound = chime(48000) / np.abs(chime(48000)).max()
    assert np.abs(sound[:20]).max() < 0.01
    assert np.abs(sound[-200:]).max() < 1e-3
    spectrum = np.abs(np.fft.rfft(sound)) ** 2
    hz = np.fft.rfftfreq(len(sound), 1 / 48000)
    assert spectrum[(hz < 300) | (hz > 3400)].sum() < 2e-3 * spectrum.sum()  # what telephones lose


@given(st.floats(-60, 0))
def test_it_is_as_loud_as_the_sound_within_limits(level_db: float) -> None:
    noise = np.random.default_rng(0).standard_normal((2, 3 * RATE_HZ)).astype(np.float32)
    noise[:, RATE_HZ:] = 0  # a pause does not make it softer
    noise *= np.float32(10 ** (level_db / 20) / noise[:, :RATE_HZ].std())
    samples = Disclaimer(RATE_HZ, 2).samples(noise)
    sounding = samples[:, : round(SOUNDING_S * RATE_HZ)].astype(np.float64)
    found_db = 10 * np.log10((sounding**2).mean())
    assert found_db == pytest.approx(np.clip(level_db, SOFTEST_DBFS, LOUDEST_DBFS), abs=0.6)
    assert np.abs(samples).max() < 0.5


@pytest.mark.parametrize("length", [0, 10, 3 * RATE_HZ])
def test_before_silence_it_has_the_usual_level(length: int) -> None:
    assert loudness_dbfs(np.zeros((1, length), np.float32), RATE_HZ) == USUAL_DBFS


def test_silence_follows() -> None:
    samples = Disclaimer(RATE_HZ, 1).samples(np.zeros((1, 0), np.float32))
    assert samples.shape == (1, round((SOUNDING_S + SILENCE_S) * RATE_HZ))
    assert not samples[:, round(SOUNDING_S * RATE_HZ) :].any()
    assert samples.dtype == np.float32


def test_every_language_of_the_label_has_a_text() -> None:
    texts = {Disclaimer(RATE_HZ, 1, language=language).text for language in TEXTS}
    assert len(texts) == len(TEXTS)
    with pytest.raises(UsageError, match="xx"):
        Disclaimer(RATE_HZ, 1, language="xx")
