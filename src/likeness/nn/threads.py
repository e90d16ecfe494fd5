"""How many threads torch computes on while a voice is learned or converted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def spare_a_core() -> Iterator[None]:
    """Leave one core free, for networks that are so small that threads mostly wait for each other.

    Waiting, they spin. Where something else runs on a core of theirs, each of the thousands of meetings
    takes a time slice, and half a minute becomes several.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, min(before, (os.cpu_count() or 1) - 1)))
    try:
        yield
    finally:
        torch.set_num_threads(before)
