"""Folds and shadows that come with an expression: the expression ratio image.

The driver's luminance now over that in its reference frame, in the canonical UV map, is what the expression
does to light on a face (Liu, Shan, Zhang, SIGGRAPH 2001). It is carried to the source as a ratio, with the
large-scale light taken out (that belongs to the driver's room), damped where edges make it unsure, and
limited.
"""

from __future__ import annotations

import cv2
import numpy as np

from likeness.faces.topology import EYES, FACE_OVAL, INNER_MOUTH, LIPS, CanonicalMesh
from likeness.motion.appearance import uv_pixels
from likeness.motion.frame import SHADING_PX
from likeness.motion.retarget import FACE
from likeness.types import Floats, Picture

SMOOTH_PX = 1.2
LIMIT = float(np.log(1.25))
GAIN = 0.75
STRANGE = float(np.log(1.6))
CALM = 0.7
"""Share of a new ratio in the running one."""


class ShadingRatio:
    """From unwrapped luminance to a ratio picture, frame after frame.

    Args:
        reference: (128, 128) uint8, the driver's luminance where the source's own picture belongs.
    """

    def __init__(self, mesh: CanonicalMesh, reference: Picture) -> None:
        uv = uv_pixels(mesh, SHADING_PX)
        face = np.zeros((SHADING_PX, SHADING_PX), np.float32)
        cv2.fillPoly(face, [np.round(uv[list(FACE_OVAL)]).astype(np.int32)], 1.0)
        face = cv2.erode(face, np.ones((3, 3), np.uint8), iterations=3)
        holes = np.zeros_like(face)
        for outline in (*(eye.outline for eye in EYES), INNER_MOUTH):
            cv2.fillPoly(holes, [np.round(uv[list(outline)]).astype(np.int32)], 1.0)
        lips = cv2.convexHull(np.round(uv[list(LIPS)]).astype(np.int32))
        cv2.fillConvexPoly(holes, lips, 1.0)
        holes = cv2.dilate(holes, np.ones((3, 3), np.uint8), iterations=2)
        self._valid = (face * (1 - holes)).astype(np.float32)
        self._norm = np.maximum(_blur(self._valid, SMOOTH_PX), 0.02)
        self._norm_wide = np.maximum(_wide(self._valid), 0.02)
        edge = np.clip(_blur(face, SHADING_PX * 0.03) * 2 - 1, 0, 1)
        self._soft = (_blur(self._valid, SHADING_PX * 0.008) * edge).astype(np.float32)
        self._reference = self._log(reference)
        slope = np.hypot(cv2.Sobel(self._reference, -1, 1, 0), cv2.Sobel(self._reference, -1, 0, 1)) / 8
        self._sure = (1 / (1 + (slope / 0.3) ** 2)).astype(np.float32)
        self._running: Floats | None = None

    def __call__(self, shading: Picture, strength: float = 1.0) -> Floats:
        """The ratio (128, 128) float32 for this frame, 1 = unchanged."""
        change = self._log(shading) - self._reference
        # No fold is that dark: what changes more is a hand or hair before the face.
        face = 1 / (1 + np.square(np.square(change / STRANGE)))  # ** 4 takes thirty times as long
        change -= _wide(change * self._valid) / self._norm_wide
        change = np.clip(GAIN * strength * change * self._sure * face, -LIMIT, LIMIT) * self._soft
        if self._running is None:
            self._running = change
        else:
            self._running = self._running + CALM * (change - self._running)
        return np.asarray(np.exp(self._running), np.float32)

    def _log(self, shading: Picture) -> Floats:
        smooth = _blur(shading.astype(np.float32) * self._valid, SMOOTH_PX) / self._norm
        return np.asarray(np.log(smooth + 6), np.float32)


def bind(points: Floats, mesh: CanonicalMesh, size_px: tuple[int, int]) -> tuple[Floats, Floats, int, int]:
    """For each pixel of the source's face its place in the UV map.

    Returns:
        map_u, map_v (bh, bw) float32, -1 off the face, and the box's left and top.
    """
    width, height = size_px
    face = points[:FACE]
    low = np.clip(np.floor(face[:, :2].min(0)).astype(int), 0, [width - 2, height - 2])
    high = np.clip(np.ceil(face[:, :2].max(0)).astype(int) + 1, low + 2, [width, height])
    corners = (face[mesh.triangles, :2] - low).astype(np.float64)
    uv = uv_pixels(mesh, SHADING_PX)[mesh.triangles].astype(np.float64)
    owner = np.full((high[1] - low[1], high[0] - low[0]), -1, np.int32)
    for number in np.argsort(-face[mesh.triangles, 2].mean(1)):
        cv2.fillConvexPoly(owner, np.round(corners[number] * 16).astype(np.int32), int(number), cv2.LINE_8, 4)
    affine = np.concatenate([corners, np.ones((len(corners), 3, 1))], 2)
    flat = np.abs(np.linalg.det(affine)) < 1e-3
    affine[flat] = np.eye(3)
    to_uv = np.linalg.solve(affine, uv)
    row, column = np.nonzero(owner >= 0)
    place = np.stack([column, row, np.ones(len(row))], 1)
    found = np.einsum("nk,nkd->nd", place, to_uv[owner[row, column]])
    map_u, map_v = np.full(owner.shape, -1, np.float32), np.full(owner.shape, -1, np.float32)
    map_u[row, column], map_v[row, column] = np.clip(found, 0, SHADING_PX - 1).T
    return map_u, map_v, int(low[0]), int(low[1])


def _blur(picture: Floats, sigma_px: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma_px), np.float32)


def _wide(picture: Floats) -> Floats:
    """A blur over about an eighth of the face."""
    small = cv2.resize(picture, (SHADING_PX // 8, SHADING_PX // 8), interpolation=cv2.INTER_AREA)
    wide = cv2.resize(_blur(small, 1.6), (SHADING_PX, SHADING_PX), interpolation=cv2.INTER_LINEAR)
    return np.asarray(wide, np.float32)
