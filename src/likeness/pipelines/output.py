"""Outputs that show nobody new, and so need no seal: a recorded motion, a numbered copy of a picture."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from likeness.errors import NotWritable, OutputExists, UsageError
from likeness.media.files import temporary_beside, write_error


def check_plain_output(out: Path, suffix: str, *, overwrite: bool, source: Path) -> None:
    """Refuse, before any work is done, an output that could not or should not be written.

    Raises:
        UsageError: the name does not end in `suffix`, or it is the input itself.
        OutputExists: it is there and `overwrite` was not asked for.
        NotWritable: its folder does not exist.
    """
    if out.suffix.lower() != suffix:
        raise UsageError(f"{out} does not end in {suffix}.", f"Name it {out.with_suffix(suffix).name}.")
    if out.exists():
        if out.samefile(source):
            raise UsageError(f"{out} is the input itself.", "Give the output another name.")
        if not overwrite:
            raise OutputExists(
                f"{out} is already there.",
                "Give another name, or add --overwrite (overwrite=True in Python).",
            )
    if not out.absolute().parent.is_dir():
        raise NotWritable(f"The folder {out.absolute().parent} does not exist.", "Create it first.")


@contextlib.contextmanager
def plain_output(out: Path) -> Iterator[Path]:
    """A temporary path to write to; the file appears as `out` when the block ends well, or not at all.

    Raises:
        NotWritable, DiskFull: for an `OSError` in the block.
    """
    with temporary_beside(out) as pending:
        try:
            yield pending.path
        except OSError as error:
            raise write_error(out, error) from error
        pending.commit()
