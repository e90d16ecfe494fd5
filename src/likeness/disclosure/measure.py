"""How large the credentials in a file say they are, before c2pa takes them into memory (several times)."""

from __future__ import annotations

import io
import struct
from typing import BinaryIO

_MAX_STEPS = 10_000  # more chunks than this before the credentials are not walked through
_C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")  # C2PA 2.2, "Embedding in BMFF-based files"


def stored_bytes(file: BinaryIO, kind: str) -> int:
    """The size that PNG, RIFF (WAV, AVI, WebP) and BMFF (MP4, MOV, HEIC, AVIF) files give their credentials.

    0 where they state none, and for the other kinds, whose formats hold them in small pieces or not at all.
    Leaves the file at its beginning.
    """
    end = file.seek(0, io.SEEK_END)
    try:
        if kind == "image/png":
            return _walk_chunks(file, 8, end, ">I4s", b"caBX", extra=4)
        if kind in ("audio/wav", "video/x-msvideo", "image/webp"):
            return _walk_chunks(file, 12, end, "<4sI", b"C2PA", extra=0)
        if kind in ("video/mp4", "video/quicktime", "audio/mp4", "image/heic", "image/heif", "image/avif"):
            return _walk_boxes(file, end)
        return 0
    finally:
        file.seek(0)


def _walk_chunks(file: BinaryIO, at: int, end: int, layout: str, wanted: bytes, extra: int) -> int:
    """The largest chunk of the wanted name; `extra` bytes follow each chunk."""
    largest = 0
    for _ in range(_MAX_STEPS):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            break
        first, second = struct.unpack(layout, head)
        size, name = (first, second) if isinstance(first, int) else (second, first)
        if name == wanted:
            largest = max(largest, min(size, end - at))
        at += 8 + size + extra + (size % 2 if layout[0] == "<" else 0)
    return largest


def _walk_boxes(file: BinaryIO, end: int) -> int:
    """The largest top-level `uuid` box that is C2PA's."""
    at = largest = 0
    for _ in range(_MAX_STEPS):
        file.seek(at)
        head = file.read(32)
        if len(head) < 8:
            break
        size, name = struct.unpack(">I4s", head[:8])
        begins = 8
        if size == 1 and len(head) >= 16:
            size, begins = int.from_bytes(head[8:16], "big"), 16
        elif size == 0:
            size = end - at
        if name == b"uuid" and head[begins : begins + 16] == _C2PA_UUID:
            largest = max(largest, min(size, end - at))
        if size < 8:
            break
        at += size
    return largest
