from __future__ import annotations

import ctypes
import signal
import threading
from collections.abc import Iterator

import cv2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.pipelines.ahead import opencv_on_one_thread, run_ahead, run_apart


class Stop(Exception):  # noqa: N818
    """Raised on purpose."""


def is_running() -> bool:
    return any(thread.name.startswith("run-ahead") for thread in threading.enumerate())


@settings(deadline=None, max_examples=40)
@given(st.lists(st.none() | st.integers() | st.text(max_size=3), max_size=40), st.integers(1, 5))
def test_everything_comes_in_order(items: list[object], size: int) -> None:
    with run_ahead(items, size) as stream:
        assert list(stream) == items
    assert not is_running()


@pytest.mark.parametrize("error", [Stop("so"), KeyboardInterrupt(), ValueError("x")], ids=repr)
@pytest.mark.parametrize("after", [0, 1, 7])
def test_an_exception_comes_in_its_place(error: BaseException, after: int) -> None:
    def items() -> Iterator[int]:
        yield from range(after)
        raise error

    seen = []
    with pytest.raises(type(error)) as caught, run_ahead(items(), 3) as stream:
        for item in stream:
            seen.append(item)
    assert caught.value is error
    assert seen == list(range(after))
    assert not is_running()


@pytest.mark.parametrize("taken", [0, 1, 5])
def test_leaving_early_stops_the_thread_and_closes_the_generator(taken: int) -> None:
    closed = []

    def endless() -> Iterator[int]:
        n = 0
        try:
            while True:
                yield n
                n += 1
        finally:
            closed.append(threading.current_thread().name)

    with run_ahead(endless(), 2) as stream:
        for expected in range(taken):
            assert next(stream) == expected
    assert closed == ["run-ahead"]
    assert not is_running()


def test_an_exception_in_the_block_stops_the_thread() -> None:
    def endless() -> Iterator[int]:
        while True:
            yield 1

    with pytest.raises(Stop), run_ahead(endless(), 2) as stream:
        next(stream)
        raise Stop
    assert not is_running()


@pytest.mark.parametrize("size", [1, 4])
def test_it_is_never_further_ahead_than_allowed(size: int) -> None:
    made = 0
    moved_on = threading.Event()

    def items() -> Iterator[int]:
        nonlocal made
        for n in range(50):
            made = n + 1
            if n >= size:
                moved_on.set()
            yield n

    with run_ahead(items(), size) as stream:
        assert moved_on.wait(10), "it begins before anybody asks"
        for taken, _ in enumerate(stream, 1):
            # As many as may wait, one that waits to be put, and the one in hand.
            assert made <= taken + size + 1


def test_what_runs_ahead_runs_in_another_thread() -> None:
    def items() -> Iterator[int]:
        yield threading.get_ident()

    with run_ahead(items(), 1) as stream:
        assert next(stream) != threading.get_ident()


def test_one_may_run_ahead_of_another() -> None:
    def doubled() -> Iterator[int]:
        with run_ahead(range(1000), 2) as inner:
            for n in inner:
                yield 2 * n

    with run_ahead(doubled(), 2) as stream:
        assert [next(stream) for _ in range(5)] == [0, 2, 4, 6, 8]
    assert not is_running()


def test_work_apart() -> None:
    assert run_apart(threading.current_thread) is not threading.main_thread()
    assert run_apart(lambda: None) is None
    with pytest.raises(Stop, match="so"):
        run_apart(lambda: stop("so"))
    assert not is_running()


def stop(why: str) -> None:
    raise Stop(why)


def press_ctrl_c_in_a_callback() -> None:
    """As if it came while C code calls into Python: such a function cannot hand an exception on."""
    ctypes.CFUNCTYPE(None)(lambda: signal.raise_signal(signal.SIGINT))()


def test_ctrl_c_in_a_callback_of_c_is_not_swallowed() -> None:
    with pytest.raises(KeyboardInterrupt):
        run_apart(press_ctrl_c_in_a_callback)
    assert not is_running()


def test_opencv_gets_its_threads_back() -> None:
    before = cv2.getNumThreads()
    with pytest.raises(Stop), opencv_on_one_thread():
        assert cv2.getNumThreads() == 1
        raise Stop
    assert cv2.getNumThreads() == before
