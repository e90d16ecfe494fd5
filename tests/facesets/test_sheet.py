"""Contact sheets."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from likeness.facesets import sheet
from likeness.facesets.sheet import Section, Tile, draw_sheet, identity_sheet, sheet_bytes, spread


@pytest.fixture
def tiles(tmp_path: Path) -> list[Tile]:
    """Plain tiles, each brighter than the one before, with a black rim that is not part of the face."""
    found = []
    for number in range(15):
        image = np.zeros((80, 80, 3), np.uint8)
        image[8:72, 8:72] = 20 + 15 * number
        Image.fromarray(image).save(tmp_path / f"{number}.png")
        found.append(Tile(tmp_path / f"{number}.png", f"{number / 10:.2f}"))
    return found


def brightness(image: np.ndarray, top: int, left: int) -> float:
    """Of a whole tile, up to its edges."""
    return float(image[top : top + 96, left : left + 96].mean())


def test_tiles_in_reading_order(tiles: list[Tile]) -> None:
    image = draw_sheet([Section("fifteen", tiles)], zoom=1.25)
    assert image.shape == (24 + 2 * (96 + 14), 12 * 96, 3)
    assert [brightness(image, 24, 96 * n) for n in range(12)] == [20 + 15 * n for n in range(12)]
    assert [brightness(image, 24 + 110, 96 * n) for n in range(3)] == [20 + 15 * n for n in range(12, 15)]
    assert (image[24 + 110 :, 3 * 96 :] == 250).all()


def test_sections_one_below_the_other(tiles: list[Tile]) -> None:
    bare = [Tile(tile.path) for tile in tiles]
    image = draw_sheet([Section("first", bare[:2]), Section("empty", []), Section("last", bare[5:6])], zoom=1)
    assert image.shape[0] == 3 * (24 + 96)
    assert brightness(image, 2 * 120 + 24, 0) < brightness(image, 120 + 24, 0) == 250
    assert image[:24].min() < 128  # the title


def test_nearest_first(tiles: list[Tile]) -> None:
    faces = [(tiles[0].path, None), (tiles[1].path, 0.4), (tiles[2].path, 0.0), (tiles[3].path, 0.2)]
    with Image.open(io.BytesIO(identity_sheet(faces, "median", zoom=1.25))) as file:
        image = np.asarray(file)
    order = [round((brightness(image, 24, 96 * n) - 20) / 15) for n in range(4)]
    assert order == [2, 3, 1, 0]


def test_of_many_some_are_shown(tiles: list[Tile], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet, "MOST_TILES", 4)
    with Image.open(io.BytesIO(sheet_bytes("many", tiles, zoom=1.25))) as file:
        image = np.asarray(file)
    assert round(brightness(image, 24, 0)) == 20
    assert round(brightness(image, 24, 3 * 96)) == 20 + 15 * 14
    assert (image[24:120, 4 * 96 + 8 :] > 240).all()


@given(count=st.integers(0, 500), most=st.integers(2, 60))
def test_spread(count: int, most: int) -> None:
    found = spread(count, most)
    assert len(found) == min(count, most)
    assert found == sorted(set(found))
    if count:
        assert (found[0], found[-1]) == (0, count - 1)
        steps = np.diff(found)
        assert len(steps) == 0 or steps.max() - steps.min() <= 1
