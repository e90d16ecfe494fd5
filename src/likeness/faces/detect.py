"""Where faces are: the BlazeFace detector (Bazarevsky et al. 2019, arXiv:1907.05047)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.faces.nets import Net, read_member
from likeness.faces.sampling import Region, sample, transform
from likeness.types import Floats, Picture

STRIDES = (8, 8, 16, 16, 16, 16, 16, 16)
"""Cell size of each layer of anchors, px of the network's square."""

MAX_LOGIT = 80.0  # beyond this exp() overflows in float32


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """A face that the detector sees.

    Attributes:
        box: (4,) float32: left, top, right, bottom, px.
        keypoints: (6, 2) float32 px: the subject's right eye, left eye, nose, mouth, right ear, left ear.
        score: 0…1.
    """

    box: Floats
    keypoints: Floats
    score: float


class FaceDetector:
    """Finds faces that fill about a tenth to all of a region. An instance belongs to one thread.

    Args:
        bundle: path of `face_landmarker.task`.
        threads: CPU threads.
    """

    def __init__(self, bundle: Path, *, threads: int) -> None:
        self._net = Net(read_member(bundle, "face_detector.tflite"), threads=threads)
        self._side = self._net.input_shape[1]
        self._anchors = anchor_centres(self._side, STRIDES)

    def detect(
        self, image: Picture, region: Region | None = None, *, min_score: float = 0.5
    ) -> list[Detection]:
        """The faces in a square region of `image` (the whole of it when None), most certain first."""
        matrix = (region or Region.whole(image)).to_picture(self._side, self._side)
        square = sample(image, matrix, self._side, self._side, border=cv2.BORDER_CONSTANT, antialias=False)
        raw, logits = self._net.run((square.astype(np.float32) / 127.5 - 1.0)[None])
        rows, scores = decode(raw[0], logits[0, :, 0], self._anchors, self._side, min_score)
        scale = np.hypot(matrix[0], matrix[1])[:2] * self._side
        found = []
        for row, score in merge_overlapping(rows, scores):
            centre = transform((row[:2] + row[2:4]) * self._side / 2, matrix)
            half = (row[2:4] - row[:2]) * scale / 2
            keypoints = transform(row[4:].reshape(6, 2) * self._side, matrix).astype(np.float32)
            box = np.concatenate([centre - half, centre + half]).astype(np.float32)
            found.append(Detection(box, keypoints, score))
        return found


def anchor_centres(side: int, strides: tuple[int, ...]) -> Floats:
    """Centres of the SSD anchors, (n, 2) float32 in 0…1, row by row, layers of one stride interleaved."""
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

    Args:
        raw: (n, 16): centre, size and six keypoints; px of the network's square, measured from the anchors.
        logits: (n,).
        anchors: (n, 2), 0…1 of the square.

    Returns:
        (m, 16) float32, 0…1 of the square: left, top, right, bottom, six keypoints; and (m,) scores.
    """
    scores = 1.0 / (1.0 + np.exp(-np.clip(logits, -MAX_LOGIT, MAX_LOGIT)))
    keep = np.flatnonzero((scores >= min_score) & (raw[:, 2:4] > 0).all(1))
    keep = keep[np.argsort(-scores[keep], kind="stable")]
    pairs = raw[keep].reshape(-1, 8, 2) / np.float32(side)
    half = pairs[:, 1] / 2
    pairs += anchors[keep][:, None]
    rows = np.concatenate([pairs[:, 0] - half, pairs[:, 0] + half, pairs[:, 2:].reshape(-1, 12)], axis=1)
    return rows.astype(np.float32), scores[keep].astype(np.float32)


def merge_overlapping(
    rows: Floats, scores: Floats, *, min_overlap: float = 0.5
) -> list[tuple[Floats, float]]:
    """Joins the boxes of one face into their score-weighted mean (the paper's section 3.4, "blending")."""
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
    common, areas = _common_area(box, boxes), (boxes[:, 2:] - boxes[:, :2]).prod(1)
    union = (box[2:] - box[:2]).prod() + areas - common
    return np.asarray(common / np.maximum(union, 1e-9), np.float32)


def coverage(box: Floats, boxes: Floats) -> Floats:
    """Intersection over the smaller area of one box (4,) with several (n, 4): 1 where one holds the other."""
    areas = np.minimum((boxes[:, 2:] - boxes[:, :2]).prod(1), (box[2:] - box[:2]).prod())
    return np.asarray(_common_area(box, boxes) / np.maximum(areas, 1e-9), np.float32)


def _common_area(box: Floats, boxes: Floats) -> Floats:
    sides = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    return np.asarray(np.clip(sides, 0, None).prod(1), np.float32)
