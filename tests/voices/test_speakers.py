"""One voice, or two, and where."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from likeness.voices.screening import Screened, Stretch
from likeness.voices.speakers import PERHAPS_TWO, TWO_VOICES, Embedded, embed, split

from ..voice_people import RATE_HZ, speech


def screened(*stretches: Stretch, name: str = "a.wav") -> Screened:
    return Screened(Path(name), "ab" * 32, 60.0, stretches, ())


def heard(*stretches: Stretch, name: str = "a.wav") -> Embedded:
    found = embed(screened(*stretches, name=name))
    assert found is not None
    return found


def test_one_voice_stays_one() -> None:
    assert split([heard(Stretch(0.0, speech()))]).similarity > PERHAPS_TWO


def test_two_voices_and_where() -> None:
    other = speech(0.75)[: 8 * RATE_HZ]
    found = split(
        [heard(Stretch(0.0, speech()), Stretch(100.0, other)), heard(Stretch(0, speech()), name="b")]
    )
    assert found.similarity < TWO_VOICES
    (part,) = found.others
    assert part.file == "a.wav"
    assert part.begin_s == pytest.approx(100, abs=1.5)
    assert part.end_s == pytest.approx(108, abs=1.5)
    assert "a.wav from" in str(part)


def test_a_moment_is_no_voice() -> None:
    vectors = np.zeros((20, 256), np.float32)
    vectors[:, 0] = 1
    vectors[9, :2] = 0, 1
    found = split([Embedded("a", vectors, np.arange(20, dtype=np.float32))])
    assert found.others == () or found.similarity > PERHAPS_TWO


def test_times_are_those_of_the_file() -> None:
    found = heard(Stretch(5.0, speech()[: 4 * RATE_HZ]), Stretch(50.0, speech()[: 4 * RATE_HZ]))
    assert found.centres_s[0] == pytest.approx(5.8)
    assert found.centres_s[-1] > 50
    assert np.linalg.norm(found.mean) == pytest.approx(1, abs=1e-5)


def test_too_short_to_say() -> None:
    assert embed(screened(Stretch(0.0, speech()[:RATE_HZ]))) is None
