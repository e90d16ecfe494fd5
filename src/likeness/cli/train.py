"""`likeness train fomm`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

STOPPED = 130  # what shells report for a program that Ctrl-C ended
app = typer.Typer(help="Train a model on your own clips.", no_args_is_help=True)


@app.callback()
def _train() -> None:
    """Train a model on your own clips."""


@app.command()
def fomm(
    config: Annotated[
        Path, typer.Option("--config", metavar="YAML", help="The model's dimensions and how it is trained.")
    ],
    data: Annotated[
        Path, typer.Option("--data", metavar="FOLDER", help="Videos, or a folder of pictures for each clip.")
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", metavar="FOLDER", help="Where it goes. If a training stopped there, it goes on."
        ),
    ],
    validation: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Further clips, by which the best state is chosen."),
    ] = None,
    crop: Annotated[
        bool,
        typer.Option("--crop/--no-crop", help="Cut out head and shoulders, or take whole frames."),
    ] = True,
    vgg: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="VGG19's weights (.safetensors or .pth) for the perceptual loss. [default: a loss without]",
        ),
    ] = None,
    consent: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="A record in which somebody in the clips allows this; again for others. Checked first; "
            "the model keeps its hash.",
        ),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where cut clips are kept. [default: clips, below --out]"),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Stop after so many in all. [default: the epochs of the YAML]")
    ] = None,
    save_every: Annotated[int, typer.Option(min=0, metavar="STEPS", help="Save so often.")] = 500,
    report_every: Annotated[
        int, typer.Option(min=0, metavar="STEPS", help="Write the losses so often.")
    ] = 10,
    preview_every: Annotated[
        int, typer.Option(min=0, metavar="STEPS", help="Write a sheet to look at so often; 0: never.")
    ] = 1000,
    device: Annotated[
        Literal["auto", "cpu", "cuda", "mps"], typer.Option(help="Where the networks run.")
    ] = "auto",
) -> None:
    """Train a First Order Motion Model.

    The people in your clips should have agreed to this. What is learned is used like a published checkpoint:
    `likeness animate … --engine fomm --config OUT/config.yaml --checkpoint OUT/best.pth.tar`.

    **Examples**

    `likeness train fomm --config my.yaml --data clips/ --out runs/mine`

    `torchrun --nproc-per-node 2 -m likeness train fomm --config my.yaml --data clips/ --out runs/mine`
    """
    from likeness.cli.extras import need_torch
    from likeness.cli.progress import progress_bar

    need_torch()
    from likeness.training import Rhythm, train_fomm
    from likeness.training.state import LAST

    try:
        with progress_bar() as report:
            result = train_fomm(
                config,
                data,
                out,
                validation=validation,
                crop=crop,
                vgg=vgg,
                consent=consent,
                cache=cache,
                steps=steps,
                rhythm=Rhythm(save_every, report_every, preview_every),
                device=device,
                on_progress=report,
            )
    except KeyboardInterrupt:
        # Elsewhere a stop leaves nothing behind, and that is what would be said.
        if (out / LAST).is_file():
            typer.echo(f"stopped; the same command goes on from what was last saved in {out}", err=True)
        else:
            typer.echo("stopped before anything was saved; the same command begins anew", err=True)
        raise SystemExit(STOPPED) from None
    if os.environ.get("RANK", "0") != "0":
        return  # of several processes that torchrun started, one tells
    for note in result.notes:
        typer.echo(f"note: {note}")
    if result.resumed_at == result.steps:
        typer.echo("it was there already: more --steps, or epochs in the configuration, would go on")
    elif result.resumed_at:
        typer.echo(f"went on from step {result.resumed_at}")
    typer.echo(f"{result.folder}  {result.steps} steps; best score {result.score:.4f}")
