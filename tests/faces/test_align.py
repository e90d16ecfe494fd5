from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.faces import find_faces
from likeness.faces.align import HEAD_AND_SHOULDERS, Crop, soft_mask
from likeness.faces.pose import euler_deg, head_pose
from likeness.faces.topology import canonical_mesh
from likeness.types import Picture

PICTURE = np.random.default_rng(3).integers(0, 256, (90, 120, 3), dtype=np.uint8)
SLOPES = ((9, 14), (17, 8), (11, 11))
WAVES = [np.sin(np.add.outer(np.arange(200) / a, np.arange(220) / b)) for a, b in SLOPES]
SMOOTH = (127 + 100 * np.stack(WAVES, axis=-1)).round().astype(np.uint8)

place = st.floats(60, 150)
turn = st.floats(-math.pi, math.pi)


@given(st.integers(0, 119), st.integers(0, 89), st.integers(1, 60))
def test_cut_and_pasted_back_at_its_own_scale(x: int, y: int, side: int) -> None:
    crop = Crop.of_square(x + (side - 1) % 2 / 2, y + (side - 1) % 2 / 2, side, side)
    pasted = crop.paste(PICTURE, crop.cut(PICTURE), np.ones((side, side), np.float32))
    assert np.array_equal(pasted, PICTURE)


@settings(deadline=None)
@given(place, place, st.floats(30, 110), turn, st.floats(0.8, 1.6))
def test_cut_turned_and_pasted_back(x: float, y: float, side: float, angle: float, zoom: float) -> None:
    """A smooth picture survives the way there and back, at any turn and about its own scale."""
    size = max(8, round(side * zoom))
    crop = Crop.of_square(x, y, side, size, angle)
    pasted = crop.paste(SMOOTH, crop.cut(SMOOTH), soft_mask(size, 0.1))
    assert np.abs(pasted.astype(int) - SMOOTH).max() <= 6


@given(st.floats(-200, 300), st.floats(-200, 300), st.floats(2, 200), st.floats(-4, 4), st.integers(1, 64))
def test_pasting_changes_nothing_outside_the_crop(
    x: float, y: float, side: float, angle: float, size: int
) -> None:
    crop = Crop.of_square(x, y, side, size, angle)
    white = np.full((size, size, 3), 255, np.uint8)
    pasted = crop.paste(PICTURE, white, np.ones((size, size), np.float32))
    rows, columns = np.nonzero((pasted != PICTURE).any(axis=-1))
    reach = side / math.sqrt(2) + 2 * crop.scale + 1
    assert (np.hypot(columns - x, rows - y) <= reach).all()


@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(5, 500), st.floats(-3, 3), st.integers(2, 512))
def test_points_go_there_and_back(x: float, y: float, side: float, angle: float, size: int) -> None:
    crop = Crop.of_square(x, y, side, size, angle)
    points = np.array([[x, y, 3], [x + 5, y - 2, -1]], np.float32)
    there = crop.cut_points(points)
    assert there[0] == pytest.approx([(size - 1) / 2, (size - 1) / 2, 3 / crop.scale], rel=1e-3, abs=1e-2)
    assert crop.restore_points(there) == pytest.approx(points, rel=1e-3, abs=1e-2)


def test_soft_mask() -> None:
    mask = soft_mask(101, 0.1)
    assert mask[50, 50] == 1
    assert mask[0].max() == mask[:, -1].max() == 0
    assert (np.diff(mask[50, :51]) >= 0).all()
    assert mask == pytest.approx(mask.T)
    assert soft_mask(5, 0.0)[2, 2] == 1


def test_head_and_shoulders(hopper: Picture, bundle: Path) -> None:
    (face,) = find_faces(hopper)
    crop = Crop.around(face.points, 256)
    assert crop.scale * 256 == pytest.approx(HEAD_AND_SHOULDERS * face.size_px, rel=1e-3)
    (seen,) = find_faces(crop.cut(hopper))
    assert np.abs(seen.points - crop.cut_points(face.points))[:, :2].mean() < 1.0


def test_level_turns_the_head_upright(carphone: list[Picture], bundle: Path) -> None:
    (face,) = find_faces(carphone[88])
    mesh = canonical_mesh(bundle)
    assert abs(euler_deg(head_pose(face.points, mesh).rotation)[2]) > 25
    crop = Crop.around(face.points, 256, level=True)
    assert abs(euler_deg(head_pose(crop.cut_points(face.points), mesh).rotation)[2]) < 0.5
    (seen,) = find_faces(crop.cut(carphone[88]))
    assert abs(euler_deg(head_pose(seen.points, mesh).rotation)[2]) < 4
