"""`likeness faces`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def faces(
    file: Annotated[Path, typer.Argument(help="A picture or a video.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Also write a copy with the faces numbered, a .png.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a copy that exists.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Fetch nothing, not even a model.")] = False,
) -> None:
    """List the faces in a picture or at a video's beginning, with the numbers that other commands take.

    **Example**

    `likeness faces group.jpg -o numbered.png`, then `likeness animate group.jpg talk.mp4 -o out.mp4
    --source-face 2`
    """
    import likeness

    found = likeness.list_faces(file, numbered=out, overwrite=overwrite, offline=offline)
    for number, face in enumerate(found, 1):
        left, top, right, bottom = face.box
        place = f"left {left:.0f}, top {top:.0f}, {right - left:.0f}×{bottom - top:.0f} px"
        typer.echo(f"{number}  {place}, score {face.score:.2f}")
    if out is not None:
        typer.echo(f"numbered in {out}")
