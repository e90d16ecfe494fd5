"""Two people, their face sets and records, and a model that is small enough to be trained in a test."""

from __future__ import annotations

from pathlib import Path

import pytest

from likeness import consent
from likeness.consent import ConsentKey
from likeness.facesets.faceset import FaceSet
from likeness.nn import swap as nets
from likeness.training.swap.settings import SwapSettings

from ...swap_people import TINY, make_corpus_record, make_faces, make_record, write_set

QUICK = SwapSettings(batch_size=2, warm_up=2, learning_rate=3e-3)


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """`slim64` is a very small model here."""
    monkeypatch.setitem(nets.MODELS, "slim64", TINY)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is in these pictures: who it is said to be is believed."""
    monkeypatch.setattr(FaceSet, "embed", lambda faces, record: record.identity)


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> ConsentKey:
    return consent.create_key(tmp_path_factory.mktemp("keys") / "key.pem")


@pytest.fixture(scope="session")
def sets(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Face sets of person 1 and person 2."""
    folder = tmp_path_factory.mktemp("sets")
    return write_set(make_faces(1), folder / "A"), write_set(make_faces(2), folder / "B")


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory, key: ConsentKey) -> Path:
    path = tmp_path_factory.mktemp("records") / "corpus.consent.json"
    make_corpus_record(key).save(path)
    return path


@pytest.fixture(scope="session")
def of_b(tmp_path_factory: pytest.TempPathFactory, key: ConsentKey) -> Path:
    path = tmp_path_factory.mktemp("records") / "b.consent.json"
    make_record(2, key).save(path)
    return path
