"""`likeness identity-check`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from likeness.cli.reports import check_target, write_report

if TYPE_CHECKING:
    from likeness.types import Verdict

NO_MATCH = 13  # the codes of `verify` end at 12
CANNOT_TELL = 14
_CODES: dict[Verdict, int] = {"match": 0, "no match": NO_MATCH, "cannot tell": CANNOT_TELL}


def identity_check(
    media: Annotated[Path, typer.Argument(help="A picture, video or recording.")],
    consent: Annotated[Path, typer.Option(help="The consent record to compare with.")],
    reference_file: Annotated[
        Path | None,
        typer.Option("--reference", help="The record's measurements, where they are kept apart elsewhere."),
    ] = None,
    only: Annotated[
        Literal["face", "voice"] | None, typer.Option(help="Compare the face or the voice alone.")
    ] = None,
    json: Annotated[
        Path | None,
        typer.Option("--json", metavar="PATH", help="Write the answer as JSON; - for standard output."),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Fetch nothing, not even a model.")] = False,
) -> None:
    """Say whether a file shows, or lets us hear, the person of a consent record.

    Every face is compared, in several frames of a video; the answer is the worst of all that was compared.

    Ends with 0 for a match, 13 for none, 14 where nobody can tell, and 5 where the record does not hold. A
    match is a measurement with a rate of errors, and no proof of who somebody is.
    """
    from likeness.consent import check
    from likeness.consent.match import compare_media, worst
    from likeness.media.files import check_input

    if json is not None:
        check_target(json, [media, consent], replace=False)
    permission = check(consent, reference_file=reference_file)
    path = check_input(media)
    found = compare_media(path, permission.references, only=only, offline=offline or None)
    verdict = worst(found)
    if json is not None:
        answer = {
            "file": str(media),
            "consent": str(consent),
            "sha256": permission.record.sha256,
            "verdict": verdict,
            "compared": [one.to_json() for one in found],
            "notes": list(permission.notes),
        }
        write_report(json, answer)
    if json is None or str(json) != "-":
        typer.echo(f"{verdict}: {permission.record.name}")
        for one in found:
            typer.echo(one.describe())
        for note in permission.notes:
            typer.echo(f"note: {note}")
    raise typer.Exit(_CODES[verdict])
