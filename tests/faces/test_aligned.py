"""The square of a face follows the head's bones, and its matrices are each other's reverse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.faces.aligned import MIDDLE_CM, SIDE_CM, Alignment
from likeness.faces.pose import from_euler_deg
from likeness.faces.sampling import transform
from likeness.faces.topology import CHIN, canonical_mesh
from likeness.types import Floats

ANGLES = st.floats(-40, 40)
SIZES = st.integers(16, 300)


def place(angles: tuple[float, float, float], px_per_cm: float = 9.0, jaw_cm: float = 0.0) -> Floats:
    """The canonical face somewhere in a picture, with 10 points for the irises that do not matter."""
    vertices = canonical_mesh().vertices.astype(np.float64).copy()
    vertices[CHIN, 1] += jaw_cm
    turned = px_per_cm * (vertices @ from_euler_deg(np.array(angles)).T) + [200, 150, 0]
    return np.concatenate([turned, np.zeros((10, 3))]).astype(np.float32)


@given(ANGLES, ANGLES, ANGLES)
def test_a_turned_head_neither_shrinks_the_square_nor_leaves_it(
    pitch: float, yaw: float, roll: float
) -> None:
    points = place((pitch, yaw, roll))
    square = Alignment.of(points, canonical_mesh())
    assert square.side_px == pytest.approx(9 * SIDE_CM, rel=1e-3)
    inside = square.cut_points(points[:468], 100)
    assert inside[:, :2].min() > 0 and inside[:, :2].max() < 99


@given(st.floats(-60, 60))
def test_roll_turns_the_square_with_the_head(roll: float) -> None:
    upright, rolled = (Alignment.of(place((0, 0, one)), canonical_mesh()) for one in (0.0, roll))
    assert rolled.roll_deg == pytest.approx(roll, abs=0.05)
    np.testing.assert_allclose(
        rolled.cut_points(place((0, 0, roll)), 64)[:468],
        upright.cut_points(place((0, 0, 0)), 64)[:468],
        atol=0.05,
    )


def test_an_open_mouth_does_not_move_it() -> None:
    closed, opened = (Alignment.of(place((5, 10, 3), jaw_cm=jaw), canonical_mesh()) for jaw in (0.0, 3.0))
    assert closed == opened


@given(SIZES, st.floats(0.5, 2), ANGLES)
def test_cut_points_come_back(size_px: int, zoom: float, roll: float) -> None:
    square = Alignment(31.5, 77.0, 55.0, roll)
    points = np.array([[1.0, 2, 3], [100, 50, -4]], np.float32)
    cut = square.cut_points(points, size_px, zoom=zoom)
    back = transform(cut[:, :2].astype(np.float64), square.to_picture(size_px, zoom=zoom))
    np.testing.assert_allclose(back, points[:, :2], atol=1e-2)
    np.testing.assert_allclose(cut[:, 2] * 55 * zoom / size_px, points[:, 2], atol=1e-4)


def test_its_middle_shows_the_middle_of_the_face() -> None:
    square = Alignment.of(place((0, 0, 0)), canonical_mesh())
    assert (square.x, square.y) == pytest.approx((200 + 9 * MIDDLE_CM[0], 150 + 9 * MIDDLE_CM[1]), abs=0.01)


def test_a_cut_shows_what_lies_there() -> None:
    image = np.zeros((80, 120, 3), np.uint8)
    image[40:, :] = 200
    cut = Alignment(60, 39.5, 40, 90).cut(image, 20)  # lying on its side: below is to the left
    assert (cut[:, :9] == 200).all() or (cut[:, 11:] == 200).all()
    upright = Alignment(60, 39.5, 40, 0).cut(image, 20)
    assert (upright[11:] == 200).all() and (upright[:9] == 0).all()
