"""Following faces through a video."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from likeness.faces.detect import FaceDetector, overlap
from likeness.faces.find import MIN_SCORE, read_faces, search
from likeness.faces.landmarks import FaceLandmarker, region_of_points
from likeness.faces.nets import LANDMARKER
from likeness.models import fetch
from likeness.types import Face, Picture

SEARCH_EVERY = 10
"""Frames between two searches for faces that are not there yet, or too small to be seen at first glance."""

REMEMBER_FRAMES = 60
"""A face that comes back where it was within this many frames keeps its id."""

MIN_SIZE_PX = 8.0
SAME_FACE_OVERLAP = 0.2
MERGED_OVERLAP = 0.6


@dataclass(frozen=True, slots=True)
class _Lost:
    face: Face
    frame: int


class FaceTracker:
    """Follows faces from frame to frame, as they are: nothing is smoothed, so nothing lags.

    Each face is looked for where it was in the frame before; the detector runs when one is lost, and every
    tenth frame while fewer than `faces` are in sight. An instance belongs to one thread and one video.

    Args:
        faces: how many to follow at most; the largest are taken.
        threads: CPU threads for the networks.
        model: path of `face_landmarker.task`; fetched when None.

    Raises:
        ModelMissing, ModelFormat: the model cannot be fetched or read.
    """

    def __init__(self, *, faces: int = 1, threads: int = 2, model: Path | None = None) -> None:
        bundle = model or fetch(LANDMARKER)
        self._detector = FaceDetector(bundle, threads=threads)
        self._landmarker = FaceLandmarker(bundle, threads=threads)
        self._limit = faces
        self._faces: tuple[Face, ...] = ()
        self._lost: tuple[_Lost, ...] = ()
        self._frame = 0
        self._next_search = 0
        self._next_id = 0

    def track(self, image: Picture) -> tuple[Face, ...]:
        """The faces in the next frame, (h, w, 3) uint8 RGB, in the order of their ids."""
        found = self._follow(image)
        self._remember(lost=[face for face in self._faces if all(face.id != other.id for other in found)])
        is_one_lost = len(found) < len(self._faces)
        if len(found) < self._limit and (is_one_lost or not found or self._frame >= self._next_search):
            found += self._search(image, found)
        self._faces = tuple(sorted(found, key=lambda face: face.id))
        self._frame += 1
        return self._faces

    def _follow(self, image: Picture) -> list[Face]:
        """The faces of the frame before, where they are now."""
        found: list[Face] = []
        for old in self._faces:
            points, score = self._landmarker.mesh(image, region_of_points(old.points))
            if score < MIN_SCORE or not _is_in_sight(points, image):
                continue
            face = Face(points, self._landmarker.blendshapes(points), score, old.id)
            if any(_overlap(face, other) > MERGED_OVERLAP for other in found):
                continue  # two tracks have slid onto one face
            found.append(face)
        return found

    def _search(self, image: Picture, known: list[Face]) -> list[Face]:
        """The largest faces that are not followed yet, as many as are wanted."""
        glance = search(image, self._detector, thorough=False)
        fresh = list(read_faces(image, glance, self._landmarker, known))
        if self._frame >= self._next_search:
            if not fresh and not known:
                fresh = list(read_faces(image, search(image, self._detector), self._landmarker))
            self._next_search = self._frame + SEARCH_EVERY
        fresh.sort(key=lambda face: -face.size_px)
        return [replace(face, id=self._identify(face)) for face in fresh[: self._limit - len(known)]]

    def _remember(self, lost: list[Face]) -> None:
        recent = (old for old in self._lost if self._frame - old.frame <= REMEMBER_FRAMES)
        self._lost = (*recent, *(_Lost(face, self._frame) for face in lost))

    def _identify(self, face: Face) -> int:
        """The id of the lost face that this one is, else a new one."""
        best = max(self._lost, key=lambda old: _overlap(face, old.face), default=None)
        if best is not None and _overlap(face, best.face) > SAME_FACE_OVERLAP:
            self._lost = tuple(old for old in self._lost if old is not best)
            return best.face.id
        self._next_id += 1
        return self._next_id - 1


def _overlap(face: Face, other: Face) -> float:
    return float(overlap(np.array(face.box, np.float32), np.array([other.box], np.float32))[0])


def _is_in_sight(points: np.ndarray, image: Picture) -> bool:
    """Whether the middle of the face lies in the picture, and the face is large enough to be one."""
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    if not np.isfinite(points).all() or (high - low).max() < MIN_SIZE_PX:
        return False
    x, y = (low + high) / 2
    return bool(0 <= x < image.shape[1] and 0 <= y < image.shape[0])
