"""`likeness trust add | list | remove`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from likeness.disclosure.signer.trust import Trusted

app = typer.Typer(help="Whose signatures you have chosen to believe.")


@app.callback(invoke_without_command=True)
def trust(context: typer.Context) -> None:
    """Whose signatures you have chosen to believe."""
    if context.invoked_subcommand is None:
        list_trusted()


@app.command("add")
def add(
    certificate: Annotated[Path, typer.Argument(metavar="CERT", help="A PEM file with certificates.")],
) -> None:
    """Trust an authority: `likeness verify` then says so of what was signed under its certificate.

    Compare the fingerprint that is shown with one that reached you another way: on paper, by telephone, from
    a page that you know. The certificate of a time stamp authority is added in the same way.
    """
    from likeness.disclosure.signer import trust

    added, notes = trust.add(certificate)
    for entry in added:
        _show(entry)
    for note in notes:
        typer.echo(f"note: {note}")


@app.command("list")
def list_trusted() -> None:
    """List whom you trust: name, fingerprint (SHA-256), and until when the certificate is valid."""
    from likeness.disclosure.signer import trust

    found, notes = trust.entries()
    if not found:
        typer.echo("Nobody is in the trust list; `likeness trust add CERT` adds an authority's certificate.")
    for entry in found:
        _show(entry)
    for note in notes:
        typer.echo(f"note: {note}")


@app.command("remove")
def remove(
    certificate: Annotated[
        str,
        typer.Argument(
            metavar="CERT", help="Its file's name in the list, the start of its fingerprint, or a PEM file."
        ),
    ],
) -> None:
    """Trust a certificate no longer."""
    from likeness.disclosure.signer import trust

    for entry in trust.remove(certificate):
        typer.echo(f"removed      {entry.certificate.name} ({entry.path.name})")


def _show(entry: Trusted) -> None:
    found = entry.certificate
    ended = " (ended)" if found.has_ended else ""
    typer.echo(f"name         {found.name}")
    typer.echo(f"fingerprint  {found.spelled_fingerprint}")
    typer.echo(f"valid until  {found.not_after:%Y-%m-%d}{ended}")
    typer.echo(f"file         {entry.path.name}")
