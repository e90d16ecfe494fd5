"""Saying a text: read by a plain voice, converted, sealed."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import likeness
from likeness.errors import MediaNotFound, MissingExtra, OutputExists, Unsupported, UsageError
from likeness.pipelines import say as module
from likeness.pipelines.say import LONGEST_TEXT, Hibari, say
from likeness.types import Floats, ModelRef

from ..voice_people import RATE_HZ, QuietTarget, corpus_record, make_voice, speech


class Reader:
    """Says every sentence with the same words."""

    rate_hz = RATE_HZ
    models = (ModelRef("a plain voice", "12" * 32),)

    def __init__(self, sound: Floats) -> None:
        self._sound = sound
        self.read_at: list[float] = []
        self.held: list[weakref.ref[Floats]] = []

    def read(self, text: str, speed: float) -> Iterator[Floats]:
        self.read_at.append(speed)
        for _ in text.split("."):
            sentence = self._sound.copy()
            self.held.append(weakref.ref(sentence))
            yield sentence
            del sentence
            assert sum(one() is not None for one in self.held) <= 1, "what was read piles up"


@pytest.fixture
def quiet(tmp_path: Path) -> QuietTarget:
    return QuietTarget(make_voice(corpus_record(tmp_path)))


def test_a_text(quiet: QuietTarget, tmp_path: Path) -> None:
    made = say("The box was thrown beside the parked truck.", voice=quiet.target, out=tmp_path / "a.wav")
    assert made.source is None
    assert made.rate_hz == 24_000
    assert 2 < made.duration_s < 5
    found = likeness.verify(made.path)
    assert (found.state, found.act) == ("valid", "voice")
    assert found.ingredients == ()
    assert any(one.name.startswith("hibari-tts 0.2.1") for one in made.making.models)
    # The text is not told, but whoever knows it can show that it was this one.
    words = b"The box was thrown beside the parked truck."
    assert made.making.parameters["text_sha256"] == hashlib.sha256(words).hexdigest()
    assert b"parked truck" not in made.path.read_bytes()


def test_the_same_text_is_read_in_the_same_way() -> None:
    first, second = (np.concatenate([*Hibari().read("Rice is served in round bowls.", 1.0)]) for _ in "ab")
    np.testing.assert_array_equal(first, second)
    slow = np.concatenate([*Hibari().read("Rice is served in round bowls.", 0.5)])
    assert len(slow) > 1.6 * len(first)


def test_sentences_are_joined(quiet: QuietTarget, tmp_path: Path) -> None:
    reader = Reader(speech()[: 2 * RATE_HZ])
    made = say("One. Two. Three", voice=quiet.target, out=tmp_path / "a.wav", speaker=reader, speed=1.5)
    assert made.duration_s == pytest.approx(3 * 2.25)
    assert reader.read_at == [1.5]


@pytest.mark.parametrize("text", ["", " \n", "…!?", "x" * (LONGEST_TEXT + 1)])
def test_nothing_to_say_or_too_much(quiet: QuietTarget, tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError):
        say(text, voice=quiet.target, out=tmp_path / "a.wav", speaker=Reader(speech()))


@pytest.mark.parametrize("text", ["Привет мир", "你好", "Hi, Ευρωπαίοι 12"])
def test_other_letters(quiet: QuietTarget, tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="not Latin"):
        say(text, voice=quiet.target, out=tmp_path / "a.wav")
    reader = Reader(speech()[: 2 * RATE_HZ])  # another voice may know them
    assert say(text, voice=quiet.target, out=tmp_path / "a.wav", speaker=reader).duration_s > 2


def test_what_is_heard_in_the_reading_is_told(quiet: QuietTarget, tmp_path: Path) -> None:
    loud = Reader(np.clip(speech()[: 3 * RATE_HZ] * 20, -1, 1))
    made = say("One.", voice=quiet.target, out=tmp_path / "a.wav", speaker=loud)
    assert any("clipped" in one for one in made.warnings)
    made = say("Rice is often served in round bowls, naïve café.", voice=quiet.target, out=tmp_path / "b.wav")
    assert made.warnings == ("It was turned down.",)


def test_what_cannot_be(quiet: QuietTarget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "a.wav"
    with pytest.raises(MediaNotFound):
        say("Hello.", voice=tmp_path / "none.voice", out=out)
    with pytest.raises(UsageError):
        say("Hello.", voice=quiet.target, out=out, speed=3)
    with pytest.raises(UsageError):
        say("Hello.", voice=quiet.target, out=out, sing=True)
    with pytest.raises(Unsupported):
        say("Hello.", voice=quiet.target, out=tmp_path / "a.mp4")
    out.touch()
    with pytest.raises(OutputExists):
        say("Hello.", voice=quiet.target, out=out)

    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(module.importlib, "import_module", missing)
    with pytest.raises(MissingExtra, match="hibari"):
        say("Hello.", voice=quiet.target, out=tmp_path / "b.wav")


def test_what_cannot_be_read_out(quiet: QuietTarget, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="read out"):
        say("one", voice=quiet.target, out=tmp_path / "a.wav", speaker=Reader(np.zeros(0, np.float32)))
