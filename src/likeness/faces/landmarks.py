"""The 478 points and 52 blendshapes of one face, given roughly where it is.

Face mesh: Kartynnik et al. 2019, arXiv:1907.06724; eyes and lips by attention: Grishchenko et al. 2020,
arXiv:2006.10962; blendshapes: Grishchenko et al. 2023, arXiv:2309.05782.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from likeness.faces.detect import MAX_LOGIT, Detection
from likeness.faces.nets import Net, read_member
from likeness.faces.sampling import Region, sample, transform
from likeness.types import Floats, Picture

MARGIN = 1.5
"""The network expects to see this many times the face's width and height."""

OUTER_EYE_CORNERS = 33, 263

BLENDSHAPES: tuple[str, ...] = (
    "_neutral", "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft",
    "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight",
    "eyeLookUpLeft", "eyeLookUpRight", "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight",
    "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose", "mouthDimpleLeft", "mouthDimpleRight",
    "mouthFrownLeft", "mouthFrownRight", "mouthFunnel", "mouthLeft", "mouthLowerDownLeft",
    "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker", "mouthRight",
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft",
    "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight",
)  # fmt: skip

# The points that the blendshape network looks at (Grishchenko et al. 2023, section 3).
BLENDSHAPE_POINTS = (
    0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67, 70,
    78, 80, 81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148, 149,
    150, 152, 153, 154, 155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173, 176, 178, 181, 185, 191, 195,
    197, 234, 246, 249, 251, 263, 267, 269, 270, 276, 282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300,
    308, 310, 311, 312, 314, 317, 318, 321, 323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375,
    377, 378, 379, 380, 381, 382, 384, 385, 386, 387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454,
    466, 468, 469, 470, 471, 472, 473, 474, 475, 476, 477,
)  # fmt: skip


def region_of_detection(found: Detection, margin: float = MARGIN) -> Region:
    """Where the mesh network should look for a face that the detector sees, turned to level its eyes."""
    left, top, right, bottom = found.box.tolist()
    dx, dy = (found.keypoints[1] - found.keypoints[0]).tolist()
    width, height = (right - left) * margin, (bottom - top) * margin
    return Region((left + right) / 2, (top + bottom) / 2, width, height, math.atan2(dy, dx))


def region_of_points(points: Floats) -> Region:
    """Where it should look for a face whose (n, 2 or 3) mesh points are known, as from the frame before."""
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    x, y = ((low + high) / 2).tolist()
    start, end = OUTER_EYE_CORNERS
    dx, dy = (points[end, :2] - points[start, :2]).tolist()
    side = float((high - low).max()) * MARGIN
    return Region(x, y, side, side, math.atan2(dy, dx))


class FaceLandmarker:
    """Runs the mesh and the blendshape network on one face. An instance belongs to one thread.

    Args:
        bundle: path of `face_landmarker.task`.
        threads: CPU threads.
    """

    def __init__(self, bundle: Path, *, threads: int) -> None:
        self._mesh = Net(read_member(bundle, "face_landmarks_detector.tflite"), threads=threads)
        self._blendshapes = Net(read_member(bundle, "face_blendshapes.tflite"), threads=1)
        self._side = self._mesh.input_shape[1]

    def mesh(self, image: Picture, region: Region) -> tuple[Floats, float]:
        """The (478, 3) float32 points in px of `image`, and the score 0…1 that there is a face."""
        matrix = region.to_picture(self._side, self._side)
        crop = sample(image, matrix, self._side, self._side)
        raw, logit, *_ = self._mesh.run((crop.astype(np.float32) / 255.0)[None])
        seen = raw.reshape(-1, 3)
        # The network measures from the edge of the first pixel: mirrored crops give u + u' = 256, not 255.
        points = np.empty_like(seen)
        points[:, :2] = transform(seen[:, :2] - 0.5, matrix)
        points[:, 2] = seen[:, 2] * (region.width / self._side)
        return points, float(1.0 / (1.0 + math.exp(-max(logit.item(), -MAX_LOGIT))))

    def blendshapes(self, points: Floats) -> Floats:
        """The (52,) float32 coefficients, in the order of `BLENDSHAPES`, for (478, 3) points."""
        seen = np.ascontiguousarray(points[list(BLENDSHAPE_POINTS), :2])
        return self._blendshapes.run(seen[None])[0].reshape(-1)
