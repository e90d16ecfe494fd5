"""What a driver frame shows beside its points: light and shade on the skin, and inside the mouth."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.faces.topology import INNER_LOWER_LIP, INNER_UPPER_LIP, SKIN, CanonicalMesh
from likeness.motion.frame import MOUTH_PX, SHADING_PX
from likeness.types import Floats, Picture

FEW_PX, ENOUGH_PX = 70.0, 120.0
"""A face this high shows nothing of the mouth's depth, and one that high all of it."""


def uv_pixels(mesh: CanonicalMesh, size_px: int) -> Floats:
    """The canonical UV map laid over a square of `size_px` with a small margin: (468, 2) float32 px."""
    low, span = mesh.uv.min(0), float(np.ptp(mesh.uv, axis=0).max())
    return np.asarray((mesh.uv - low) / span * (size_px - 9) + 4, np.float32)


class Unwrapper:
    """Unwraps faces into the canonical UV map. An instance belongs to one thread."""

    def __init__(self, mesh: CanonicalMesh) -> None:
        uv = uv_pixels(mesh, SHADING_PX)
        owner = np.full((SHADING_PX, SHADING_PX), -1, np.int32)
        for number, triangle in enumerate(mesh.triangles):
            corners = np.round(uv[triangle] * 16).astype(np.int32)
            cv2.fillConvexPoly(owner, corners, number, cv2.LINE_8, 4)
        seen = owner >= 0
        rows, columns = np.nonzero(seen)
        triangles = mesh.triangles[owner[rows, columns]]
        a, b, c = (uv[triangles[:, k]].astype(np.float64) for k in range(3))
        p = np.stack([columns, rows], 1)
        area = _cross(b - a, c - a)
        w1, w2 = _cross(p - a, c - a) / area, _cross(b - a, p - a) / area
        # Pixels off the face show what the nearest one on it shows.
        far = np.where(seen, 0, 1).astype(np.uint8)
        _, labels = cv2.distanceTransformWithLabels(far, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
        nearest = np.asarray(labels)
        rank = np.zeros(len(rows) + 1, np.intp)
        rank[nearest[rows, columns]] = np.arange(len(rows))
        self._corners = triangles.T[:, rank[nearest]].astype(np.intp)
        self._weights = np.stack([1 - w1 - w2, w1, w2]).astype(np.float32)[:, rank[nearest]]

    def shading(self, image: Picture, points: Floats) -> Picture:
        """The face's luminance in the UV map: (128, 128) uint8; outside the face its border repeats."""
        # One complex number is one point: x and y are fetched and weighed together.
        corners = np.ascontiguousarray(points[:, :2], np.float32).view(np.complex64)[:, 0]
        (i, j, k), (a, b, c) = self._corners, self._weights
        place = a * corners[i] + b * corners[j] + c * corners[k]
        low = np.floor([place.real.min(), place.imag.min()]).astype(int) - 3
        high = np.ceil([place.real.max(), place.imag.max()]).astype(int) + 4
        left, top = np.clip(low, 0, [image.shape[1] - 2, image.shape[0] - 2])
        right, bottom = np.clip(high, [left + 2, top + 2], [image.shape[1], image.shape[0]])
        grey = cv2.cvtColor(np.ascontiguousarray(image[top:bottom, left:right]), cv2.COLOR_RGB2GRAY)
        # Average over as many pixels as fall into one of the map, against aliasing.
        side = max(1, round(float(high[0] - low[0]) / SHADING_PX))
        if side > 1:
            grey = cv2.blur(grey, (side, side))
        seen_at = (place - np.complex64(complex(left, top))).view(np.float32).reshape(*place.shape, 2)
        unwrapped = cv2.remap(grey, seen_at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(unwrapped, np.uint8)

    @staticmethod
    def mouth(image: Picture, points: Floats) -> Picture:
        """The inside of the mouth, stretched between the inner lip lines: (48, 96, 3) uint8."""
        height, width = MOUTH_PX
        at = np.linspace(0, len(INNER_UPPER_LIP) - 1, width)
        knots = np.arange(len(INNER_UPPER_LIP))
        lines = np.stack(
            [
                [np.interp(at, knots, points[list(line), axis]) for axis in (0, 1)]
                for line in (INNER_UPPER_LIP, INNER_LOWER_LIP)
            ]
        )
        t = ((np.arange(height) + 0.5) / height)[:, None]
        map_x = (lines[0, 0] * (1 - t) + lines[1, 0] * t).astype(np.float32)
        map_y = (lines[0, 1] * (1 - t) + lines[1, 1] * t).astype(np.float32)
        inside = cv2.remap(image, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(inside, np.uint8)


def deepen_mouth(inside: Picture, points: Floats) -> Picture:
    """The unwrapped inside of a mouth, given back the depth that is lost where it is seen in few pixels.

    In a mouth some 20 px wide, lips, teeth and tongue run into each other, and what was dark is no longer.
    Shown large, that looks flat and bright. So the corners and the part behind the upper lip, where little
    light gets, are darkened.

    Args:
        inside: (48, 96, 3) uint8 RGB.
        points: (478, 3) float32 px, the face it was seen in.
    """
    seen = (float(np.ptp(points[:468, 1])) - FEW_PX) / (ENOUGH_PX - FEW_PX)
    share = 1 - float(np.clip(seen, 0, 1))
    if share == 0:
        return inside
    down, along = ((np.arange(size) + 0.5) / size for size in MOUTH_PX)
    from_corner = np.clip(np.minimum(along, 1 - along) / 0.22, 0.05, 1) ** 0.7
    light = 0.85 * np.maximum(from_corner * np.clip(down / 0.35 + 0.45, 0, 1)[:, None], 0.3)
    return np.asarray(inside * (1 - share * (1 - light))[:, :, None] + 0.5, np.uint8)


def skin_colour(image: Picture, points: Floats) -> Floats:
    """Mean colour of patches on cheeks and nose: (3,) float32 RGB, 0…255."""
    radius = max(2, round(float(np.ptp(points[:468, 0])) * 0.03))
    height, width = image.shape[:2]
    means = []
    for x, y in np.round(points[list(SKIN), :2]).astype(int):
        x, y = int(np.clip(x, 0, width - 1)), int(np.clip(y, 0, height - 1))
        patch = image[max(0, y - radius) : y + radius + 1, max(0, x - radius) : x + radius + 1]
        means.append(cv2.mean(patch)[:3])
    return np.asarray(np.mean(means, axis=0), np.float32)


def _cross(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
