"""`likeness motion record`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from likeness.cli.values import parse_time

app = typer.Typer(help="Drivers without their video.")


@app.callback()
def motion() -> None:
    """Drivers without their video."""


@app.command("record")
def record(
    driving: Annotated[Path, typer.Argument(help="A video of a person.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="What to write, such as wave.motion.")],
    start: Annotated[str | None, typer.Option(metavar="TIME", help="Begin here: 12.5 or 1:02.5.")] = None,
    end: Annotated[str | None, typer.Option(metavar="TIME", help="End here.")] = None,
    face: Annotated[
        int | None,
        typer.Option(min=1, help="Which face, as `likeness faces` numbers them. [default: the largest]"),
    ] = None,
    geometry_only: Annotated[
        bool,
        typer.Option("--geometry-only", help="Keep nothing of the face's look: no shading, mouth or skin."),
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an output that exists.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Fetch nothing, not even a model.")] = False,
) -> None:
    """Record how the person in a video moves, without the video.

    `likeness animate PORTRAIT wave.motion -o OUT.mp4` plays it on any portrait.

    **Example**

    `likeness motion record talk.mp4 -o talk.motion --start 2 --end 10`
    """
    import likeness
    from likeness.cli.progress import progress_bar

    with progress_bar() as report:
        made = likeness.record_motion(
            driving,
            out=out,
            start_s=parse_time("--start", start),
            end_s=parse_time("--end", end),
            face=face,
            geometry_only=geometry_only,
            overwrite=overwrite,
            offline=offline,
            on_progress=report,
        )
    held = f", {made.held_frames} of them held while the face was not seen" if made.held_frames else ""
    typer.echo(f"{made.path}  {made.frames} frames at {float(made.rate):.6g} a second{held}")
    for warning in made.warnings:
        typer.echo(f"note: {warning}")
