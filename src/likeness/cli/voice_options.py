"""The options that `likeness voice convert` and `say` have in common."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from likeness.cli.shared_options import DISCLOSURE, Language
from likeness.errors import UsageError

SOUND = "Sound"

Likeness = Annotated[
    float | None,
    typer.Option(
        "--likeness",
        metavar="SHARE",
        help="0 = clear, 1 = as close to the person as can be. [default: as the engine does best]",
        rich_help_panel=SOUND,
    ),
]
Transpose = Annotated[
    str,
    typer.Option(
        metavar="auto|N",
        help="Move the pitch by so many semitones (12 = an octave). auto: spoken, it moves to where the "
        "person speaks; sung, by whole octaves.",
        rich_help_panel=SOUND,
    ),
]
KeepLoudness = Annotated[
    bool,
    typer.Option(
        "--keep-loudness/--no-keep-loudness",
        help="Keep some of how loud and soft the source is, or none of it.",
        rich_help_panel=SOUND,
    ),
]
SampleRate = Annotated[
    int | None,
    typer.Option(
        "--sample-rate", metavar="HZ", help="Of the output. [default: the source's]", rich_help_panel=SOUND
    ),
]
LabelOption = Annotated[
    Literal["auto", "none"],
    typer.Option(
        "--label",
        help="The three notes before the sound. “none” needs a consent record that allows it.",
        rich_help_panel=DISCLOSURE,
    ),
]
LabelLanguage = Annotated[
    Language,
    typer.Option("--label-language", help="Of what the credentials say.", rich_help_panel=DISCLOSURE),
]


def parse_transpose(text: str) -> Literal["auto"] | float:
    """ "auto", or semitones.

    Raises:
        UsageError: it is neither.
    """
    if text == "auto":
        return "auto"
    try:
        return float(text)
    except ValueError:
        raise UsageError(
            f"“{text}” is no transposition.", "Write auto, or semitones such as 12 or -3.5."
        ) from None
