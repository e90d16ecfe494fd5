"""Frames that are made several at once: the same frames, in their order, and none too many in memory."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
torch = pytest.importorskip("torch")

from likeness.engines.fomm.animator import Animator, Settings, render_ahead  # noqa: E402
from likeness.engines.fomm.checkpoint import build_pair  # noqa: E402
from likeness.engines.fomm.configuration import parse_configuration  # noqa: E402

from ...fomm_models import VALUES, content  # noqa: E402

FRAMES = 9


@pytest.fixture(params=[1, 2, 3])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def test_frames_are_the_same_as_one_after_the_other(threads: int) -> None:
    draw = np.random.default_rng(5)
    pictures = draw.integers(0, 256, (FRAMES, 64, 64, 3), np.uint8)
    pair = build_pair(parse_configuration(VALUES, "a.yaml"), content(), "a.pth", align_corners=True)
    animator = Animator(pair, pictures[0], Settings())
    animator.begin(pictures[0])
    together = list(render_ahead(animator.render, pictures))
    assert torch.get_num_threads() == threads, "as it was before"
    torch.set_num_threads(1)
    np.testing.assert_array_equal(together, [animator.render(picture) for picture in pictures])


def test_order_is_kept_and_only_a_few_are_begun(threads: int) -> None:
    taken = 0

    def numbers() -> Iterator[int]:
        nonlocal taken
        while taken < FRAMES:
            taken += 1
            yield taken

    def slow_if_odd(number: int) -> int:
        time.sleep(0.02 * (number % 2))
        return number

    for done, number in enumerate(render_ahead(slow_if_odd, numbers()), 1):
        assert number == done
        assert taken <= done + threads


def test_an_error_comes_out_and_leaves_nothing_running(threads: int) -> None:
    def fail_at_three(number: int) -> int:
        if number == 3:
            raise ValueError("three")
        return number

    made = render_ahead(fail_at_three, range(FRAMES))
    with pytest.raises(ValueError, match="three"):
        list(made)
    broken_off = render_ahead(fail_at_three, range(FRAMES))
    assert next(broken_off) == 0
    broken_off.close()
    assert torch.get_num_threads() == threads
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("likeness-fomm")]
