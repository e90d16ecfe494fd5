"""`likeness verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

CHANGED = 10  # what is stated does not hold; the codes of errors end at 9
ABSENT = 11


def verify(
    file: Annotated[Path, typer.Argument(help="A picture, video or sound.")],
    json: Annotated[bool, typer.Option("--json", help="Print everything that was found as JSON.")] = False,
) -> None:
    """Say what a file states about how it was made, and whether that still holds.

    Ends with 0 where credentials were found and hold, 10 where they do not hold, 11 where there are none.
    That they hold means that nothing was changed since the signature; not that anything they say is true.
    """
    import likeness

    found = likeness.verify(file)
    if json:
        import dataclasses
        from json import dumps, loads

        values = dataclasses.asdict(found)
        values["manifest"] = loads(values.pop("manifest_json") or "null")
        typer.echo(dumps({"answer": found.answer, **values}, indent=2, default=str))
    else:
        for line in found.summary():
            typer.echo(line)
    raise typer.Exit({"valid": 0, "invalid": CHANGED, "absent": ABSENT}[found.state])
