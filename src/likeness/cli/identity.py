"""`likeness identity show`."""

from __future__ import annotations

import typer

app = typer.Typer(help="The local identity that signs what you make.")


@app.callback(invoke_without_command=True)
def identity(context: typer.Context) -> None:
    """The local identity that signs what you make."""
    if context.invoked_subcommand is None:
        show()


@app.command("show")
def show() -> None:
    """Show who your outputs are signed by.

    The identity is made on this machine with the first output. It holds no name of yours: it shows that
    files come from the same installation, not who you are.
    """
    from likeness.disclosure.identity import load

    found = load()
    if found is None:
        typer.echo("There is no signing identity yet; it is made with the first output.")
        return
    typer.echo(f"name         {found.name}")
    typer.echo(f"valid until  {found.not_after:%Y-%m-%d}")
    typer.echo(f"file         {found.path} (private: whoever has it can sign as you)")
