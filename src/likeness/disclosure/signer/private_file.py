"""Files that nobody but their owner may ever read, written completely or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from likeness.errors import IdentityError

MAX_BYTES = 1 << 16


def read_private(path: Path) -> bytes | None:
    """The file's bytes, or None if there is none. Takes away other people's access if somebody gave it.

    Raises:
        IdentityError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            if os.name == "posix" and os.fstat(file.fileno()).st_mode & 0o077:
                path.chmod(0o600)
            return file.read(MAX_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unusable(path, error.strerror or str(error)) from error


def store_new(path: Path, data: bytes) -> None:
    """Puts a complete file at `path` unless another process was faster; then that one's stays."""
    temporary = _write(path, data)
    try:
        os.link(temporary, path)  # fails if the path exists, which a rename would not on POSIX
    except FileExistsError:
        return
    except OSError:
        # A file system without hard links. Two processes starting in the same instant may then replace each
        # other's file; both read back what is there afterwards.
        _move(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def replace(path: Path, data: bytes) -> None:
    """Puts a complete file at `path`, whatever was there."""
    temporary = _write(path, data)
    try:
        _move(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def keep_aside(path: Path) -> Path | None:
    """A copy of the file beside it, "identity-1.pem", that nothing of ours reads; None if there is no file.

    Raises:
        IdentityError: it cannot be read or written.
    """
    if (data := read_private(path)) is None:
        return None
    number = 1
    while (aside := path.with_name(f"{path.stem}-{number}{path.suffix}")).exists():
        number += 1
    store_new(aside, data)
    return aside


def unusable(path: Path, why: str) -> IdentityError:
    """The error for an identity file that is of no use."""
    return IdentityError(
        f"The signing identity '{path}' cannot be used: {why}.",
        "Move the file away; a new identity is made on the next run (files signed before keep the old name).",
    )


def _move(temporary: Path, path: Path) -> None:
    try:
        temporary.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error


def _write(path: Path, data: bytes) -> Path:
    """A new file beside `path` that only its owner could ever read."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        try:
            temporary.unlink(missing_ok=True)
        except OSError:
            raise _unwritable(path, error) from error
        raise _unwritable(path, error) from error
    return temporary


def _unwritable(path: Path, error: OSError) -> IdentityError:
    return IdentityError(
        f"The signing identity cannot be written to '{path.parent}': {error.strerror or error}.",
        "Make the folder writable and the disk less full, or set LIKENESS_HOME to another folder.",
    )
