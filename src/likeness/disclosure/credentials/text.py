"""Texts of strangers, made fit to be shown."""

from __future__ import annotations

_MAX_LETTERS = 300


def one_line(text: str) -> str:
    """One printable line of bounded length: terminals obey control characters, readers direction marks."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text[: 4 * _MAX_LETTERS])
    shown = " ".join(shown.split())
    return shown if len(shown) <= _MAX_LETTERS else shown[: _MAX_LETTERS - 1] + "…"
