"""Hair on the forehead: what is seen there and is not of the colour of this face's skin."""

from __future__ import annotations

import cv2
import numpy as np

from likeness.engines.swap.mask import face_mask
from likeness.faces.topology import CHIN, EYES, FOREHEAD_TOP, SKIN
from likeness.types import Floats, Picture

WORK_PX = 96
GLABELLA, BRIDGE = 9, 8
"""Between the brows, and below: skin as it is lit on the forehead, if a fringe does not reach so far."""
PATCH_RADIUS = 0.022
"""In sides of the square."""
TOLERANCE = np.array([15.0, 7.0, 7.0], np.float32)
"""How far lightness, green-red and blue-yellow (CIELAB) may lie from those of the nearest such patch."""
LITTLE, MUCH = 0.35, 0.6
"""Shares of a forehead that are covered. Of thirteen people one has a fringe, 0.76; the others have 0.00 to
0.23, at the hairline."""


def forehead_hair(square: Picture, points: Floats, *, whole: bool = False) -> Floats:
    """How much of each pixel of the forehead is hair (or anything else but skin); 0 everywhere else.

    Colour is all that tells: hair of the skin's own colour is not seen.

    Args:
        square: (size, size, 3) uint8 RGB, a face's square.
        points: (478, 3) float32 px in it.
        whole: take the whole forehead where much of it is covered. Of a face that is to be shown on another
            head, islands of skin between strands are no use.

    Returns:
        (size, size) float32, 0…1.
    """
    size, scale = len(square), WORK_PX / len(square)
    small = cv2.GaussianBlur(
        cv2.resize(square, (WORK_PX, WORK_PX), interpolation=cv2.INTER_AREA), (0, 0), 0.8
    )
    lab = cv2.cvtColor(small.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB)
    at = (points[:, :2] + 0.5) * scale - 0.5
    region = cv2.GaussianBlur(_forehead(at), (0, 0), 1.5)
    rows = np.flatnonzero(region.any(1))
    hair = region.copy()
    top, bottom = (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, 0)
    skin = [_patch(lab, at[point]) for point in SKIN]
    for point in (GLABELLA, BRIDGE):
        patch = _patch(lab, at[point])
        if min(float(_away(patch[None, None], one)[0, 0]) for one in skin) < 1:
            skin.append(patch)
    away = np.min([_away(lab[top:bottom], one) for one in skin], axis=0)
    hair[top:bottom] *= np.clip((np.sqrt(away) - 1.0) / 0.4, 0, 1)
    hair = cv2.GaussianBlur(hair, (0, 0), 0.7)
    if whole:
        seen = region * face_mask(at, WORK_PX)
        covered = float((seen * hair).sum() / (seen.sum() + 1e-6))
        hair = np.maximum(hair, np.clip((covered - LITTLE) / (MUCH - LITTLE), 0, 1) * region)
    return np.asarray(cv2.resize(hair, (size, size), interpolation=cv2.INTER_LINEAR), np.float32)


def _patch(lab: Floats, at: Floats) -> Floats:
    """The median colour around a point, (3,) float32."""
    radius = max(1, round(PATCH_RADIUS * WORK_PX))
    x, y = (int(np.clip(round(float(one)), radius, WORK_PX - 1 - radius)) for one in at)
    around = lab[y - radius : y + radius + 1, x - radius : x + radius + 1]
    return np.asarray(np.median(around, axis=(0, 1)), np.float32)


def _away(lab: Floats, skin: Floats) -> Floats:
    """How far each pixel is from a colour of skin, in tolerances, squared: (h, w) float32."""
    away = (lab - skin) / TOLERANCE
    # More light makes a forehead lighter, and that is still skin.
    away[:, :, 0] = np.maximum(0.25 * away[:, :, 0], -away[:, :, 0])
    return np.asarray(np.einsum("yxc,yxc->yx", away, away), np.float32)


def _forehead(at: Floats) -> Floats:
    """Above the brows, (WORK_PX, WORK_PX) float32, 0…1; beyond the face's outline too."""
    brows = [point for eye in EYES for point in eye.brow]
    line = at[brows]
    line = line[np.argsort(line[:, 0])]
    up = at[FOREHEAD_TOP] - at[CHIN]
    up = up / (np.linalg.norm(up) + 1e-6)
    tall = float(np.linalg.norm(at[FOREHEAD_TOP] - line.mean(0)))
    # A little above the brows, whose own hair is to stay B's, and up beyond the hairline.
    low = line + 0.22 * tall * up
    low = np.vstack([low[: len(low) // 2], at[GLABELLA][None], low[len(low) // 2 :]])
    outer = np.stack([low[0], low[-1]]) + np.array([[-0.5], [0.5]]) * (low[-1] - low[0])
    ring = np.vstack([outer[:1], low, outer[1:], (outer + 3 * tall * up)[::-1]])
    mask = np.zeros((WORK_PX, WORK_PX), np.uint8)
    cv2.fillPoly(mask, [np.round(ring * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return mask.astype(np.float32) / np.float32(255)
