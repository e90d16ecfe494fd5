"""`likeness consent new | sign | check | show`."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from likeness.cli.consent_links import check_made, check_recording, load_signed
from likeness.cli.consent_options import (
    ACTS,
    From,
    Json,
    KeyFile,
    Offline,
    Out,
    Overwrite,
    PasswordEnv,
    Until,
    Yes,
    ask,
    find_key,
    ignore,
    put,
    say,
    say_notes,
)
from likeness.cli.consent_options import Record as Record
from likeness.cli.reports import check_target, write_report
from likeness.cli.values import parse_acts, parse_date

if TYPE_CHECKING:
    from likeness.consent import ConsentRecord, Permission

app = typer.Typer(help="Ask the person shown or heard, and have the answer in writing.")
_PERSONAL = (
    "the numbers of face or voice are personal data: who gets the record gets them. --embeddings-apart keeps "
    "them in a file of their own."
)


@app.callback(invoke_without_command=True)
def consent_(context: typer.Context) -> None:
    """Ask the person shown or heard, and have the answer in writing.

    **new**, **sign**, **check** and **show** are all that most people need.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command("new")
def new(
    out: Out,
    subject: Annotated[str, typer.Option(metavar="NAME", help="Whose face or voice it is.")],
    requester: Annotated[str, typer.Option(metavar="NAME", help="Who asks, and will make it.")],
    act: Annotated[
        list[str],
        typer.Option("--act", metavar=ACTS, help="What may be made; give it once for each."),
    ],
    purpose: Annotated[list[str], typer.Option("--purpose", metavar="TEXT", help="What for; once for each.")],
    publish: Annotated[
        list[str] | None,
        typer.Option("--publish", metavar="PLACE", help="Where it may be published; once for each."),
    ] = None,
    first: From = None,
    until: Until = None,
    no_label: Annotated[
        bool, typer.Option("--label-may-be-left-out", help="The visible label may be left out.")
    ] = False,
    language: Annotated[str, typer.Option(metavar="TAG", help="Of the texts: en, de, …")] = "en",
    contact: Annotated[str, typer.Option(help="How the subject is reached.")] = "",
    requester_contact: Annotated[str, typer.Option(help="How the requester is reached.")] = "",
    overwrite: Overwrite = False,
) -> None:
    """Write a request, for the person shown or heard to read and sign.

    `likeness consent new -o anna.consent.json --subject "Anna Beispiel" --requester "Studio Nord"
    --act animate --purpose "a short film" --publish "the studio's web site"`
    """
    from likeness.consent import describe, draft

    record = draft(
        subject=subject,
        requester=requester,
        acts=parse_acts(act),
        purposes=purpose,
        publish=publish or (),
        valid_from=parse_date("--from", first),
        valid_until=parse_date("--until", until),
        may_leave_out_label=no_label,
        language=language,
        subject_contact=contact,
        requester_contact=requester_contact,
    )
    _save(record, out, overwrite=overwrite)
    say(describe(record))
    _say_ended(record)
    typer.echo(f"\nwritten to {out}; {record.name} reads it and signs: likeness consent sign {out}")


@app.command("sign")
def sign(
    record: Record,
    face: Annotated[
        Path | None, typer.Option(help="A picture or video of the subject alone, to compare with later.")
    ] = None,
    voice: Annotated[
        Path | None, typer.Option(help="A recording of the subject alone, to compare with later.")
    ] = None,
    file: Annotated[
        list[Path] | None,
        typer.Option("--file", metavar="FILE", help="Another file to name; its hash is kept."),
    ] = None,
    apart: Annotated[
        bool,
        typer.Option(
            "--embeddings-apart",
            help="Keep the measurements of face and voice in a file of their own (….reference.json).",
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="OUT", help="[default: the request becomes the record]"),
    ] = None,
    key: KeyFile = None,
    password_env: PasswordEnv = None,
    yes: Yes = False,
    overwrite: Overwrite = False,
    offline: Offline = False,
) -> None:
    """Sign a request: the subject does this, after reading it.

    It is read out first, and you are asked. The key is made on this machine with the first signature, and
    stays here: keep it, since only it can take the consent back.
    """
    from likeness import consent
    from likeness.consent import reference
    from likeness.errors import OutputExists, UsageError
    from likeness.media.files import check_file_output

    request = consent.ConsentRecord.load(record)
    if request.signature is not None:
        consent.check_signature(request)  # what somebody altered is not to look as if it had been agreed to
    target = out or record
    beside = reference.beside(target)
    if apart and beside.exists() and not overwrite:
        raise OutputExists(
            f"{beside} is already there.", "Move it away, or add --overwrite (overwrite=True in Python)."
        )
    request = _refer(request, face, voice, file or [], offline)
    parts = None
    if apart:
        if request.references.face is None and request.references.voice is None:
            raise UsageError("There is nothing to keep apart.", "Add --face or --voice.")
        request, parts = reference.take_apart(request)
    check_file_output(target, overwrite=overwrite or out is None)
    say(consent.describe(request))
    if request.signature is not None:
        typer.echo("This is signed already, and would be signed again.")
    _say_ended(request)
    if request.references.face is not None or request.references.voice is not None:
        say_notes((_PERSONAL,))
    ask("Do you agree to all of this, and sign it?", yes)
    signed = consent.sign(request, find_key(key, password_env))
    if parts is not None:
        put(beside, parts.to_bytes(), overwrite=True)
    _save(signed, target, overwrite=overwrite or out is None)
    _say_signed(signed, target)
    if parts is not None:
        typer.echo(f"the measurements are in {beside}: give it only to those who have to compare")


