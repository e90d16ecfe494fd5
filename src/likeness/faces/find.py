"""Finding the faces in one picture, however large, small, painted or drawn they are."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from likeness.faces.detect import Detection, FaceDetector, coverage
from likeness.faces.landmarks import FaceLandmarker, region_of_detection, region_of_points
from likeness.faces.nets import LANDMARKER
from likeness.faces.sampling import Region
from likeness.models import fetch
from likeness.types import Face, Floats, Picture

MIN_SCORE = 0.5
"""Below this the mesh network says that there is no face."""

MIN_SUSPICION = 0.3
SURE_SCORE = 0.5
CLOSER_LOOK_SCORE = 0.75
CLOSER_LOOK_MARGIN = 2.2
SAME_FACE_COVERAGE = 0.4
SMALLEST_WINDOW_PX = 256
MAX_LEVEL = 3


def find_faces(
    image: Picture, *, limit: int = 10, threads: int = 2, model: Path | None = None
) -> tuple[Face, ...]:
    """Finds the faces in one picture, the largest first; their ids count from 0.

    The picture is searched whole, with a margin (for faces larger than it), and in windows down to an eighth.

    Args:
        image: (h, w, 3) uint8 RGB.
        limit: at most this many.
        threads: CPU threads for the networks.
        model: path of `face_landmarker.task`; fetched when None.

    Returns:
        Nothing where there is no face.

    Raises:
        ModelMissing, ModelFormat: the model cannot be fetched or read.
    """
    bundle = model or fetch(LANDMARKER)
    detector = FaceDetector(bundle, threads=threads)
    landmarker = FaceLandmarker(bundle, threads=threads)
    faces = sorted(read_faces(image, search(image, detector), landmarker), key=lambda face: -face.size_px)
    return tuple(
        Face(face.points, face.blendshapes, face.score, id=index) for index, face in enumerate(faces[:limit])
    )


def search(image: Picture, detector: FaceDetector, *, thorough: bool = True) -> Iterator[Detection]:
    """Every face that the detector sees in some window, the largest windows first; some come repeatedly.

    Hundreds of windows hold many things that look a little like a face, and neither the score in the window
    nor the mesh network's tells them from faces. A closer look does: alone in an upright window of its own, a
    face scored above 0.84 and anything else below 0.7 wherever we measured it. It also places small faces
    better than the first look.

    Args:
        thorough: look into all the windows, not only at the picture as a whole.
    """
    height, width = image.shape[:2]
    for window in windows(height, width) if thorough else [Region.whole(image)]:
        for found in detector.detect(image, window, min_score=MIN_SUSPICION):
            if closer := _look_closer(image, found, detector):
                yield closer
            elif found.score >= SURE_SCORE and window.width >= max(height, width):
                yield found


def _look_closer(image: Picture, found: Detection, detector: FaceDetector) -> Detection | None:
    region = region_of_detection(found, CLOSER_LOOK_MARGIN)
    side = max(region.width, region.height)
    region = Region(region.x, region.y, side, side, region.angle_rad)
    for seen in detector.detect(image, region, min_score=CLOSER_LOOK_SCORE):
        if _is_among(found.box, [seen.box]):
            return seen
    return None


def windows(height: int, width: int) -> Iterator[Region]:
    """Squares to search: the whole picture, twice its size, then overlapping by half and halving in size."""
    x, y, side = width / 2, height / 2, float(max(height, width))
    yield Region(x, y, side, side)
    yield Region(x, y, 2 * side, 2 * side)
    for level in range(1, MAX_LEVEL + 1):
        window = side / 2**level
        if window < SMALLEST_WINDOW_PX:
            return
        for centre_y in _centres(height, window):
            for centre_x in _centres(width, window):
                yield Region(centre_x, centre_y, window, window)


def _centres(length: int, window: float) -> list[float]:
    """Centres of windows that cover 0…length in steps of at most half a window."""
    if length <= window:
        return [length / 2]
    steps = math.ceil((length - window) / (window / 2))
    return [float(c) for c in np.linspace(window / 2, length - window / 2, steps + 1)]


def read_faces(
    image: Picture, candidates: Iterable[Detection], landmarker: FaceLandmarker, known: Iterable[Face] = ()
) -> Iterator[Face]:
    """The faces behind the candidates, each once, less those already `known`."""
    boxes = [np.array(face.box, np.float32) for face in known]
    for candidate in candidates:
        if _is_among(candidate.box, boxes):
            continue
        points, score = landmarker.mesh(image, region_of_detection(candidate))
        if score < MIN_SCORE:
            continue
        # The second look starts from the first one's points, which are a far better guess than the detector's
        # box: it halves the noise of the result, and is how every later frame of a video is seen.
        points, score = landmarker.mesh(image, region_of_points(points))
        face = Face(points, landmarker.blendshapes(points), score)
        box = np.array(face.box, np.float32)
        if score < MIN_SCORE or _is_among(box, boxes):
            continue
        boxes.append(box)
        yield face


def _is_among(box: Floats, boxes: list[Floats]) -> bool:
    return bool(boxes) and float(coverage(box, np.stack(boxes)).max()) > SAME_FACE_COVERAGE
