"""`likeness evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def evaluate(
    model: Annotated[str, typer.Argument(metavar="fomm[:NAME]", help="One of your models, or files.")],
    data: Annotated[
        Path, typer.Option("--data", metavar="FOLDER", help="Clips that it has not learned from.")
    ],
    config: Annotated[
        Path | None, typer.Option(metavar="YAML", help="With --checkpoint: its configuration.")
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A checkpoint, instead of a name.")
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            metavar="PX", min=16, max=2048, help="Side of the pictures. [default: as it was trained]"
        ),
    ] = None,
    crop: Annotated[
        bool | None,
        typer.Option(
            "--crop/--no-crop",
            help="Cut out head and shoulders, or take whole frames. [default: as the model was imported]",
            show_default=False,
        ),
    ] = None,
    faces: Annotated[
        bool | None,
        typer.Option(
            "--faces/--no-faces",
            help="The clips show faces; else the model's own keypoints count. [default: likewise]",
            show_default=False,
        ),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Keep the cut clips here. [default: they are removed]"),
    ] = None,
    json: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", help="Write the figures there too; - prints them."),
    ] = None,
) -> None:
    """How well a model reconstructs clips: L1, and AKD, MKR and AED of faces.

    Each clip's first frame is moved by the later ones, and compared with them.

    **Examples**

    `likeness evaluate fomm:mine --data clips/test`

    `likeness evaluate fomm --config my.yaml --checkpoint runs/mine/best.pth.tar --data clips/test`
    """
    from dataclasses import asdict

    from likeness.cli.extras import need_torch
    from likeness.cli.progress import progress_bar
    from likeness.cli.reports import check_target, write_report
    from likeness.errors import UsageError

    kind, _, name = model.partition(":")
    files = checkpoint is not None and config is not None
    if kind != "fomm" or bool(name) == files or (checkpoint is None) != (config is None):
        raise UsageError(
            f"“{model}” does not say which model.",
            "Give fomm:NAME, or fomm with both --config and --checkpoint.",
        )
    if json is not None:
        check_target(json, [path for path in (config, checkpoint) if path is not None])
    need_torch()
    from likeness.engines.fomm.library import open_files, open_model
    from likeness.training import evaluate_fomm

    if checkpoint is not None and config is not None:
        opened = open_files(checkpoint, config)
    else:
        opened = open_model(name)
    with progress_bar() as report:
        scores = evaluate_fomm(
            opened.pair,
            data,
            size_px=size or opened.side_px,
            crop=not opened.whole_frame if crop is None else crop,
            faces=not opened.whole_frame if faces is None else faces,
            cache=cache,
            on_progress=report,
        )
    if json is not None:
        write_report(json, {"model": opened.name, "sha256": opened.sha256, **asdict(scores)})
        if str(json) == "-":
            return
    clips, frames = (
        f"{n} {what}{'s'[: n != 1]}" for n, what in ((scores.clips, "clip"), (scores.frames, "frame"))
    )
    typer.echo(f"{opened.name}: {clips}, {frames}")
    typer.echo(f"  L1   {scores.l1:.4f}   (first frame left as it is: {scores.l1_static:.4f})")
    for label, value, unit in (
        ("AKD", scores.akd_px, " px"),
        ("MKR", scores.mkr, ""),
        ("AED", scores.aed, ""),
    ):
        typer.echo(f"  {label}  {'not measured' if value is None else f'{value:.4f}{unit}'}")
    for name, how in scores.measured_with.items():
        typer.echo(f"  {name}: {how}")
    for note in scores.notes:
        typer.echo(f"note: {note}")
