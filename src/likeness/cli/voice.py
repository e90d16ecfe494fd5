"""`likeness voice enroll` and `likeness voice say`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from likeness.cli import shared_options as shared
from likeness.cli import voice_options as options
from likeness.cli.voice_options import parse_transpose

if TYPE_CHECKING:
    from likeness.pipelines.enroll_voice import Enrolment
    from likeness.voices.screening import Dropped

_MOST_LINES = 12
app = typer.Typer(help="Voices: enrol a person, convert, sing, say.", no_args_is_help=True)


@app.callback()
def voice() -> None:
    """Voices: enrol a person, convert, sing, say."""


@app.command("enroll")
def enroll(
    samples: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Recordings or videos in which the person speaks and nobody else does, or folders of them.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="VOICE", help="The .voice file to write.")],
    consent: Annotated[
        Path,
        typer.Option(
            metavar="RECORD",
            help="Their consent record, for the act “voice” (`likeness consent`); checked first of all.",
        ),
    ],
    name: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What to call the voice. [default: the file's name]")
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            "--json", metavar="PATH", help="Write what was used and dropped as JSON; - for standard output."
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a voice that exists.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Fetch nothing, not even a model.")] = False,
) -> None:
    """Learn a person's voice from 30 seconds to 30 minutes of their speech.

    The record is checked before anything is opened, then the voice is compared with it. Silence, noise,
    music, clipped and telephone sound are left out; two speakers are refused. The .voice file holds the
    record and the person's speech: guard it as you would the recordings.

    **Example**

    `likeness voice enroll samples/*.wav -o anna.voice --consent anna.consent.json`
    """
    from likeness.cli.progress import progress_bar
    from likeness.cli.reports import check_target, write_report
    from likeness.voice import enroll as run

    if report is not None:
        check_target(report, [*samples, consent, out], replace=False)
    with progress_bar() as bar:
        made = run(
            samples, out, consent=consent, name=name, overwrite=overwrite, offline=offline, on_progress=bar
        )
    if report is not None:
        write_report(report, made.to_json())
        if str(report) == "-":
            return
    _say(made)


@app.command("say")
def say(
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="What to say, in English; - reads it from standard input.")
    ],
    spoken: Annotated[Path, typer.Option("--voice", metavar="VOICE", help="The .voice file.")],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="OUT", help=".wav, .flac, .mp3, .m4a, .ogg or .opus."),
    ],
    speed: Annotated[
        float, typer.Option(metavar="TIMES", help="0.5 (slow) to 2.", rich_help_panel=options.SOUND)
    ] = 1.0,
    likeness: options.Likeness = None,
    transpose: options.Transpose = "auto",
    sample_rate: options.SampleRate = None,
    label: options.LabelOption = "auto",
    label_language: options.LabelLanguage = "en",
    tsa_url: shared.TsaUrl = None,
    overwrite: shared.Overwrite = False,
    offline: shared.Offline = False,
) -> None:
    """Say a text in a person's voice: a plain synthetic voice reads it, and is converted.

    The consent record in the .voice file is checked first.

    **Example**

    `likeness voice say "Good morning, everybody." --voice anna.voice -o morning.wav`
    """
    import sys

    from likeness.cli.progress import progress_bar
    from likeness.cli.voice_convert import say_made
    from likeness.config import VoiceConfig
    from likeness.pipelines.say import say as run

    config = VoiceConfig(
        likeness=likeness,
        transpose=parse_transpose(transpose),
        sample_rate_hz=sample_rate,
        label=label,
        label_language=label_language,
        tsa_url=tsa_url,
        overwrite=overwrite,
        offline=offline,
    )
    words = sys.stdin.read() if text == "-" else text
    with progress_bar() as bar:
        made = run(words, voice=spoken, out=out, speed=speed, config=config, on_progress=bar)
    say_made(made)


def _say(made: Enrolment) -> None:
    files = len(made.recordings)
    typer.echo(f"{made.path}  {made.used_s:.1f} s of speech from {files} file{'s'[: files != 1]}")
    typer.echo(f"pitch around {made.voice.pitch.median_hz:.0f} Hz; pauses left out: {made.pauses_s:.1f} s")
    for line in _list_dropped(made.dropped):
        typer.echo(line)
    for warning in made.warnings:
        typer.echo(f"note: {warning}")


def _list_dropped(dropped: tuple[Dropped, ...]) -> list[str]:
    lines = [
        f"left out: {one.file} {_span(one)}{one.reason}{': ' + one.detail if one.detail else ''}"
        for one in dropped[:_MOST_LINES]
    ]
    if len(dropped) > _MOST_LINES:
        lines.append(f"left out: {len(dropped) - _MOST_LINES} more parts (--json lists them)")
    return lines


def _span(one: Dropped) -> str:
    return f"{one.begin_s:.1f}-{one.end_s:.1f} s, " if one.end_s else ""
