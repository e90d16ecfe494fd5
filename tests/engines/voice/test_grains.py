"""Units are chosen for what they say, how high, and for what they were beside."""

from __future__ import annotations

import numpy as np
import pytest

from likeness.engines.voice import grains as grains_module
from likeness.engines.voice.envelope import HOP, RATE_HZ
from likeness.engines.voice.grains import UNIT, Costs, Grains, Wanted
from likeness.engines.voice.psola import place_marks

from .spoken import SOUND_S, speak, turns_of

EACH = round(SOUND_S * RATE_HZ / UNIT)


def want(sounds: list[int], pitch_hz: float = 140) -> Wanted:
    """What the made-up speaker of another size says."""
    said = speak(sounds, pitch_hz, stretch=1.15, seed=7)
    return Wanted(said.content, said.f0_hz[::2], said.voiced[::2], said.envelope[::2])


@pytest.fixture(scope="module")
def grains() -> Grains:
    return Grains.cut([speak([0, 1, 2, 3, -1, 0, 2, 1], 110), speak([3, -1, 2, 0, 1, 3], 120, seed=1)])


def said(grains: Grains, units: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[int]:
    """The sound that most units of each stretch are of."""
    rows = grains.content[units].argmax(1)
    rows = np.where(rows == 143, -1, rows)
    return [int(np.bincount(part + 1).argmax()) - 1 for part in rows.reshape(-1, EACH)]


def test_units_say_what_is_wanted(grains: Grains) -> None:
    sounds = [2, 0, -1, 3, 1]
    assert said(grains, grains.choose(want(sounds))) == sounds


def test_what_was_recorded_as_it_is_wanted_is_taken_whole(grains: Grains) -> None:
    original = speak([0, 1, 2, 3, -1, 0, 2, 1], 110)
    wanted = Wanted(original.content, original.f0_hz[::2], original.voiced[::2], original.envelope[::2])
    assert (np.diff(grains.choose(wanted)) == 1).mean() > 0.95


def test_dear_joins_are_few(grains: Grains) -> None:
    wanted = want([2, 0, -1, 3, 1])
    joins = [(np.diff(grains.choose(wanted, Costs(join=cost))) != 1).sum() for cost in (0.0, 0.3)]
    assert joins[1] < joins[0]


def test_one_recording_is_not_followed_into_the_next(grains: Grains) -> None:
    ends = np.flatnonzero(~grains.goes_on)
    assert ends.tolist() == [8 * EACH - 1, 14 * EACH - 1]


def test_pitch_decides_between_equals() -> None:
    low, high = speak([0, 1], 100), speak([0, 1], 200, seed=2)
    both = Grains.cut([low, high])
    for pitch_hz, begin in ((105, 0), (190, 2 * EACH)):
        units = both.choose(want([0, 1], pitch_hz), Costs(pitch=2.0))
        assert (units // (2 * EACH) * 2 * EACH == begin).mean() > 0.9


def test_searching_in_blocks_finds_the_same(grains: Grains, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = want([2, 0, -1, 3, 1])
    whole = grains.choose(wanted)
    monkeypatch.setattr(grains_module, "_BLOCK", 31)
    assert np.array_equal(grains.choose(wanted), whole)


def test_units_in_their_own_order_and_pitch_are_the_recording(grains: Grains) -> None:
    original = speak([0, 1, 2, 3, -1, 0, 2, 1], 110)
    count = len(original.samples)
    # The recording's own phase: marks are where it is loudest, and cosines are so at every whole turn.
    wanted = place_marks(turns_of(original.f0_hz)[1 : count + 1], original.voiced, RATE_HZ)
    found = grains.say(np.arange(8 * EACH), wanted, count)
    for number in range(8):
        middle = slice(number * EACH * UNIT + 4 * HOP, (number + 1) * EACH * UNIT - 4 * HOP)
        assert np.corrcoef(found[middle], original.samples[middle])[0, 1] > 0.95


@pytest.mark.parametrize(("size", "k"), [(5, 24), (24, 24), (400, 24), (2000, 24), (4097, 3), (640, 40)])
def test_the_highest_are_found(size: int, k: int) -> None:
    scores = np.random.default_rng(size).normal(size=(7, size)).astype(np.float32)
    found = np.sort(grains_module._highest(scores, k), axis=1)
    assert np.array_equal(found, np.sort(np.argsort(-scores, axis=1)[:, :k], axis=1))
