"""Unfolding the far cheek, on the canonical face seen from one side."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from likeness.engines.mesh.far_cheek import MARGIN, FarCheek
from likeness.faces.topology import FACE_OVAL, CanonicalMesh, canonical_mesh
from likeness.types import Floats

PX_PER_CM = 15.0


def see(mesh: CanonicalMesh, yaw_deg: float) -> NDArray[np.float64]:
    """(468, 3) px: the canonical face, turned."""
    turn, _ = cv2.Rodrigues(np.array([0.0, np.deg2rad(yaw_deg), 0.0]))
    return np.asarray(mesh.vertices @ turn.T * PX_PER_CM + [300, 300, 0], np.float64)


def surround(face: NDArray[np.float64]) -> NDArray[np.float64]:
    """The edge once more, and points on two circles around it, px."""
    oval = face[list(FACE_OVAL), :2]
    centre = oval.mean(0)
    return np.vstack([oval, centre + 1.4 * (oval - centre), centre + 3 * (oval - centre)])


def prepare(mesh: CanonicalMesh, yaw_deg: float) -> tuple[FarCheek, NDArray[np.float64], NDArray[np.float64]]:
    face = see(mesh, yaw_deg)
    around = surround(face)
    width_px = float(np.ptp(face[list(FACE_OVAL), 0]))
    return FarCheek(face, around, width_px, mesh), face, around


def stand(face: NDArray[np.float64], around: NDArray[np.float64]) -> Floats:
    return np.vstack([face, np.pad(around, ((0, 0), (0, 1)))]).astype(np.float32)


def areas(points: NDArray[np.floating], mesh: CanonicalMesh) -> NDArray[np.float64]:
    """Twice the signed area of each of the face's triangles, px²."""
    a, b, c = (points[mesh.triangles[:, k], :2].astype(np.float64) for k in range(3))
    (bx, by), (cx, cy) = (b - a).T, (c - a).T
    return np.asarray(bx * cy - by * cx, np.float64)


def cover(face: NDArray[np.float64], mesh: CanonicalMesh) -> NDArray[np.uint8]:
    mask = np.zeros((600, 600), np.uint8)
    for corners in face[mesh.triangles, :2]:
        cv2.fillConvexPoly(mask, np.round(corners).astype(np.int32), 1)
    return mask


@pytest.fixture(scope="module")
def mesh() -> CanonicalMesh:
    return canonical_mesh()


@pytest.mark.parametrize("now_deg", [-25.0, 0.0, 25.0])
def test_a_frontal_face_is_read_where_it_lies(mesh: CanonicalMesh, now_deg: float) -> None:
    cheek, face, around = prepare(mesh, 0.0)
    texture = cheek.unfold(stand(see(mesh, now_deg), around))
    np.testing.assert_allclose(texture, np.vstack([face[:, :2], around]), atol=1e-3)


@pytest.mark.parametrize("yaw_deg", [-40.0, -30.0, 30.0, 40.0])
def test_at_rest_all_that_is_seen_is_read_where_it_lies(mesh: CanonicalMesh, yaw_deg: float) -> None:
    cheek, face, around = prepare(mesh, yaw_deg)
    texture = cheek.unfold(stand(face, around))
    area = areas(face, mesh)
    seen = np.unique(mesh.triangles[area * np.sign(area.sum()) > 0])
    np.testing.assert_allclose(texture[seen], face[seen, :2], atol=1e-3)
    np.testing.assert_allclose(texture[len(face) :], around, atol=1e-3)


@pytest.mark.parametrize("yaw_deg", [-40.0, -35.0, 35.0, 40.0])
def test_turned_to_the_front_the_cheek_is_skin_and_the_surroundings_are_not(
    mesh: CanonicalMesh, yaw_deg: float
) -> None:
    cheek, face, around = prepare(mesh, yaw_deg)
    texture = cheek.unfold(stand(see(mesh, 0.0), around)).astype(np.float64)
    mask = cover(face, mesh)
    edge = texture[list(FACE_OVAL)]
    beside = texture[len(face) : len(face) + len(FACE_OVAL)]
    # Where the folded part ends, the change is gradual; what counts is where all of it is unfolded.
    far = np.linalg.norm(edge - beside, axis=1) > 1.9 * MARGIN * np.ptp(face[list(FACE_OVAL), 0])
    assert far.sum() >= 3, "at least this much of the edge is folded"
    column, row = np.round(edge[far]).astype(int).T
    assert mask[row, column].mean() > 0.9
    column, row = np.round(beside[far]).astype(int).T
    assert mask[row, column].mean() < 0.1


@pytest.mark.parametrize("yaw_deg", [-30.0, -20.0, 20.0, 30.0])
@pytest.mark.parametrize("part", [0.3, 0.6, 1.0])
def test_nothing_that_comes_forward_is_folded(mesh: CanonicalMesh, yaw_deg: float, part: float) -> None:
    # Triangles that are seen but read back to front are not drawn. Inside the face their neighbours close the
    # gap; at the edge the surroundings would run into the cheek.
    cheek, face, around = prepare(mesh, yaw_deg)
    now = see(mesh, yaw_deg * (1 - part))
    drawn, read = areas(now, mesh), areas(cheek.unfold(stand(now, around)), mesh)
    at_edge = np.isin(mesh.triangles, FACE_OVAL).any(1) & (drawn * np.sign(drawn.sum()) > 1)
    folded_before = at_edge & (drawn * areas(face, mesh) < 0)
    folded = at_edge & (drawn * read < 0)
    assert folded_before.sum() >= 3
    assert np.abs(drawn[folded]).sum() <= 0.05 * np.abs(drawn[folded_before]).sum()
