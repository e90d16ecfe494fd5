"""A face made by hand: its points can be turned, moved, opened and closed at will, and it can be drawn."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.config import AnimateConfig
from likeness.faces.landmarks import BLENDSHAPES
from likeness.faces.pose import from_euler_deg
from likeness.faces.topology import (
    CHIN,
    EYES,
    FACE_OVAL,
    FOREHEAD_TOP,
    INNER_LOWER_LIP,
    INNER_MOUTH,
    INNER_UPPER_LIP,
    LOWER_LIP_RINGS,
    MOUTH_CORNERS,
    UPPER_LIP_RINGS,
    canonical_mesh,
)
from likeness.motion.appearance import Unwrapper, skin_colour
from likeness.motion.calibrate import Calibration, calibrate
from likeness.motion.frame import DriverInfo, MotionFrame
from likeness.motion.retarget import Retargeter
from likeness.types import Face, Floats, Picture

WIDTH, HEIGHT = 192, 224
DRIVER = DriverInfo(Fraction(25), WIDTH, HEIGHT)


@dataclass(frozen=True)
class Puppet:
    """What the face does.

    Attributes:
        px_per_cm: its size; it is about 15 cm wide and 18 cm high.
        x, y: px, the middle of the head.
        turn_deg: pitch, yaw, roll.
        lips: the gap between the lips in the mouth's middle, in heights of the face.
        blink: 0 = open as the average face, 1 = closed.
        gaze: where it looks to the side, in eye widths.
        smile: how far the mouth's corners move up and out, cm.
    """

    px_per_cm: float = 7.0
    x: float = 96.0
    y: float = 100.0
    turn_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    lips: float = 0.0
    blink: float = 0.0
    gaze: float = 0.0
    smile: float = 0.0

    @property
    def points(self) -> Floats:
        """(478, 3) px."""
        vertices = canonical_mesh().vertices.astype(np.float64)
        self._open_lips(vertices)
        for corner, side in zip(MOUTH_CORNERS, (-1, 1), strict=True):
            near = np.exp(-((np.linalg.norm(vertices - vertices[corner], axis=1) / 1.5) ** 2))
            vertices += near[:, None] * self.smile * np.array([0.6 * side, -1.0, 0.0])
        for eye in EYES:
            upper, lower = list(eye.upper), list(eye.lower)
            vertices[upper] += self.blink * (vertices[lower] - vertices[upper])
        whole = np.vstack([vertices, *(self._iris(vertices, eye.corners) for eye in EYES)])
        rotation = from_euler_deg(np.array(self.turn_deg))
        return (self.px_per_cm * whole @ rotation.T + [self.x, self.y, 0]).astype(np.float32)

    @property
    def face(self) -> Face:
        coefficients = dict.fromkeys(BLENDSHAPES, 0.0)
        coefficients |= dict.fromkeys(("eyeBlinkLeft", "eyeBlinkRight"), 0.9 * self.blink)
        coefficients["jawOpen"] = min(8 * self.lips, 1)
        return Face(self.points, np.array(list(coefficients.values()), np.float32), 0.99)

    @property
    def frame(self) -> MotionFrame:
        """Geometry alone."""
        return MotionFrame(self.points, self.face.blendshapes)

    def _open_lips(self, vertices: NDArray[np.float64]) -> None:
        height = float(np.linalg.norm(vertices[CHIN] - vertices[FOREHEAD_TOP]))
        profile = np.sin(np.linspace(0, np.pi, len(INNER_UPPER_LIP)))
        own = (vertices[list(INNER_LOWER_LIP)] - vertices[list(INNER_UPPER_LIP)])[:, 1]
        down = self.lips * height * profile - own
        jaw = np.clip((vertices[:, 1] - 5.5) / 2, 0, 1) * down[len(down) // 2]
        jaw[[point for ring in LOWER_LIP_RINGS for point in ring]] = 0
        for ring in LOWER_LIP_RINGS:
            jaw[list(ring[1:-1])] = down[1:-1]
        vertices[:, 1] += jaw
        vertices[list(INNER_LOWER_LIP), 2] = vertices[list(INNER_UPPER_LIP), 2]

    def _iris(self, vertices: NDArray[np.float64], corners: tuple[int, int]) -> NDArray[np.float64]:
        first, second = vertices[list(corners)]
        middle = (first + second) / 2 + self.gaze * (second - first)
        around = np.array([[0, 0, 0], [0.55, 0, 0], [0, -0.55, 0], [-0.55, 0, 0], [0, 0.55, 0]])
        return middle + around

    def draw(self, width: int = WIDTH, height: int = HEIGHT, seed: int = 0) -> Picture:
        """A picture of it, (height, width, 3), with some texture everywhere."""
        canvas = np.empty((2 * height, 2 * width, 3), np.uint8)
        canvas[:] = np.linspace([90, 120, 140], [150, 160, 150], 2 * width).astype(np.uint8)[None]
        points = self.points.astype(np.float64)
        points[:, :2] = 2 * points[:, :2] + 0.5
        unit = 2 * self.px_per_cm
        for colour, outline in self._body():
            outline = 2 * outline + 0.5
            cv2.fillPoly(canvas, [np.round(outline).astype(np.int32)], colour)
        mesh = canonical_mesh()
        skin = mesh.triangles[np.argsort(-points[mesh.triangles, 2].mean(1))]
        edges = points[skin]
        normal = np.cross(edges[:, 1] - edges[:, 0], edges[:, 2] - edges[:, 0])
        light = np.abs(normal @ [0.2, -0.3, -1.0]) / (np.linalg.norm(normal, axis=1) + 1e-9)
        for corners, shade in zip(np.round(edges[:, :, :2]).astype(np.int32), light, strict=True):
            colour = (np.array([225, 175, 150]) * (0.6 + 0.4 * shade)).tolist()
            cv2.fillConvexPoly(canvas, corners, colour)
        self._features(canvas, points[:, :2], unit)
        small = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
        noise = np.random.default_rng(seed).normal(0, 14, small.shape).astype(np.float32)
        return np.clip(small + cv2.GaussianBlur(noise, (0, 0), 1), 0, 255).astype(np.uint8)

    def mask(self, width: int = WIDTH, height: int = HEIGHT) -> Floats:
        """Where it is in that picture, (height, width), 0…1."""
        mask = np.zeros((height, width), np.uint8)
        for _, outline in self._body():
            cv2.fillPoly(mask, [np.round(outline).astype(np.int32)], 255)
        cv2.fillPoly(mask, [np.round(self.points[list(FACE_OVAL), :2]).astype(np.int32)], 255)
        return cv2.GaussianBlur(mask, (0, 0), 1).astype(np.float32) / 255

    def _body(self) -> Iterable[tuple[tuple[int, int, int], NDArray[np.float64]]]:
        """Colours and outlines of shoulders, neck and hair, px."""
        angle = np.linspace(0, 2 * np.pi, 60)
        ring = np.stack([np.cos(angle), np.sin(angle)], 1)
        for colour, down_cm, size_cm in (
            ((70, 60, 90), 22.0, (18.0, 11.0)),
            ((190, 140, 120), 9.0, (4.5, 6.0)),
            ((60, 45, 35), -3.5, (9.3, 9.8)),
        ):
            yield colour, [self.x, self.y + down_cm * self.px_per_cm] + ring * size_cm * self.px_per_cm

    def _features(self, canvas: Picture, points: NDArray[np.float64], unit: float) -> None:
        def fill(outline: Iterable[int], colour: tuple[int, int, int]) -> None:
            cv2.fillPoly(canvas, [np.round(points[list(outline)]).astype(np.int32)], colour)

        fill((*UPPER_LIP_RINGS[-1], *reversed(LOWER_LIP_RINGS[-1])), (190, 90, 90))
        fill(INNER_MOUTH, (60, 20, 25))
        for eye, iris in zip(EYES, (468, 473), strict=True):
            brow = np.round(points[list(eye.brow)]).astype(np.int32)
            cv2.polylines(canvas, [brow], False, (50, 35, 30), max(1, round(0.6 * unit)))
            before = canvas.copy()
            fill(eye.outline, (240, 240, 240))
            opening = (canvas != before).any(2)
            ball = canvas.copy()
            middle = (round(float(points[iris, 0])), round(float(points[iris, 1])))
            cv2.circle(ball, middle, round(0.6 * unit), (70, 50, 30), -1)
            cv2.circle(ball, middle, round(0.25 * unit), (10, 10, 10), -1)
            canvas[opening] = ball[opening]
            lid = np.round(points[list(eye.outline)]).astype(np.int32)
            cv2.polylines(canvas, [lid], True, (40, 25, 25), max(1, round(0.12 * unit)))


@functools.lru_cache(64)
def look(puppet: Puppet) -> MotionFrame:
    """Its frame with shading, mouth and skin, from its picture."""
    image, points = puppet.draw(), puppet.points
    unwrapper = Unwrapper(canonical_mesh())
    return MotionFrame(
        points,
        puppet.face.blendshapes,
        unwrapper.shading(image, points),
        unwrapper.mouth(image, points),
        skin_colour(image, points),
    )


def learn(
    frames: list[MotionFrame],
    source: Face,
    best_frame: int | str = "first",
    driver: DriverInfo = DRIVER,
) -> Calibration:
    return calibrate(frames, source, canonical_mesh(), driver, best_frame)  # type: ignore[arg-type]


def retarget(
    source: Face, frames: list[MotionFrame], config: AnimateConfig | None = None, **options: object
) -> Retargeter:
    """A retargeter that has seen these frames; the first stands for the source unless told otherwise."""
    config = config or AnimateConfig(**{"best_frame": "first", **options})  # type: ignore[arg-type]
    calibration = learn(frames, source, config.best_frame)
    return Retargeter(source, (WIDTH, HEIGHT), calibration, canonical_mesh(), config)
