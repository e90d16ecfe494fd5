"""Reading the options that are more than a word or a number."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from likeness.errors import UsageError

if TYPE_CHECKING:
    from likeness.types import Rights, RightsKind

_TIME = re.compile(r"(?:(?:(\d{1,3}):)?(\d{1,3}):)?(\d{1,9}(?:\.\d{1,9})?)", re.ASCII)


def parse_time(option: str, text: str | None) -> Fraction | None:
    """Seconds, exactly, of "12.5", "1:02.5" or "1:00:00".

    Raises:
        UsageError: it is none of these.
    """
    if text is None:
        return None
    if not (found := _TIME.fullmatch(text)):
        raise UsageError(
            f"“{text}” is not a time for {option}.", "Write seconds (12.5), or 1:02.5, or 1:00:00."
        )
    hours, minutes, seconds = found.groups()
    return Fraction(seconds) + 60 * int(minutes or 0) + 3600 * int(hours or 0)


def parse_best_frame(text: str) -> Literal["auto", "first"] | int:
    """ "auto", "first", or a frame number from 0.

    Raises:
        UsageError: it is none of these.
    """
    if text == "auto":
        return "auto"
    if text == "first":
        return "first"
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return int(text)
    raise UsageError(f"“{text}” is not a choice for --best-frame.", "Write auto, first, or a number from 0.")


def parse_audio(text: str) -> Literal["driving", "none"] | Path:
    """ "driving", "none", or a sound file; a file called "none" is written "./none"."""
    if text == "driving":
        return "driving"
    return "none" if text == "none" else Path(text)


def parse_rights(kind: RightsKind | None, note: str) -> Rights | None:
    """The statement of --rights and --note.

    Raises:
        UsageError: one was given without the other.
    """
    from likeness.types import Rights

    if kind is None and not note:
        return None
    if kind is None:
        raise UsageError(
            "--note was given without --rights.", "Add --rights public-domain|synthetic|self|licensed."
        )
    if not note.strip():
        raise UsageError("--rights was given without --note.", 'Add --note "why you may make this".')
    return Rights(kind, note.strip())
