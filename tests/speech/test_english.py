"""Whether a recording sounds like English."""

from __future__ import annotations

import numpy as np
import pytest

from likeness.speech import english
from likeness.speech.english import LEAST, english_sureness, warn_language

from ..voice_people import RATE_HZ, speech


def test_english_sounds_like_it() -> None:
    sure = english_sureness(speech(), RATE_HZ)
    assert sure is not None
    assert sure > 0.8
    assert warn_language(speech(), RATE_HZ, "It") is None


def test_backwards_it_does_not() -> None:
    backwards = np.ascontiguousarray(speech()[::-1])
    sure = english_sureness(backwards, RATE_HZ)
    assert sure is not None
    assert sure < LEAST
    assert "English" in (warn_language(backwards, RATE_HZ, "It") or "")


def test_what_is_too_little_is_not_shown_as_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(english, "english_sureness", lambda *_, **__: LEAST - 0.001)
    assert "(0.64; English is 0.65 and more)" in (warn_language(speech(), RATE_HZ, "It") or "")


def test_nobody_can_tell() -> None:
    assert english_sureness(speech()[: RATE_HZ // 2], RATE_HZ) is None
    assert english_sureness(np.zeros(3 * RATE_HZ, np.float32), RATE_HZ) is None
