from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from likeness.faces import topology
from likeness.faces.topology import (
    FACE_OVAL,
    INNER_MOUTH,
    LEFT_EYE,
    LOWER_LIP_RINGS,
    RIGHT_EYE,
    UPPER_LIP_RINGS,
    CanonicalMesh,
    EyeIndex,
    canonical_mesh,
)


@pytest.fixture(scope="module")
def mesh(bundle: Path) -> CanonicalMesh:
    return canonical_mesh(bundle)


@pytest.fixture(scope="module")
def edges(mesh: CanonicalMesh) -> set[frozenset[int]]:
    return {
        frozenset((int(a), int(b)))
        for triangle in mesh.triangles
        for a, b in zip(triangle, np.roll(triangle, 1), strict=True)
    }


@pytest.fixture(scope="module")
def mirror(mesh: CanonicalMesh) -> list[int]:
    flipped = mesh.vertices * (-1, 1, 1)
    return [int(np.linalg.norm(mesh.vertices - vertex, axis=1).argmin()) for vertex in flipped]


def test_the_mesh(mesh: CanonicalMesh) -> None:
    assert mesh.vertices.shape == (468, 3)
    assert mesh.uv.shape == (468, 2)
    assert mesh.triangles.shape == (898, 3)
    assert mesh.vertices.dtype == mesh.uv.dtype == np.float32
    assert 0 <= mesh.uv.min() <= mesh.uv.max() <= 1
    assert len(mesh.rigid) == len(mesh.rigid_weights) == 33
    assert (mesh.rigid_weights > 0).all()
    assert set(mesh.triangles.ravel().tolist()) == set(range(468))


def test_axes(mesh: CanonicalMesh) -> None:
    """x right, y down, z away; the subject's right is at the left; v grows downwards as y does."""
    chin, forehead, nose = mesh.vertices[[topology.CHIN, topology.FOREHEAD_TOP, 1]]
    assert forehead[1] < nose[1] < chin[1]
    assert nose[2] < min(forehead[2], chin[2])
    assert mesh.vertices[33, 0] < 0 < mesh.vertices[263, 0]
    assert np.corrcoef(mesh.uv[:, 1], mesh.vertices[:, 1])[0, 1] > 0.9


def test_the_oval_is_the_border(edges: set[frozenset[int]], mesh: CanonicalMesh) -> None:
    triangles = [frozenset(map(int, triangle)) for triangle in mesh.triangles]
    border = {edge for edge in edges if sum(edge <= triangle for triangle in triangles) == 1}
    assert border == {frozenset(pair) for pair in pairwise((*FACE_OVAL, FACE_OVAL[0]))}


@pytest.mark.parametrize("eye", [RIGHT_EYE, LEFT_EYE])
def test_lids_run_along_the_mesh(eye: EyeIndex, edges: set[frozenset[int]], mesh: CanonicalMesh) -> None:
    for row in (eye.upper, eye.lower):
        closed = (eye.corners[0], *row, eye.corners[1])
        assert all(frozenset(pair) in edges for pair in pairwise(closed))
        assert (np.diff(mesh.vertices[list(closed), 0]) > 0).all()
    for row in (eye.upper_ring, eye.lower_ring, eye.brow):
        assert all(frozenset(pair) in edges for pair in pairwise(row))
    rows = (eye.brow, eye.upper_ring, eye.upper, eye.lower, eye.lower_ring)
    heights = [mesh.vertices[list(row), 1].mean() for row in rows]
    assert heights == sorted(heights)
    assert mesh.vertices[eye.inner_corner, 0] == min((mesh.vertices[i, 0] for i in eye.corners), key=abs)


def test_the_eyes_mirror_each_other(mirror: list[int]) -> None:
    for field in ("corners", "upper", "lower", "upper_ring", "lower_ring", "brow"):
        right, left = getattr(RIGHT_EYE, field), getattr(LEFT_EYE, field)
        assert {mirror[point] for point in right} == set(left)


def test_lips(edges: set[frozenset[int]], mesh: CanonicalMesh) -> None:
    for rings, order in ((UPPER_LIP_RINGS, -1), (LOWER_LIP_RINGS, 1)):
        for ring in rings:
            assert all(frozenset(pair) in edges for pair in pairwise(ring))
            assert (np.diff(mesh.vertices[list(ring), 0]) > 0).all()
        middles = [order * mesh.vertices[ring[5], 1] for ring in rings]
        assert middles == sorted(middles)
    loop = (*INNER_MOUTH, INNER_MOUTH[0])
    assert all(frozenset(pair) in edges for pair in pairwise(loop))
