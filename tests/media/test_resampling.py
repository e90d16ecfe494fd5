"""A stream at another sampling rate: in step, and to the sample as long, however it is cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.media.resampling import resample_stream
from likeness.types import Floats


def tone(rate_hz: int, seconds: float, hz: float = 440.0) -> Floats:
    return np.sin(2 * np.pi * hz * np.arange(round(rate_hz * seconds)) / rate_hz).astype(np.float32)


@pytest.mark.parametrize(
    ("from_hz", "to_hz"), [(16_000, 48_000), (44_100, 16_000), (40_000, 44_100), (24_000, 24_000)]
)
def test_the_same_tone_in_the_same_place(from_hz: int, to_hz: int) -> None:
    blocks = np.array_split(tone(from_hz, 2.0), 7)
    made = np.concatenate([*resample_stream(blocks, from_hz, to_hz)])
    expected = tone(to_hz, 2.0)
    assert len(made) == len(expected)
    edge = to_hz // 20
    np.testing.assert_allclose(made[edge:-edge], expected[edge:-edge], atol=2e-3)


@settings(max_examples=40)
@given(
    cuts=st.lists(st.integers(0, 3000), min_size=1, max_size=6),
    to_hz=st.sampled_from([8000, 11_025, 22_050, 44_100, 48_000]),
)
def test_lengths(cuts: list[int], to_hz: int) -> None:
    blocks = [np.zeros(count, np.float32) for count in cuts]
    made = sum(len(block) for block in resample_stream(blocks, 16_000, to_hz))
    assert made == round(sum(cuts) * to_hz / 16_000)