@app.command("check")
def check(
    record: Record,
    act: Annotated[
        Literal["animate", "swap", "voice"] | None, typer.Option(help="What is to be made.")
    ] = None,
    purpose: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What for, in the record's words.")
    ] = None,
    when: Annotated[str | None, typer.Option(metavar="DAY", help="Another day than today.")] = None,
    revocations: Annotated[
        list[Path] | None,
        typer.Option("--revocations", metavar="PATH", help="A revocation, or a folder of them."),
    ] = None,
    made: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Something made under it: do its credentials name this record?"),
    ] = None,
    recording: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Is it what its spoken evidence was taken from, and does it hold?"),
    ] = None,
    json: Json = None,
    offline: Offline = False,
) -> None:
    """Say whether a record holds: its signature, its days, what it covers, and that it was not taken back.

    Ends with 0 if it does, and with 5 if it does not. That it holds means that whoever had the key signed
    this, and nobody changed it since; not who that is. Compare the key's fingerprint by telephone.
    """
    from likeness.consent import check as look_at
    from likeness.errors import ConsentError

    if json is not None:
        check_target(json, [record], replace=False)
    day = parse_date("--when", when)
    is_quiet = json is not None and str(json) == "-"
    linked: dict[str, object] = {}
    try:
        if made is not None or recording is not None:
            # Before anything else, so that it is said of a record that was taken back, too.
            signed, tell = load_signed(record), ignore if is_quiet else typer.echo
            if made is not None:
                linked["made"] = check_made(signed, made, tell)
            if recording is not None:
                linked["recording"] = check_recording(signed, record, recording, offline, tell)
        found = look_at(record, act=act, purpose=purpose, when=day, revocations=revocations or [])
    except ConsentError as error:
        if json is not None:
            why = {"error": type(error).__name__, "what": error.what, "next": error.hint}
            write_report(json, {"file": str(record), "holds": False, **why, **linked})
        raise
    if json is not None:
        write_report(json, {"file": str(record), "holds": True, **_spell(found), **linked})
    if not is_quiet:
        _say_holds(found, record)


@app.command("show")
def show(
    record: Record,
    json: Json = None,
) -> None:
    """Read a request or record out in plain words. Whether it holds is for `check` to say."""
    from likeness.consent import ConsentRecord, describe

    if json is not None:
        check_target(json, [record], replace=False)
    found = ConsentRecord.load(record)
    if json is not None:
        write_report(json, {"file": str(record), "sha256": found.sha256, "record": found.to_json()})
        if str(json) == "-":
            return
    say(describe(found))
    if found.signature is not None:
        typer.echo(f"\nThat is what it says. Whether it holds: likeness consent check {record}")


def _spell(found: Permission) -> dict[str, object]:
    """A record that holds, as JSON values."""
    assert found.record.signature is not None  # `check` would have refused
    return {
        "sha256": found.record.sha256,
        "key_sha256": found.record.signature.fingerprint,
        "notes": list(found.notes),
        "record": found.record.to_json(),
    }


def _say_holds(found: Permission, path: Path) -> None:
    from likeness.consent.keys import spell_fingerprint

    record = found.record
    assert record.signature is not None
    acts = found.act or ", ".join(record.acts)
    typer.echo(f"{path.name}: holds. {record.name}: {acts}, until {record.valid_until}.")
    typer.echo(f"signed with the key {spell_fingerprint(record.signature.fingerprint)}")
    for evidence in record.evidence:
        typer.echo(f"spoken on {evidence.made:%Y-%m-%d}: evidence, not proof; `likeness consent show` has it")
    say_notes(found.notes)


def _refer(
    request: ConsentRecord, face: Path | None, voice: Path | None, others: list[Path], offline: bool
) -> ConsentRecord:
    """The request with references, where any are given; heavy networks stay unloaded where none are."""
    if face is None and voice is None and not others:
        return request
    from likeness.consent.gathering import add_references

    return add_references(request, face=face, voice=voice, others=others, offline=offline or None)


def _say_ended(record: ConsentRecord) -> None:
    if record.valid_until < dt.datetime.now(dt.UTC).date():
        say_notes((f"it has ended already, on {record.valid_until}: nothing can be made under it.",))


def _say_signed(record: ConsentRecord, path: Path) -> None:
    from likeness.consent.keys import spell_fingerprint

    assert record.signature is not None  # just signed
    typer.echo(f"\nsigned with the key {spell_fingerprint(record.signature.fingerprint)}")
    typer.echo(f"written to {path}; give it to {record.requester.name}")


def _save(record: ConsentRecord, path: Path, *, overwrite: bool) -> None:
    put(path, record.to_bytes(), overwrite=overwrite)
