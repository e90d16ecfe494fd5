"""Hands near a face: found, followed, and drawn as a mask.

Palm detector and hand landmarks: Zhang et al. 2020, "MediaPipe Hands", arXiv:2006.10214.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.faces.detect import MAX_LOGIT, STRIDES, anchor_centres, merge_overlapping, overlap
from likeness.faces.nets import Net
from likeness.faces.sampling import Region, sample, transform
from likeness.models import fetch
from likeness.types import Face, Floats, Picture

PALMS, HANDS = "palm-detection", "hand-landmarks"
MIN_PALM, MIN_HAND = 0.3, 0.5
"""The palm detector may be unsure, since the other network is asked then: on 500 frames without hands none
was seen. At 0.5 it missed hands that reach in from below the picture for a second."""
WINDOW_FACES = 2.6
"""Side of the square around the face that is searched, in sizes of the face."""
SEARCH_EVERY = 2
"""Frames between two searches while fewer than two hands are in sight."""
HOLD = 2
"""Frames for which a hand that is lost stays where it was."""
MOST = 2
SAME = 0.3

WRIST, THUMB_BASE, INDEX, MIDDLE, RING, LITTLE = 0, 1, 5, 9, 13, 17
PALM = (WRIST, THUMB_BASE, INDEX, MIDDLE, RING, LITTLE)
FINGERS = ((1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12), (13, 14, 15, 16), (17, 18, 19, 20))
THICK = 0.30
"""Of a finger, in distances from the index finger's root to the little finger's."""


@dataclass(frozen=True, slots=True, eq=False)
class Hand:
    """A hand in a picture.

    Attributes:
        points: (21, 2) float32 px, the wrist first, then four of each finger from the thumb on.
        score: 0…1.
    """

    points: Floats
    score: float


class HandTracker:
    """Follows the hands near a face, from frame to frame. An instance belongs to one thread and one video.

    Args:
        threads: CPU threads for the networks.
        offline: True forbids fetching them.

    Raises:
        ModelMissing, ModelFormat: a network cannot be fetched or read.
    """

    def __init__(self, *, threads: int = 1, offline: bool | None = None) -> None:
        self._palms = Net(fetch(PALMS, offline=offline).read_bytes(), threads=threads)
        self._marks = Net(fetch(HANDS, offline=offline).read_bytes(), threads=threads)
        self._anchors = anchor_centres(self._palms.input_shape[1], STRIDES)
        self._hands: tuple[Hand, ...] = ()
        self._held = 0
        self._frame = 0

    def track(self, image: Picture, face: Face) -> tuple[Hand, ...]:
        """The hands near the face in the next frame, (h, w, 3) uint8 RGB."""
        found: list[Hand] = []
        for old in self._hands:
            self._look(image, _region_of_points(old.points), found)
        if len(found) < len(self._hands) or (len(found) < MOST and self._frame % SEARCH_EVERY == 0):
            for region in self._search(image, _window(face)):
                self._look(image, region, found)
        self._frame += 1
        self._held = 0 if len(found) >= len(self._hands) else self._held + 1
        if not 0 < self._held <= HOLD:  # a hand that is lost for a moment is still there
            self._hands = tuple(found[:MOST])
        return self._hands

    def _look(self, image: Picture, region: Region, found: list[Hand]) -> None:
        """The hand in a region, if there is one that is not found yet."""
        side = self._marks.input_shape[1]
        matrix = region.to_picture(side, side)
        seen = sample(image, matrix, side, side, border=cv2.BORDER_CONSTANT)
        marks, score = self._marks.run(seen[None].astype(np.float32) / np.float32(255))[:2]
        if float(score[0, 0]) < MIN_HAND:
            return
        points = transform(marks.reshape(21, 3)[:, :2].astype(np.float64), matrix).astype(np.float32)
        box = _box(points)
        if all(float(overlap(box, _box(other.points)[None])[0]) < SAME for other in found):
            found.append(Hand(points, float(score[0, 0])))

    def _search(self, image: Picture, window: Region) -> list[Region]:
        """Where hands may be, as the palm detector sees them."""
        side = self._palms.input_shape[1]
        matrix = window.to_picture(side, side)
        square = sample(image, matrix, side, side, border=cv2.BORDER_CONSTANT)
        raw, logits = self._palms.run(square[None].astype(np.float32) / np.float32(255))
        scores = 1 / (1 + np.exp(-np.clip(logits[0, :, 0], -MAX_LOGIT, MAX_LOGIT)))
        keep = np.flatnonzero(scores >= MIN_PALM)
        keep = keep[np.argsort(-scores[keep], kind="stable")]
        pairs = raw[0][keep].reshape(-1, 9, 2) / np.float32(side)
        half = pairs[:, 1] / 2
        pairs = pairs + self._anchors[keep][:, None]
        rows = np.concatenate([pairs[:, 0] - half, pairs[:, 0] + half, pairs[:, 2:].reshape(-1, 14)], axis=1)
        found = merge_overlapping(rows.astype(np.float32), scores[keep].astype(np.float32), min_overlap=0.3)
        return [_region_of_palm(row, matrix, side) for row, _ in found[:MOST]]


def hand_mask(hands: tuple[Hand, ...], to_square: NDArray[np.float64], size_px: int) -> Floats:
    """Where hands are in a square, (size_px, size_px) float32, 0…1.

    Args:
        to_square: (2, 3), indices of the picture to indices of the square.
    """
    mask = np.zeros((size_px, size_px), np.uint8)
    for hand in hands:
        points = transform(hand.points.astype(np.float64), to_square)
        across = float(np.linalg.norm(points[INDEX] - points[LITTLE]))
        along = float(np.linalg.norm(points[MIDDLE] - points[WRIST]))
        # A hand seen from its edge is narrow, and its fingers are as thick as ever.
        thick = max(1, round(THICK * max(across, 0.55 * along)))
        shifted = np.round(points * 16).astype(np.int32)
        for finger in FINGERS:
            cv2.polylines(mask, [shifted[list(finger)]], False, 255, thick, cv2.LINE_AA, 4)
        palm = cv2.convexHull(shifted[list(PALM)])
        cv2.fillPoly(mask, [palm], 255, cv2.LINE_AA, 4)
        cv2.polylines(mask, [palm], True, 255, thick, cv2.LINE_AA, 4)
        arm = points[WRIST] + 1.2 * (points[WRIST] - (points[MIDDLE] + points[RING]) / 2)
        ends = np.round(np.stack([points[WRIST], arm]) * 16).astype(np.int32)
        cv2.polylines(mask, [ends], False, 255, max(1, round(2.4 * thick)), cv2.LINE_AA, 4)
    return mask.astype(np.float32) / np.float32(255)


def _window(face: Face) -> Region:
    left, top, right, bottom = face.box
    side = WINDOW_FACES * face.size_px
    return Region((left + right) / 2, (top + bottom) / 2 + 0.15 * face.size_px, side, side)


def _region_of_palm(row: Floats, matrix: NDArray[np.float64], side: int) -> Region:
    """The square around the hand whose palm this is, fingers up (2.6 palms, half a palm towards them)."""
    corners = transform(row[:4].reshape(2, 2).astype(np.float64) * side, matrix)
    wrist, middle = transform(row[4:].reshape(7, 2)[[0, 2]].astype(np.float64) * side, matrix)
    return _turned(corners.mean(0), float(np.abs(corners[1] - corners[0]).max()), wrist, middle, 2.6, 0.5)


def _region_of_points(points: Floats) -> Region:
    """The same of a hand whose points are known, as from the frame before."""
    wrist = points[WRIST].astype(np.float64)
    root = ((points[INDEX] + points[RING]) / 2 + points[MIDDLE]) / 2
    angle = _angle(wrist, root.astype(np.float64))
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    upright = points[[0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18]] @ turn.T
    low, high = upright.min(0), upright.max(0)
    middle = ((low + high) / 2) @ turn
    return _turned(middle, float((high - low).max()), wrist, root.astype(np.float64), 2.0, 0.1)


def _turned(
    middle: NDArray[np.float64],
    size: float,
    wrist: NDArray[np.float64],
    root: NDArray[np.float64],
    margin: float,
    shift: float,
) -> Region:
    angle = _angle(wrist, root)
    x = float(middle[0]) + shift * size * math.sin(angle)
    y = float(middle[1]) - shift * size * math.cos(angle)
    return Region(x, y, margin * size, margin * size, angle)


def _angle(wrist: NDArray[np.float64], root: NDArray[np.float64]) -> float:
    """How far a hand is turned from pointing up, clockwise as seen, radians."""
    across, down = (root - wrist).tolist()
    return math.atan2(across, -down)


def _box(points: Floats) -> Floats:
    return np.concatenate([points.min(0), points.max(0)]).astype(np.float32)
