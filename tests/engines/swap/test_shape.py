"""B's own shape, moved as A moves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.engines.swap.shape import OPEN, SHUT, OwnShape, Shape, lids_at_rest, rest_shape, shut_lids
from likeness.faces.pose import eye_openness, from_euler_deg, head_pose
from likeness.faces.topology import EYES, INNER_LOWER_LIP, INNER_UPPER_LIP, LIPS, canonical_mesh
from likeness.types import Face, Floats


def person(seed: int) -> Shape:
    """A face somewhat unlike the average, which stays rigid where poses are fitted."""
    mesh = canonical_mesh()
    shape = np.concatenate([mesh.vertices, np.zeros((10, 3))]).astype(np.float64)
    for eye in EYES:
        middle = shape[list(eye.corners)].mean(0)
        shape[eye.iris : eye.iris + 5] = middle
    draw = np.random.default_rng(seed)
    noise = draw.normal(0, 0.15, shape.shape)
    noise[mesh.rigid] = 0
    return shape + noise


def place(shape: Shape, angles: tuple[float, float, float] = (0, 0, 0), scale: float = 8.0) -> Floats:
    return np.asarray(scale * shape @ from_euler_deg(np.array(angles)).T + [90, 110, 3], np.float32)


def face(points: Floats, smile: float = 0.0) -> Face:
    return Face(points, np.full(52, smile, np.float32), 1.0)


@given(st.floats(-35, 35), st.floats(-35, 35), st.floats(4, 30))
def test_at_rest_a_becomes_b_in_any_pose(yaw: float, pitch: float, scale: float) -> None:
    a, b = person(1), person(2)
    moved = OwnShape(a, b, 1.0, canonical_mesh()).move(place(a, (pitch, yaw, 5), scale))
    wanted = place(b, (pitch, yaw, 5), scale)
    others = [point for point in range(478) if point not in LIPS]  # the lips: see below
    np.testing.assert_allclose(moved[others], wanted[others], atol=0.02 * scale)


@given(st.floats(0, 1))
def test_what_a_does_is_kept(share: float) -> None:
    a, b = person(1), person(2)
    smile = np.zeros_like(a)
    smile[[61, 291]] = [[-0.7, -0.3, 0], [0.7, -0.3, 0]]
    mover = OwnShape(a, b, share, canonical_mesh())
    still, smiling = mover.move(place(a)), mover.move(place(a + smile))
    np.testing.assert_allclose((smiling - still)[[61, 291]], 8.0 * smile[[61, 291]], atol=0.02)


def test_with_no_share_nothing_moves() -> None:
    points = place(person(1), (3, 20, -8))
    moved = OwnShape(person(1), person(2), 0.0, canonical_mesh()).move(points)
    np.testing.assert_allclose(moved, points, atol=1e-4)


def test_the_mouth_is_as_open_as_a_opens_it() -> None:
    a, b = person(1), person(2)
    upper, lower = list(INNER_UPPER_LIP), list(INNER_LOWER_LIP)
    b[lower[1:-1], 1] += 1.0  # B rests with an open mouth
    points = place(a)
    moved = OwnShape(a, b, 1.0, canonical_mesh()).move(points)
    np.testing.assert_allclose(moved[upper] - moved[lower], points[upper] - points[lower], atol=1e-3)


def test_lids_that_a_closes_are_closed() -> None:
    a, b = person(1), person(2)
    for eye in EYES:
        b[list(eye.upper), 1] -= 0.4  # B's eyes are larger
    mover = OwnShape(a, b, 1.0, canonical_mesh())
    closed = a.copy()
    for eye in EYES:
        closed[list(eye.upper)] = closed[list(eye.lower)]
    opened, shut = mover.move(place(a)), mover.move(place(closed))
    for eye in EYES:
        assert eye_openness(opened, eye) > eye_openness(place(a), eye) + 0.05
        assert eye_openness(shut, eye) == pytest.approx(0, abs=0.01)


def test_the_face_at_rest_is_that_of_the_calmest_pictures() -> None:
    a = person(1)
    grin = a.copy()
    grin[[61, 291], 1] -= 1.0
    faces = [face(place(a, (0, 12, 0))), face(place(a)), face(place(grin), 0.6), face(place(grin), 0.8)]
    rest = rest_shape(faces, canonical_mesh())
    known = head_pose(place(a), canonical_mesh()).undo(place(a))
    np.testing.assert_allclose(rest, known, atol=0.02)


def blinking(share: float) -> Floats:
    """Points of a face whose eyes are open by so much of what they are at rest."""
    points = place(person(1), (4, 12, 0))
    for eye in EYES:
        upper, lower = list(eye.upper), list(eye.lower)
        points[upper] = points[lower] + share * (points[upper] - points[lower])
    return points


@given(st.floats(0, 1.5))
def test_lids_that_are_nearly_shut_are_shut(share: float) -> None:
    at_rest = lids_at_rest([face(blinking(one)) for one in (1.0, 0.1, 1.0)])
    points = blinking(share)
    moved = shut_lids(points, at_rest)
    for eye, rest in zip(EYES, at_rest, strict=True):
        now = eye_openness(moved, eye) / rest
        assert now <= share + 1e-3
        if share <= SHUT:
            assert now < 1e-3
        if share >= OPEN:
            assert now == pytest.approx(share, abs=1e-3)
    lids = sorted({point for eye in EYES for point in (*eye.upper, *eye.lower)})
    np.testing.assert_array_equal(np.delete(moved, lids, 0), np.delete(points, lids, 0))


def test_lids_close_the_further_the_more_they_were_closed() -> None:
    at_rest = lids_at_rest([face(blinking(1.0))])
    gaps = [eye_openness(shut_lids(blinking(share), at_rest), EYES[0]) for share in np.linspace(0, 1, 21)]
    assert gaps == sorted(gaps)
