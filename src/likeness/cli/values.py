"""Reading the options that are more than a word or a number."""

from __future__ import annotations

import datetime as dt
import os
import re
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from likeness.errors import UsageError

if TYPE_CHECKING:
    from likeness.consent.record import Act
    from likeness.types import Rights, RightsKind

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
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


def parse_person(text: str | None) -> int | Literal["all"] | None:
    """ "all", or the number of a person from 1.

    Raises:
        UsageError: it is neither.
    """
    if text is None:
        return None
    if text == "all":
        return "all"
    if text.isascii() and text.isdecimal() and len(text) < 6:
        return int(text)
    raise UsageError(f"“{text}” is no person for --person.", "Write a number from people.jpg, or all.")


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


def parse_acts(words: list[str]) -> tuple[Act, ...]:
    """What may be made, of words that were given with --act.

    Raises:
        UsageError: one of them is no act.
    """
    from likeness.consent.record import ACTS

    if wrong := [word for word in words if word not in ACTS]:
        raise UsageError(f"“{wrong[0]}” is not a choice for --act.", f"Choose among {', '.join(ACTS)}.")
    return tuple(act for act in ACTS if act in words)


def parse_date(option: str, text: str | None) -> dt.date | None:
    """A day, written 2027-11-22.

    Raises:
        UsageError: it is none.
    """
    if text is None:
        return None
    try:
        if _DATE.fullmatch(text):
            return dt.date.fromisoformat(text)
        why = "not a day"
    except ValueError:
        why = "a day that there is not"
    raise UsageError(f"“{text}” is {why}, for {option}.", "Write it as 2027-11-22.")


def read_password(variable: str | None) -> bytes | None:
    """The password in an environment variable, which no list of processes shows.

    Raises:
        UsageError: there is no such variable.
    """
    if variable is None:
        return None
    # Odd names (empty, with "=" or NUL) name no variable.
    is_odd = not variable or "\0" in variable or "=" in variable
    if is_odd or (text := os.environ.get(variable)) is None:
        raise UsageError(f"There is no environment variable “{variable}”.", "Set it to the key's password.")
    return text.encode()
