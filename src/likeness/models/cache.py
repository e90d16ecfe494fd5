"""The folder of fetched files, `<cache>/models/<start of the SHA-256>/<file name>`.

The hash is part of the path, so two versions of the package that want different files never meet.
"""

from __future__ import annotations

import errno
import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from likeness import paths
from likeness.errors import ChecksumMismatch, DiskFull, NotWritable, OutputError
from likeness.models.manifest import ModelEntry

_CHUNK_BYTES = 1 << 20


def path_of(entry: ModelEntry) -> Path:
    """Where the cache keeps this file, whether or not it is there."""
    return paths.cache_dir() / "models" / entry.sha256[:12] / entry.file_name


def user_path_of(entry: ModelEntry) -> Path | None:
    """The file in the user's own folder (`LIKENESS_MODELS`), or None where there is none."""
    folder = os.environ.get("LIKENESS_MODELS")
    path = Path(folder).expanduser() / entry.file_name if folder else None
    return path if path and path.is_file() else None


def has_size(path: Path, entry: ModelEntry) -> bool:
    """Whether the file is there with the size it should have; cheap, and no proof."""
    return path.is_file() and path.stat().st_size == entry.size_bytes


def is_intact(path: Path, entry: ModelEntry) -> bool:
    """Whether the file is there with the size and the SHA-256 it should have."""
    if not has_size(path, entry):
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == entry.sha256


def store(entry: ModelEntry, stream: IO[bytes]) -> Path:
    """Copy `stream` into the cache: complete and with the right hash, or not at all.

    Reads at most one byte more than the entry's size, so a hostile source cannot fill the disk.

    Raises:
        ChecksumMismatch: the bytes are not those of the manifest; nothing is kept.
        NotWritable, DiskFull: the cache cannot take the file.
    """
    target = path_of(entry)
    with _part_of(target) as (part, file):
        digest, left = hashlib.sha256(), entry.size_bytes + 1
        with _errors_of(target), file:
            while left and (chunk := stream.read(min(_CHUNK_BYTES, left))):
                digest.update(chunk)
                file.write(chunk)
                left -= len(chunk)
        if digest.hexdigest() != entry.sha256:
            raise ChecksumMismatch(
                f"What was fetched as {entry.name} is another file: its SHA-256 begins with "
                f"{digest.hexdigest()[:12]}, not {entry.sha256[:12]}. It was not kept.",
                f"Check pip's index (`pip config list`), then run `likeness models pull {entry.name}`.",
            )
        with _errors_of(target):
            part.replace(target)
    return target


def write(target: Path, data: bytes) -> None:
    """Put `data` into the cache under a path of its own: complete, or not at all.

    Raises:
        NotWritable, DiskFull: the cache cannot take the file.
    """
    with _part_of(target) as (part, file), _errors_of(target):
        with file:
            file.write(data)
        part.replace(target)


@contextmanager
def _part_of(target: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """A new file beside `target`, open for writing; gone afterwards unless it was moved."""
    with _errors_of(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield part, file
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def lock() -> Iterator[None]:
    """Let one process at a time fetch; the others wait, then find the files there.

    The system frees the lock when its process ends, however it ends.
    """
    path = paths.cache_dir() / "models" / ".lock"
    with _errors_of(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+b")
    with file:
        if sys.platform == "win32":
            import msvcrt

            while True:
                try:
                    msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
                    break
                except OSError:
                    time.sleep(0.2)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _errors_of(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _as_ours(error, target) from error


def _as_ours(error: OSError, target: Path) -> OutputError:
    hint = "Set LIKENESS_HOME to a folder with room that you may write to."
    if error.errno == errno.ENOSPC:
        return DiskFull(f"The disk is full: {target.name} does not fit into {target.parent}.", hint)
    return NotWritable(f"The cache folder {target.parent} cannot be written to ({error.strerror}).", hint)
