"""Reading JSON that may come from anywhere: whatever it holds, it is read or refused."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")
_SPACE = re.compile(r"[ \t\r\n]*")


class DocumentError(ValueError):
    """What is wrong with a document, in words that complete "it …"."""


def read_object(
    text: str, key: str, check: Callable[[dict[str, Any]], None], take: Callable[[Fields], T], most: int
) -> tuple[Fields, list[T]]:
    """The JSON object in `text`, of which the list under `key` is long.

    Each object of that list is handed to `take` as soon as it is read, so that only what `take` makes of it
    stays in memory.

    Args:
        check: called before the list is read with what came before it, and at the end with all the rest.
        most: refuse a longer list.

    Raises:
        DocumentError: it is not such an object, or `check` or `take` raised it.
    """
    header: dict[str, Any] = {}
    taken: list[T] | None = None
    at = _pass(text, 0, "{")
    while not (end := text.startswith("}", at)):
        name, at = _value(text, at)
        if not isinstance(name, str) or name in header or (name == key and taken is not None):
            raise DocumentError("has something other than a new name where a name belongs")
        at = _pass(text, at, ":")
        if name == key:
            check(header)
            taken, at = _take_all(text, at, take, most)
        else:
            header[name], at = _value(text, at)
        if not text.startswith("}", at):
            at = _pass(text, at, ",")
    if not end or _skip(text, at + 1) != len(text):
        raise DocumentError("goes on after its end")
    check(header)
    if taken is None:
        raise DocumentError(f"has no “{key}”")
    return Fields(header), taken


def _take_all(text: str, at: int, take: Callable[[Fields], T], most: int) -> tuple[list[T], int]:
    taken: list[T] = []
    at = _pass(text, at, "[")
    while not text.startswith("]", at):
        value, at = _value(text, at)
        if len(taken) == most:
            raise DocumentError(f"holds more than {most} faces")
        try:
            taken.append(take(Fields(value)))
        except DocumentError as fault:
            raise DocumentError(f"{fault} (entry {len(taken) + 1})") from fault
        if not text.startswith("]", at):
            at = _pass(text, at, ",")
    return taken, _skip(text, at + 1)


def _value(text: str, at: int) -> tuple[Any, int]:
    try:
        value, end = _DECODER.raw_decode(text, at)
    except json.JSONDecodeError as error:
        raise DocumentError(f"is not JSON (line {error.lineno}: {error.msg})") from error
    except RecursionError as error:
        raise DocumentError("is nested too deeply") from error
    return value, _skip(text, end)


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _pass(text: str, at: int, letter: str) -> int:
    at = _skip(text, at)
    if not text.startswith(letter, at):
        line = text.count("\n", 0, at) + 1
        raise DocumentError(f"is not a JSON object with a list (line {line}: “{letter}” is missing)")
    return _skip(text, at + 1)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise DocumentError("says something twice (a name that is repeated)")
    return found


def _no_constant(text: str) -> float:
    raise DocumentError(f"holds {text}, which is no number")


def _integer(text: str) -> int | float:
    # Python refuses to convert very long numbers; as fractions they are infinite, and refused as such.
    return int(text) if len(text) < 18 else float(text)


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_integer)


class Fields:
    """The values of a JSON object, each asked for with its limits. Names that nobody asks for are ignored.

    Raises:
        DocumentError: it is no object; from the methods, a value is missing or not within its limits.
    """

    def __init__(self, value: object) -> None:
        if not isinstance(value, dict):
            raise DocumentError("has something other than an object where one belongs")
        self._values: dict[str, Any] = value

    def raw(self, name: str) -> Any:
        """The value as it is."""
        if name not in self._values:
            raise DocumentError(f"lacks “{name}”")
        return self._values[name]

    def is_null(self, name: str) -> bool:
        """Whether it is there, and null."""
        return self.raw(name) is None

    def number(self, name: str, low: float, high: float) -> float:
        """A finite number, `low` ≤ x ≤ `high`."""
        value = self.raw(name)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value) or not low <= value <= high:
            raise DocumentError(f"has “{name}” that is no number from {low:g} to {high:g}")
        return float(value)

    def whole(self, name: str, low: int, high: int) -> int:
        """A whole number, `low` ≤ n ≤ `high`."""
        value = self.raw(name)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise DocumentError(f"has “{name}” that is no whole number from {low} to {high}")
        return value

    def text(self, name: str, pattern: re.Pattern[str]) -> str:
        """A text that fits `pattern` as a whole."""
        value = self.raw(name)
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise DocumentError(f"has “{name}” that is not as it should be")
        return value

    def numbers(self, name: str, shape: tuple[int, ...], low: float, high: float) -> NDArray[np.float64]:
        """Nested lists of numbers, all within the limits."""
        try:
            array = np.array(self.raw(name))
        except (ValueError, OverflowError) as error:
            raise DocumentError(f"has “{name}” of another shape than {shape}") from error
        if array.shape != shape or array.dtype.kind not in "if":
            raise DocumentError(f"has “{name}” that are not numbers of the shape {shape}")
        # Comparing so refuses what is not a number too.
        if not ((array >= low) & (array <= high)).all():
            raise DocumentError(f"has “{name}” beyond {low:g} to {high:g}")
        return array.astype(np.float64)

    def inner(self, name: str) -> Fields:
        """The object under a name."""
        return Fields(self.raw(name))

    def each(self, name: str, take: Callable[[Fields], T], most: int) -> tuple[T, ...]:
        """What `take` makes of each object in a list, at most `most` of them."""
        values = self.raw(name)
        if not isinstance(values, list) or len(values) > most:
            raise DocumentError(f"has “{name}” that is no list of at most {most}")
        return tuple(take(Fields(value)) for value in values)
