"""`likeness consent revoke | honour | corpus | key`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from likeness.cli.consent_options import (
    ACTS,
    From,
    KeyFile,
    Out,
    Overwrite,
    PasswordEnv,
    Record,
    Until,
    Yes,
    ask,
    find_key,
    put,
    say,
)
from likeness.cli.values import parse_acts, parse_date, read_password

if TYPE_CHECKING:
    from likeness.consent import ConsentRecord, Revocation


def revoke(
    record: Record,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, if you like to say.")] = "",
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="OUT", help="[default: beside the record, ….revocation.json]"),
    ] = None,
    key: KeyFile = None,
    password_env: PasswordEnv = None,
    yes: Yes = False,
    overwrite: Overwrite = False,
) -> None:
    """Take a consent back. Only the key that signed it can; it cannot be undone.

    Writes a small file: give it to whoever holds the record. On this machine it counts at once. Doing it
    again changes nothing, and writes that file again if it is lost.
    """
    from likeness import consent
    from likeness.consent import revocation
    from likeness.consent.text import normalise

    found = consent.ConsentRecord.load(record)
    target = out or revocation.beside(record)
    taken_back = _find_earlier(found, record)
    if taken_back is None:
        # Not `find_key`: a key made only now could not have signed it.
        signer = consent.load_key(key, read_password(password_env))
        taken_back = consent.revoke(found, signer, normalise(reason))
        ask(f"Take back the consent of {found.name} (record {found.id[:8]})? This cannot be undone.", yes)
        said = "taken back"
    else:
        said = f"taken back already, on {taken_back.signature.signed:%Y-%m-%d}"
    consent.store(taken_back)  # first: where the copy fails, the consent is out of force all the same
    typer.echo(f"{said}: the consent of {found.name}, record {found.id[:8]}")
    if target.is_file() and target.read_bytes() == taken_back.to_bytes():
        written = "it is in"
    else:
        put(target, taken_back.to_bytes(), overwrite=overwrite)
        written = "written to"
    typer.echo(
        f"{written} {target}; give it to {found.requester.name}: likeness consent honour {target.name}"
    )


def _find_earlier(record: ConsentRecord, path: Path) -> Revocation | None:
    """The revocation of a record that was taken back already. One that cannot be read stops nobody."""
    from likeness.consent import check_signature, revocation
    from likeness.errors import ConsentError

    check_signature(record)
    try:
        return revocation.find(record, path)[0]
    except ConsentError:
        return None


def honour(
    revocation: Annotated[
        Path, typer.Argument(metavar="REVOCATION", help="A revocation that somebody gave you.")
    ],
) -> None:
    """Keep somebody's revocation, so that their record is refused on this machine from now on."""
    from likeness.consent import Revocation, store
    from likeness.consent.keys import spell_fingerprint

    found = Revocation.load(revocation)
    path = store(found)
    key = spell_fingerprint(found.signature.fingerprint)
    typer.echo(f"record {found.id[:8]}, signed with the key {key}, is refused from now on")
    typer.echo(f"kept in {path}")


def corpus(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The published research corpus.")],
    out: Out,
    licence: Annotated[str, typer.Option(metavar="TEXT", help="Its licence, such as CC BY 4.0.")],
    evaluator: Annotated[str, typer.Option(metavar="NAME", help="Who works with it: you.")],
    url: Annotated[str, typer.Option(help="Where it is published.")] = "",
    act: Annotated[
        list[str] | None,
        typer.Option("--act", metavar=ACTS, help="What is made; once for each. [default: all]"),
    ] = None,
    first: From = None,
    until: Until = None,
    key: KeyFile = None,
    password_env: PasswordEnv = None,
    overwrite: Overwrite = False,
) -> None:
    """Make an evaluator's record for a research corpus: for benchmarks and tests only.

    What is made under it says so, and keeps its label. It states the licence; it is nobody's consent.
    """
    from likeness import consent

    record = consent.draft_corpus(
        name,
        licence=licence,
        evaluator=evaluator,
        url=url,
        acts=parse_acts(act) if act else consent.ACTS,
        valid_from=parse_date("--from", first),
        valid_until=parse_date("--until", until),
    )
    signed = consent.sign(record, find_key(key, password_env))
    put(out, signed.to_bytes(), overwrite=overwrite)
    say(consent.describe(signed))
    typer.echo(f"\nwritten to {out}")


def key_(
    new: Annotated[
        Path | None, typer.Option("--new", metavar="FILE", help="Make another key, in this file.")
    ] = None,
    key: KeyFile = None,
    password_env: PasswordEnv = None,
) -> None:
    """Show the fingerprint of your key, to be compared by telephone; or make a key in a file of its own."""
    from likeness.consent import create_key, load_key
    from likeness.consent.keys import default_path, spell_fingerprint

    if new is None and key is None and not default_path().exists():
        typer.echo("You have no key yet; it is made with the first signature.")
        return
    password = read_password(password_env)
    found = load_key(key, password) if new is None else create_key(new, password)
    typer.echo(f"key   {spell_fingerprint(found.fingerprint)}")
    typer.echo(f"file  {found.path} (private: whoever has it can sign as you)")
