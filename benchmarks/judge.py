"""The judge of the quality benchmark: an older face mesh, which takes no part in driving.

The 468-point `face_landmark.tflite` (Kartynnik et al. 2019, arXiv:1907.06724) is another network than the one
that tracks the driver: other weights, 468 instead of 478 points, 192 instead of 256 px, no attention on eyes
and lips. The two share the detector, which only says where to look first. Nothing is smoothed or carried from
frame to frame, so a clip is judged as so many stills.
"""

from __future__ import annotations

import math

import numpy as np

from likeness.faces.detect import FaceDetector
from likeness.faces.landmarks import region_of_detection, region_of_points
from likeness.faces.nets import LANDMARKER, Net
from likeness.faces.sampling import Region, sample, transform
from likeness.models import fetch
from likeness.types import Floats, Picture

POINTS = 468
LOOKS = 3
"""Looks at each picture: one where the detector points, two where the look before found the face."""

MIN_SCORE = 0.5


class Judge:
    """Finds 468 face points in single pictures. An instance belongs to one thread."""

    def __init__(self, *, threads: int = 2) -> None:
        self._detector = FaceDetector(fetch(LANDMARKER), threads=threads)
        self._mesh = Net(fetch("face-mesh-468").read_bytes(), threads=threads)
        self._side = self._mesh.input_shape[1]

    def landmarks(self, image: Picture) -> Floats | None:
        """The points of the largest face.

        Args:
            image: (h, w, 3) uint8 RGB.

        Returns:
            (468, 3) float32 px, pixel centres at integers, numbered as the tracker's first 468 points; None
            where the judge sees no face.
        """
        detections = self._detector.detect(image)
        if not detections:
            return None
        largest = max(detections, key=lambda found: float(np.prod(found.box[2:] - found.box[:2])))
        region = region_of_detection(largest)
        for _ in range(LOOKS):
            points, score = self._look(image, region)
            if score < MIN_SCORE:
                return None
            region = region_of_points(points)
        return points

    def _look(self, image: Picture, region: Region) -> tuple[Floats, float]:
        side = max(region.width, region.height)
        region = Region(region.x, region.y, side, side, region.angle_rad)
        matrix = region.to_picture(self._side, self._side)
        crop = sample(image, matrix, self._side, self._side)
        raw, logit = self._mesh.run((crop.astype(np.float32) / 255.0)[None])
        seen = raw.reshape(POINTS, 3)
        points = np.empty_like(seen)
        points[:, :2] = transform(seen[:, :2] - 0.5, matrix)
        points[:, 2] = seen[:, 2] * (side / self._side)
        return points, 1.0 / (1.0 + math.exp(-max(logit.item(), -80.0)))
