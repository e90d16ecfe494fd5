"""Index files in the format of faiss, written by hand so that any part of them can be wrong."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

from likeness.types import Floats


def index_bytes(
    lists: Sequence[Floats], centres: Floats, *, probes: int = 1, metric: int = 1, sparse: bool = False
) -> bytes:
    """An IVF-Flat index that holds these vectors, (n, channels) float32 each."""
    channels, count = centres.shape[1], sum(map(len, lists))
    sizes = [len(one) for one in lists]
    kept = (
        [value for number, size in enumerate(sizes) if size for value in (number, size)] if sparse else sizes
    )
    parts = [
        b"IwFl",
        _header(channels, count, metric),
        struct.pack("<QQ", len(lists), probes),
        b"IxF2",
        _header(channels, len(centres), 1),
        struct.pack("<Q", centres.size),
        centres.astype("<f4").tobytes(),
        struct.pack("<BQ", 0, 0),
        b"ilar",
        struct.pack("<QQ", len(lists), 4 * channels),
        b"sprs" if sparse else b"full",
        struct.pack(f"<Q{len(kept)}Q", len(kept), *kept),
    ]
    at = 0
    for one in lists:
        parts += [one.astype("<f4").tobytes(), np.arange(at, at + len(one), dtype="<i8").tobytes()]
        at += len(one)
    return b"".join(parts)


def _header(channels: int, count: int, metric: int) -> bytes:
    return struct.pack("<iqqq?i", channels, count, 1 << 20, 1 << 20, True, metric)
