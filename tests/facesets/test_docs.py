"""docs/face-sets.md describes every field that is written, and every option there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from likeness.faces import identity
from likeness.facesets import alignments, sorting
from likeness.facesets.keep import Reason
from likeness.facesets.measure import SAME_FRAME_BITS
from likeness.facesets.records import FaceRecord

from .conftest import SOURCE


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs" / "face-sets.md").read_text(encoding="utf-8")


def test_every_field_is_described(page: str, record: FaceRecord) -> None:
    spelt = set(re.findall(r"`\"?([a-z_0-9]+)\"?`", page))
    header = {"format", "version", "size_px", "zoom", "identity_model", "distance_to", "sources", "faces"}
    face = record.to_json()
    for names in (header, SOURCE.to_json(), face, face["pose"], face["square"]):
        assert set(names) <= spelt


def test_figures(page: str) -> None:
    assert f"(of {alignments.SIZE_PX})" in page or f"({alignments.SIZE_PX})" in page
    assert f"a match ({identity.MATCH}) and none ({identity.NO_MATCH})" in page
    assert f"up to {SAME_FRAME_BITS} bits" in page
    assert f"smaller than {identity.MIN_SIZE_PX} px" in page
    assert all(f"`{by}`" in page for by in get_args(sorting.By) if by != "blur")


def test_every_reason_is_described(page: str) -> None:
    assert all(f"“{reason}”" in page for reason in get_args(Reason))
