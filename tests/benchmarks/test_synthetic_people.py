"""What of the synthetic people needs no data: how they move, and how triangles are drawn."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from synthetic_people.performance import perform
from synthetic_people.raster import NOTHING, draw, point_normals


def test_a_longer_performance_begins_like_a_shorter_one() -> None:
    assert [m.units for m in perform(3, 20)] == [m.units for m in perform(3, 60)[:20]]
    assert perform(3, 20)[5].yaw != perform(4, 20)[5].yaw


def test_people_speak_blink_and_turn() -> None:
    moments = perform(1, 500)
    jaw = [m.units["jawOpen"] for m in moments]
    lids = [m.units["eyeBlinkLeft"] for m in moments]
    assert all(0 <= share <= 1 for m in moments for share in m.units.values())
    assert max(jaw) > 0.4
    assert min(jaw) < 0.05
    assert sum(a < 0.9 <= b for a, b in pairwise(lids)) in range(3, 20)
    assert np.ptp([m.yaw for m in moments]) > np.radians(20)


def drawn(points: list[list[float]], triangles: list[list[int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    depth, seen = np.full((20, 20), np.inf, np.float32), np.full((20, 20), NOTHING, np.int32)
    weights = np.zeros((20, 20, 2), np.float32)
    draw(np.array(points, np.float32), np.array(triangles, np.int32), depth, seen, weights)
    return depth, seen, weights


SQUARE = [[2, 2, 5], [2, 12, 5], [12, 12, 5], [12, 2, 5]]
FRONT = [[0, 1, 2], [0, 2, 3]]


def test_a_square_is_drawn_whole_and_from_the_front_only() -> None:
    _, seen, _ = drawn(SQUARE, FRONT)
    assert (seen[2:13, 2:13] != NOTHING).all()
    assert (seen != NOTHING).sum() == 11 * 11
    _, behind, _ = drawn(SQUARE, [triangle[::-1] for triangle in FRONT])
    assert (behind == NOTHING).all()


@given(st.floats(1, 9))
def test_the_nearer_one_is_seen(z: float) -> None:
    other = [[x, y, z] for x, y, _ in SQUARE]
    depth, seen, _ = drawn(SQUARE + other, [*FRONT, *([a + 4 for a in t] for t in FRONT)])
    assert np.allclose(depth[3:12, 3:12], min(5, z))
    assert ((seen[3:12, 3:12] >= 2) == (z < 5)).all()


def test_weights_say_where_in_the_triangle() -> None:
    points = np.array(SQUARE, np.float32)
    _, seen, weights = drawn(SQUARE, FRONT)
    corners = np.array(FRONT)[seen[7, 4]]
    shares = np.array([1 - weights[7, 4].sum(), *weights[7, 4]])
    assert np.allclose(shares @ points[corners, :2], [4, 7], atol=1e-4)


def test_normals_point_outwards() -> None:
    flat = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float32)
    normals = point_normals(flat, np.array([[0, 1, 2], [0, 2, 3]], np.int32))
    assert np.allclose(normals, [0, 0, 1])
