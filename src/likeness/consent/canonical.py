"""JSON in exactly one way: read strictly, and written so that equal contents have equal bytes.

What is signed is the canonical form of RFC 8785 (JSON Canonicalization Scheme): keys sorted, no white space,
UTF-8. Its one difficult part, numbers, is left out: fractions are refused, and whole numbers stay within
±(2⁵³ − 1). What two JSON readers could understand differently is refused on reading: a key given twice, NaN,
half a surrogate pair, a byte order mark.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

Json: TypeAlias = dict[str, Any]

MAX_BYTES = 1_000_000
MAX_DEPTH = 8
_MOST = 2**53 - 1


class DocumentError(ValueError):
    """What is wrong with a document, in words that complete "it …"."""


def read_bytes(path: Path, max_bytes: int = MAX_BYTES) -> bytes:
    """A file's bytes; its size is asked first, and no more than the limit is read if that was a lie.

    Raises:
        DocumentError: too large, or not an ordinary file.
        OSError: it cannot be read.
    """
    if path.exists() and not path.is_file():  # a pipe might never answer
        raise DocumentError("is not an ordinary file")
    with path.open("rb") as file:
        if path.stat().st_size <= max_bytes and len(data := file.read(max_bytes + 1)) <= max_bytes:
            return data
    raise DocumentError(f"is larger than the {max_bytes // 1000} kB that are read")


def parse(data: bytes, max_bytes: int = MAX_BYTES) -> Json:
    """The JSON object in `data`.

    Raises:
        DocumentError: it is none, is too large or too deep, or could be read in two ways.
    """
    if len(data) > max_bytes:
        raise DocumentError(f"is larger than the {max_bytes // 1000} kB that are read")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DocumentError("is not text in UTF-8 (perhaps a picture, or another kind of file)") from error
    if text.startswith("\ufeff"):
        raise DocumentError("begins with a byte order mark: a text editor has saved it anew")
    _check_depth(text)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_float=_no_fraction,
            parse_int=_integer,
            parse_constant=_no_fraction,
        )
    except json.JSONDecodeError as error:
        raise DocumentError(f"is not JSON (line {error.lineno}: {error.msg})") from error
    if not isinstance(value, dict):
        raise DocumentError("is not a JSON object")
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise DocumentError("holds half a character (a lone surrogate)") from error
    return value


def canonical(value: Json) -> bytes:
    """The canonical form (RFC 8785) of JSON without fractions whose keys are ASCII."""
    return _encode(
        json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    )


def readable(value: Json) -> bytes:
    """The form that is written to files: for people, and read back to the same canonical form."""
    return _encode(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def _encode(text: str) -> bytes:
    # Half a surrogate pair, as in a file name that is no UTF-8, is written so that `parse` refuses it.
    return text.encode("utf-8", "surrogatepass")


def _check_depth(text: str) -> None:
    """Before the parser recurses: brackets outside of strings."""
    depth, in_string, escaped = 0, False, False
    for letter in text:
        if in_string:
            if escaped:
                escaped = False
            elif letter == "\\":
                escaped = True
            elif letter == '"':
                in_string = False
        elif letter == '"':
            in_string = True
        elif letter in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise DocumentError(f"is nested deeper than {MAX_DEPTH} levels")
        elif letter in "]}":
            depth -= 1


def _unique(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise DocumentError("says something twice (a key that is repeated)")
    return found


def _no_fraction(text: str) -> NoReturn:
    raise DocumentError(f"holds a number that is not whole ({text[:20]})")


def _integer(text: str) -> int:
    if len(text) > 17 or not -_MOST <= (value := int(text)) <= _MOST or text == "-0":
        raise DocumentError(f"holds a number that is out of range ({text[:20]})")
    return value
