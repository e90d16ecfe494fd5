"""A face set's folder appears complete or not at all."""

from __future__ import annotations

import contextlib
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from likeness.errors import NotWritable, OutputExists
from likeness.facesets.faceset import RANKED
from likeness.media.files import write_error

_OURS = re.compile(
    r"(alignments|dropped)\.json|(sheet|people)\.jpg|sorted\.csv|\.DS_Store|Thumbs\.db|desktop\.ini"
)


def check_folder(out: Path, *, overwrite: bool) -> None:
    """Refuse, before any work is done, a folder that may not be replaced.

    Raises:
        OutputExists: it is there, and `overwrite` was not asked for or it holds anything but a face set.
        NotWritable: it cannot be made.
    """
    if out.is_dir():
        names = [entry.name for entry in out.iterdir()]
        foreign = next((name for name in names if not _is_ours(name)), None)
        if foreign is not None:
            # Replacing means deleting: never what this package did not write.
            raise OutputExists(f"{out} holds other things too, such as {foreign}.", "Give a new folder.")
        if names and not overwrite:
            raise OutputExists(
                f"{out} is already there.",
                "Give another name, or add --overwrite (overwrite=True in Python).",
            )
    elif out.exists():
        raise OutputExists(f"{out} is a file, and a folder is to be made.", "Give another name.")


def _is_ours(name: str) -> bool:
    return bool(RANKED.fullmatch(name) or _OURS.fullmatch(name))


@contextlib.contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """A hidden folder beside `out`, which takes its place when the block ends well, or goes away.

    Folders above it are made where they are missing.

    Raises:
        NotWritable, DiskFull: for an `OSError` in the block.
    """
    out = out.resolve()
    made = _make_parents(out.parent)
    pending = out.with_name(f".{out.name[:40]}.{secrets.token_hex(4)}")
    try:
        try:
            pending.mkdir()
            yield pending
            _replace(out, pending)
            made = []
        except OSError as error:
            raise write_error(out, error) from error
    finally:
        shutil.rmtree(pending, ignore_errors=True)
        for folder in reversed(made):
            with contextlib.suppress(OSError):  # somebody else has put something there meanwhile
                folder.rmdir()


def _make_parents(folder: Path) -> list[Path]:
    """Makes what is missing, and says what that was."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()][::-1]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(folder, error) from error
    if not folder.is_dir():
        raise NotWritable(f"{folder} is not a folder.", "Give another place.")
    return missing


def _replace(out: Path, pending: Path) -> None:
    """No system replaces a folder in one step: the old one steps aside, and comes back if that fails."""
    if not out.exists():
        pending.rename(out)
        return
    aside = pending.with_name(f"{pending.name}.old")
    out.rename(aside)
    try:
        pending.rename(out)
    except BaseException:
        aside.rename(out)
        raise
    shutil.rmtree(aside, ignore_errors=True)
