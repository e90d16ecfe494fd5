"""What the tracker sees in a driver: a few frames with the points drawn on them, and three curves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from likeness.faces import FaceTracker
from likeness.faces.pose import euler_deg, eye_openness, head_pose, mouth_openness
from likeness.faces.topology import LEFT_EYE, RIGHT_EYE, canonical_mesh
from likeness.media.image import encode_jpeg
from likeness.media.video import VideoReader
from likeness.types import Face, Floats, Picture

PICTURES = 4
_HEIGHT_PX = 432
_SUBPIXEL_BITS = 4
_MESH, _IRIS = (94, 234, 212), (253, 186, 116)


@dataclass(frozen=True, slots=True, eq=False)
class Tracked:
    """What was tracked in a driver.

    Attributes:
        aspect: width over height of the picture.
        pictures: JPEG files of some frames, with the 478 points drawn.
        mouth: (n,) how far the mouth is open, in face heights; NaN where no face was seen.
        eyes: (n,) how far the eyes are open, in eye widths.
        turn_deg: (n,) how far the head is turned (yaw), degrees.
    """

    aspect: float
    pictures: tuple[bytes, ...]
    mouth: Floats
    eyes: Floats
    turn_deg: Floats


def track(driver: Path) -> Tracked:
    """Follow the largest face through a short video."""
    mesh, tracker = canonical_mesh(), FaceTracker(faces=1)
    rows: list[tuple[float, float, float]] = []
    pictures: list[bytes] = []
    with VideoReader(driver) as video:
        step = max(1, (video.frames_expected or 1) // PICTURES)
        for frame in video:
            faces = tracker.track(frame.image)
            if not faces:
                rows.append((np.nan, np.nan, np.nan))
                continue
            points = faces[0].points
            eyes = (eye_openness(points, RIGHT_EYE) + eye_openness(points, LEFT_EYE)) / 2
            turn_deg = euler_deg(head_pose(points, mesh).rotation)[1]
            rows.append((mouth_openness(points), eyes, float(turn_deg)))
            if frame.index % step == step // 2 and len(pictures) < PICTURES:
                pictures.append(encode_jpeg(draw_points(frame.image, faces[0]), quality=88))
        mouth, eyes_open, turn = np.array(rows, np.float32).reshape(-1, 3).T
        return Tracked(video.info.width / video.info.height, tuple(pictures), mouth, eyes_open, turn)


def draw_points(image: Picture, face: Face) -> Picture:
    """A larger copy of `image`, (h, w, 3) uint8 RGB, with the face's points on it."""
    scale = _HEIGHT_PX / image.shape[0]
    canvas = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    fixed = np.rint(((face.points[:, :2] + 0.5) * scale - 0.5) * (1 << _SUBPIXEL_BITS)).astype(int)
    for number, (x, y) in enumerate(fixed):
        colour = _MESH if number < 468 else _IRIS
        radius = (1 << _SUBPIXEL_BITS) * (1.1 if number < 468 else 1.6)
        cv2.circle(canvas, (int(x), int(y)), int(radius), colour, cv2.FILLED, cv2.LINE_AA, _SUBPIXEL_BITS)
    return np.asarray(canvas, np.uint8)
