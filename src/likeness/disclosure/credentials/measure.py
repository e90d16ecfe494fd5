"""What a file would cost c2pa, found out before c2pa takes it into memory or walks through it.

Only headers are read, nothing is held that a header merely claims, and every walk has an end. What lies
behind the last part that was looked at counts as credentials: nobody knows what it is.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import BinaryIO

from likeness.disclosure.credentials.measure_id3 import id3_bytes
from likeness.disclosure.credentials.store import MAX_STORE_BYTES

MAX_PARTS = 200_000
"""A PNG of 1.6 GB in the usual chunks of 8 KB. c2pa takes 10 to 50 µs for each part of a file …"""
MAX_BOXES = 50_000
"""… but in MP4 and its kin, time that grows with the square of their number: 20 s for so many at worst."""
MAX_SUB_BLOCKS = 1_000_000
"""Pieces of a GIF, of which honest ones hold 255 bytes each; c2pa takes 6 µs for one."""
MAX_JPEG_BYTES = 512 << 20
"""c2pa takes two and a half times the size of a JPEG in memory, whatever is in it."""

_C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")  # C2PA 2.2, "Embedding in BMFF-based files"
# The boxes into which c2pa descends.
_CONTAINERS = frozenset(
    b"moov trak mdia minf stbl moof traf edts udta dinf tref treg mvex mfra meta schi".split()
)
_TIFF_TAG, _TIFF_BYTES = 0xCD41, 7
_JPEG_MARKER = re.compile(rb"\xff[\x02-\xcf\xd9-\xfe]")  # not stuffed, no restart, no fill
_PIECE_BYTES = 1 << 20


@dataclass(slots=True)
class _Measured:
    """What was found: bytes of credentials, and how many parts (of a GIF also pieces) were met on the way."""

    stored: int = 0
    parts: int = 0
    sub_blocks: int = 0


def find_excess(file: BinaryIO, kind: str) -> str:
    """Why c2pa should not be given this file, in words that follow its name; "" where it may be.

    Leaves the file at its beginning.
    """
    measured = _measure(file, kind)
    end = file.seek(0, io.SEEK_END)
    file.seek(0)
    most = MAX_BOXES if _WALKS.get(kind) is _walk_boxes else MAX_PARTS
    if measured.parts > most:
        return f"is made of more than {most:,} parts"
    if measured.sub_blocks > MAX_SUB_BLOCKS:
        return f"is made of more than {MAX_SUB_BLOCKS:,} parts"
    if measured.stored > MAX_STORE_BYTES:
        return f"carries {measured.stored >> 20} MB of Content Credentials"
    if kind == "image/jpeg" and end > MAX_JPEG_BYTES:
        return f"is a JPEG of {end >> 20} MB"
    return ""


def stored_bytes(file: BinaryIO, kind: str) -> int:
    """How many bytes of credentials a file carries (MP3: of the tag that may hold them), or 0.

    Leaves the file at its beginning.
    """
    return _measure(file, kind).stored


def _measure(file: BinaryIO, kind: str) -> _Measured:
    end = file.seek(0, io.SEEK_END)
    walk = _WALKS.get(kind)
    try:
        return walk(file, end) if walk else _Measured()
    finally:
        file.seek(0)


def _walk_chunks(file: BinaryIO, end: int, at: int, layout: str, wanted: bytes, extra: int) -> _Measured:
    """The chunks of the wanted name; `extra` bytes follow each chunk."""
    found = _Measured()
    while found.stored <= MAX_STORE_BYTES and len(head := _read(file, at, 8)) == 8:
        if found.parts > MAX_PARTS:
            return _given_up(found, end - at)
        found.parts += 1
        first, second = struct.unpack(layout, head)
        size, name = (first, second) if isinstance(first, int) else (second, first)
        if name == wanted:
            found.stored += min(size, end - at)
        at += 8 + size + extra + (size % 2 if layout[0] == "<" else 0)
    return found


def _walk_png(file: BinaryIO, end: int) -> _Measured:
    return _walk_chunks(file, end, 8, ">I4s", b"caBX", extra=4)


def _walk_riff(file: BinaryIO, end: int) -> _Measured:
    return _walk_chunks(file, end, 12, "<4sI", b"C2PA", extra=0)


def _walk_boxes(file: BinaryIO, end: int) -> _Measured:
    """C2PA's `uuid` boxes at the top, or JPEG XL's `jumb`; boxes are counted at every depth."""
    found = _Measured()
    left = [(0, end, True)]
    while left:
        at, stop, is_top = left.pop()
        while at < stop and len(head := _read(file, at, 32)) >= 8:
            if found.parts > MAX_BOXES:
                return _given_up(found, end - at)
            found.parts += 1
            size, name = struct.unpack(">I4s", head[:8])
            begins = 8
            if size == 1 and len(head) >= 16:
                size, begins = int.from_bytes(head[8:16], "big"), 16
            elif size == 0:
                size = stop - at
            size = min(size, stop - at)
            is_store = name == b"jumb" or (name == b"uuid" and head[begins : begins + 16] == _C2PA_UUID)
            if is_top and is_store:
                found.stored += size
            if name in _CONTAINERS:
                left.append((at + begins + (4 if name == b"meta" else 0), at + size, False))
            at += max(size, 8)
    return found


def _walk_jpeg(file: BinaryIO, end: int) -> _Measured:
    """The APP11 segments (ISO 19566-5), before, between and behind the scans."""
    found = _Measured()
    at = 2
    while (at := _next_marker(file, at)) >= 0:
        if found.parts > MAX_PARTS:
            return _given_up(found, end - at)
        found.parts += 1
        head = _read(file, at, 4)
        if head[1] == 0xD9 or len(head) < 4:
            break
        size = int.from_bytes(head[2:], "big")
        if head[1] == 0xEB:
            found.stored += min(size, end - at)
        at += 2 + size
    return found


def _next_marker(file: BinaryIO, at: int) -> int:
    """Where the next marker of a segment (or of the end) is, from `at` on; −1 where there is none."""
    length = 16  # it mostly is right here, but a scan may be long
    while len(piece := _read(file, at, length)) > 1:
        if match := _JPEG_MARKER.search(piece):
            return at + match.start()
        at += len(piece) - 1  # a marker may lie across the border
        length = _PIECE_BYTES
    return -1


def _walk_gif(file: BinaryIO, end: int) -> _Measured:
    """The application extensions of C2PA, and the number of all blocks (GIF 89a, Appendix A)."""
    found = _Measured()
    screen = _read(file, 0, 13)
    if len(screen) < 13:
        return found
    file.seek(13 + _table_bytes(screen[10]))
    while found.parts <= MAX_PARTS and found.sub_blocks <= MAX_SUB_BLOCKS:
        found.parts += 1
        introducer = file.read(1)
        if introducer == b",":
            descriptor = file.read(9)
            if len(descriptor) < 9:
                return found
            file.seek(_table_bytes(descriptor[8]) + 1, io.SEEK_CUR)
            _skip_sub_blocks(file, found)
        elif introducer == b"!":
            head = file.read(13)
            file.seek(1 - len(head), io.SEEK_CUR)
            begin = file.tell()
            length = _skip_sub_blocks(file, found)
            if head[:10] == b"\xff\x0bC2PA_GIF":
                found.stored += max(min(length, end - begin), 0)
        else:  # the trailer, the end of the file, or something that c2pa does not know either
            return found
    return _given_up(found, end - file.tell())


def _table_bytes(flags: int) -> int:
    """The length of the colour table that these flags announce."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _skip_sub_blocks(file: BinaryIO, found: _Measured) -> int:
    """Goes behind the sub-blocks that begin here, and counts them; how many bytes that was."""
    begin = file.tell()
    while found.sub_blocks <= MAX_SUB_BLOCKS and (size := file.read(1)) and size != b"\x00":
        found.sub_blocks += 1
        file.seek(size[0], io.SEEK_CUR)
    return file.tell() - begin


