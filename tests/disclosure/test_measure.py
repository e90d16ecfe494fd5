"""How much c2pa would have to take in, for every kind of file that can carry credentials."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from likeness.disclosure.credentials.ingredients import one_pixel
from likeness.disclosure.credentials.measure import (
    _C2PA_UUID,
    MAX_BOXES,
    MAX_PARTS,
    MAX_SUB_BLOCKS,
    find_excess,
    stored_bytes,
)
from likeness.disclosure.credentials.signing import Credentials
from likeness.disclosure.credentials.store import MAX_STORE_BYTES
from likeness.disclosure.signer import identity

from .conftest import MakeMaking, moving_picture

JXL = b"\x00\x00\x00\x0cJXL \r\n\x87\n"
GIF = b"GIF89a\1\0\1\0\0\0\0"
FTYP = struct.pack(">I", 16) + b"ftypmp42" + bytes(4)
KINDS = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "tiff": "image/tiff",
    "jxl": "image/jxl",
    "webp": "image/webp",
    "wav": "audio/wav",
    "avi": "video/x-msvideo",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "heic": "image/heic",
}


def box(name: bytes, *content: bytes) -> bytes:
    data = b"".join(content)
    return struct.pack(">I", 8 + len(data)) + name + data


def riff(form: bytes, store: bytes) -> bytes:
    return (
        b"RIFF\0\0\0\0" + form + b"junk\1\0\0\0x\0" + b"C2PA" + struct.pack("<I", len(store)) + store + b"\0"
    )


def jpeg(store: bytes) -> bytes:
    """As c2pa writes it: pieces of 64,000 bytes, each behind 8 bytes of sequence and 8 that are repeated."""
    plain = io.BytesIO()
    Image.fromarray(moving_picture(0)).save(plain, "JPEG")
    pieces = [store[at : at + 64_000] for at in range(0, len(store), 64_000)]
    segments = [
        b"\xff\xeb" + struct.pack(">H", 18 + len(piece)) + b"JP\2\x11" + bytes(12) + piece for piece in pieces
    ]
    return plain.getvalue()[:2] + b"".join(segments) + plain.getvalue()[2:]


def gif(store: bytes) -> bytes:
    blocks = b"".join(
        bytes([len(piece)]) + piece for piece in (store[at : at + 255] for at in range(0, len(store), 255))
    )
    return (
        GIF
        + b"!\xfe\5hello\0"
        + b"!\xff\x0bC2PA_GIF\1\0\0"
        + blocks
        + b"\0"
        + b",\0\0\0\0\1\0\1\0\0\2\2D\1\0;"
    )


def tiff(store: bytes, order: str = "<", following: int = 0) -> bytes:
    entries = [(256, 3, 1, 1), (0xCD41, 7, len(store), 100)]
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, len(entries))
    table = b"".join(struct.pack(f"{order}HHII", *entry) for entry in entries)
    return (head + table + struct.pack(f"{order}I", following)).ljust(100, b"\0") + store


def synchsafe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def mp3(store: bytes, version: int = 4) -> bytes:
    body = b"\0application/c2pa\0c2pa\0c2pa manifest store\0" + store
    size = synchsafe(len(body)) if version == 4 else struct.pack(">I", len(body))
    frames = b"GEOB" + size + b"\0\0" + body + bytes(64)
    return b"ID3" + bytes([version, 0, 0]) + synchsafe(len(frames)) + frames + b"\xff\xfb\x90\0" * 50


MAKERS: dict[str, Callable[[bytes], bytes]] = {
    "png": lambda store: (
        one_pixel().getvalue()[:33]
        + struct.pack(">I", len(store))
        + b"caBX"
        + store
        + struct.pack(">I", zlib.crc32(b"caBX" + store))
        + one_pixel().getvalue()[33:]
    ),
    "jpeg": jpeg,
    "gif": gif,
    "tiff": tiff,
    "jxl": lambda store: JXL + box(b"jumb", store) + box(b"jxlc", b"xyz"),
    "webp": lambda store: riff(b"WEBP", store),
    "wav": lambda store: riff(b"WAVE", store),
    "avi": lambda store: riff(b"AVI ", store),
    "mp3": mp3,
    "mp4": lambda store: FTYP + box(b"free") + box(b"uuid", _C2PA_UUID, store) + box(b"moov", box(b"trak")),
    "heic": lambda store: FTYP + box(b"uuid", _C2PA_UUID, store),
}


@pytest.mark.parametrize("name", MAKERS)
def test_credentials_are_measured_and_too_many_refused(name: str) -> None:
    file, kind = io.BytesIO(MAKERS[name](bytes(300_000))), KINDS[name]
    assert 300_000 <= stored_bytes(file, kind) < 304_000
    assert (find_excess(file, kind), file.tell()) == ("", 0)
    huge = io.BytesIO(MAKERS[name](bytes(MAX_STORE_BYTES + 1)))
    assert find_excess(huge, kind) in (
        "carries 64 MB of Content Credentials",
        "is made of more than 200,000 parts",  # GIF holds them in pieces of 255 bytes
    )


@pytest.mark.parametrize("name", MAKERS)
def test_no_credentials_are_none(name: str) -> None:
    plain = MAKERS[name](b"").replace(b"C2PA", b"JUNK").replace(_C2PA_UUID, bytes(16))
    assert stored_bytes(io.BytesIO(plain), KINDS[name]) < 100


@pytest.mark.parametrize(("version", "order"), [(3, "<"), (4, ">")])
def test_variants(version: int, order: str) -> None:
    assert 5_000 <= stored_bytes(io.BytesIO(mp3(bytes(5_000), version)), "audio/mpeg") < 5_200
    assert stored_bytes(io.BytesIO(tiff(bytes(5_000), order)), "image/tiff") == 5_000


CLAIMS = {  # four gigabytes and more, in files of a few hundred bytes
    "png": one_pixel().getvalue()[:33] + b"\xff\xff\xff\xffcaBX",
    "wav": b"RIFF\xff\xff\xff\xffWAVEC2PA\xff\xff\xff\xff",
    "tiff": b"II*\0\x08\0\0\0\1\0\x41\xcd\7\0\xf0\xff\xff\xff\x08\0\0\0" + bytes(4),
    "mp4": FTYP + b"\xff\xff\xff\xffuuid" + _C2PA_UUID,
    "heic": FTYP + struct.pack(">I4sQ", 1, b"uuid", 2**64 - 1) + _C2PA_UUID,
    "jxl": JXL + struct.pack(">I4sQ", 1, b"jumb", 3 << 40),
    "mp3": b"ID3\3\0\0\x7f\x7f\x7f\x7fGEOB\xff\xff\xff\xff\0\0",
    "gif": GIF + b"!\xff\x0bC2PA_GIF\1\0\0\xff",
    "jpeg": b"\xff\xd8\xff\xeb\xff\xff",
}


@pytest.mark.parametrize("name", CLAIMS)
def test_claims_of_gigabytes_count_no_more_than_there_is(name: str) -> None:
    file = io.BytesIO(CLAIMS[name] + bytes(500))
    assert 0 < stored_bytes(file, KINDS[name]) < 1_100
    assert find_excess(file, KINDS[name]) == ""


class WithHole(io.RawIOBase):
    """A file of `size` bytes: `head`, then zeros that nobody stores."""

    def __init__(self, head: bytes, size: int) -> None:
        self._head, self._size, self._at = head, size, 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        assert 0 <= size <= 1 << 20, "more than is sensible was asked for at once"
        count = max(min(size, self._size - self._at), 0)
        data = self._head[self._at : self._at + count].ljust(count, b"\0")
        self._at += count
        return data


@pytest.mark.parametrize("name", ["png", "wav", "tiff", "mp4", "heic", "jxl", "mp3"])
def test_claims_that_the_size_of_the_file_makes_true_are_refused(name: str) -> None:
    file: Any = WithHole(CLAIMS[name], 5 << 30)
    assert "MB of Content Credentials" in find_excess(file, KINDS[name])


def test_a_frame_that_unpacks_to_far_more_counts_with_what_it_unpacks_to() -> None:
    for version, flags, size in ((4, b"\0\x09", synchsafe), (3, b"\0\x80", lambda n: struct.pack(">I", n))):
        body = synchsafe(0) + zlib.compress(bytes(100 << 20), 9)
        frame = b"GEOB" + size(len(body)) + flags + body
        file = io.BytesIO(b"ID3" + bytes([version, 0, 0]) + synchsafe(len(frame)) + frame)
        assert "MB of Content Credentials" in find_excess(file, "audio/mpeg")


def test_a_cover_in_a_tag_is_no_excess() -> None:
    """Also with the flags and headers that some writers add."""
    for version, flags, extension in (
        (2, 0, b""),
        (3, 0x80, b""),
        (3, 0x40, b"\0\0\0\6" + bytes(6)),
        (4, 0, b""),
    ):
        cover = b"\xff\x00" * 2_000_000
        size = {
            2: struct.pack(">I", len(cover))[1:],
            3: struct.pack(">I", len(cover)),
            4: synchsafe(len(cover)),
        }
        frame = (
            (b"PIC" if version == 2 else b"APIC") + size[version] + (b"" if version == 2 else b"\0\0") + cover
        )
        tag = extension + frame
        file = io.BytesIO(b"ID3" + bytes([version, 0, flags]) + synchsafe(len(tag)) + tag)
        assert find_excess(file, "audio/mpeg") == ""


def test_files_of_countless_parts_are_refused() -> None:
    """c2pa would take minutes for the first, hours for the second, days for the third."""
    empty = struct.pack(">I", 0) + b"teXt" + struct.pack(">I", zlib.crc32(b"teXt"))
    png = one_pixel().getvalue()
    for kind, data in (
        ("image/png", png[:33] + empty * (MAX_PARTS + 1) + png[33:]),
        ("image/gif", GIF + b"!\xfe\1a\0" * (MAX_PARTS + 1) + b";"),
        ("video/mp4", FTYP + box(b"free") * (MAX_BOXES + 1)),
        ("video/mp4", FTYP + box(b"moov", box(b"trak", box(b"free") * (MAX_BOXES + 1)))),
        ("image/jpeg", b"\xff\xd8" + b"\xff\xe5\0\2" * (MAX_PARTS + 1)),
    ):
        assert "parts" in find_excess(io.BytesIO(data), kind)
    assert (
        find_excess(io.BytesIO(FTYP + (box(b"moof", box(b"traf")) + box(b"mdat")) * 5_000), "video/mp4") == ""
    )


def test_credentials_behind_countless_parts_count() -> None:
    chunk = struct.pack(">I", 0) + b"teXt" + bytes(4)
    data = one_pixel().getvalue()[:33] + chunk * (MAX_PARTS + 10) + bytes(5_000)
    assert stored_bytes(io.BytesIO(data), "image/png") >= 5_000


def nested(depth: int, name: bytes) -> bytes:
    return b"".join(struct.pack(">I", 8 * (depth - level)) + name for level in range(depth))


def test_deep_nesting_and_circles_end() -> None:
    assert "parts" in find_excess(io.BytesIO(FTYP + nested(MAX_BOXES + 1, b"moov")), "video/mp4")
    assert find_excess(io.BytesIO(FTYP + nested(1000, b"moov")), "video/mp4") == ""
    assert stored_bytes(io.BytesIO(tiff(bytes(1_000), following=8)), "image/tiff") == 1_000
    loop = b"II*\0" + struct.pack("<I", 8) + b"\0\0" + struct.pack("<I", 14) + b"\0\0" + struct.pack("<I", 8)
    assert stored_bytes(io.BytesIO(loop), "image/tiff") == 0


def test_jpegs_that_c2pa_would_take_into_memory_whole() -> None:
    file: Any = WithHole(b"\xff\xd8\xff\xd9", 600 << 20)
    assert find_excess(file, "image/jpeg") == "is a JPEG of 600 MB"


def test_pieces_that_reach_beyond_the_end_count_to_the_end() -> None:
    """Found by fuzzing."""
    data = gif(bytes(1_000))[:400]
    assert 300 < stored_bytes(io.BytesIO(data), "image/gif") < 400


def test_entries_that_claim_the_same_bytes_count_once() -> None:
    """Found by fuzzing."""
    entry = struct.pack("<HHII", 0xCD41, 7, 4_000, 8)
    data = (b"II*\0\x08\0\0\0\x05\0" + entry * 5 + bytes(4)).ljust(5_000, b"\0")
    assert stored_bytes(io.BytesIO(data), "image/tiff") == 4_000


def test_segments_behind_a_scan_count() -> None:
    segment = b"\xff\xeb" + struct.pack(">H", 1002) + bytes(1000)
    data = jpeg(b"")[:-2] + segment + b"\xff\xd9" + segment
    assert stored_bytes(io.BytesIO(data), "image/jpeg") == 1002


def test_what_is_signed_here_is_measured(making: MakeMaking) -> None:
    """The walks agree with what c2pa writes."""
    credentials = Credentials(making(), identity.load_or_create(), label_text=None, layers=("credentials",))
    for name in ("PNG", "JPEG", "GIF", "TIFF", "WEBP"):
        plain, signed = io.BytesIO(), io.BytesIO()
        Image.fromarray(moving_picture(0)).save(plain, name)
        plain.seek(0)
        store = credentials.sign(plain, signed, f"image/{name.lower()}", title="a")
        assert len(store) <= stored_bytes(signed, f"image/{name.lower()}") < len(store) + 200


@given(st.sampled_from(sorted(MAKERS)), st.data())
def test_damaged_files_are_measured(name: str, data: st.DataObject) -> None:
    """Whatever bytes are changed or missing: an answer, and never more than the file holds."""
    whole = bytearray(MAKERS[name](bytes(40)))
    for _ in range(data.draw(st.integers(0, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    file = io.BytesIO(cut)
    most = len(cut) * (1032 if name == "mp3" else 1)
    assert 0 <= stored_bytes(file, KINDS[name]) <= most
    assert find_excess(file, KINDS[name]) == ""
    assert file.tell() == 0


def test_pieces_of_a_gif_are_counted() -> None:
    head = b"GIF89a\x08\0\x08\0\0\0\0"
    for introducer in (b"!\xfe", b",\0\0\0\0\x08\0\x08\0\0\x02"):
        data = head + introducer + b"\x01\x01" * (MAX_SUB_BLOCKS + 10)
        assert "1,000,000 parts" in find_excess(io.BytesIO(data), "image/gif")
    assert find_excess(io.BytesIO(head + b"!\xfe" + b"\x01\x01" * 1000 + b"\0;"), "image/gif") == ""
