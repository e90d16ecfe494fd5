"""Credentials in a large WAV, signed in memory that does not grow with it.

c2pa holds a WAV twice while it signs it. It can also sign a data hash that somebody else computed, of a file
that keeps room for the credentials (C2PA specification 2.2, hard bindings). Its library has functions for
that, which its Python package does not hand on; so they are called here, and where they are missing, or the
file is of an odd kind, c2pa does all of it as usual.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import struct
from collections.abc import Callable
from typing import Any, BinaryIO, Final, NamedTuple

import c2pa.c2pa
from c2pa import Builder, C2paError, Signer

from likeness.disclosure.credentials.measure import stored_bytes
from likeness.disclosure.credentials.store import MAX_STORE_BYTES, WAV

_RAW: Final = b"application/c2pa"  # the credentials as they are, in no container's clothes
_HEADER: Final = struct.Struct("<4sI4s")
_CHUNK: Final = struct.Struct("<4sI")
_MOST_BYTES: Final = 0xFFFF_FFFF - MAX_STORE_BYTES  # sizes are of 32 bits
_PIECE_BYTES: Final = 1 << 20


def sign_large_wav(builder: Builder, signer: Signer, source: BinaryIO, target: BinaryIO) -> bytes | None:
    """Copy a WAV with the credentials at its end; as `Builder.sign`.

    Returns:
        The manifest store; None where it cannot be done so, and nothing was written.

    Raises:
        C2paError: c2pa refused.
        OSError: a file could not be read or written.
    """
    native, size = _find_native(builder, signer), source.seek(0, os.SEEK_END)
    if native is None or not _is_plain(source, size):
        return None
    room = _take(lambda out: native.reserve(native.builder, signer.reserve_size(), _RAW, out))
    hashed = hashlib.sha256()

    def put(data: bytes) -> None:
        target.write(data)
        hashed.update(data)

    begin = size + size % 2
    end = begin + _CHUNK.size + len(room) + len(room) % 2
    put(_HEADER.pack(b"RIFF", end - 8, b"WAVE"))
    source.seek(_HEADER.size)
    while piece := source.read(_PIECE_BYTES):
        put(piece)
    put(bytes(size % 2))
    target.write(_CHUNK.pack(b"C2PA", len(room)) + room)
    put(bytes(len(room) % 2))
    binding = {
        "exclusions": [{"start": begin, "length": _CHUNK.size + len(room)}],
        "name": "jumbf manifest",
        "alg": "sha256",
        "hash": list(hashed.digest()),
        "pad": [],
    }
    data = json.dumps(binding).encode("ascii")
    signed = _take(lambda out: native.sign(native.builder, native.signer, data, _RAW, None, out))
    if len(signed) != len(room):
        raise C2paError(f"{len(signed)} bytes of credentials do not fit into {len(room)}")
    target.seek(begin + _CHUNK.size)
    target.write(signed)
    return signed


class _Native(NamedTuple):
    """Functions of c2pa's library, which return how many bytes there are, and where, or −1; and for whom."""

    reserve: Callable[..., int]
    sign: Callable[..., int]
    builder: ctypes.c_void_p
    signer: ctypes.c_void_p


def _find_native(builder: Builder, signer: Signer) -> _Native | None:
    pointer, text, out = ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_void_p)
    reserve = ctypes.CFUNCTYPE(ctypes.c_int64, pointer, ctypes.c_size_t, text, out)
    sign = ctypes.CFUNCTYPE(ctypes.c_int64, pointer, pointer, text, text, pointer, out)
    try:
        library = c2pa.c2pa._lib
        return _Native(
            reserve(("c2pa_builder_data_hashed_placeholder", library)),
            sign(("c2pa_builder_sign_data_hashed_embeddable", library)),
            ctypes.cast(builder._handle, pointer),
            ctypes.cast(signer._handle, pointer),
        )
    except AttributeError:  # another version of c2pa
        return None


def _take(call: Callable[[Any], int]) -> bytes:
    """The bytes that a function of c2pa's gives."""
    library, place = c2pa.c2pa._lib, ctypes.c_void_p()
    count = call(ctypes.byref(place))
    if count < 0:
        place = ctypes.c_void_p(library.c2pa_error())
    try:
        if count < 0:
            raise C2paError((ctypes.string_at(place) if place else b"").decode("utf-8", "replace"))
        return ctypes.string_at(place, count)
    finally:
        library.c2pa_free(place)


def _is_plain(file: BinaryIO, size: int) -> bool:
    """Whether it is a WAV that says how long it is, has room left, and no credentials yet."""
    file.seek(0)
    header = file.read(_HEADER.size)
    if len(header) < _HEADER.size or size > _MOST_BYTES:
        return False
    name, length, kind = _HEADER.unpack(header)
    return (name, length + 8, kind) == (b"RIFF", size, b"WAVE") and not stored_bytes(file, WAV)
