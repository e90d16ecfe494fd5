"""JSON that can be understood in one way only."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.consent.canonical import (
    MAX_BYTES,
    MAX_DEPTH,
    DocumentError,
    canonical,
    parse,
    read_bytes,
    readable,
)

NAMES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=12),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(NAMES, one, max_size=3),
    max_leaves=12,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=4)


def is_deep(value: object, left: int = MAX_DEPTH) -> bool:
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return isinstance(value, dict | list) and (left == 0 or any(is_deep(one, left - 1) for one in inner))


@given(OBJECTS)
def test_both_forms_are_read_back(value: dict[str, object]) -> None:
    if is_deep(value):
        return
    assert parse(readable(value)) == parse(canonical(value)) == value
    assert canonical(parse(readable(value))) == canonical(value)


@given(OBJECTS, st.randoms())
def test_order_does_not_matter(value: dict[str, object], random: object) -> None:
    shuffled = list(value.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert canonical(dict(shuffled)) == canonical(value)


def test_the_form_of_rfc_8785() -> None:
    """The strings of its section 3.2.2.2, and the order of its section 3.2.3."""
    value = parse(
        rb'{"b": [56, {"d": true, "10": null, "1": "\u20ac$\u000F\u000aA\u0027\u0042\u0022\u005c\\\"\/"}]}'
    )
    assert (
        canonical(value) == '{"b":[56,{"1":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/","10":null,"d":true}]}'.encode()
    )


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"{", "not JSON"),
        (b'{"a": 1, "a": 1}', "twice"),
        (b'{"a": {"b": 1, "b": 2}}', "twice"),
        (b'{"a": NaN}', "not whole"),
        (b'{"a": -Infinity}', "not whole"),
        (b'{"a": 1.0}', "not whole"),
        (b'{"a": 1e3}', "not whole"),
        (b'{"a": -0}', "out of range"),
        (b'{"a": 9007199254740992}', "out of range"),
        (b'{"a": ' + b"9" * 5000 + b"}", "out of range"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b'{"\\udfff": 1}', "surrogate"),
        (b'{"a": "\xff"}', "UTF-8"),
        (b'\xef\xbb\xbf{"a": 1}', "byte order mark"),
        (b'{"a": 1} {"a": 2}', "not JSON"),
        (b'{"a": "\n"}', "not JSON"),
        (b'{"a": ' + b"[" * 500_000, "deeper"),
        (b'{"a": ' + b'{"a":' * 100_000, "deeper"),
        (b'{"a": "' + b"x" * MAX_BYTES + b'"}', "larger"),
    ],
)
def test_what_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(DocumentError, match=why):
        parse(data)


def test_eight_levels_and_no_more() -> None:
    assert MAX_DEPTH == 8, "docs/consent.md says so, and a record read today is to be read tomorrow"
    deepest = b'{"a": ' + b"[" * 7 + b"]" * 7 + b"}"
    assert parse(deepest) == {"a": [[[[[[[]]]]]]]}
    with pytest.raises(DocumentError, match="deeper than 8 levels"):
        parse(b'{"a": ' + b"[" * 8 + b"]" * 8 + b"}")


def test_brackets_in_texts_are_no_depth() -> None:
    text = "[{" * 50 + '"\\' + "[" * 50
    assert parse(json.dumps({"a": text}).encode()) == {"a": text}


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    try:
        assert parse(canonical(parse(data))) == parse(data)
    except DocumentError:
        return


def test_a_large_file_is_refused_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    with pytest.raises(DocumentError, match="larger than the 1000 kB"):
        read_bytes(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "pipe.json"
    os.mkfifo(path)
    with pytest.raises(DocumentError, match="ordinary"):
        read_bytes(path)
