"""A picture of one face bent onto the points of another: piecewise affine, over the mesh's triangles."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.compiled import compiled
from likeness.engines.mesh.raster import HOLE, Indices, draw_triangle
from likeness.engines.swap.nearest import Look
from likeness.faces.topology import EYES, EyeIndex, canonical_mesh
from likeness.types import Floats, Picture

MESH = 468
_IRIS_SHARE = 0.27
"""Radius of an iris in eye widths."""


def warp(texture: Picture, own: Floats, points: Floats, size_px: int) -> tuple[Picture, NDArray[np.bool_]]:
    """What `texture` shows, where `points` say.

    Triangles that are seen from behind in either picture are left out; the eyes look where `points` look.

    Args:
        texture: (h, w, n) uint8.
        own: (478, 3) float32 px, the points in the texture.
        points: (478, 3) float32 px, where they shall be in the result.
        size_px: side of the result.

    Returns:
        (size_px, size_px, n) uint8, and (size_px, size_px) bool, where anything is.
    """
    map_x, map_y = np.empty((2, size_px, size_px), np.float32)
    mesh = points[:MESH].astype(np.float32)
    source = np.ascontiguousarray(own[:MESH, :2], np.float32)
    _map_surface(mesh, source, canonical_mesh().triangles, map_x, map_y)
    seen = map_x != HOLE
    for eye in EYES:
        _look(map_x, map_y, own, points, eye)
    warped = cv2.remap(texture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8), seen


def bend(looks: Iterable[tuple[Look, float]], points: Floats, size_px: int) -> tuple[Floats, Floats]:
    """Looks bent onto one set of points, and mixed.

    Args:
        looks: with their shares.
        points: (478, 3) float32 px in the square.

    Returns:
        (n, n, 4) float32, 0…255: colours, and what is skin and not hair; (n, n) float32, 0…1: how much of it
        was drawn.
    """
    mixed, seen = np.zeros((size_px, size_px, 4), np.float32), np.zeros((size_px, size_px), np.float32)
    for look, share in looks:
        bent, there = warp(look.texture, look.points, points, size_px)
        weight = np.float32(share) * there
        mixed += weight[:, :, None] * bent
        seen += weight
    mixed /= np.maximum(seen, 1e-3)[:, :, None]
    return mixed, seen


def _look(map_x: Floats, map_y: Floats, own: Floats, points: Floats, eye: EyeIndex) -> None:
    """Shift the map inside an eye so that the iris is where the points have it, in place.

    Full around the iris, fading towards the lids, which stay where they are.
    """
    size = len(map_x)
    outline = points[list(eye.outline), :2]
    low = np.maximum(np.floor(outline.min(0)).astype(int) - 1, 0)
    high = np.minimum(np.ceil(outline.max(0)).astype(int) + 2, size)
    at = points[eye.iris, :2]
    column, row = np.round(at).astype(int)
    if (high - low < 3).any() or not (0 <= column < size and 0 <= row < size):
        return
    here_x, here_y = map_x[low[1] : high[1], low[0] : high[0]], map_y[low[1] : high[1], low[0] : high[0]]
    if map_x[row, column] == HOLE:
        return
    opening = np.zeros(here_x.shape, np.uint8)
    cv2.fillPoly(opening, [np.round((outline - low) * 16).astype(np.int32)], 1, cv2.LINE_8, 4)
    width = float(np.linalg.norm(outline[0] - outline[8])) + 1e-6
    rows, columns = np.indices(here_x.shape, np.float32)
    far = np.hypot(columns + low[0] - at[0], rows + low[1] - at[1]) / (2 * _IRIS_SHARE * width)
    inside = np.asarray(cv2.distanceTransform(opening, cv2.DIST_L2, 3), np.float32)
    share = np.exp(-(far**2)) * np.clip(inside / (0.06 * width), 0, 1)
    # How far the iris may be moved: to the end of the eye it is seen in, and no farther.
    shift = own[eye.iris, :2] - [map_x[row, column], map_y[row, column]]
    most = 0.3 * float(np.linalg.norm(own[eye.corners[0], :2] - own[eye.corners[1], :2]))
    length = float(np.linalg.norm(shift)) + 1e-6
    shift = shift * min(1.0, most / length)
    drawn = here_x != HOLE
    here_x[drawn] += (share * shift[0])[drawn]
    here_y[drawn] += (share * shift[1])[drawn]


@compiled
def _map_surface(vertices: Floats, source: Floats, triangles: Indices, map_x: Floats, map_y: Floats) -> None:
    """For each pixel, where in the source it is; what lies behind something else is not seen."""
    map_x[:] = HOLE
    depth = np.full(map_x.shape, np.float32(np.inf), np.float32)
    for t in range(len(triangles)):
        draw_triangle(vertices, source, triangles, t, map_x, map_y, depth, 0)
