"""The 478 points and 52 blendshapes of one face, given roughly where it is.

Face mesh: Kartynnik et al. 2019, arXiv:1907.06724; eyes and lips by attention: Grishchenko et al. 2020,
arXiv:2006.10962; blendshapes: Grishchenko et al. 2023, arXiv:2309.05782.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from likeness.faces.detect import Detection
from likeness.faces.nets import Net
from likeness.types import Floats, Picture

MARGIN = 1.5  # the region is this much larger than the face
OUTER_EYE_CORNERS = 33, 263

BLENDSHAPES: tuple[str, ...] = tuple(
    """_neutral browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff
    cheekSquintLeft cheekSquintRight eyeBlinkLeft eyeBlinkRight eyeLookDownLeft eyeLookDownRight eyeLookInLeft
    eyeLookInRight eyeLookOutLeft eyeLookOutRight eyeLookUpLeft eyeLookUpRight eyeSquintLeft eyeSquintRight
    eyeWideLeft eyeWideRight jawForward jawLeft jawOpen jawRight mouthClose mouthDimpleLeft mouthDimpleRight
    mouthFrownLeft mouthFrownRight mouthFunnel mouthLeft mouthLowerDownLeft mouthLowerDownRight mouthPressLeft
    mouthPressRight mouthPucker mouthRight mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper
    mouthSmileLeft mouthSmileRight mouthStretchLeft mouthStretchRight mouthUpperUpLeft mouthUpperUpRight
    noseSneerLeft noseSneerRight""".split()
)

# The points that the blendshape network looks at (Grishchenko et al. 2023, section 3).
BLENDSHAPE_POINTS = np.array(
    """0 1 4 5 6 7 8 10 13 14 17 21 33 37 39 40 46 52 53 54 55 58 61 63 65 66 67 70 78 80 81 82 84 87 88 91 93
    95 103 105 107 109 127 132 133 136 144 145 146 148 149 150 152 153 154 155 157 158 159 160 161 162 163 168
    172 173 176 178 181 185 191 195 197 234 246 249 251 263 267 269 270 276 282 283 284 285 288 291 293 295 296
    297 300 308 310 311 312 314 317 318 321 323 324 332 334 336 338 356 361 362 365 373 374 375 377 378 379 380
    381 382 384 385 386 387 388 389 390 397 398 400 402 405 409 415 454 466 468 469 470 471 472 473 474 475 476
    477""".split(),
    np.int64,
)


@dataclass(frozen=True, slots=True)
class Region:
    """A rotated rectangle of a picture: centre and size in px, angle in radians, clockwise as seen."""

    x: float
    y: float
    width: float
    height: float
    angle_rad: float

    @classmethod
    def around_detection(cls, found: Detection) -> Region:
        """The region the mesh network expects for a face that the detector found."""
        left, top, right, bottom = found.box.tolist()
        dx, dy = (found.keypoints[1] - found.keypoints[0]).tolist()
        width, height = (right - left) * MARGIN, (bottom - top) * MARGIN
        return cls((left + right) / 2, (top + bottom) / 2, width, height, math.atan2(dy, dx))

    @classmethod
    def around_points(cls, points: Floats) -> Region:
        """The region for a face whose points, (n ≥ 468, 2 or 3) px, are known from the frame before."""
        low, high = points[:, :2].min(0), points[:, :2].max(0)
        x, y = ((low + high) / 2).tolist()
        start, end = OUTER_EYE_CORNERS
        dx, dy = (points[end, :2] - points[start, :2]).tolist()
        side = float((high - low).max()) * MARGIN
        return cls(x, y, side, side, math.atan2(dy, dx))

    def to_picture(self, pixels: int) -> Floats:
        """The (2, 3) matrix from pixel indices of a `pixels`² crop of this region to those of the picture."""
        cos, sin = math.cos(self.angle_rad), math.sin(self.angle_rad)
        across, down = self.width / pixels, self.height / pixels
        matrix = np.array([[cos * across, -sin * down, 0.0], [sin * across, cos * down, 0.0]])
        matrix[:, 2] = (self.x, self.y) - matrix[:, :2] @ (pixels / 2, pixels / 2)
        return matrix.astype(np.float32)


class FaceLandmarker:
    """Runs the mesh and the blendshape network on one region."""

    def __init__(self, mesh: bytes, blendshapes: bytes, *, threads: int) -> None:
        self._mesh = Net(mesh, threads=threads)
        self._blendshapes = Net(blendshapes, threads=1)
        self._side = self._mesh.input_shape[1]

    def mesh(self, image: Picture, region: Region) -> tuple[Floats, float]:
        """Returns the (478, 3) float32 points in px of `image`, and the score 0…1 that a face is there."""
        matrix = region.to_picture(self._side)
        crop = cv2.warpAffine(
            image,
            matrix,
            (self._side, self._side),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        raw, logit, *_ = self._mesh.run((crop.astype(np.float32) / 255.0)[None])
        crop_points = raw.reshape(-1, 3)
        points = np.empty_like(crop_points)
        points[:, :2] = crop_points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        points[:, 2] = crop_points[:, 2] * (region.width / self._side)
        return points, float(1.0 / (1.0 + np.exp(-logit.item())))

    def blendshapes(self, points: Floats) -> Floats:
        """Returns the (52,) float32 coefficients, in the order of `BLENDSHAPES`, of (478, 3) points."""
        return self._blendshapes.run(np.ascontiguousarray(points[BLENDSHAPE_POINTS, :2])[None])[0].reshape(-1)
