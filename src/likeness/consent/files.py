"""Where documents lie, and writing them: complete or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from likeness.media.files import check_file_output, temporary_beside, write_error


def write(path: Path, data: bytes) -> None:
    """Puts a complete file at `path`, whatever was there.

    Raises:
        OutputError: it cannot be written; what was there stays.
    """
    with temporary_beside(path) as pending:
        try:
            pending.path.write_bytes(data)
        except OSError as error:
            raise write_error(path, error) from error
        pending.commit()


def write_new(path: Path, data: bytes, *, overwrite: bool = False, inputs: Iterable[Path] = ()) -> None:
    """The same, unless something is there that may not be replaced.

    Raises:
        OutputExists, NotWritable, DiskFull, UsageError
    """
    check_file_output(path, overwrite=overwrite, inputs=inputs)
    write(path, data)


def name_beside(path: Path, suffix: str) -> Path:
    """Where what belongs to a record lies: "anna.consent.json" with ".x.json" makes "anna.x.json"."""
    return path.with_name(path.name.removesuffix(".json").removesuffix(".consent") + suffix)
