from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.motion.smooth import OneEuro
from likeness.types import Floats

NOISE = np.random.default_rng(1).normal(0, 0.02, (300, 4)).astype(np.float32)


def filtered(values: Floats, *, cutoff_hz: float, beta: float = 0.0) -> Floats:
    calm = OneEuro(30, cutoff_hz, beta)
    return np.array([calm(value) for value in values])


@given(st.floats(-1e3, 1e3), st.floats(0.1, 10), st.floats(0, 5))
def test_what_rests_stays(value: float, cutoff_hz: float, beta: float) -> None:
    still = np.full((20, 3), value, np.float32)
    assert filtered(still, cutoff_hz=cutoff_hz, beta=beta) == pytest.approx(still, rel=1e-5)


def test_a_lower_cutoff_calms_more() -> None:
    spread = [filtered(NOISE, cutoff_hz=cutoff_hz).std() for cutoff_hz in (0.5, 2, 8)]
    assert spread[0] < spread[1] < spread[2] < NOISE.std()


def test_quick_movement_is_followed_more_closely() -> None:
    ramp = np.linspace(0, 10, 60, dtype=np.float32)[:, None]
    lag = [float((ramp - filtered(ramp, cutoff_hz=0.5, beta=beta))[-1, 0]) for beta in (0, 1)]
    assert 0 < lag[1] < 0.2 * lag[0]


def test_the_callers_array_is_not_kept() -> None:
    calm, value = OneEuro(30, 1, 0), np.ones(3, np.float32)
    calm(value)
    value[:] = 9
    assert calm(np.ones(3, np.float32)) == pytest.approx(np.ones(3))
