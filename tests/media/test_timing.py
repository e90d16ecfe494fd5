from __future__ import annotations

import itertools
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.media.timing import FALLBACK_RATE, STANDARD_RATES, Clock, Timing, choose_timing

# Ticks of GIF, Matroska, MPEG and MP4, with rates they can tell apart from their neighbours' frames.
TICKS_AND_RATES = [
    (tick_s, rate)
    for tick_s in (Fraction(1, 100), Fraction(1, 1000), Fraction(1, 90000), Fraction(1, 12800))
    for rate in STANDARD_RATES
    if rate * tick_s <= Fraction(1, 3)
]


@settings(max_examples=40, deadline=None)
@given(
    tick_and_rate=st.sampled_from(TICKS_AND_RATES),
    start=st.integers(0, 10**7),
    truncates=st.booleans(),
    declares=st.booleans(),
)
def test_a_constant_rate_is_recovered(
    tick_and_rate: tuple[Fraction, Fraction], start: int, truncates: bool, declares: bool
) -> None:
    """However coarsely its timestamps are rounded, and whether or not the file says it."""
    tick_s, rate = tick_and_rate
    exact = [start + index / rate / tick_s for index in range(1000)]
    ticks = [int(each) if truncates else round(each) for each in exact]
    timing = choose_timing(ticks, [rate if declares else None, Fraction(50)], tick_s)
    assert (timing.rate, timing.variable) == (rate, False)
    assert [timing.index_of((tick - ticks[0]) * tick_s) for tick in ticks] == list(range(1000))


@settings(max_examples=40, deadline=None)
@given(
    rate=st.sampled_from([Fraction(24), Fraction(30000, 1001), Fraction(60)]),
    jitter=st.lists(st.integers(-30, 30), min_size=300, max_size=300),
)
def test_the_jitter_of_cameras_is_not_a_variable_rate(rate: Fraction, jitter: list[int]) -> None:
    ticks = [round((index + each / 100) / rate * 90000) for index, each in enumerate(jitter)]
    timing = choose_timing(ticks, [Fraction(2997, 100)], Fraction(1, 90000))
    assert not timing.variable
    assert abs(timing.rate - rate) <= rate / 300
    assert [timing.index_of(Fraction(tick - ticks[0], 90000)) for tick in ticks] == list(range(300))


@settings(deadline=None)
@given(steps_ms=st.lists(st.integers(1, 400), min_size=2, max_size=200))
def test_any_timestamps_give_a_usable_rate(steps_ms: list[int]) -> None:
    ticks = list(itertools.accumulate(steps_ms))
    timing = choose_timing(ticks, [None], Fraction(1, 1000))
    assert 1 <= timing.rate <= (60 if timing.variable else 1000)
    times = [Fraction(tick - ticks[0], 1000) for tick in ticks]
    places = [timing.index_of(time) for time in times]
    assert places == sorted(places)
    assert places[0] == 0
    # Nothing is shown more than a frame before its time.
    assert all(
        place / timing.rate > time - 1 / timing.rate for place, time in zip(places, times, strict=True)
    )


@pytest.mark.parametrize("stamps", [[], [3], [3, 3]])
@pytest.mark.parametrize(
    ("declared", "rate"), [([], FALLBACK_RATE), ([Fraction(30)], 30), ([Fraction(100)], 25)]
)
def test_too_few_frames_to_tell(stamps: list[int], declared: list[Fraction], rate: Fraction) -> None:
    """A GIF of one frame claims 100 frames a second."""
    assert choose_timing(stamps, declared, Fraction(1, 100)) == Timing(
        Fraction(rate), False, Fraction(1, 100)
    )


def test_clock_counts_from_the_first_frame() -> None:
    clock = Clock(Fraction(7), Fraction(1, 25))
    assert [clock.read(Fraction(7)), clock.read(Fraction(8))] == [0, 1]
    assert clock.read(None) == Fraction(26, 25)
    assert clock.read(Fraction(8) + Fraction(2, 25)) == Fraction(27, 25)


@pytest.mark.parametrize("jump_s", [10**9, -5, -(10**9)])
def test_clock_closes_wild_jumps(jump_s: int) -> None:
    """No file can make endless output, and a clock set back does not end the video."""
    clock = Clock(Fraction(0), Fraction(1, 25))
    clock.read(Fraction(0))
    clock.read(Fraction(10))
    assert clock.read(Fraction(10 + jump_s)) == 10 + Fraction(1, 25)
    assert clock.read(Fraction(10 + jump_s + 1)) == 11 + Fraction(1, 25)


def test_clock_allows_long_stills() -> None:
    clock = Clock(Fraction(0), Fraction(1, 25))
    assert [clock.read(Fraction(time)) for time in (0, 40, 39, 80)] == [0, 40, 39, 80]
