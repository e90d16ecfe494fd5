"""`likeness swap extract` and `likeness swap sort`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from likeness.cli.values import parse_person, parse_time
from likeness.errors import UsageError

if TYPE_CHECKING:
    from likeness.pipelines.extract_faces import Extraction

WHOSE, WHICH = "Whose faces", "Which frames and faces"
app = typer.Typer(help="Swap a face: extract, train, convert.", no_args_is_help=True)


@app.callback()
def swap() -> None:
    """Swap a face: extract, train, convert."""


@app.command("extract")
def extract(
    sources: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Videos and pictures of a person, or folders.")
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FOLDER", help="The face set to make, a new folder.")
    ],
    keep: Annotated[
        list[Path] | None,
        typer.Option(
            "--keep", metavar="REF", help="Keep this person only; may be repeated.", rich_help_panel=WHOSE
        ),
    ] = None,
    drop: Annotated[
        list[Path] | None,
        typer.Option(
            "--drop", metavar="REF", help="Leave this person out; may be repeated.", rich_help_panel=WHOSE
        ),
    ] = None,
    person: Annotated[
        str | None,
        typer.Option(
            metavar="N",
            help="Keep the person of this number in people.jpg, or all. [default: who is seen most]",
            rich_help_panel=WHOSE,
        ),
    ] = None,
    faces: Annotated[
        int,
        typer.Option(
            metavar="N", help="Follow at most so many faces at once, the largest.", rich_help_panel=WHICH
        ),
    ] = 5,
    min_size: Annotated[
        float,
        typer.Option("--min-size", metavar="PX", help="Leave out smaller faces.", rich_help_panel=WHICH),
    ] = 48,
    every: Annotated[
        int, typer.Option(metavar="N", help="Look at every so many frames only.", rich_help_panel=WHICH)
    ] = 1,
    start: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Begin here in each video: 12.5 or 1:02.5.", rich_help_panel=WHICH),
    ] = None,
    end: Annotated[str | None, typer.Option(metavar="TIME", help="End here.", rich_help_panel=WHICH)] = None,
    size: Annotated[
        int | None,
        typer.Option(metavar="PX", help="Side of the pictures that are cut. [default: 320]"),
    ] = None,
    alignments: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Look for nothing: cut anew by this alignments.json, which may have been repaired by hand. "
            "With a face set's folder, only the faces whose pictures are still there.",
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a face set that exists.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Fetch nothing, not even a model.")] = False,
) -> None:
    """Cut the faces of one person out of videos and pictures, to train with.

    The folder gets the faces, alignments.json with all that is known of them, sheet.jpg to look at them at a
    glance, and dropped.json with what was left out and why. This creates nothing synthetic and needs no
    consent record; training will.

    **Examples**

    `likeness swap extract clipA.mp4 -o faces/A`

    `likeness swap extract party.mp4 -o faces/B --keep anna.jpg`

    `likeness swap extract clipA.mp4 -o faces/A --alignments faces/A/alignments.json --overwrite`
    """
    from likeness.cli.progress import progress_bar

    if alignments is not None:
        given = {"--keep": keep, "--drop": drop, "--person": person, "--start": start, "--end": end}
        if used := [name for name, value in given.items() if value]:
            raise UsageError(f"{used[0]} has no say where --alignments says what to cut.", "Leave one out.")
        from likeness.pipelines.recut_faces import recut_faces

        with progress_bar() as report:
            made = recut_faces(
                alignments, sources, out, size_px=size, overwrite=overwrite, on_progress=report
            )
        typer.echo(f"{made.folder}  {_faces(made.faces)}, cut anew")
        return
    from likeness.facesets.alignments import SIZE_PX
    from likeness.pipelines.extract_faces import extract_faces

    with progress_bar() as report:
        done = extract_faces(
            sources,
            out,
            keep=keep or (),
            drop=drop or (),
            person=parse_person(person),
            faces=faces,
            min_size_px=min_size,
            every=every,
            start_s=parse_time("--start", start),
            end_s=parse_time("--end", end),
            size_px=SIZE_PX if size is None else size,
            overwrite=overwrite,
            offline=offline,
            on_progress=report,
        )
    _say(done)


@app.command("sort")
def sort(
    folder: Annotated[Path, typer.Argument(help="A face set, as `likeness swap extract` makes it.")],
    by: Annotated[
        Literal["yaw", "pitch", "blur", "identity", "size", "frame"],
        typer.Option(help="What to sort by; frame takes the ranks away again."),
    ],
) -> None:
    """Put the pictures of a face set in order: each gets its rank before its name.

    A file manager then shows them in that order. Delete what should not be trained with; nothing else needs
    to be changed. sheet.jpg is drawn in the same order, and sorted.csv lists it.

    **Example**

    `likeness swap sort faces/A --by blur`
    """
    from likeness.facesets.sorting import sort_faces

    done = sort_faces(folder, by)
    reach = "" if done.lowest is None else f" ({done.lowest:.3g} to {done.highest:.3g})"
    typer.echo(f"{done.folder}  {_faces(done.faces)} by {done.by}{reach}")
    for note in done.notes:
        typer.echo(f"note: {note}")


def _faces(count: int) -> str:
    return f"{count} face{'s'[: count != 1]}"


def _say(done: Extraction) -> None:
    frames = f"{done.frames} frame{'s'[: done.frames != 1]}"
    typer.echo(f"{done.folder}  {_faces(done.faces)} from {frames}")
    if done.empty_frames:
        typer.echo(f"no face in {done.empty_frames} of them")
    if done.dropped:
        reasons = ", ".join(f"{count} {reason}" for reason, count in done.dropped.items())
        typer.echo(f"left out: {reasons} (dropped.json)")
    for warning in done.warnings:
        typer.echo(f"note: {warning}")
