"""Where faces are: the BlazeFace detectors (Bazarevsky et al. 2019, arXiv:1907.05047)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.faces.nets import Net
from likeness.types import Floats, Picture

SCORE_LIMIT = 80.0  # logits beyond this overflow exp() in float32


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """A face that the detector sees.

    Attributes:
        box: (4,) float32: left, top, right, bottom, px.
        keypoints: (6, 2) float32 px: the eye at the picture's left, the other eye, nose tip, mouth, both ears.
        score: 0…1.
    """

    box: Floats
    keypoints: Floats
    score: float


class FaceDetector:
    """Finds faces in a whole picture at one scale.

    Args:
        content: the network, `face_detector.tflite` (short range, 128 px) or the full-range one (192 px).
        strides: of the anchor grids, each anchor once.
    """

    def __init__(self, content: bytes, *, strides: tuple[int, ...], threads: int) -> None:
        self._net = Net(content, threads=threads)
        self._side = self._net.input_shape[1]
        self._anchors = anchor_centres(self._side, strides)

    def detect(self, image: Picture, *, min_score: float = 0.5) -> list[Detection]:
        """Returns the faces in `image`, most certain first."""
        height, width = image.shape[:2]
        long_side = max(height, width)
        scale = long_side / self._side
        # The picture is centred in a black square; index i of the small one shows index i · scale of it.
        left, top = (width - long_side) / 2, (height - long_side) / 2
        matrix = np.array([[scale, 0, left], [0, scale, top]], np.float64)
        small = cv2.warpAffine(
            image,
            matrix,
            (self._side, self._side),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
        )
        raw, logits = self._net.run((small.astype(np.float32) / 127.5 - 1.0)[None])
        found = merge_overlapping(*decode(raw[0], logits[0, :, 0], self._anchors, self._side, min_score))
        corner = np.array([left, top], np.float32)
        return [
            Detection(
                (row[:4].reshape(2, 2) * long_side + corner).ravel(),
                row[4:].reshape(6, 2) * long_side + corner,
                score,
            )
            for row, score in found
        ]


def anchor_centres(side: int, strides: tuple[int, ...]) -> Floats:
    """Centres of the SSD anchors, (n, 2) float32 in 0…1, row by row per layer; all have unit size."""
    layers: list[NDArray[np.float32]] = []
    for stride in dict.fromkeys(strides):
        cells = side // stride
        centre = (np.arange(cells, dtype=np.float32) + 0.5) / cells
        grid = np.stack(np.meshgrid(centre, centre), -1).reshape(-1, 2)
        layers.append(np.repeat(grid, strides.count(stride), axis=0))
    return np.concatenate(layers)


def decode(
    raw: Floats, logits: Floats, anchors: Floats, side: int, min_score: float
) -> tuple[Floats, Floats]:
    """Turns the network's output into boxes with keypoints, best first.

    Returns:
        (n, 16) float32, 0…1 of the network's square: left, top, right, bottom, six keypoints; and (n,) scores.
    """
    scores = 1.0 / (1.0 + np.exp(-np.clip(logits, -SCORE_LIMIT, SCORE_LIMIT)))
    keep = np.flatnonzero(scores >= min_score)
    keep = keep[np.argsort(-scores[keep], kind="stable")]
    pairs = raw[keep].reshape(-1, 8, 2) / np.float32(side)
    centre, size = pairs[:, 0] + anchors[keep], pairs[:, 1]
    rows = np.concatenate(
        [centre - size / 2, centre + size / 2, (pairs[:, 2:] + anchors[keep][:, None]).reshape(-1, 12)], 1
    )
    valid = (size > 0).all(1)
    return rows[valid].astype(np.float32), scores[keep][valid].astype(np.float32)


def merge_overlapping(rows: Floats, scores: Floats, min_overlap: float = 0.5) -> list[tuple[Floats, float]]:
    """Joins boxes of the same face by their score-weighted mean (BlazeFace, section 4.3, "tie resolution")."""
    found: list[tuple[Floats, float]] = []
    while len(rows):
        same = overlap(rows[0, :4], rows[:, :4]) > min_overlap
        same[0] = True
        weights = scores[same, None]
        found.append(((rows[same] * weights).sum(0) / weights.sum(), float(scores[0])))
        rows, scores = rows[~same], scores[~same]
    return found


def overlap(box: Floats, boxes: Floats) -> Floats:
    """Intersection over union of one box (4,) with several (n, 4), all left, top, right, bottom."""
    inner = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    common = np.clip(inner, 0, None).prod(1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    union = (box[2:] - box[:2]).prod() + areas - common
    return np.asarray(common / np.maximum(union, 1e-9), np.float32)
