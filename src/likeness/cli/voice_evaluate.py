"""`likeness voice evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from likeness.cli.reports import check_target, write_report

if TYPE_CHECKING:
    from likeness.pipelines.evaluate_voice import VoiceScores


def evaluate(
    made: Annotated[Path, typer.Argument(metavar="FILE", help="What was converted.")],
    target: Annotated[
        list[Path],
        typer.Option(
            "--target",
            metavar="FOLDER",
            help="Natural recordings of the target, best others than it was enrolled with; may be repeated.",
        ),
    ],
    source: Annotated[Path | None, typer.Option(metavar="FILE", help="What it was made from.")] = None,
    text: Annotated[str | None, typer.Option(metavar="TEXT", help="What is said in it, in English.")] = None,
    json: Annotated[
        Path | None,
        typer.Option("--json", metavar="PATH", help="Write the figures as JSON; - for standard output."),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Fetch nothing, not even a model.")] = False,
) -> None:
    """Measure a converted recording: whose voice it is, what is understood, melody, naturalness, defects.

    Melody needs the source; words need the source or the text. The disclaimer at the start is left out.

    **Example**

    `likeness voice evaluate out.wav --target held-out/ --source talk.wav`
    """
    from dataclasses import asdict

    from likeness.cli.progress import progress_bar
    from likeness.pipelines.evaluate_voice import evaluate as measure

    if json is not None:
        check_target(json, [path for path in (made, source) if path is not None])
    with progress_bar() as report:
        scores = measure(
            made, target=target, source=source, text=text, offline=offline or None, on_progress=report
        )
    if json is not None:
        write_report(json, {**asdict(scores), "path": str(scores.path)})
        if str(json) == "-":
            return
    for line in describe(scores):
        typer.echo(line)


def describe(scores: VoiceScores) -> list[str]:
    """The figures for people to read."""
    lines = [f"{scores.path}  {scores.duration_s:.1f} s"]
    alike, words, pitch = scores.similarity, scores.words, scores.pitch
    beside = [f"to the target {alike.to_target:.2f} ({alike.verdict})"]
    if alike.to_source is not None:
        beside.append(f"to the source {alike.to_source:.2f}")
    if alike.target_itself is not None:
        beside.append(f"the target to itself {alike.target_itself:.2f}")
    lines.append("  similarity   " + ", ".join(beside))
    if words is not None:
        against = f"against {words.against}"
        own = "" if words.source_rate is None else f"; the source itself {words.source_rate:.0%}"
        lines.append(f"  word errors  {words.rate:.0%} {against}{own}")
        lines.append(f"               “{words.heard}”")
    if pitch is not None:
        lines.append(
            f"  melody       correlation {pitch.correlation:.3f}, voicing errors {pitch.voicing_errors:.1%}, "
            f"moved by {pitch.shift_semitones:+.1f} semitones"
        )
        lines.append(
            f"  as a song    {pitch.cents:.0f} cents off, {pitch.beyond_50_cents:.1%} of it beyond 50 cents"
        )
    natural, defects = scores.naturalness, scores.defects
    lines.append(
        f"  naturalness  {natural.score:.2f} of 5 (voice {natural.voice:.2f}, "
        f"background {natural.background:.2f})"
    )
    found = [
        f"clipped {defects.clipped:.2%}",
        f"clicks {defects.clicks_per_minute:.1f} a minute",
        f"holes {defects.holes_per_minute:.1f} a minute",
    ]
    if defects.buzz is not None:
        found.append(f"buzz in {defects.buzz:.0%} of the pauses")
    lines.append("  defects      " + ", ".join(found))
    return [*lines, *(f"note: {note}" for note in scores.notes)]
