"""Paths: what may be read, what may be written, and outputs that appear complete or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from likeness.errors import (
    DiskFull,
    MediaNotFound,
    NotWritable,
    OutputError,
    OutputExists,
    Unreadable,
    Unsupported,
    UsageError,
)

OutputFormat: TypeAlias = Literal["mp4", "webm", "gif", "png"]

_FORMATS: dict[str, OutputFormat] = {".mp4": "mp4", ".webm": "webm", ".gif": "gif", "": "png"}
_FRAME_NAME = re.compile(r"frame_\d{6,}\.png")
_NO_ROOM = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


def frame_name(number: int) -> str:
    """The name of picture `number` (from 1) in a folder of pictures."""
    return f"frame_{number:06}.png"


def check_input(path: str | Path) -> Path:
    """`path`, if there is a file with something in it.

    Raises:
        MediaNotFound: nothing there, or a folder.
        Unreadable: empty, not an ordinary file, or its permissions forbid it.
    """
    path = Path(path)
    if path.is_dir():
        raise MediaNotFound(f"{path} is a folder.", "Give the file inside it.")
    if not path.exists():
        raise MediaNotFound(f"{path} does not exist.", "Check the name and the folder.")
    if not path.is_file():
        raise Unreadable(f"{path} is not an ordinary file.", "Copy its content into a file first.")
    if path.stat().st_size == 0:
        raise Unreadable(f"{path} is empty.", "Copy or download it again.")
    if not os.access(path, os.R_OK):
        raise Unreadable(f"{path} may not be read.", "Change its permissions.")
    return path


def format_of(path: str | Path) -> OutputFormat:
    """What to write: from the suffix; a folder or no suffix mean a folder of PNGs.

    Raises:
        Unsupported: any other suffix.
    """
    path = Path(path)
    if path.is_dir():
        return "png"
    try:
        return _FORMATS[path.suffix.lower()]
    except KeyError:
        raise Unsupported(
            f"{path} has the suffix {path.suffix}, which is not written here.",
            "Use .mp4, .webm or .gif, or a folder's name for PNG pictures.",
        ) from None


def check_output(path: str | Path, *, overwrite: bool = False, inputs: Iterable[str | Path] = ()) -> None:
    """Refuse, before any work is done, an output that could not or should not be written.

    Args:
        path: the output, as for `format_of`.
        overwrite: an output that is there may be replaced (a folder only if it holds nothing but frames).
        inputs: files that must not be written over, whatever `overwrite` says.

    Raises:
        OutputExists: it is there and may not be replaced.
        NotWritable: its folder is missing, not a folder or read-only.
        UsageError: it is one of the inputs.
        Unsupported: see `format_of`.
    """
    _check_new(Path(path), overwrite, inputs, is_folder=format_of(path) == "png")


def check_file_output(
    path: str | Path, *, overwrite: bool = False, inputs: Iterable[str | Path] = ()
) -> None:
    """As `check_output`, for one file of any kind.

    Raises:
        OutputExists, NotWritable, UsageError
    """
    path = Path(path)
    if path.is_dir():
        raise OutputExists(f"{path} is a folder, and a file is to be written.", "Give another name.")
    _check_new(path, overwrite, inputs, is_folder=False)


def _check_new(path: Path, overwrite: bool, inputs: Iterable[str | Path], *, is_folder: bool) -> None:
    if path.exists():
        if any(Path(each).exists() and path.samefile(each) for each in inputs):
            raise UsageError(f"{path} is one of the inputs.", "Give the output another name.")
        if not overwrite:
            raise OutputExists(
                f"{path} is already there.",
                "Give another name, or add --overwrite (overwrite=True in Python).",
            )
        _check_replaceable(path, is_folder=is_folder)
    _check_folder(path.absolute().parent)


def _check_replaceable(path: Path, *, is_folder: bool) -> None:
    if not is_folder:
        return
    if not path.is_dir():
        raise OutputExists(f"{path} is a file, and a folder is to be written.", "Give another name.")
    foreign = next((each.name for each in path.iterdir() if not _FRAME_NAME.fullmatch(each.name)), None)
    if foreign is not None:
        # Replacing means deleting: never a folder that holds anything this package did not write.
        raise OutputExists(
            f"{path} holds other things too, such as {foreign}.", "Give an empty or new folder."
        )


def _check_folder(folder: Path) -> None:
    if not folder.exists():
        raise NotWritable(f"The folder {folder} does not exist.", "Create it first.")
    if not folder.is_dir():
        raise NotWritable(f"{folder} is not a folder.", "Give another place.")
    trial = folder / f".likeness-{secrets.token_hex(4)}"
    try:  # Asking the permissions is not enough: on Windows and on read-only disks they do not tell.
        trial.touch(exist_ok=False)
        trial.unlink()
    except OSError as error:
        raise write_error(folder, error) from error


def write_error(path: Path, error: OSError) -> OutputError:
    """The error of ours that says what `error`, met while writing `path`, means."""
    if error.errno in _NO_ROOM:
        return DiskFull(f"No room is left for {path}.", "Free some space, or write to another disk.")
    reason = error.strerror or type(error).__name__
    return NotWritable(f"{path} cannot be written: {reason}.", "Choose a folder you may write to.")


@dataclass(frozen=True, slots=True)
class Pending:
    """An output being made: write to `path`; `commit` puts it in its place."""

    path: Path
    target: Path

    def commit(self) -> None:
        """Give the finished output its name, replacing what was there.

        Raises:
            OutputError: the file system refuses.
        """
        try:
            if self.path.is_dir() and self.target.exists():
                _check_replaceable(self.target, is_folder=True)
                aside = self.path.with_name(
                    f"{self.path.name}.old"
                )  # no system replaces a folder in one step
                self.target.rename(aside)
                self.path.rename(self.target)
                shutil.rmtree(aside)
            else:
                self.path.replace(self.target)
        except OSError as error:
            raise write_error(self.target, error) from error


@contextlib.contextmanager
def temporary_beside(path: str | Path) -> Iterator[Pending]:
    """A hidden place in the folder of `path`, gone afterwards unless it was committed.

    The same folder, because a rename is atomic only within one file system. The suffix is kept; nothing is
    created here, so that the file gets the permissions its writer gives it. Whatever ends the block
    (Ctrl-C too), an output that was not committed is removed.
    """
    target = Path(path).absolute()
    pending = Pending(
        path=target.with_name(f".{target.stem[:40]}.{secrets.token_hex(4)}{target.suffix}"), target=target
    )
    try:
        yield pending
    finally:
        if pending.path.is_dir():
            shutil.rmtree(pending.path, ignore_errors=True)
        else:
            pending.path.unlink(missing_ok=True)
