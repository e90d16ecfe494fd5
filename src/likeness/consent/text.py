"""Words that people sign: no character that cannot be seen, one spelling for each name.

What is refused would let a record look like another one than it is: direction marks turn text around, letters
without width and unassigned ones are not shown, and the same name can be spelt with different code points
unless one form is demanded (Unicode Standard Annex 15, NFC). Letters of several scripts in one word ("Anna"
with a Cyrillic А; Unicode Technical Standard 39, "Mixed-Script Detection") are pointed out, and not refused:
some names are written so.
"""

from __future__ import annotations

import unicodedata

_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")  # letters by category, but blank
_MOST_MARKS = 4
_EAST_ASIAN = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO"})


def find_fault(text: str) -> str:
    """What is wrong with a line of text that somebody is to sign, in words; "" where nothing is."""
    marks = 0
    for letter in text:
        category = unicodedata.category(letter)
        if category[0] == "C" or category in ("Zl", "Zp") or letter in _UNSEEN or _is_selector(letter):
            return f"holds a character that is not shown (U+{ord(letter):04X})"
        if category == "Zs" and letter != " ":
            return f"holds a space of an unusual kind (U+{ord(letter):04X})"
        marks = marks + 1 if category[0] == "M" else 0
        if marks > _MOST_MARKS:
            return "holds more than four accents on one letter"
    if text != text.strip() or "  " in text:
        return "begins or ends with a space, or holds two in a row"
    if not unicodedata.is_normalized("NFC", text):
        return "is not in the form that Unicode calls NFC"
    return ""


def normalise(text: str) -> str:
    """Text as somebody typed it, in the form that is signed: NFC, single spaces. It may still have faults."""
    return unicodedata.normalize("NFC", " ".join(text.split()))


def tidy_name(name: str, most: int) -> str:
    """A file's name as it can be signed: what cannot be seen becomes "_", and what is too long is cut."""
    parts = ("_" if find_fault(letter) and letter != " " else letter for letter in normalise(name))
    tidy = normalise("".join(parts))[:most].strip()
    return tidy if tidy and not find_fault(tidy) else "file"


def find_mixed_words(text: str) -> tuple[str, ...]:
    """The words that mix scripts, and so may look like another word."""
    return tuple(word for word in text.split() if len(_scripts(word)) > 1)


def _is_selector(letter: str) -> bool:
    return "\ufe00" <= letter <= "\ufe0f" or "\U000e0100" <= letter <= "\U000e01ef" or letter in "᠋᠌᠍᠏"


def _scripts(word: str) -> frozenset[str]:
    """Scripts of the letters, by the first word of their names; those written together count once."""
    found = set()
    for letter in word:
        if letter.isalpha():
            script = unicodedata.name(letter, "UNKNOWN").split()[0]
            found.add("EAST ASIAN" if script in _EAST_ASIAN else script)
    return frozenset(found)
