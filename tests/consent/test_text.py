"""Names that look like others."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.consent.text import find_fault, find_mixed_words, normalise, tidy_name


@pytest.mark.parametrize(
    "name",
    ["Anna Beispiel", "Zoë Ångström", "Björk Guðmundsdóttir", "Nguyễn Thị Minh Khai", "陳大文",
     "さくらとカナ", "Анна Иванова", "عمر", "अनिता", "O’Neill-Śmith Jr.", "Ἀριστοτέλης"],
)  # fmt: skip
def test_names_of_people_are_taken(name: str) -> None:
    assert find_fault(normalise(name)) == ""
    assert find_mixed_words(normalise(name)) == ()


@pytest.mark.parametrize(
    "name",
    [
        "Anna\u202eleipsieB",  # turned around
        "Anna\u2066 B",
        "Anna\u200bB",  # without width
        "Anna\u200dB",
        "An\u00adna",
        "\ufeffAnna",
        "Anna\u0000",
        "Anna\nBeispiel",
        "Anna\u2028B",
        "Anna\u00a0B",  # another space
        "Anna\u3000B",
        "Anna \u3164",  # blank letters
        "Anna\u115f",
        "Anna\u2800",
        "Anna\ufe0f",
        "Anna\U000e0101",
        "Anna\U000e0041",  # a tag
        "Anna\ue000",  # private
        "Anna\U000fffff",
        "Anna\u0378",  # assigned to nothing
        "Zoe\u0308",  # not NFC
        "A" + "\u0323" * 6,
        " Anna",
        "Anna ",
        "Anna  B",
    ],
)
def test_what_cannot_be_seen_is_refused(name: str) -> None:
    assert find_fault(name)


def test_four_marks_on_a_letter_and_no_more() -> None:
    assert find_fault("q" + "\u0323" * 4 + "q" + "\u0323" * 4) == ""
    assert "more than four accents" in find_fault("q" + "\u0323" * 5)


@pytest.mark.parametrize("name", ["Аnna Beispiel", "Pаul", "Gοogle", "Ꭺnna"])
def test_words_that_mix_scripts_are_pointed_out(name: str) -> None:
    assert find_fault(name) == ""
    assert find_mixed_words(name) == (name.split()[0],)


@given(st.text(max_size=30))
def test_what_passes_is_printable_and_one_line(text: str) -> None:
    text = normalise(text)
    if find_fault(text) == "":
        assert all(letter == " " or letter.isprintable() for letter in text)
        assert text == normalise(text)
        assert unicodedata.is_normalized("NFC", text)


@pytest.mark.parametrize(
    ("name", "tidy"),
    [
        ("anna.jpg", "anna.jpg"),
        ("Screenshot at 9.41\u202fAM.png", "Screenshot at 9.41 AM.png"),  # as macOS calls them
        ("Zoe\u0308.jpg", "Zoë.jpg"),  # as macOS spells them
        ("a\u202egpj.exe", "a_gpj.exe"),
        ("\udcff.png", "_.png"),
        ("x" * 300, "x" * 40),
        ("\n", "file"),
    ],
)
def test_file_names_are_made_fit_to_be_signed(name: str, tidy: str) -> None:
    assert tidy_name(name, 40) == tidy


@given(st.text(st.characters(), max_size=30))
def test_any_file_name(name: str) -> None:
    assert find_fault(tidy_name(name, 40)) == ""
