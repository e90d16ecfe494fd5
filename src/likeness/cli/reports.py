"""Answers as JSON, for scripts: to a file, or to standard output."""

from __future__ import annotations

from os.path import realpath
from pathlib import Path

import typer


def check_target(target: Path, files: list[Path], *, replace: bool = True) -> None:
    """Refuse, before any work, to write over anything but an older report.

    Args:
        files: what is looked at or written, which is never written over.
        replace: a file called `.json` may be replaced. Not where records, which are called so, lie about.

    Raises:
        OutputExists, NotWritable; UsageError: it is one of the files, which is not there yet.
    """
    from likeness.errors import NotWritable, OutputExists, UsageError

    if str(target) == "-":
        return
    # Not by `resolve`, which links in a circle stop.
    is_other = realpath(target) not in map(realpath, files)
    is_report = replace and target.suffix.lower() == ".json" and target.is_file() and is_other
    if target.exists() and not is_report:
        hint = "Give a new name; only a file called .json is replaced." if replace else "Give a new name."
        raise OutputExists(f"'{target}' is already there.", hint)
    if not is_other:
        raise UsageError(f"'{target}' is to hold something else.", "Give the report a name of its own.")
    if not target.absolute().parent.is_dir():
        raise NotWritable(f"'{target}' has no folder to be written to.", "Create it first.")


def write_report(target: Path, values: object) -> None:
    """Write JSON values to a file, or to standard output for "-".

    Raises:
        OutputError: the file cannot be written.
    """
    from json import dumps

    text = dumps(values, indent=2) + "\n"
    if str(target) == "-":
        typer.echo(text, nl=False)
        return
    from likeness.media.files import temporary_beside, write_error

    with temporary_beside(target) as pending:
        try:
            pending.path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise write_error(target, error) from error
        pending.commit()
