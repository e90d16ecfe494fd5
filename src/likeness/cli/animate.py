"""`likeness animate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from likeness.cli.shared_options import DISCLOSURE, RUNNING, Language, Offline, Overwrite, TsaUrl
from likeness.cli.values import parse_audio, parse_best_frame, parse_rights, parse_time

MOTION, PICTURE, TIME, FACES = "Motion", "Picture", "Time and sound", "Several faces"


def animate(
    portrait: Annotated[Path, typer.Argument(help="The picture to animate (JPEG, PNG, WebP, TIFF …).")],
    driving: Annotated[
        Path, typer.Argument(help="The video whose movements it takes over, or a .motion file.")
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", metavar="OUT", help="What to write: .mp4, .webm, .gif, or a folder for PNGs."
        ),
    ],
    engine: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Which engine renders: mesh, or fomm:NAME with a model that you imported "
            "(`likeness models list`).",
        ),
    ] = "mesh",
    relative: Annotated[
        bool,
        typer.Option(
            "--relative/--absolute",
            help="Add the driver's movements to the portrait's own pose, or take over the driver's pose.",
            rich_help_panel=MOTION,
        ),
    ] = True,
    adapt_scale: Annotated[
        bool,
        typer.Option(
            "--adapt-scale/--no-adapt-scale", help="Fit movements to the face's size.", rich_help_panel=MOTION
        ),
    ] = True,
    best_frame: Annotated[
        str,
        typer.Option(
            metavar="auto|first|N",
            help="Which driver frame the portrait itself stands for, counted from 0 at --start; auto finds "
            "the most alike.",
            rich_help_panel=MOTION,
        ),
    ] = "auto",
    region: Annotated[
        Literal["all", "expression", "pose", "lips", "eyes"],
        typer.Option(help="Which movements to take over.", rich_help_panel=MOTION),
    ] = "all",
    strength: Annotated[
        float, typer.Option(help="How strong, 0 to 2; 1 is as the driver does it.", rich_help_panel=MOTION)
    ] = 1.0,
    pose_strength: Annotated[
        float | None,
        typer.Option(
            help="The same for the head's movement alone: how far it turns, shifts, and comes nearer. "
            "[default: as --strength]",
            rich_help_panel=MOTION,
        ),
    ] = None,
    smooth: Annotated[
        float, typer.Option(help="Calm the movements: 0 as tracked, 1 very calm.", rich_help_panel=MOTION)
    ] = 0.0,
    max_side: Annotated[
        int,
        typer.Option(
            metavar="PX",
            help="The output is as large as the portrait, but no side is longer than this many pixels.",
            rich_help_panel=PICTURE,
        ),
    ] = 1280,
    crop: Annotated[
        bool, typer.Option("--crop", help="Make a head-and-shoulders square.", rich_help_panel=PICTURE)
    ] = False,
    size: Annotated[
        int,
        typer.Option(
            metavar="PX", help="Side of that square, however large the portrait.", rich_help_panel=PICTURE
        ),
    ] = 512,
    start: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Begin here in the driver: 12.5 or 1:02.5.", rich_help_panel=TIME),
    ] = None,
    end: Annotated[
        str | None, typer.Option(metavar="TIME", help="End here in the driver.", rich_help_panel=TIME)
    ] = None,
    audio: Annotated[
        str,
        typer.Option(
            metavar="driving|none|FILE", help="The driver's sound, none, or a file's.", rich_help_panel=TIME
        ),
    ] = "driving",
    source_face: Annotated[
        int | None,
        typer.Option(
            help="Which face of the portrait, as `likeness faces` numbers them. [default: the largest]",
            rich_help_panel=FACES,
        ),
    ] = None,
    driving_face: Annotated[
        int | None,
        typer.Option(help="Which face of the driver. [default: the largest]", rich_help_panel=FACES),
    ] = None,
    label: Annotated[
        Literal["auto", "none"],
        typer.Option(
            help="The visible label. “none” needs --rights and --note, or a --consent that allows it.",
            rich_help_panel=DISCLOSURE,
        ),
    ] = "auto",
    label_language: Annotated[
        Language,
        typer.Option(help="Its language.", rich_help_panel=DISCLOSURE),
    ] = "en",
    rights: Annotated[
        Literal["public-domain", "synthetic", "self", "licensed"] | None,
        typer.Option(help="Why you may make this; recorded in the file.", rich_help_panel=DISCLOSURE),
    ] = None,
    note: Annotated[
        str, typer.Option(help="Your statement that goes with --rights.", rich_help_panel=DISCLOSURE)
    ] = "",
    consent: Annotated[
        Path | None,
        typer.Option(
            help="A record in which the person shown allows this (`likeness consent`); checked first of all.",
            rich_help_panel=DISCLOSURE,
        ),
    ] = None,
    tsa_url: TsaUrl = None,
    overwrite: Overwrite = False,
    offline: Offline = False,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Weights for an engine that takes them (fomm).", rich_help_panel=RUNNING
        ),
    ] = None,
    checkpoint_config: Annotated[
        Path | None,
        typer.Option(
            "--config", metavar="FILE", help="The .yaml that came with them.", rich_help_panel=RUNNING
        ),
    ] = None,
    whole_frame: Annotated[
        bool,
        typer.Option(
            "--whole-frame",
            help="The weights know whole pictures (bodies, clothes, drawings), not faces.",
            rich_help_panel=RUNNING,
        ),
    ] = False,
    device: Annotated[
        Literal["auto", "cpu", "cuda", "mps"],
        typer.Option(
            help="Where engines that use torch run; fomm: on the processor only.", rich_help_panel=RUNNING
        ),
    ] = "auto",
) -> None:
    """Let a portrait move like the person in a video.

    The result carries a visible label and signed Content Credentials that say it was made by AI. Ask the
    people shown before you publish it.

    **Examples**

    `likeness animate hopper.jpg talk.mp4 -o hopper.mp4`

    `likeness animate hopper.jpg talk.mp4 -o hopper.gif --crop --size 384 --start 2 --end 5`

    `likeness animate hopper.jpg wave.motion -o hopper.mp4 --region lips --audio speech.wav`
    """
    import likeness
    from likeness.cli.progress import progress_bar
    from likeness.config import AnimateConfig

    config = AnimateConfig(
        relative=relative,
        adapt_scale=adapt_scale,
        best_frame=parse_best_frame(best_frame),
        region=region,
        strength=strength,
        pose_strength=pose_strength,
        smooth=smooth,
        max_side=max_side,
        crop=crop,
        size=size,
        audio=parse_audio(audio),
        start_s=parse_time("--start", start),
        end_s=parse_time("--end", end),
        source_face=source_face,
        driving_face=driving_face,
        label=label,
        label_language=label_language,
        rights=parse_rights(rights, note),
        consent=consent,
        tsa_url=tsa_url,
        overwrite=overwrite,
        offline=offline,
        device=device,
        checkpoint=checkpoint,
        checkpoint_config=checkpoint_config,
        whole_frame=whole_frame,
    )
    with progress_bar() as report:
        result = likeness.animate(
            portrait, driving, out=out, engine=engine, config=config, on_progress=report
        )
    rate, shape = f"{float(result.rate):.6g}", f"{result.width}×{result.height}"
    typer.echo(f"{result.path}  {result.frames} frames at {rate} a second, {shape} px")
    typer.echo(f"marked with: {', '.join(result.sealed.layers)}")
    for warning in result.warnings:
        typer.echo(f"note: {warning}")
