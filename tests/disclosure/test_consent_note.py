"""The consent record in the seal: stated in picture and sound, read back defensively; it rules the label."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.disclosure.credentials.statement import Statement
from likeness.disclosure.credentials.store import MAKING
from likeness.disclosure.credentials.text import one_line
from likeness.disclosure.rights import check_rights
from likeness.disclosure.seal import seal_image
from likeness.disclosure.sealed_sound import seal_sound
from likeness.errors import ConsentScope, RightsMissing
from likeness.types import ConsentNote, Rights
from likeness.verification import verify

from .conftest import MakeMaking, moving_picture

NOTE = ConsentNote("ab" * 32, "subject", "cd" * 16, "Made under a consent record for: animate.", True)
STRICT = replace(NOTE, may_leave_out_label=False)
CORPUS = ConsentNote("ef" * 32, "corpus", "01" * 16, "Made from “GRID”: for benchmarks and tests only.")
RIGHTS = Rights("self", "my own")


def test_a_picture_says_so(folder: Path, making: MakeMaking) -> None:
    seal_image(moving_picture(0), folder / "a.png", making(consent=NOTE))
    found = verify(folder / "a.png")
    assert found.consent is not None
    assert (found.consent.kind, found.consent.record, found.consent.sha256) == (
        "subject",
        "cd" * 16,
        "ab" * 32,
    )
    assert found.consent.statement == NOTE.statement
    line = "  consent: Made under a consent record for: animate. (record cdcdcdcd, SHA-256 abababababababab…)"
    assert line in found.summary()
    assert found.to_json()["stated"]["consent"] == {
        "kind": "subject",
        "record": "cd" * 16,
        "sha256": "ab" * 32,
        "statement": NOTE.statement,
    }


@pytest.mark.parametrize("name", ["a.wav", "a.mp3", "a.ogg"])
def test_so_does_a_sound(folder: Path, making: MakeMaking, name: str) -> None:
    samples = np.sin(np.arange(32000, dtype=np.float32) / 9)[None] / 3
    seal_sound(samples, folder / name, making(act="voice", consent=CORPUS), rate_hz=16000)
    found = verify(folder / name)
    assert found.consent is not None
    assert (found.consent.kind, found.consent.statement) == ("corpus", CORPUS.statement)


def test_without_a_record_nothing_is_said(folder: Path, making: MakeMaking) -> None:
    seal_image(moving_picture(0), folder / "a.png", making())
    found = verify(folder / "a.png")
    assert found.consent is None
    assert found.to_json()["stated"]["consent"] is None
    assert not any("consent" in line for line in found.summary())


@pytest.mark.parametrize(
    ("consent", "rights", "error"),
    [
        (None, None, RightsMissing),
        (None, RIGHTS, None),
        (NOTE, None, None),
        (NOTE, RIGHTS, None),
        (STRICT, None, ConsentScope),
        (STRICT, RIGHTS, ConsentScope),
        (CORPUS, RIGHTS, ConsentScope),
    ],
)
def test_who_may_leave_out_the_label(
    making: MakeMaking, consent: ConsentNote | None, rights: Rights | None, error: type[Exception] | None
) -> None:
    check_rights(making(consent=consent, rights=rights))
    bare = making(consent=consent, rights=rights, label="none")
    if error is None:
        check_rights(bare)
    else:
        with pytest.raises(error):
            check_rights(bare)


def test_nothing_is_written_without_the_label_against_the_record(folder: Path, making: MakeMaking) -> None:
    with pytest.raises(ConsentScope):
        seal_image(moving_picture(0), folder / "a.png", making(consent=STRICT, label="none"))
    assert list(folder.iterdir()) == []


def store_saying(consent: Any) -> dict[str, Any]:
    assertion = {"label": MAKING, "data": {"consent": consent}}
    return {"active_manifest": "a", "manifests": {"a": {"assertions": [assertion]}}}


TEXTS = st.text(max_size=500) | st.integers() | st.none()


@given(st.none() | st.text() | st.lists(st.text()) | st.dictionaries(st.sampled_from(
    ["kind", "record", "sha256", "statement", "more"]), TEXTS | st.lists(TEXTS, max_size=2)
))  # fmt: skip
def test_what_strangers_state_is_shown_on_one_line(consent: Any) -> None:
    found = Statement.read(store_saying(json.loads(json.dumps(consent)))).consent
    if found is not None:
        for text in (found.kind, found.record, found.sha256, found.statement, found.describe()):
            assert text == one_line(text)
