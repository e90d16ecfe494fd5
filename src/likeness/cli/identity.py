"""`likeness identity show | create | import`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from likeness.cli.values import read_password

if TYPE_CHECKING:
    from likeness.disclosure.signer.identity import Identity

app = typer.Typer(help="The identity that signs what you make.")
Force = Annotated[
    bool, typer.Option("--force", help="Replace the identity there is; its file is kept beside the new one.")
]


@app.callback(invoke_without_command=True)
def identity(context: typer.Context) -> None:
    """The identity that signs what you make."""
    if context.invoked_subcommand is None:
        show()


@app.command("show")
def show(
    certificate: Annotated[
        bool,
        typer.Option("--certificate", help="Print the authority's certificate (PEM), to give to others."),
    ] = False,
) -> None:
    """Show who your outputs are signed by.

    Unless you bring one, the identity is made on this machine with the first output. It holds no name of
    yours: it shows that files come from the same installation, not who you are. Others can trust it after
    `likeness identity show --certificate > me.pem` and, on their side, `likeness trust add me.pem`.
    """
    from likeness.disclosure.signer.identity import load

    found = load()
    if found is None:
        typer.echo("There is no signing identity yet; it is made with the first output.", err=certificate)
        return
    if certificate:
        typer.echo(found.authority.decode("ascii"), nl=False)
        return
    _describe(found)


@app.command("create")
def create(force: Force = False) -> None:
    """Make a new identity on this machine. Nobody can tell that it and the old one are the same person's."""
    from likeness.disclosure.signer import identity as identities

    found, aside = identities.create(force=force)
    _describe(found, aside)


@app.command("import")
def import_(
    certificates: Annotated[
        Path, typer.Argument(metavar="CERT", help="PEM: your certificate, then those of its authorities.")
    ],
    key: Annotated[Path, typer.Argument(metavar="KEY", help="PEM: the private key that belongs to it.")],
    password_env: Annotated[
        str | None,
        typer.Option(
            "--password-env",
            metavar="NAME",
            help="The environment variable that holds the key's password, if it is encrypted.",
        ),
    ] = None,
    force: Force = False,
) -> None:
    """Sign with a certificate that an authority gave you.

    It is checked first: that the key belongs to it, that it is valid today, and that it may sign Content
    Credentials. The key is kept on this machine without a password, readable by you alone.
    """
    from likeness.disclosure.signer import identity as identities

    password = read_password(password_env)
    found, aside = identities.import_identity(certificates, key, password=password, force=force)
    _describe(found, aside)


def _describe(found: Identity, aside: Path | None = None) -> None:
    from likeness.disclosure.signer.certificates import Certificate, parse_certificates

    typer.echo(f"name         {found.name}")
    typer.echo(f"kind         {'imported' if found.is_imported else 'made here; nobody vouches for it'}")
    authority = Certificate.of(parse_certificates(found.authority)[0])
    typer.echo(f"authority    {authority.name}")
    typer.echo(f"fingerprint  {authority.spelled_fingerprint}")
    typer.echo(f"valid until  {found.not_after:%Y-%m-%d}")
    typer.echo(f"file         {found.path} (private: whoever has it can sign as you)")
    if aside is not None:
        typer.echo(f"the old one  {aside} (private too; delete it when it is not needed)")
