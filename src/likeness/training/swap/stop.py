"""Ctrl-C ends a training between two steps, so that what is saved then is whole."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def between_steps() -> Iterator[Callable[[], bool]]:
    """Within the block the first Ctrl-C is only noted; a second one interrupts at once, as ever.

    Where somebody else handles Ctrl-C, or in another thread than the main one, everything stays as it is.

    Yields:
        what says whether it was pressed.
    """
    pressed = False
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield lambda: False
        return

    def note(*_: object) -> None:
        nonlocal pressed
        pressed = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, note)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
