"""Letting one stage run ahead of the next, in a thread of its own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeAlias, TypeVar

import cv2

T = TypeVar("T")
_Entry: TypeAlias = tuple[T | None, BaseException | None, bool]
_POLL_S = 0.1


@contextmanager
def run_ahead(items: Iterable[T], size: int) -> Iterator[Iterator[T]]:
    """The same items, made in another thread from now on, at most `size` of them in advance.

    An exception of the other thread is raised where the items are used, in its place. Leaving the block stops
    the thread; if `items` is a generator, it is closed there.
    """
    waiting: queue.Queue[_Entry[T]] = queue.Queue(size)
    stop = threading.Event()

    def put(entry: _Entry[T]) -> None:
        while not stop.is_set():
            try:
                waiting.put(entry, timeout=_POLL_S)
            except queue.Full:
                continue
            return

    def work() -> None:
        try:
            for item in items:
                put((item, None, False))
                if stop.is_set():
                    break
            if isinstance(items, Generator):
                items.close()
        except BaseException as error:  # noqa: BLE001 - it is raised again where the items are used
            put((None, error, True))
        else:
            put((None, None, True))

    thread = threading.Thread(target=work, name="run-ahead", daemon=True)
    try:
        thread.start()  # in here, since a Ctrl-C may come while it waits for the thread to be there
        yield _received(waiting)
    finally:
        stop.set()
        if thread.is_alive():
            thread.join()


def run_apart(work: Callable[[], T]) -> T:
    """What `work` returns, run in a thread of its own while this one waits.

    Where C code calls back into Python, as numba's compiler and its cache do, a Ctrl-C that lands in such a
    callback is swallowed there. Signals only ever reach the main thread, so nothing of that kind runs in it.
    The work is not broken off; who does not want to wait for its end presses Ctrl-C again.
    """

    def once() -> Iterator[T]:
        yield work()

    with run_ahead(once(), 1) as made:
        return next(made)


@contextmanager
def opencv_on_one_thread() -> Iterator[None]:
    """OpenCV computes in the calling thread alone, in the whole process, until the block is left.

    Its other threads wait for more work at full speed, and take the cores from the stages that run beside.
    """
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _received(waiting: queue.Queue[_Entry[T]]) -> Iterator[T]:
    while True:
        try:  # in turns, since on Windows no Ctrl-C gets through while one waits
            item, error, last = waiting.get(timeout=_POLL_S)
        except queue.Empty:
            continue
        if error is not None:
            raise error
        if last:
            return
        yield item  # type: ignore[misc]
