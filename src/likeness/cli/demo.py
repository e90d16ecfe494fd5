"""`likeness demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", metavar="FOLDER", help="The folder to write to; an earlier demo there is replaced."
        ),
    ] = Path("out/demo"),
    offline: Annotated[bool, typer.Option("--offline", help="Fetch nothing, not even a model.")] = False,
) -> None:
    """Animate a portrait of Grace Hopper, and make a page that shows how, in about half a minute.

    The portrait and the driving clip are fetched like models, the first time.
    """
    from likeness.cli.progress import progress_bar
    from likeness.demo import make_demo

    with progress_bar() as report:
        made = make_demo(out, offline=offline, on_progress=report)
    clip = made.animation
    facts = f"{clip.frames} frames, {clip.width}×{clip.height} px, made in {made.seconds:.0f} s"
    typer.echo("Grace Hopper now moves like the man in the clip “Carphone”:")
    typer.echo(f"  {clip.path}  {facts}")
    typer.echo(f"  {made.side_by_side}  portrait, driver and result")
    typer.echo(f"  {made.page}  open this one")
    typer.echo(f"What it says of itself: {made.verification.answer}.")
    typer.echo("Now yours: likeness animate PORTRAIT VIDEO -o OUT.mp4")
