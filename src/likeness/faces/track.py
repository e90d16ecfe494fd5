"""Finding faces in a picture, and following them through a video."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from likeness.faces.detect import FaceDetector, overlap
from likeness.faces.landmarks import FaceLandmarker, Region
from likeness.faces.nets import LANDMARKER, read_member
from likeness.types import Face, Picture

SHORT_RANGE_STRIDES = (8, 8, 16, 16, 16, 16, 16, 16)
MIN_SCORE = 0.5
SAME_FACE = 0.3


class _Nets:
    def __init__(self, model: Path | None, threads: int) -> None:
        bundle = model or _fetch(LANDMARKER)
        self.detector = FaceDetector(
            read_member(bundle, "face_detector.tflite"), strides=SHORT_RANGE_STRIDES, threads=threads
        )
        self.landmarker = FaceLandmarker(
            read_member(bundle, "face_landmarks_detector.tflite"),
            read_member(bundle, "face_blendshapes.tflite"),
            threads=threads,
        )


def _fetch(name: str) -> Path:
    from likeness.models import fetch

    return fetch(name)


class FaceTracker:
    """Follows faces from frame to frame, without smoothing.

    Args:
        faces: how many faces to follow at most.
        threads: CPU threads for the networks.
        model: `face_landmarker.task`; fetched when None.
    """

    def __init__(self, *, faces: int = 1, threads: int = 2, model: Path | None = None) -> None:
        self._nets = _Nets(model, threads)
        self._faces = faces
        self._last: tuple[Face, ...] = ()
        self._next_id = 0

    def track(self, image: Picture) -> tuple[Face, ...]:
        """Returns the faces in the next frame, the largest first."""
        found: list[Face] = []
        for old in self._last:
            self._add(found, image, Region.around_points(old.points), old.id)
        if len(found) < self._faces:
            for seen in self._nets.detector.detect(image):
                if len(found) < self._faces:
                    self._add(found, image, Region.around_detection(seen), None)
        self._last = tuple(sorted(found, key=lambda face: -face.size_px))
        return self._last

    def _add(self, found: list[Face], image: Picture, region: Region, known_id: int | None) -> None:
        points, score = self._nets.landmarker.mesh(image, region)
        if score < MIN_SCORE:
            return
        box = np.concatenate([points[:468, :2].min(0), points[:468, :2].max(0)])
        if found and overlap(box, np.array([face.box for face in found], np.float32)).max() > SAME_FACE:
            return
        if known_id is None:
            known_id, self._next_id = self._next_id, self._next_id + 1
        found.append(Face(points, self._nets.landmarker.blendshapes(points), score, known_id))


def find_faces(
    image: Picture, *, limit: int = 10, threads: int = 2, model: Path | None = None
) -> tuple[Face, ...]:
    """Finds the faces in one picture, the largest first."""
    return FaceTracker(faces=limit, threads=threads, model=model).track(image)
