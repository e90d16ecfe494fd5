"""One value has one spelling: what another reader could take for something else is refused."""

from __future__ import annotations

import base64

import pytest

from likeness.consent.canonical import DocumentError
from likeness.consent.fields import Fields


def field(value: object) -> Fields:
    return Fields({"it": value}, "test", "it")


@pytest.mark.parametrize("value", [1, 0, 1.0, "true", None, []])
def test_only_true_and_false_are_flags(value: object) -> None:
    assert field(True).flag("it") is True
    assert field(False).flag("it") is False
    with pytest.raises(DocumentError):
        field(value).flag("it")


@pytest.mark.parametrize("value", [True, False, -1, 11, 3.0, "3", None])
def test_only_whole_numbers_are_counts(value: object) -> None:
    assert [field(number).count("it", 10) for number in (0, 3, 10)] == [0, 3, 10]
    with pytest.raises(DocumentError):
        field(value).count("it", 10)


@pytest.mark.parametrize("text", ["AAE=\n", "AAE", "AAF=", "AA E=", "AAE==", "AAE-", "", "AAEC", "AA=="])
def test_bytes_have_one_spelling(text: str) -> None:
    assert field(base64.b64encode(b"\0\1").decode()).data("it", 2, 2) == b"\0\1"
    with pytest.raises(DocumentError):
        field(text).data("it", 2, 2)


@pytest.mark.parametrize("lines", [["a", "a"], [], ["a", ""], ["a", 1], "a", ["abcde"], ["a", "b", "c", "d"]])
def test_lists_of_lines(lines: object) -> None:
    assert field(["a", "b"]).texts("it", 3, 4, least=1) == ("a", "b")
    with pytest.raises(DocumentError):
        field(lines).texts("it", 3, 4, least=1)


def test_all_keys_and_no_others() -> None:
    for value in ({}, {"it": 1, "that": 2}, [], None, "it"):
        with pytest.raises(DocumentError):
            Fields(value, "test", "it")
