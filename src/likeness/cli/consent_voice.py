"""`likeness consent record-voice`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from likeness.cli.consent_options import Record


def record_voice(
    record: Record,
    recording: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The sentence, spoken by the subject.")
    ] = None,
    microphone: Annotated[
        bool, typer.Option("--microphone", help="Draw a sentence, and record it here and now.")
    ] = False,
    voice: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Another recording of the subject, to compare with."),
    ] = None,
    seconds: Annotated[float, typer.Option(metavar="S", help="How long the microphone listens.")] = 20.0,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="OUT", help="[default: the request is completed]")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Fetch nothing, not even a model.")] = False,
) -> None:
    """Let the subject say that they agree, with a code drawn just now; before `sign`.

    The first call prints the sentence, and the second checks the recording within ten minutes:
    `likeness consent record-voice anna.consent.json`, then the same with
    `--recording said.wav --voice another.wav`. Checked are the words, the code, whose voice it is and whether
    it is one, and that the recording carries no mark of ours. What was found goes into the request, for the
    subject to sign: evidence, not proof. The sentence is English.
    """
    from likeness.consent import ConsentRecord, spoken
    from likeness.consent import microphone as device
    from likeness.consent.files import write, write_new
    from likeness.errors import UsageError

    if microphone and recording is not None:
        raise UsageError("--microphone and --recording exclude each other.", "Give one of them.")
    request = ConsentRecord.load(record)
    if not microphone and recording is None:
        _print_sentence(spoken.ask(request).sentence)
        typer.echo(f"\nthen, within ten minutes: likeness consent record-voice {record} --recording FILE")
        return
    if microphone:
        recording = record.with_suffix(".spoken.wav")
        _print_sentence(spoken.ask(request).sentence)
        typer.echo(f"\nrecording for {seconds:g} s …")
        device.record(recording, seconds, overwrite=overwrite)
        typer.echo(f"kept in {recording}")
    assert recording is not None
    found = spoken.accept(request, recording, enrolment=voice, offline=offline or None)
    if out is None:
        write(record, found.to_bytes())
    else:
        write_new(out, found.to_bytes(), overwrite=overwrite, inputs=(recording,))
    evidence = found.evidence[-1]
    typer.echo(f"heard: {evidence.transcript}")
    for name, score in evidence.scores:
        typer.echo(f"    {name:24}  {score}")
    typer.echo(f"written to {out or record}: evidence, not proof; now: likeness consent sign {out or record}")


def _print_sentence(sentence: str) -> None:
    typer.echo(f"Say this, at your usual pace, in a quiet room:\n\n    {sentence}")
