from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.faces import find_faces
from likeness.faces.align import HEAD_AND_SHOULDERS, Crop
from likeness.types import Picture

PICTURE = np.random.default_rng(3).integers(0, 256, (90, 120, 3), dtype=np.uint8)
Y, X = np.mgrid[:200, :220]
SLOPE = np.stack([X, Y, (X + Y) // 2], axis=-1).astype(np.uint8)

place = st.floats(60, 150)


@given(st.integers(0, 119), st.integers(0, 89), st.integers(1, 60))
def test_cut_and_pasted_back_at_its_own_scale(x: int, y: int, side: int) -> None:
    """The pixels of the picture themselves, and its border where it ends."""
    left, top = x - (side - 1) // 2, y - (side - 1) // 2
    cut = Crop(left + (side - 1) / 2, top + (side - 1) / 2, side, side).cut(PICTURE)
    rows, columns = np.arange(top, top + side).clip(0, 89), np.arange(left, left + side).clip(0, 119)
    pasted = PICTURE.copy()
    pasted[rows[:, None], columns] = cut
    assert np.array_equal(pasted, PICTURE)


@given(place, place, st.floats(20, 100), st.integers(8, 200))
def test_pixels_and_points_move_alike(x: float, y: float, side: float, size: int) -> None:
    """Where the brightness of a picture is its place, each pixel of the crop tells where it was taken."""
    crop = Crop(x, y, side, size)
    cut = crop.cut(SLOPE)
    points = np.array([[x, y, 3], [x + side / 3, y - side / 4, -1]], np.float32)
    for (column, row, depth), (was_x, was_y, was_z) in zip(crop.cut_points(points), points, strict=True):
        seen = cut[round(float(row)), round(float(column)), :2].astype(float)
        assert np.abs(seen - [was_x, was_y]).max() <= 0.5 * crop.scale + 1
        assert depth == pytest.approx(was_z / crop.scale, rel=1e-5)


def test_shrinking_averages() -> None:
    """Fine stripes become grey, not coarse stripes."""
    stripes = np.zeros((400, 400, 3), np.uint8)
    stripes[:, ::2] = 255
    cut = Crop(200, 200, 300, 40).cut(stripes)
    assert np.abs(cut.astype(int) - 127).max() <= 40


def test_head_and_shoulders(hopper: Picture, bundle: Path) -> None:
    (face,) = find_faces(hopper)
    crop = Crop.around(face.points, 256)
    assert crop.side_px == pytest.approx(HEAD_AND_SHOULDERS * face.size_px, rel=1e-3)
    (seen,) = find_faces(crop.cut(hopper))
    assert np.abs(seen.points - crop.cut_points(face.points))[:, :2].mean() < 1.0


def test_a_crop_moves_inside_the_picture_where_it_fits() -> None:
    near_the_corner = Crop(x=10.0, y=95.0, side_px=40.0, size_px=20)
    moved = near_the_corner.within(100, 100)
    assert (moved.x, moved.y) == (19.5, 79.5)
    assert near_the_corner.within(30, 100) == Crop(x=14.5, y=84.5, side_px=30.0, size_px=20)
    inside = Crop(x=50.0, y=50.0, side_px=40.0, size_px=20)
    assert inside.within(100, 100) == inside
