"""The next step of an error is for whoever met it: on the command line or in Python."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

PARTS = (
    "disclosure",
    "consent",
    "config.py",
    "registry.py",
    "engines",
    "faces",
    "media",
    "motion",
    "pipelines",
)


def texts(source: Path) -> list[str]:
    """All strings that are put into an exception on raising it; f-strings without their values."""
    found = []
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 2:
            parts = [part for part in ast.walk(node.args[1]) if isinstance(part, ast.Constant)]
            found.append("".join(part.value for part in parts if isinstance(part.value, str)))
    return found


@pytest.mark.parametrize("part", PARTS)
def test_no_hint_speaks_of_options_only(part: str, repository: Path) -> None:
    place = repository / "src" / "likeness" / part
    for source in [place] if place.is_file() else sorted(place.rglob("*.py")):
        for text in texts(source):
            # Identities are looked after on the command line, by those who use Python too.
            text = re.sub(r"`likeness identity [^`]*`", "", text)
            if re.search(r"(?<!\w)--[a-z]|`likeness faces", text):
                assert "in Python" in text, f"{source.name}: {text}"
