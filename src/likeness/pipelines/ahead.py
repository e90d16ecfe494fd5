"""Letting one stage run ahead of the next, in a thread of its own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
_POLL_S = 0.1


def run_ahead(items: Iterable[T], size: int) -> Iterator[T]:
    """The same items, made in another thread, at most `size` of them in advance.

    An exception of the other thread is raised here, in its place. Closing this iterator stops the thread.
    """
    waiting: queue.Queue[tuple[T | None, BaseException | None, bool]] = queue.Queue(size)
    stop = threading.Event()

    def put(entry: tuple[T | None, BaseException | None, bool]) -> None:
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
                    return
        except BaseException as error:  # noqa: BLE001 - it is raised again where the items are used
            put((None, error, True))
        else:
            put((None, None, True))

    thread = threading.Thread(target=work, name="run-ahead", daemon=True)
    thread.start()
    try:
        while True:
            item, error, last = waiting.get()
            if error is not None:
                raise error
            if last:
                return
            yield item  # type: ignore[misc]
    finally:
        stop.set()
        thread.join()