def _walk_tiff(file: BinaryIO, end: int) -> _Measured:
    """The entries for C2PA in the chain of directories, which may be closed to a circle (TIFF 6.0, 2)."""
    found = _Measured()
    head = _read(file, 0, 8)
    order = "<" if head[:1] == b"I" else ">"
    seen: set[int] = set()
    at = struct.unpack(f"{order}I", head[4:])[0] if len(head) == 8 else 0
    while at and at not in seen and len(number := _read(file, at, 2)) == 2:
        seen.add(at)
        count = struct.unpack(f"{order}H", number)[0]
        table = _read(file, at + 2, 12 * count)
        for tag, kind, values, _ in struct.iter_unpack(f"{order}HHII", table[: len(table) // 12 * 12]):
            if (tag, kind) == (_TIFF_TAG, _TIFF_BYTES):
                found.stored = max(found.stored, min(values, end))  # c2pa takes one
        found.parts += 1 + count
        if found.parts > MAX_PARTS:
            return _given_up(found, end)
        following = _read(file, at + 2 + 12 * count, 4)
        at = struct.unpack(f"{order}I", following)[0] if len(following) == 4 else 0
    return found


def _walk_id3(file: BinaryIO, end: int) -> _Measured:
    return _Measured(id3_bytes(file, end))


def _given_up(found: _Measured, left: int) -> _Measured:
    return replace(found, stored=found.stored + max(left, 0))


def _read(file: BinaryIO, at: int, length: int) -> bytes:
    file.seek(at)
    return file.read(length)


_WALKS: dict[str, Callable[[BinaryIO, int], _Measured]] = {
    "image/png": _walk_png,
    **dict.fromkeys(("audio/wav", "video/x-msvideo", "image/webp"), _walk_riff),
    **dict.fromkeys(("video/mp4", "video/quicktime", "audio/mp4"), _walk_boxes),
    **dict.fromkeys(("image/heic", "image/heif", "image/avif", "image/jxl"), _walk_boxes),
    "image/jpeg": _walk_jpeg,
    "image/gif": _walk_gif,
    "image/tiff": _walk_tiff,
    "audio/mpeg": _walk_id3,  # and FLAC that carries any: its credentials lie in an ID3 tag at the front
}
