"""The head's pose, and what lids, lips and irises do, measured on the face points."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.faces.topology import (
    CHIN,
    FOREHEAD_TOP,
    INNER_LOWER_LIP,
    INNER_UPPER_LIP,
    CanonicalMesh,
    EyeIndex,
)
from likeness.types import Floats

Rotation = NDArray[np.float64]
"""(3, 3); turns column vectors."""

GENERATORS = np.concatenate([np.cross(np.eye(3)[:, None], np.eye(3)).T, np.eye(3)[:, :, None]], axis=2)
"""How a point (second axis) moves (first axis) when turned about x, y, z, or enlarged (last axis)."""


@dataclass(frozen=True, slots=True, eq=False)
class Similarity:
    """x ↦ scale · R (x - origin) + centre."""

    rotation: Rotation
    scale: float
    origin: NDArray[np.float64]
    centre: NDArray[np.float64]

    def __call__(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """The image of (n, 3) points."""
        moved: NDArray[np.float64] = self.scale * (points - self.origin) @ self.rotation.T + self.centre
        return moved

    def undo(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """The points whose image these are, less the origin: R⁻¹ (y - centre) / scale."""
        back: NDArray[np.float64] = (points - self.centre) @ self.rotation / self.scale
        return back


def fit_similarity(
    source: NDArray[np.floating], target: NDArray[np.floating], weights: NDArray[np.floating]
) -> Similarity:
    """The similarity that brings `source` closest to `target`, (n, 3) (Umeyama, PAMI 1991, eq. 40–43)."""
    share = np.asarray(weights, np.float64) / float(weights.sum())
    origin, centre = share @ source, share @ target
    a, b = source - origin, target - centre
    u, d, vt = np.linalg.svd((b * share[:, None]).T @ a)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * sign) @ vt
    scale = float((d * sign).sum() / (share[:, None] * a**2).sum())
    return Similarity(rotation, scale, origin, centre)


def fit_head(
    reference: NDArray[np.floating],
    points: NDArray[np.floating],
    *,
    depth_weight: float = 0.1,
    rounds: int = 3,
) -> Similarity:
    """The similarity from one set of tracked points to another, both (n, 3), trusting depth less than place.

    Gauss-Newton from the plain fit. A face model guesses depth, and its guess changes with the expression.
    With both sets taken from their means the shift is known, and what is left of the normal equations holds
    second moments of the points only, so a round costs the same for any number of points.
    """
    start = fit_similarity(reference, points, np.ones(len(reference)))
    rotation, scale = start.rotation, start.scale
    a, b = reference - start.origin, points - start.centre
    own, cross = a.T @ a, b.T @ a
    trust = np.array([1.0, 1.0, depth_weight**2])
    # Jᵀ W J = Σ own[a, b] · spread[a, b], and Jᵀ W r = Σ r[i] t[a] · pull[i, a].
    pull = trust[:, None, None] * GENERATORS
    spread = np.einsum("iap,ibq->abpq", pull, GENERATORS).reshape(9, 16)
    for _ in range(rounds):
        turn = scale * rotation
        moment = turn @ own @ turn.T
        normal = (moment.ravel() @ spread).reshape(4, 4)
        normal.flat[::5] += 1e-9 * normal.trace()
        step = np.linalg.solve(normal, (cross @ turn.T - moment).ravel() @ pull.reshape(9, 4))
        rotation = cv2.Rodrigues(step[:3])[0] @ rotation
        scale *= 1 + float(step[3])
    return Similarity(rotation, scale, start.origin, start.centre)


def head_pose(points: Floats, mesh: CanonicalMesh) -> Similarity:
    """The pose that takes the canonical mesh to these (478, 3) points; its scale is in px per cm."""
    return fit_similarity(mesh.vertices[mesh.rigid], points[mesh.rigid], mesh.rigid_weights)


def euler_deg(rotation: Rotation) -> NDArray[np.float64]:
    """Pitch, yaw, roll in degrees: R = Rz(roll) · Ry(yaw) · Rx(pitch)."""
    return np.degrees(
        [
            np.arctan2(rotation[2, 1], rotation[2, 2]),
            np.arcsin(np.clip(-rotation[2, 0], -1, 1)),
            np.arctan2(rotation[1, 0], rotation[0, 0]),
        ]
    )


def from_euler_deg(angles: NDArray[np.floating]) -> Rotation:
    """The rotation for pitch, yaw, roll in degrees."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(np.radians(angles)), np.sin(np.radians(angles))
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    rotation: Rotation = about_z @ about_y @ about_x
    return rotation


def eye_openness(points: Floats, eye: EyeIndex) -> float:
    """Mean distance of the lids over the eye's width, in 3D, so that turning the head changes it little."""
    gap = np.linalg.norm(points[list(eye.upper)] - points[list(eye.lower)], axis=1).mean()
    width = np.linalg.norm(points[eye.corners[0]] - points[eye.corners[1]])
    return float(gap / (width + 1e-6))


def mouth_openness(points: Floats) -> float:
    """Mean distance of the inner lip lines over the face's height, in 3D."""
    upper, lower = points[list(INNER_UPPER_LIP[1:-1])], points[list(INNER_LOWER_LIP[1:-1])]
    height = np.linalg.norm(points[FOREHEAD_TOP] - points[CHIN])
    return float(np.linalg.norm(upper - lower, axis=1).mean() / (height + 1e-6))


def gaze_offset(points: Floats, eye: EyeIndex) -> NDArray[np.float64]:
    """The iris from the middle between the corners, along and across the eye, in eye widths: (2,)."""
    first, second = points[eye.corners[0], :2], points[eye.corners[1], :2]
    width = float(np.linalg.norm(second - first)) + 1e-6
    along = (second - first) / width
    offset = points[eye.iris, :2] - (first + second) / 2
    return np.array([offset @ along, offset @ np.array([-along[1], along[0]])]) / width
