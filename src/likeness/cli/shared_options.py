"""The options of all commands that make something: how it is disclosed, and how the command runs."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import typer

DISCLOSURE, RUNNING = "Disclosure", "Running"

Language: TypeAlias = Literal["de", "en", "es", "fr", "it", "nl", "pl", "pt"]
TsaUrl = Annotated[
    str | None,
    typer.Option(
        "--tsa-url",
        metavar="URL",
        help="Let this time stamp authority (RFC 3161) say when it was signed; it gets a hash only.",
        rich_help_panel=DISCLOSURE,
    ),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace an output that exists.", rich_help_panel=RUNNING)
]
Offline = Annotated[
    bool, typer.Option("--offline", help="Fetch nothing, not even a model.", rich_help_panel=RUNNING)
]
