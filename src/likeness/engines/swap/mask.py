"""How much of each pixel is new face."""

from __future__ import annotations

import cv2
import numpy as np

from likeness.faces.topology import (
    EYES,
    FACE_OVAL,
    INNER_LOWER_LIP,
    INNER_MOUTH,
    INNER_UPPER_LIP,
    LOWER_LIP_RINGS,
    UPPER_LIP_RINGS,
)
from likeness.types import Floats

REACH = 0.03
"""A new face may reach so far beyond the outline of the old one, in sides of the square."""
SHUT = 0.012
"""Lips that are no further apart than this, in sides of the square, show nothing; twice as far, all."""
OUTER_LIPS = (*UPPER_LIP_RINGS[-1], *reversed(LOWER_LIP_RINGS[-1][1:-1]))
EYE_AREAS = tuple((*eye.upper_ring, *eye.lower_ring, *eye.corners) for eye in EYES)
"""Eyes with their lids; to be taken as hulls."""
_BITS = 4
"""Of a pixel's fractions, in OpenCV's polygons."""


def face_mask(points: Floats, size_px: int) -> Floats:
    """The hull of the face's outline, (size_px, size_px) float32, 0…1.

    Args:
        points: (478, 3) float32 px in the square.
    """
    return _fill(_hull(points[list(FACE_OVAL), :2]), size_px)


def mouth_mask(points: Floats, size_px: int) -> Floats:
    """What is seen between open lips, (size_px, size_px) float32, 0…1, softly."""
    gap = np.linalg.norm(points[list(INNER_UPPER_LIP), :2] - points[list(INNER_LOWER_LIP), :2], axis=1).max()
    shown = np.float32(np.clip((gap / size_px - SHUT) / SHUT, 0, 1))
    inside = shown * _fill(points[list(INNER_MOUTH), :2], size_px)
    return np.asarray(cv2.GaussianBlur(inside, (0, 0), max(0.6, size_px * 0.006)), np.float32)


def eyes_mask(points: Floats, size_px: int) -> Floats:
    """Both eyes with their lids, (size_px, size_px) float32, 0…1."""
    return np.maximum(*(_fill(_hull(points[list(area), :2]), size_px) for area in EYE_AREAS))


def open_eyes_mask(points: Floats, size_px: int) -> Floats:
    """What is seen between the lids, (size_px, size_px) float32, 0…1."""
    return np.maximum(*(_fill(points[list(eye.outline), :2], size_px) for eye in EYES))


def lips_mask(points: Floats, size_px: int) -> Floats:
    """The mouth with its lips, (size_px, size_px) float32, 0…1."""
    return _fill(_hull(points[list(OUTER_LIPS), :2]), size_px)


def agree(learned: Floats, outline: Floats) -> Floats:
    """Where a model sees a face, and the old one is, or nearly: a wider jaw is painted, but no second one.

    Args:
        learned, outline: (size, size) float32, 0…1.
    """
    reach = max(1, round(REACH * len(outline)))
    return np.asarray(np.minimum(learned, cv2.dilate(outline, _disc(reach))), np.float32)


def soften(mask: Floats, *, erode: float, blur: float) -> Floats:
    """The mask made smaller, then soft towards its inside: nothing outside of it becomes more than 0.

    Args:
        mask: (h, w) float32, 0…1.
        erode: how far its edge moves inwards, in sides of the square; negative: outwards.
        blur: how wide the soft edge is, in sides of the square.
    """
    side = len(mask)
    grow = round(-erode * side)
    if grow > 0:
        mask = np.asarray(cv2.dilate(mask, _disc(grow)), np.float32)
    shrink, soft = max(-grow, 0), blur * side
    solid = (mask > 0.5).astype(np.uint8)
    solid[[0, -1]] = solid[:, [0, -1]] = 0  # beyond the square there is no face
    inside = np.asarray(cv2.distanceTransform(solid, cv2.DIST_L2, 5), np.float32) - shrink
    hard = np.minimum(mask, np.clip(inside, 0, 1))
    if soft < 1:
        return np.asarray(hard, np.float32)
    ramp = np.clip(inside / soft, 0, 1)
    smooth = np.asarray(ramp * ramp * (3 - 2 * ramp), np.float32)
    # The distance has ridges where it comes from two sides; a light blur takes them off.
    return np.asarray(np.minimum(cv2.GaussianBlur(smooth, (0, 0), max(soft / 6, 0.5)), hard), np.float32)


def _hull(points: Floats) -> Floats:
    return np.asarray(cv2.convexHull(np.ascontiguousarray(points, np.float32))[:, 0], np.float32)


def _fill(outline: Floats, size_px: int) -> Floats:
    mask = np.zeros((size_px, size_px), np.uint8)
    cv2.fillPoly(mask, [np.round(outline * (1 << _BITS)).astype(np.int32)], 255, cv2.LINE_AA, _BITS)
    return mask.astype(np.float32) / np.float32(255)


def _disc(radius_px: int) -> np.ndarray:
    side = 2 * radius_px + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
