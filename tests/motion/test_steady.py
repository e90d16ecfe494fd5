from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.motion.frame import MotionFrame
from likeness.motion.steady import TREMBLE, WEIGHTS, steady
from likeness.types import Floats

from ..puppet import Puppet

STILL = Puppet().frame
SIZE_PX = float(np.ptp(STILL.points[:468, :2], axis=0).max())
EDGE = len(WEIGHTS) // 2


def moved(shift: Floats) -> list[MotionFrame]:
    """The same face at these places, (n, 2) px."""
    places = np.pad(shift, ((0, 0), (0, 1))).astype(np.float32)
    return [replace(STILL, points=STILL.points + place) for place in places]


@settings(deadline=None)
@given(st.integers(0, 60))
def test_every_frame_comes_once_and_in_order(count: int) -> None:
    frames = moved(np.random.default_rng(count).normal(0, 30, (count, 2)))
    out = list(steady(iter(frames)))
    assert len(out) == count
    for before, after in zip(frames, out, strict=True):
        assert after.points is before.points, "what was tracked stays as it is"
        assert after.steady is not None
        assert after.steady.dtype == np.float32


@settings(deadline=None)
@given(st.floats(-30, 30), st.floats(-30, 30), st.integers(1, 40))
def test_even_movement_does_not_lag(dx: float, dy: float, count: int) -> None:
    frames = moved(np.arange(count)[:, None] * np.array([[dx, dy]]))
    for number, frame in enumerate(steady(frames)):
        assert frame.steady is not None
        error = np.abs(frame.steady - frame.points).max()
        if EDGE <= number < count - EDGE:
            assert error < 1e-2
        # Where neighbours are missing, it is off by less than what counts as trembling.
        assert error < TREMBLE * SIZE_PX


def test_trembling_is_calmed() -> None:
    frames = moved(np.random.default_rng(5).normal(0, 0.1 * TREMBLE * SIZE_PX, (200, 2)))
    out = np.array([frame.steady for frame in steady(frames)])
    assert out.std(axis=0)[:, :2].max() < 0.7 * np.array([f.points for f in frames]).std(axis=0)[:, :2].min()


def test_a_jump_stays_sharp() -> None:
    frames = moved(np.repeat([[0.0, 0.0], [40.0, 0.0]], 6, axis=0))
    for frame in steady(frames):
        assert frame.steady == pytest.approx(frame.points, abs=0.05)


def test_frames_come_as_soon_as_their_neighbours_are_known() -> None:
    taken: list[int] = []

    def counted() -> object:
        for number, frame in enumerate(moved(np.zeros((50, 2)))):
            taken.append(number)
            yield frame

    stream = steady(counted())  # type: ignore[arg-type]
    for number in range(10):
        next(stream)
        assert len(taken) <= number + EDGE + 1
