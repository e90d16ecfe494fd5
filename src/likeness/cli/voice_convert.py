"""`likeness voice convert`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from likeness.cli import shared_options as shared
from likeness.cli import voice_options as options
from likeness.cli import voice_rvc as rvc
from likeness.cli.voice_options import parse_transpose

if TYPE_CHECKING:
    from likeness.config import VoiceConfig
    from likeness.pipelines.convert_voice import Converted
    from likeness.pipelines.convert_voices import Batch
    from likeness.pipelines.target_voice import Target


def convert(
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Sounds, videos (their sound is replaced), or folders."),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="OUT",
            help=".wav, .flac, .mp3, .m4a, .ogg, .opus; of a video also .mp4 or .webm; of several files a "
            "folder.",
        ),
    ],
    to: Annotated[
        Path | None, typer.Option(metavar="VOICE", help="The .voice file (`likeness voice enroll`).")
    ] = None,
    likeness: options.Likeness = None,
    sing: Annotated[
        bool,
        typer.Option("--sing", help="It is sung: keep the pitch exactly.", rich_help_panel=options.SOUND),
    ] = False,
    transpose: options.Transpose = "auto",
    f0: Annotated[
        Literal["swift", "crepe"],
        typer.Option("--f0", help="What follows the pitch.", rich_help_panel=options.SOUND),
    ] = "swift",
    keep_loudness: options.KeepLoudness = True,
    protect: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="How much of the source's own breaths and consonants stays (0 to 0.5). With RVC it means "
            "what it means there: 0 protects them most, 0.5 not at all.",
            rich_help_panel=options.SOUND,
        ),
    ] = None,
    sample_rate: options.SampleRate = None,
    music: Annotated[
        Literal["none", "keep", "drop"],
        typer.Option(
            help="What becomes of an accompaniment. It cannot be parted from a voice here: only none works.",
            rich_help_panel=options.SOUND,
        ),
    ] = "none",
    engine: rvc.Engine = None,
    checkpoint: rvc.Checkpoint = None,
    content: rvc.Content = None,
    content_output: rvc.ContentOutput = None,
    index: rvc.Index = None,
    index_rate: rvc.IndexRate = None,
    rms_mix: rvc.RmsMix = None,
    speaker: rvc.Speaker = None,
    consent: rvc.Consent = None,
    label: options.LabelOption = "auto",
    label_language: options.LabelLanguage = "en",
    tsa_url: shared.TsaUrl = None,
    overwrite: shared.Overwrite = False,
    offline: shared.Offline = False,
) -> None:
    """Give a recording, a song or a video's sound the voice of a person who agreed to it.

    The consent record in the .voice file is checked first. A video keeps its picture as it is.

    **Examples**

    `likeness voice convert talk.wav --to anna.voice -o out.wav`

    `likeness voice convert song.wav --to anna.voice --sing -o song.mp3`

    `likeness voice convert lessons/ --to anna.voice -o lessons-anna/`

    `likeness voice convert talk.wav --engine rvc --checkpoint v.pth --content hubert.onnx --consent r.json
    -o out.wav`
    """
    from likeness.config import VoiceConfig

    config = VoiceConfig(
        likeness=likeness,
        transpose=parse_transpose(transpose),
        sing=sing,
        f0=f0,
        keep_loudness=keep_loudness,
        protect=protect,
        sample_rate_hz=sample_rate,
        music=music,
        label=label,
        label_language=label_language,
        tsa_url=tsa_url,
        overwrite=overwrite,
        offline=offline,
    )
    given = rvc.RvcOptions(
        checkpoint=checkpoint,
        consent=consent,
        content=content,
        content_output=content_output,
        index=index,
        index_rate=index_rate,
        rms_mix=rms_mix,
        speaker=speaker,
    )
    run(sources, rvc.choose_target(to, engine, given, offline=offline), out, config)


def run(sources: list[Path], to: Path | Target, out: Path, config: VoiceConfig) -> None:
    """Convert one file, or several into a folder, and say what became of it."""
    from likeness.cli.progress import progress_bar
    from likeness.pipelines.convert_voice import convert as convert_one
    from likeness.pipelines.convert_voices import convert_all

    if len(sources) == 1 and not sources[0].is_dir() and not out.is_dir():
        with progress_bar() as bar:
            made = convert_one(sources[0], to=to, out=out, config=config, on_progress=bar)
        say_made(made)
        return
    with progress_bar() as bar:
        batch = convert_all(sources, to=to, folder=out, config=config, on_progress=bar)
    _say_batch(batch)


def say_made(made: Converted) -> None:
    """What was made, and what a person should know."""
    typer.echo(f"{made.path}  {made.duration_s:.1f} s at {made.rate_hz} Hz")
    typer.echo(f"marked with: {', '.join(made.sealed.layers)}")
    for warning in made.warnings:
        typer.echo(f"note: {warning}")


def _say_batch(batch: Batch) -> None:
    for made in batch.made:
        say_made(made)
    for failed in batch.failed:
        typer.echo(f"not converted: {failed.source}: {failed.error.what}", err=True)
        typer.echo(f"    next: {failed.error.hint}", err=True)
    typer.echo(f"{len(batch.made)} of {len(batch.made) + len(batch.failed)} converted into {batch.folder}")
    if batch.failed:
        raise typer.Exit(batch.failed[0].error.exit_code)
