"""The cheek that a three-quarter view hides, and what shows of it when the head turns to the front.

Beyond the outline of the far cheek the face mesh folds back behind itself: its edge lies inside the outline.
What comes forward there must not be read from where it lies in the picture, for that shows the cheek, its
outline, and the cheek again. So the texture is unfolded as the head turns: the skin that is seen is stretched
over what was hidden, up to just inside the outline, and the surroundings begin just outside it. Nothing
changes while nothing hidden shows.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.faces.topology import FACE_OVAL, CanonicalMesh
from likeness.types import Floats

FOLDED = 0.03
"""The edge counts as folded where the outline lies this far beyond it, in widths of the face."""
MARGIN = 0.03
"""Skin ends, and the surroundings begin, this far from the outline, in widths of the face."""
STEEP = 0.3
"""Skin beside a folded edge that faces the camera less than this (cosine) is stretched over what it hides."""
RIM = 0.045
"""So is all skin beside a folded edge that is nearer than this to the outline, in widths of the face."""
SOFT = 4
"""Only skin so many triangles from the edge is ever stretched; eyes, nose and mouth stay as they are."""
TURNED = 0.2
"""All is unfolded when the edge faces the camera by so much more (cosine) than in the source."""
REACH = 3.0
"""The surroundings are moved over this many times the distance by which they are moved at the edge."""

OVAL = list(FACE_OVAL)

Doubles = NDArray[np.float64]


class FarCheek:
    """Where vertices read the picture.

    Args:
        face: (468, 3) px, the source's face.
        around: (n, 2) px, the vertices of the surroundings, which follow the face's.
        width_px: of the face.
    """

    def __init__(self, face: Doubles, around: Doubles, width_px: float, mesh: CanonicalMesh) -> None:
        rim = _find_rim(face, mesh, width_px)
        # Neighbours of a folded part go along, so that nothing tears.
        folded = _calm(rim.outline - rim.edge > FOLDED * width_px)
        self._normals = _Normals(face, mesh)
        facing, hidden = self._normals.facing(face), self._normals.find_hidden(face)
        self._at_rest = facing[OVAL]
        inside_px = rim.distance_inside(face[:, :2])
        steep = (facing < STEEP) | (inside_px < RIM * width_px)
        soft = _near_edge(mesh, SOFT)
        # At rest, what is hidden lies mirrored beyond the outline; in the end all lies inside it.
        beyond, inside = rim.at(2 * rim.outline - rim.edge), rim.at(rim.outline - MARGIN * width_px)
        rest, _ = _lay_out(face, mesh, soft & hidden, beyond, folded * hidden[OVAL])
        final, share = _lay_out(face, mesh, soft & (hidden | steep), inside, folded)
        cleared, around_share = _clear(around, rim, folded * (rim.outline + MARGIN * width_px - rim.edge))
        shift = np.vstack([final - rest, cleared - around])
        self._moved = np.flatnonzero(np.abs(shift).max(1) > 0)
        self._texture = np.vstack([rest, around]).astype(np.float32)
        self._shift, self._share = shift[self._moved], np.vstack([share, around_share])[self._moved]

    def unfold(self, vertices: Floats) -> Floats:
        """Where in the picture to read what is drawn at `vertices`, (n, 3) px: (n, 2) float32 px."""
        if not len(self._moved):
            return self._texture
        facing = self._normals.facing(vertices[: self._normals.count])[OVAL]
        shown = _calm(np.clip((facing - self._at_rest) / TURNED, 0, 1))
        out = self._texture.copy()
        out[self._moved] += (self._share @ shown)[:, None] * self._shift
        return out


class _Normals:
    """How far vertices face the camera: the cosine, 1 = straight at it, below 0 = turned away."""

    def __init__(self, face: Doubles, mesh: CanonicalMesh) -> None:
        self.count = len(face)
        self._triangles = mesh.triangles
        self._front = 1.0
        self._front = float(np.sign(self.facing(face).sum()))

    def find_hidden(self, face: Doubles) -> NDArray[np.bool_]:
        """(468,) whether all triangles of a vertex turn their back."""
        hidden = np.ones(self.count, bool)
        hidden[self._triangles[self._front * self._normal(face)[:, 2] > 0]] = False
        return hidden

    def facing(self, face: NDArray[np.floating]) -> Doubles:
        """(468,)"""
        normal = self._normal(face)
        total = np.zeros((self.count, 3))
        for place in range(3):
            np.add.at(total, self._triangles[:, place], normal)
        return np.asarray(self._front * total[:, 2] / np.maximum(np.linalg.norm(total, axis=1), 1e-9))

    def _normal(self, face: NDArray[np.floating]) -> Doubles:
        corner = face[self._triangles].astype(np.float64)
        return np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])


class _Rim(NamedTuple):
    """The face's edge and its outline, in the 36 directions from the middle to the points of the edge.

    Attributes:
        centre: (2,) px.
        along: (36, 2), of length 1.
        edge, outline: (36,) px from the centre; the outline is never nearer.
    """

    centre: Doubles
    along: Doubles
    edge: Doubles
    outline: Doubles

    def at(self, distance_px: Doubles) -> Doubles:
        """(36, 2) px: the points so far from the centre."""
        return np.asarray(self.centre + self.along * distance_px[:, None], np.float64)

    def distance_inside(self, points: Doubles) -> Doubles:
        """(n,) px: how far points (n, 2) are from the outline, on the way out from the centre."""
        return np.asarray(
            self.weigh(points) @ self.outline - np.linalg.norm(points - self.centre, axis=1), np.float64
        )

    def weigh(self, points: Doubles) -> Doubles:
        """(n, 36): weights for interpolating between the directions to that of each point."""
        to = points - self.centre
        angle, knots = np.arctan2(to[:, 1], to[:, 0]), np.arctan2(self.along[:, 1], self.along[:, 0])
        first = np.argsort(knots)
        second = np.roll(first, -1)
        span = (knots[second] - knots[first]) % (2 * np.pi)
        place = np.searchsorted(knots[first], angle, side="right") - 1  # -1: between the last and the first
        part = ((angle - knots[first][place]) % (2 * np.pi)) / np.maximum(span[place], 1e-9)
        part = np.clip(part, 0, 1)
        weights, row = np.zeros((len(to), len(knots))), np.arange(len(to))
        weights[row, first[place]] = 1 - part
        weights[row, second[place]] += part
        return weights


def _find_rim(face: Doubles, mesh: CanonicalMesh, width_px: float) -> _Rim:
    oval = face[OVAL, :2]
    centre = oval.mean(0)
    edge = np.maximum(np.linalg.norm(oval - centre, axis=1), 1e-6)
    along = (oval - centre) / edge[:, None]
    low = np.floor(face[:, :2].min(0)) - 1
    size = np.ceil(face[:, :2].max(0) - low).astype(int) + 2
    cover = np.zeros((size[1], size[0]), np.uint8)
    for corners in face[mesh.triangles, :2] - low:
        cv2.fillConvexPoly(cover, np.round(corners * 16).astype(np.int32), 1, cv2.LINE_8, 4)
    step_px = 0.5
    distance = edge[:, None] + np.arange(0, 0.35 * width_px + 3 * step_px, step_px)
    places = np.round(centre - low + along[:, None] * distance[:, :, None]).astype(int)
    places = np.clip(places, 0, size - 1)
    covered = cover[places[..., 1], places[..., 0]] > 0
    covered[:, :3] = True  # a pixel's slack at the edge itself, where rounding may have left it out
    covered[:, -1] = False
    steps = covered.argmin(1)
    return _Rim(centre, along, edge, edge + step_px * (steps - 1) * (steps > 3))


def _link(face: Doubles, mesh: CanonicalMesh) -> Doubles:
    """(468, 468): how strongly neighbours hold each other; near ones more."""
    links = np.zeros((len(face), len(face)))
    for first, second in ((0, 1), (1, 2), (2, 0)):
        i, j = mesh.triangles[:, first], mesh.triangles[:, second]
        links[i, j] = links[j, i] = 1 / np.maximum(np.linalg.norm(face[i] - face[j], axis=1), 1e-3)
    return links


def _lay_out(
    face: Doubles, mesh: CanonicalMesh, loose: NDArray[np.bool_], edge: Doubles, part: Doubles
) -> tuple[Doubles, Doubles]:
    """The face laid out flat with its edge drawn to `edge` by `part` (36,), and loose skin in between.

    Loose skin that is connected to a part of the edge that is drawn follows it: each vertex lies in the
    middle of its neighbours (Tutte, "How to draw a graph", 1963), near ones counting more.

    Returns:
        (468, 2) px, and (468, 36): which part of the edge each goes with.
    """
    links = _link(face, mesh)
    flat, share = face[:, :2].copy(), np.zeros((len(face), len(OVAL)))
    flat[OVAL] += part[:, None] * (edge - flat[OVAL])
    share[OVAL] = np.eye(len(OVAL))
    free, before = np.zeros(len(face), bool), np.ones(len(face), bool)
    free[OVAL] = part > 0
    while (free != before).any():
        before = free
        free = before | (links[before].any(0) & loose)
    free = free & ~np.isin(np.arange(len(face)), OVAL)
    laplacian = np.diag(links.sum(1)) - links
    solved = -np.linalg.solve(laplacian[np.ix_(free, free)], laplacian[np.ix_(free, ~free)])
    flat[free] = solved @ flat[~free]
    of_edge = solved @ share[~free]
    share[free] = of_edge / np.maximum(of_edge.sum(1, keepdims=True), 1e-9)
    return flat, share


def _near_edge(mesh: CanonicalMesh, steps: int) -> NDArray[np.bool_]:
    """(468,) vertices that so many steps along the mesh lead to from its edge."""
    near = np.zeros(len(mesh.vertices), bool)
    near[OVAL] = True
    for _ in range(steps):
        near[mesh.triangles[near[mesh.triangles].any(1)]] = True
    return near


def _clear(around: Doubles, rim: _Rim, push_px: Doubles) -> tuple[Doubles, Doubles]:
    """The surroundings moved outwards, by `push_px` (36,) at the edge and less beyond.

    Returns:
        (n, 2) px, and (n, 36): which part of the edge each goes with.
    """
    share = rim.weigh(around)
    push = share @ push_px
    outward = around - rim.centre
    distance = np.maximum(np.linalg.norm(outward, axis=1), 1e-6)
    from_edge = np.maximum(distance - share @ rim.edge, 0)
    fade = np.clip(1 - from_edge / np.maximum(REACH * push, 1e-6), 0, 1)
    return around + (fade * push / distance)[:, None] * outward, share


def _calm(ring: NDArray[Any]) -> Doubles:
    """A running mean over three places of a ring, twice."""
    out = ring.astype(np.float64)
    for _ in range(2):
        out = (np.roll(out, 1) + 2 * out + np.roll(out, -1)) / 4
    return out
