"""Records to begin with, and a home of their own for tests that look at what is kept there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from likeness import consent
from likeness.consent import ConsentKey, ConsentRecord, Embedding, HashedFile, References
from likeness.consent.parts import Challenge, Evidence

NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
Draft = Callable[..., ConsentRecord]


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty `LIKENESS_HOME` for this test alone."""
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "own"))
    return tmp_path / "own"


@pytest.fixture
def draft() -> Draft:
    """A request of Anna's; keywords replace what it says."""

    def make(**changes: object) -> ConsentRecord:
        said: dict[str, object] = {
            "subject": "Anna Beispiel",
            "requester": "Studio Nord",
            "acts": ["animate"],
            "purposes": ["a short film"],
        }
        return consent.draft(**{**said, **changes})  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> ConsentKey:
    """Anna's key."""
    return consent.create_key(tmp_path_factory.mktemp("keys") / "anna.pem")


@pytest.fixture(scope="session")
def other_key(tmp_path_factory: pytest.TempPathFactory) -> ConsentKey:
    """Somebody else's key."""
    return consent.create_key(tmp_path_factory.mktemp("keys") / "other.pem")


@pytest.fixture
def record(draft: Draft, key: ConsentKey) -> ConsentRecord:
    """Anna's consent, with everything in it that a record can hold."""
    vector = np.linspace(-0.2, 0.2, 128, dtype=np.float32)
    full = replace(
        draft(publish=["the studio's web site"], subject_contact="anna@example.org"),
        references=References(
            files=(HashedFile("anna.jpg", "face", "ab" * 32, 12345),),
            face=Embedding.of("some-network/1", vector),
            voice=Embedding.of("other-network/1", np.linspace(0, 1, 256)),
        ),
        challenge=Challenge("I agree. Four seven one one.", "4711", NOON),
        evidence=(
            Evidence(
                "spoken",
                NOON,
                "cd" * 32,
                "I agree. Four seven one one.",
                "4711",
                "i agree four seven one one",
                consent.spell_scores({"speaker similarity": 0.91, "phoneme errors": 0.125}),
                "likeness",
            ),
        ),
    )
    return consent.sign(full, key)
