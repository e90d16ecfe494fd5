"""The source's head as a surface in 2.5D: the face mesh, and a grid for hair, ears, neck and shoulders.

Inside the face the tracker gives depth. Around it the depth is continued from the face's edge, falling back
with distance. Both share the edge's vertices, so nothing can gape between them. The grid moves with the head
where the head is and stands still at the shoulders and the picture's edge; what is left between both at the
face's edge is spread over the grid by radial basis functions.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.engines.mesh.far_cheek import FarCheek
from likeness.faces.pose import Similarity
from likeness.faces.topology import (
    CHIN,
    FACE_OVAL,
    FOREHEAD_TOP,
    INNER_LOWER_LIP,
    INNER_UPPER_LIP,
    CanonicalMesh,
)
from likeness.motion.retarget import FACE
from likeness.types import Floats, Picture

GRID = 64
"""Grid points along each side."""
EDGE = FACE + len(FACE_OVAL)
"""The vertices before this one are the face's, and its edge as the surroundings share it."""


class HeadSurface:
    """Vertices, triangles, and how they follow a moved head.

    Args:
        points: (478, 3) float32 px of the source's face.
        alpha: (h, w) uint8, 0…255, where the person is.

    Attributes:
        source: (n, 2) float32 px: the vertices in the source picture. The face's 468 come first; then its
            edge once more, as the surroundings may read the picture elsewhere than the face; then the grid.
        triangles: (m, 3) int32.
        face_width_px, face_height_px: of the face oval.
    """

    def __init__(self, points: Floats, alpha: Picture, mesh: CanonicalMesh) -> None:
        face = points[:FACE].astype(np.float64)
        oval = face[list(FACE_OVAL)]
        self.face_width_px, self.face_height_px = float(np.ptp(oval[:, 0])), float(np.ptp(oval[:, 1]))
        around, triangles = _surround(oval[:, :2], alpha)
        grid = around[len(oval) :]
        distance = np.linalg.norm(grid[:, None] - oval[None, :, :2], axis=2)
        depth = self._continue_depth(oval, distance)
        self._grid = np.column_stack([grid, depth])
        self._rigid = self._rigidity(grid, face)[:, None]
        self._oval = oval
        self._oval_rigid = self._rigidity(oval[:, :2], face)[:, None]
        self._spread = self._edge_spread(distance, oval)
        self._free = _freedom(grid, alpha)[:, None]
        self._far_cheek = FarCheek(face, around, self.face_width_px, mesh)
        self.source = np.vstack([face[:, :2], around]).astype(np.float32)
        self.triangles = np.vstack([_face_triangles(mesh), FACE + triangles]).astype(np.int32)

    def place(self, points: Floats, head: Similarity) -> Floats:
        """Where all vertices are when the face has this expression and the head moves so: (n, 3) float32."""
        face = head(points)
        out = np.empty((len(self.source), 3), np.float32)
        out[:FACE] = face
        moved = head(self._grid)
        still_oval = self._oval_rigid * (head(self._oval)[:, :2] - self._oval[:, :2])
        left_over = face[list(FACE_OVAL), :2] - self._oval[:, :2] - still_oval
        shift = self._free * (self._rigid * (moved[:, :2] - self._grid[:, :2]) + self._spread @ left_over)
        out[FACE:EDGE] = face[list(FACE_OVAL)]
        out[EDGE:, :2] = self._grid[:, :2] + shift
        out[EDGE:, 2] = moved[:, 2]
        return out

    def read_from(self, vertices: Floats) -> Floats:
        """Where in the source picture to read what is drawn at `vertices`: (n, 2) float32 px."""
        return self._far_cheek.unfold(vertices)

    def _continue_depth(
        self, oval: NDArray[np.float64], distance: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        near = np.exp(-((distance / (0.15 * self.face_width_px)) ** 2)) + 1e-9
        edge = (near * oval[None, :, 2]).sum(1) / near.sum(1)
        falling = 0.35 * np.minimum(distance.min(1), 0.6 * self.face_width_px)
        return np.asarray(edge + falling, np.float64)

    def _rigidity(self, grid: NDArray[np.float64], face: NDArray[np.float64]) -> NDArray[np.float64]:
        """1 where a point moves with the head, 0 where it stands still."""
        oval = face[list(FACE_OVAL), :2]
        centre = (oval.min(0) + oval.max(0)) / 2
        upright = face[CHIN, :2] - face[FOREHEAD_TOP, :2]
        upright = upright / np.linalg.norm(upright)
        centre = centre - upright * self.face_height_px * 0.10
        side = (grid - centre) @ np.array([upright[1], -upright[0]]) / (0.62 * self.face_width_px)
        below = (grid - centre) @ upright
        far_up = np.hypot(side, below / (0.66 * self.face_height_px))
        far_down = np.hypot(side, below / (0.62 * self.face_height_px))
        hair = 1 - _ramp(1.35, 2.6, far_up)
        neck = (1 - 0.93 * _ramp(0.95, 2.0, far_down)) * (1 - _ramp(2.0, 4.5, np.abs(side)))
        return np.asarray(np.where(below < 0, hair, np.maximum(neck, 0)), np.float64)

    def _edge_spread(self, distance: NDArray[np.float64], oval: NDArray[np.float64]) -> NDArray[np.float64]:
        """(grid, 36): radial basis interpolation of values at the face's edge."""
        reach_px = 0.22 * self.face_width_px
        between = np.linalg.norm(oval[:, None, :2] - oval[None, :, :2], axis=2)
        kernel = np.exp(-((between / reach_px) ** 2)) + 1e-2 * np.eye(len(oval))
        return np.asarray(np.exp(-((distance / reach_px) ** 2)) @ np.linalg.inv(kernel), np.float64)


def _ramp(start: float, stop: float, value: NDArray[np.float64]) -> NDArray[np.float64]:
    t = np.clip((value - start) / (stop - start), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float64)


def _freedom(grid: NDArray[np.float64], alpha: Picture) -> NDArray[np.float64]:
    """0 at edges of the picture that cut through the person, who may not come away from them; else 1."""
    height, width = alpha.shape
    edges = (
        (alpha[-1], (height - 1 - grid[:, 1]) / height, 0.14),
        (alpha[0], grid[:, 1] / height, 0.06),
        (alpha[:, 0], grid[:, 0] / width, 0.06),
        (alpha[:, -1], (width - 1 - grid[:, 0]) / width, 0.06),
    )
    free = np.ones(len(grid))
    for cut, distance, reach in edges:
        if (cut > 127).any():
            free *= _ramp(0.0, reach, distance)
    return free


def _surround(oval: NDArray[np.float64], alpha: Picture) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """A mesh around the face that shares its edge: points (n, 2) px and triangles (m, 3).

    The first points are the oval's. Grid points that would keep an edge of the oval out of the Delaunay
    triangulation (those in the circle over it) are left out, and so is everything inside.
    """
    height, width = alpha.shape
    x, y = np.meshgrid(np.linspace(0, width - 1, GRID), np.linspace(0, height - 1, GRID))
    grid = np.stack([x.ravel(), y.ravel()], 1)
    following = np.roll(oval, -1, axis=0)
    middle, radius = (oval + following) / 2, np.linalg.norm(following - oval, axis=1) / 2
    cleared = 1.1 * radius
    blocking = (np.linalg.norm(grid[:, None] - middle[None], axis=2) < cleared).any(1)
    points = np.vstack([oval, grid[~blocking & ~_inside(oval, grid)]])
    low, high = oval.min(0), oval.max(0)
    if (low < cleared.max()).any() or (high + cleared.max() > [width - 1, height - 1]).any():
        # A face so near the picture's edge, or cut by it, that grid points on the edge may have been left
        # out: corners far out keep all of the picture inside the mesh.
        (left, top), (right, bottom) = low - 4 * radius.max(), high + 4 * radius.max() + [width, height]
        points = np.vstack([points, [[left, top], [right, top], [left, bottom], [right, bottom]]])
    triangles = _delaunay(points, (width, height))
    reach = max(width, height) // GRID + 2
    person = cv2.dilate((alpha > 5).astype(np.uint8), np.ones((3, 3), np.uint8), iterations=reach)
    corner = np.clip(np.round(points).astype(int), 0, [width - 1, height - 1])
    shown = (person[corner[:, 1], corner[:, 0]] > 0)[triangles].any(1)
    return points, triangles[shown & ~_inside(oval, points[triangles].mean(1))]


def _inside(outline: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of (n, 2) points lie inside a polygon: a ray from there crosses it an odd number of times."""
    following = np.roll(outline, -1, axis=0)
    x, y = points[:, None, 0], points[:, None, 1]
    (x0, y0), (x1, y1) = outline.T, following.T
    crossed = (y0 > y) != (y1 > y)
    at = x0 + (y - y0) * (x1 - x0) / np.where(y1 == y0, 1, y1 - y0)
    return np.asarray((crossed & (x < at)).sum(1) % 2 == 1)


def _delaunay(points: NDArray[np.float64], size_px: tuple[int, int]) -> NDArray[np.int32]:
    """Delaunay triangulation of (n, 2) points, as numbers."""
    margin = 4
    low = np.floor(points.min(0)).astype(int) - margin
    high = np.ceil(points.max(0)).astype(int) + margin
    subdivision = cv2.Subdiv2D((int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1])))
    places = points.astype(np.float32)
    for x, y in places.tolist():
        subdivision.insert((x, y))
    found = np.asarray(subdivision.getTriangleList(), np.float32).reshape(-1, 2)
    # The same bits come back that went in; what is not among them are corners of its own, far out.
    known, number = np.unique(_bits(places), return_index=True)
    nearest = np.minimum(np.searchsorted(known, _bits(found)), len(known) - 1)
    corners = np.where(known[nearest] == _bits(found), number[nearest], -1).reshape(-1, 3)
    return corners[(corners >= 0).all(1)].astype(np.int32)


def _bits(points: NDArray[np.float32]) -> NDArray[np.uint64]:
    """(n, 2) as (n,): both numbers in one; 0 and -0 are the same."""
    return np.ascontiguousarray(points + np.float32(0)).view(np.uint64)[:, 0]


def _face_triangles(mesh: CanonicalMesh) -> NDArray[np.int32]:
    """The face mesh, with the mouth's inside as a strip between the lip lines, which also closes well."""
    mouth = set(INNER_UPPER_LIP) | set(INNER_LOWER_LIP)
    skin = [triangle for triangle in mesh.triangles.tolist() if not set(triangle) <= mouth]
    strip = []
    for k in range(len(INNER_UPPER_LIP) - 1):
        up, down = INNER_UPPER_LIP, INNER_LOWER_LIP
        for triangle in ((up[k], up[k + 1], down[k]), (up[k + 1], down[k + 1], down[k])):
            if len(set(triangle)) == 3:
                strip.append(triangle)
    return np.array(strip + skin, np.int32)
