"""The fields of a document that somebody else wrote: each of them checked, and none that is not known."""

from __future__ import annotations

import base64
import datetime as dt
import re
from collections.abc import Callable
from typing import Any, TypeVar

from likeness.consent.canonical import DocumentError, Json
from likeness.consent.text import find_fault

T = TypeVar("T")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_HEX = re.compile(r"[0-9a-f]*", re.ASCII)
_FIGURE = re.compile(r"-?\d{1,9}(?:\.\d{1,9})?", re.ASCII)


class Fields:
    """The fields of one JSON object. Each method raises `DocumentError` for another value.

    Args:
        value: what should be an object with exactly these keys.
        where: its place in the document, such as "subject", for the message.
        keys: of which none may be missing.
    """

    def __init__(self, value: object, where: str, *keys: str) -> None:
        if not isinstance(value, dict):
            raise DocumentError(f"says something else than an object under “{where}”")
        if unknown := sorted(set(value) - set(keys)):
            raise DocumentError(f"says something unknown under “{where}”: {unknown[0][:40]!r}")
        if missing := [key for key in keys if key not in value]:
            raise DocumentError(f"says nothing of “{missing[0]}” under “{where}”")
        self._value: Json = value
        self._where = where

    def text(self, key: str, most: int, *, empty: bool = False) -> str:
        """One line of at most `most` letters, all of which can be seen."""
        return self._line(self._value[key], key, most, empty)

    def texts(self, key: str, most: int, letters: int, *, least: int = 0) -> tuple[str, ...]:
        """A list of `least` to `most` different lines."""
        lines = tuple(self._line(one, key, letters, False) for one in self.items(key, most))
        if len(lines) < least or len(set(lines)) != len(lines):
            raise self._fault(key, f"needs {least} or more different entries")
        return lines

    def items(self, key: str, most: int) -> list[Any]:
        """A list of at most `most` values of any kind."""
        found = self._value[key]
        if not isinstance(found, list):
            raise self._fault(key, "is not a list")
        if len(found) > most:
            raise self._fault(key, f"has more than {most} entries")
        return found

    def choice(self, key: str, choices: tuple[T, ...]) -> T:
        """One of these."""
        for one in choices:
            if type(self._value[key]) is type(one) and self._value[key] == one:
                return one
        raise self._fault(key, f"is none of: {', '.join(map(str, choices))}")

    def flag(self, key: str) -> bool:
        """True or false."""
        return self.choice(key, (True, False))

    def count(self, key: str, most: int) -> int:
        """A whole number from 0."""
        found = self._value[key]
        if type(found) is not int or not 0 <= found <= most:
            raise self._fault(key, f"is not a whole number from 0 to {most}")
        return found

    def time(self, key: str) -> dt.datetime:
        """A second in UTC, written 2026-11-22T09:30:00Z."""
        text = self._string(key)
        if not _TIME.fullmatch(text):
            raise self._fault(key, "is no time such as 2026-11-22T09:30:00Z")
        try:
            return dt.datetime.fromisoformat(text.removesuffix("Z") + "+00:00")
        except ValueError:
            raise self._fault(key, "is no time that there is") from None

    def date(self, key: str) -> dt.date:
        """A day, written 2026-11-22."""
        text = self._string(key)
        if not _DATE.fullmatch(text):
            raise self._fault(key, "is no date such as 2026-11-22")
        try:
            return dt.date.fromisoformat(text)
        except ValueError:
            raise self._fault(key, "is no date that there is") from None

    def hex(self, key: str, digits: int, *, empty: bool = False) -> str:
        """Exactly so many lower-case hexadecimal digits."""
        text = self._string(key)
        if not _HEX.fullmatch(text) or len(text) not in ((0, digits) if empty else (digits,)):
            raise self._fault(key, f"is not {digits} hexadecimal digits")
        return text

    def data(self, key: str, least: int, most: int) -> bytes:
        """Bytes in base64, in the one way in which they can be written."""
        text = self._string(key)
        if len(text) > most * 4 // 3 + 4:
            raise self._fault(key, "is too long")
        try:
            found = base64.b64decode(text, validate=True)
        except ValueError:
            raise self._fault(key, "is not base64") from None
        if base64.b64encode(found).decode() != text or not least <= len(found) <= most:
            raise self._fault(key, "is not base64 of the right length")
        return found

    def figures(self, key: str, most: int) -> tuple[tuple[str, str], ...]:
        """Named numbers, written as texts since the format has no fractions; sorted by name."""
        found = self._value[key]
        if not isinstance(found, dict) or len(found) > most:
            raise self._fault(key, f"is no object of {most} figures or fewer")
        for name, figure in found.items():
            if not re.fullmatch(r"[a-z][a-z0-9_ ]{0,39}", name, re.ASCII):
                raise self._fault(key, "has a figure without a proper name")
            if not isinstance(figure, str) or not _FIGURE.fullmatch(figure):
                raise self._fault(key, f"says no number (as text) for {name}")
        return tuple(sorted(found.items()))

    def one(self, key: str, read: Callable[[object], T]) -> T:
        """What `read` makes of it."""
        return read(self._value[key])

    def maybe(self, key: str, read: Callable[[object], T]) -> T | None:
        """The same, or None for null."""
        return None if self._value[key] is None else read(self._value[key])

    def _string(self, key: str) -> str:
        if not isinstance(found := self._value[key], str):
            raise self._fault(key, "is not text")
        return found

    def _line(self, value: object, key: str, most: int, empty: bool) -> str:
        if not isinstance(value, str):
            raise self._fault(key, "is not text")
        if not value and not empty:
            raise self._fault(key, "is empty")
        if len(value) > most:
            raise self._fault(key, f"is longer than {most} letters")
        if fault := find_fault(value):
            raise self._fault(key, fault)
        return value

    def _fault(self, key: str, why: str) -> DocumentError:
        return DocumentError(f"is not sound: “{key}” under “{self._where}” {why}")


def spell_time(time: dt.datetime) -> str:
    """As `Fields.time` reads it."""
    # Not `strftime`: on some systems it writes the year 440 with three digits.
    return time.astimezone(dt.UTC).replace(tzinfo=None, microsecond=0).isoformat() + "Z"


def spell_data(data: bytes) -> str:
    """As `Fields.data` reads it."""
    return base64.b64encode(data).decode("ascii")
