"""Long sounds in blocks, and other sampling rates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.engines.voice.blocks import BLOCK, CONTEXT, cut_blocks, join_blocks
from likeness.engines.voice.envelope import HOP
from likeness.engines.voice.top import add_top
from likeness.types import Floats


def noise(count: int) -> Floats:
    return np.random.default_rng(0).standard_normal(count, np.float32) * np.float32(0.1)


def pieces(sound: Floats, size: int) -> Iterator[Floats]:
    for begin in range(0, len(sound), size):
        yield sound[begin : begin + size]


@settings(max_examples=30)
@given(
    count=st.integers(0, 5 * BLOCK * HOP),
    size=st.integers(1000, 700_000),
)
def test_blocks_that_are_not_changed_join_to_the_sound(count: int, size: int) -> None:
    sound = noise(count)
    made = [np.zeros(0, np.float32)]
    made += join_blocks((block, block.samples) for block in cut_blocks(pieces(sound, size)))
    np.testing.assert_allclose(np.concatenate(made), sound, atol=1e-6)


def test_every_frame_is_heard_once_and_in_its_place() -> None:
    sound = noise(int(2.7 * BLOCK) * HOP + 77)
    heard: list[Floats] = []
    for block in cut_blocks(pieces(sound, 4096)):
        assert len(block.samples) % (2 * HOP) == 0
        begin = block.begin * HOP
        inside = sound[begin : begin + len(block.samples)]
        np.testing.assert_array_equal(block.samples[: len(inside)], inside)
        heard.append(block.samples[block.heard * HOP :])
    together = np.concatenate(heard)
    np.testing.assert_array_equal(together[: len(sound)], sound)
    assert not together[len(sound) :].any()


def test_blocks_do_not_grow() -> None:
    largest = max(
        len(block.samples) for block in cut_blocks(np.zeros(16_000, np.float32) for _ in range(120))
    )
    assert largest <= (BLOCK + 3 * CONTEXT) * HOP + 16_000


def halve(blocks: Iterable[Floats]) -> Iterator[Floats]:
    """Gives late, and half as loud."""
    kept = list(blocks)
    for block in kept:
        yield block * np.float32(0.5)


@pytest.mark.parametrize("rate_hz", [16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("keep_top", [False, True])
@pytest.mark.parametrize("count", [0, 1, 999, 50_001])
def test_as_much_comes_out_as_went_in(rate_hz: int, keep_top: bool, count: int) -> None:
    made = [np.zeros(0, np.float32), *add_top(pieces(noise(count), 7000), rate_hz, halve, keep_top=keep_top)]
    assert sum(map(len, made)) == count


def band(sound: Floats, low_hz: float, high_hz: float, rate_hz: int) -> float:
    """Power between two frequencies."""
    spectrum = np.abs(np.fft.rfft(sound)) ** 2
    hz = np.fft.rfftfreq(len(sound), 1 / rate_hz)
    return float(spectrum[(hz >= low_hz) & (hz < high_hz)].sum())


def test_above_8_khz_there_is_nothing_unless_it_is_kept() -> None:
    sound = noise(96_000)
    for keep_top, share in ((False, 0.0), (True, 0.25)):
        made = np.concatenate(list(add_top(pieces(sound, 9000), 48_000, halve, keep_top=keep_top)))
        assert band(made, 300, 7000, 48_000) / band(sound, 300, 7000, 48_000) == pytest.approx(0.25, rel=0.05)
        high = band(made, 9000, 22_000, 48_000) / band(sound, 9000, 22_000, 48_000)
        assert high == pytest.approx(share, abs=0.03)
