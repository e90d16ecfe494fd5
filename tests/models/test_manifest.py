from __future__ import annotations

import re
from pathlib import Path

import pytest

from likeness import models
from likeness.errors import UnknownModel
from likeness.models import Address, WheelMember

ENTRIES = models.all_models()


@pytest.fixture(autouse=True)
def own_home() -> None:
    """The real manifest needs no cache of its own."""


def test_names_and_files_are_unique() -> None:
    assert len({entry.name for entry in ENTRIES}) == len(ENTRIES)
    # LIKENESS_MODELS is one flat folder, so file names must not meet there.
    assert len({entry.file_name for entry in ENTRIES}) == len(ENTRIES)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_every_entry_says_what_whose_and_whence(entry: models.ModelEntry) -> None:
    assert re.fullmatch(r"[a-z0-9-]+", entry.name)
    assert re.fullmatch(r"[0-9a-f]{64}", entry.sha256)
    assert entry.size_bytes > 0
    assert entry.licence
    assert entry.attribution
    assert entry.purpose
    assert entry.sources
    for source in entry.sources:
        if isinstance(source, WheelMember):
            # A name such as "model.onnx" says too little in a flat folder, so it may be another one here.
            assert Path(source.member).suffix == Path(entry.file_name).suffix
            assert re.fullmatch(r"[0-9.]+", source.version), "an exact release"
        else:
            assert isinstance(source, Address)
            assert source.url.startswith("https://")


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_the_files_at_hand_are_those_of_the_manifest(entry: models.ModelEntry) -> None:
    assert models.fetch(entry.name).stat().st_size == entry.size_bytes


def test_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UnknownModel, match="face-landmraker") as caught:
        models.info("face-landmraker")
    assert "face-landmarker" in caught.value.hint


def test_ref_is_what_the_credentials_record() -> None:
    assert models.ref("face-landmarker").sha256 == models.info("face-landmarker").sha256
