"""Whatever is typed, there is an exit code and no traceback."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from likeness.cli.main import run

KNOWN = (
    "animate",
    "motion",
    "record",
    "faces",
    "verify",
    "models",
    "info",
    "identity",
    "trust",
    "add",
    "create",
    "import",
    "consent",
    "new",
    "sign",
    "check",
    "identity-check",
    "--start",
    "-o",
    "--json",
)
KNOWN += (
    "--engine",
    "--region",
    "--size",
    "--label",
    "--rights",
    "--audio",
    "--",
    "-",
    "--debug",
    "nowhere/x.mp4",
)
WORDS = st.lists(
    st.sampled_from(KNOWN) | st.text(max_size=12).filter(lambda word: "\0" not in word), max_size=7
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=WORDS)
def test_anything(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code = run(words)
    errors = capsys.readouterr().err
    assert code in {0, 2, 3, 4, 5, 6, 7, 8, 9, 11}
    assert "Something unexpected" not in errors
    if code not in {0, 11} and "--debug" not in words:
        assert len(errors.splitlines()) == 2
