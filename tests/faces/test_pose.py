from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.faces import BLENDSHAPES, FaceTracker, find_faces
from likeness.faces.pose import (
    Similarity,
    euler_deg,
    eye_openness,
    fit_head,
    fit_similarity,
    from_euler_deg,
    gaze_offset,
    head_pose,
    mouth_openness,
)
from likeness.faces.topology import EYES, canonical_mesh
from likeness.types import Floats, Picture

angle = st.floats(-85, 85)
angles = st.tuples(angle, angle, st.floats(-179, 179)).map(np.array)


@given(angles)
def test_angles_there_and_back(degrees: np.ndarray) -> None:
    rotation = from_euler_deg(degrees)
    assert rotation @ rotation.T == pytest.approx(np.eye(3), abs=1e-9)
    assert np.linalg.det(rotation) == pytest.approx(1)
    assert euler_deg(rotation) == pytest.approx(degrees, abs=1e-6)


def test_signs() -> None:
    """As the hand turns from x to y to z, with x right, y down, z away."""
    nose = np.array([0.0, 0.0, -1.0])
    assert (from_euler_deg(np.array([20, 0, 0])) @ nose)[1] > 0.3  # positive pitch looks down
    assert (from_euler_deg(np.array([0, 20, 0])) @ nose)[0] < -0.3  # positive yaw: towards the picture's left
    assert (from_euler_deg(np.array([0, 0, 20])) @ np.array([1.0, 0, 0]))[1] > 0.3  # positive roll: clockwise


@given(angles, st.floats(0.1, 50), st.integers(0, 1000))
def test_a_similarity_is_recovered(degrees: np.ndarray, scale: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    source, shift = rng.normal(size=(12, 3)), rng.normal(size=3) * 100
    rotation = from_euler_deg(degrees)
    target = scale * source @ rotation.T + shift
    fit = fit_similarity(source, target, rng.uniform(0.1, 1, 12))
    assert fit.rotation == pytest.approx(rotation, abs=1e-6)
    assert fit.scale == pytest.approx(scale)
    assert fit(source) == pytest.approx(target, abs=1e-6)
    assert fit.undo(target) + fit.origin == pytest.approx(source, abs=1e-6)


@given(angles, st.floats(0.5, 2), st.integers(0, 1000))
def test_a_head_is_fitted_with_little_trust_in_depth(degrees: np.ndarray, scale: float, seed: int) -> None:
    """Where depth is far off, no similarity near the one found leaves a smaller weighted error."""
    rng = np.random.default_rng(seed)
    source = rng.normal(size=(40, 3)) * (50, 60, 30)
    exact = scale * source @ from_euler_deg(degrees).T + (300, 200, 0)
    assert fit_head(source, exact)(source) == pytest.approx(exact, abs=1e-6)
    target = exact + rng.normal(size=(40, 3)) * (0.5, 0.5, 5)

    def error(fit: Similarity) -> float:
        return float((((fit(source) - target) * (1, 1, 0.1)) ** 2).sum())

    found = fit_head(source, target, rounds=20)
    for _ in range(8):
        turn, stretch, shift = rng.normal(size=3) * 0.1, 1 + 1e-3 * rng.normal(), rng.normal(size=3) * 0.05
        rotation = from_euler_deg(turn) @ found.rotation
        other = Similarity(rotation, found.scale * stretch, found.origin, found.centre + shift)
        assert error(found) <= error(other)
    assert error(fit_head(source, target)) == pytest.approx(error(found), rel=1e-3)


def test_a_mirror_image_is_not_a_rotation() -> None:
    source = np.random.default_rng(0).normal(size=(20, 3))
    fit = fit_similarity(source, source * (-1, 1, 1), np.ones(20))
    assert np.linalg.det(fit.rotation) == pytest.approx(1)


@given(angles)
def test_the_pose_of_the_mesh_itself(bundle: Path, degrees: np.ndarray) -> None:
    mesh = canonical_mesh(bundle)
    turned = (3 * mesh.vertices @ from_euler_deg(degrees).T + (200, 100, 0)).astype(np.float32)
    pose = head_pose(turned, mesh)
    assert euler_deg(pose.rotation) == pytest.approx(degrees, abs=0.05)
    assert pose.scale == pytest.approx(3, rel=1e-4)


def test_the_roll_of_a_turned_picture(hopper: Picture, bundle: Path) -> None:
    mesh = canonical_mesh(bundle)
    (upright,), (turned,) = find_faces(hopper), find_faces(np.ascontiguousarray(np.rot90(hopper, -1)))
    before, after = (euler_deg(head_pose(face.points, mesh).rotation) for face in (upright, turned))
    assert after - before == pytest.approx([0, 0, 90], abs=4)


@pytest.fixture(scope="module")
def track(carphone: list[Picture]) -> list[tuple[Floats, Floats]]:
    tracker = FaceTracker()
    return [(face.points, face.blendshapes) for frame in carphone for face in tracker.track(frame)]


def test_eyes_close_when_the_network_says_blink(track: list[tuple[Floats, Floats]]) -> None:
    for eye in EYES:
        blink = [shapes[BLENDSHAPES.index(eye.blink)] for _, shapes in track]
        openness = [eye_openness(points, eye) for points, _ in track]
        assert np.corrcoef(blink, openness)[0, 1] < -0.8


def test_the_mouth_opens_when_the_network_says_so(track: list[tuple[Floats, Floats]]) -> None:
    jaw = [shapes[BLENDSHAPES.index("jawOpen")] for _, shapes in track]
    assert np.corrcoef(jaw, [mouth_openness(points) for points, _ in track])[0, 1] > 0.7


def test_measures_do_not_depend_on_scale_or_roll(track: list[tuple[Floats, Floats]]) -> None:
    points = track[10][0]
    moved = (2.5 * points @ from_euler_deg(np.array([0, 0, 33])).T + (40, -7, 3)).astype(np.float32)
    assert mouth_openness(moved) == pytest.approx(mouth_openness(points), rel=1e-3)
    for eye in EYES:
        assert eye_openness(moved, eye) == pytest.approx(eye_openness(points, eye), rel=1e-3)
        assert gaze_offset(moved, eye) == pytest.approx(gaze_offset(points, eye), abs=1e-3)


def test_gaze_follows_the_iris(track: list[tuple[Floats, Floats]]) -> None:
    points = track[0][0].copy()
    eye = EYES[0]
    width = np.linalg.norm(points[eye.corners[1], :2] - points[eye.corners[0], :2])
    before = gaze_offset(points, eye)
    points[eye.iris, :2] += 0.1 * (points[eye.corners[1], :2] - points[eye.corners[0], :2])
    assert width > 1
    assert gaze_offset(points, eye) - before == pytest.approx([0.1, 0], abs=1e-3)
