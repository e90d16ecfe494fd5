"""How much memory an ID3v2 tag takes, which is where MP3 and FLAC files carry their credentials.

A tag may hold frames that are compressed, with a claim of their size that need not be true; so each counts
with the most that deflate can make of it. ID3v2.2 to 2.4, https://id3.org: "Developer Information".
"""

from __future__ import annotations

from typing import BinaryIO

from likeness.disclosure.credentials.store import MAX_STORE_BYTES

_MOST_EXPANSION = 1032
"""Deflate: two bits stand for 258 bytes at best."""
_UNSYNCHRONISED, _EXTENDED = 0x80, 0x40


def id3_bytes(file: BinaryIO, end: int) -> int:
    """The memory for the tag at the beginning of a file, at most; 0 where there is none."""
    file.seek(0)
    head = file.read(10)
    if len(head) < 10 or head[:3] != b"ID3":
        return 0
    version, flags = head[3], head[5]
    size = min(_synchsafe(head[6:10]), end - 10)
    if size > MAX_STORE_BYTES:  # too large for what it should be, so nothing of it is read
        return size
    tag = file.read(size)
    if flags & _UNSYNCHRONISED and version < 4:
        tag = tag.replace(b"\xff\x00", b"\xff")
    at = 0
    if flags & _EXTENDED and version >= 3:
        at = _synchsafe(tag[:4]) if version == 4 else 4 + int.from_bytes(tag[:4], "big")
    return _frames_bytes(tag, at, version)


def _frames_bytes(tag: bytes, at: int, version: int) -> int:
    """What the frames take, the first of which lies at `at`."""
    total = 0
    header = 6 if version == 2 else 10
    while at + header <= len(tag) and tag[at]:
        if version == 2:
            size, is_compressed = int.from_bytes(tag[at + 3 : at + 6], "big"), False
        else:
            raw = tag[at + 4 : at + 8]
            size = _synchsafe(raw) if version == 4 else int.from_bytes(raw, "big")
            is_compressed = bool(tag[at + 9] & (0x08 if version == 4 else 0x80))
        at += header
        total += min(size, len(tag) - at) * (_MOST_EXPANSION if is_compressed else 1)
        at += size
    return total


def _synchsafe(data: bytes) -> int:
    """Seven bits of each byte."""
    number = 0
    for byte in data:
        number = number << 7 | byte & 0x7F
    return number
