"""Answers as JSON, for scripts: to a file, or to standard output."""

from __future__ import annotations

from pathlib import Path

import typer


def check_target(target: Path, files: list[Path], *, replace: bool = True) -> None:
    """Refuse, before any work, to write over anything but an older report.

    Args:
        files: what is looked at, which is never written over.
        replace: a file called `.json` may be replaced. Not where records, which are called so, lie about.

    Raises:
        OutputExists, NotWritable
    """
    from likeness.errors import NotWritable, OutputExists

    if str(target) == "-":
        return
    is_report = replace and target.suffix.lower() == ".json" and target.is_file() and target not in files
    if target.exists() and not is_report:
        hint = "Give a new name; only a file called .json is replaced." if replace else "Give a new name."
        raise OutputExists(f"'{target}' is already there.", hint)
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
