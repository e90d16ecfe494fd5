"""The options that several of `likeness consent …` take, and what they do in the same way."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from likeness.cli.values import read_password

if TYPE_CHECKING:
    from likeness.consent import ConsentKey

SIGNING, ACTS = "Signing", "animate|swap|voice"
Record = Annotated[
    Path, typer.Argument(metavar="RECORD", help="A consent record, such as anna.consent.json.")
]
Out = Annotated[Path, typer.Option("--out", "-o", metavar="OUT", help="The file to write.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace that file if it exists.")]
KeyFile = Annotated[
    Path | None,
    typer.Option("--key", help="A key file. [default: your own, made on first use]", rich_help_panel=SIGNING),
]
PasswordEnv = Annotated[
    str | None,
    typer.Option(
        "--password-env",
        metavar="NAME",
        help="The environment variable that holds the key's password, if it is encrypted.",
        rich_help_panel=SIGNING,
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask me: yes.", rich_help_panel=SIGNING)]
Json = Annotated[
    Path | None,
    typer.Option("--json", metavar="PATH", help="Write the answer as JSON; - for standard output."),
]
Offline = Annotated[bool, typer.Option("--offline", help="Fetch nothing, not even a model.")]
From = Annotated[str | None, typer.Option("--from", metavar="DAY", help="First day. [default: today]")]
Until = Annotated[str | None, typer.Option("--until", metavar="DAY", help="Last day. [default: in a year]")]


def find_key(path: Path | None, password_env: str | None) -> ConsentKey:
    """The key of --key and --password-env, or the user's own, made if there is none."""
    from likeness.consent import load_key, load_or_create_key

    password = read_password(password_env)
    return load_or_create_key() if path is None else load_key(path, password)


def ask(question: str, yes: bool) -> None:
    """Ask on a terminal; where nobody can answer, only --yes will do."""
    if yes:
        return
    import sys

    from likeness.errors import UsageError

    if not sys.stdin.isatty():
        raise UsageError(
            "This needs an answer, and nobody can give one here.", "Read it first, then add --yes."
        )
    typer.confirm(question, abort=True)


def put(path: Path, data: bytes, *, overwrite: bool) -> None:
    """Write a document, complete or not at all."""
    from likeness.consent.files import write_new

    write_new(path, data, overwrite=overwrite)


def say(lines: tuple[str, ...]) -> None:
    """Print lines."""
    for line in lines:
        typer.echo(line)


def ignore(_: str) -> None:
    """Print nothing, where standard output is for JSON."""


def say_notes(notes: tuple[str, ...]) -> None:
    """Print what a person should know."""
    for note in notes:
        typer.echo(f"note: {note}")
