"""A portrait as a painted surface in 2.5D, moved by the driver's face points."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from likeness.config import AnimateConfig
from likeness.engines.base import Source
from likeness.engines.mesh.backdrop import split
from likeness.engines.mesh.eyes import COLUMNS, REACH, Eye, EyeTarget
from likeness.engines.mesh.head import HeadSurface
from likeness.engines.mesh.mouth import paint_mouth
from likeness.engines.mesh.raster import draw_surface, paired
from likeness.engines.mesh.shade_kernel import shade
from likeness.engines.mesh.shading import ShadingRatio, bind
from likeness.faces.pose import mouth_openness
from likeness.faces.segment import person_mask
from likeness.faces.topology import EYES, EyeIndex, canonical_mesh
from likeness.motion.appearance import skin_colour
from likeness.motion.calibrate import Calibration
from likeness.motion.frame import SHADING_PX, MotionFrame
from likeness.motion.retarget import FACE, EyeMotion, Retargeter
from likeness.types import Floats, Picture

LONGEST_GAP = 0.25
"""Gaps in the head up to this share of the face's width are bridged."""
SEAM = 0.02
"""Neighbours that are this share of the face's width apart in the source lie on different surfaces."""
CALM_TURN_DEG = 12.0
"""Beyond about this turn of the head, shading says more of the light in the room than of the face."""


class MeshPerformer:
    """One source, prepared."""

    def __init__(self, source: Source, config: AnimateConfig) -> None:
        mesh = canonical_mesh()
        image, points = source.image, source.face.points
        height, width = image.shape[:2]
        self._source, self._config = source, config
        alpha = person_mask(image, around=source.face) if source.alpha is None else source.alpha
        self._layer, backdrop = split(image, alpha)
        self._backdrop = np.asarray(cv2.cvtColor(backdrop, cv2.COLOR_RGB2RGBA), np.uint8)
        self._surface = HeadSurface(points, self._layer[:, :, 3], mesh)
        self._eyes = [Eye(self._layer[:, :, :3], points, eye, seed) for seed, eye in enumerate(EYES)]
        self._knots = [_lid_knots(eye, points, index) for eye, index in zip(self._eyes, EYES, strict=True)]
        self._edited = self._layer.copy()
        self._map_u, self._map_v, self._face_left, self._face_top = bind(points, mesh, (width, height))
        self._mouth_open = mouth_openness(points)
        self._softened_deg = 0.0
        self._rehearse()

    def _rehearse(self) -> None:
        """Paint the source as it is, so that the inner loops are compiled before the first frame waits."""
        at_rest = EyeMotion(np.ones(7, np.float32), np.zeros(7, np.float32), np.zeros(2, np.float32))
        for eye, knots in zip(self._eyes, self._knots, strict=True):
            eye.paint(self._edited, _along(knots, at_rest))
        self._shade(np.ones((SHADING_PX, SHADING_PX), np.float32))
        self._draw(self._layer, np.pad(self._surface.source, ((0, 0), (0, 1))))

    def begin(self, calibration: Calibration) -> None:
        """See `likeness.engines.base.Performer`."""
        mesh, source, reference = canonical_mesh(), self._source, calibration.reference
        height, width = source.image.shape[:2]
        self._retarget = Retargeter(source.face, (width, height), calibration, mesh, self._config)
        self._shading = None if reference.shading is None else ShadingRatio(mesh, reference.shading)
        self._mouth_gain = np.ones(3, np.float32)
        if reference.skin is not None:
            gain = skin_colour(source.image, source.face.points) / np.maximum(reference.skin, 8)
            self._mouth_gain = np.clip(0.95 * gain + 0.05 * gain.mean(), 0.25, 1.9).astype(np.float32)

    def render(self, motion: MotionFrame) -> Picture:
        """See `likeness.engines.base.Performer`."""
        target = self._retarget(motion)
        self._softened_deg = max(self._softened_deg, float(np.abs(np.subtract(*target.turned_deg)).max()))
        for eye, knots, move in zip(self._eyes, self._knots, target.eyes, strict=True):
            eye.paint(self._edited, _along(knots, move))
        texture = self._shaded(motion, float(np.linalg.norm(target.turned_deg[0])))
        vertices = self._surface.place(target.points, target.head)
        out = self._draw(texture, vertices)
        if motion.mouth is not None:
            self._paint_mouth(out, vertices, motion.mouth)
        return out

    def _draw(self, texture: Picture, vertices: Floats) -> Picture:
        """The textured surface over the backdrop."""
        height, width = self._backdrop.shape[:2]
        out = np.empty((height, width, 3), np.uint8)
        draw_surface(
            vertices,
            self._surface.read_from(vertices),
            self._surface.triangles,
            paired(texture),
            _words(self._backdrop),
            out,
            longest_gap=int(LONGEST_GAP * self._surface.face_width_px),
            jump=max(4.0, SEAM * self._surface.face_width_px),
            seams=_box(vertices[:FACE], width, height),
        )
        return out

    def warnings(self) -> tuple[str, ...]:
        """See `likeness.engines.base.Performer`."""
        if self._softened_deg > 3:
            return (
                "The driver turned further than one picture can show; "
                f"the turn was softened by up to {self._softened_deg:.0f}°.",
            )
        return ()

    def _shaded(self, motion: MotionFrame, turned_deg: float) -> Picture:
        if self._shading is None or motion.shading is None or self._config.region in ("pose", "lips", "eyes"):
            return self._edited
        strength = self._config.strength / (1 + (turned_deg / CALM_TURN_DEG) ** 2)
        return self._shade(self._shading(motion.shading, strength))

    def _shade(self, ratio: Floats) -> Picture:
        texture, shaded = _words(self._edited), _words(self._layer)
        shade(texture, shaded, ratio, self._map_u, self._map_v, self._face_left, self._face_top)
        return self._layer

    def _paint_mouth(self, out: Picture, vertices: Floats, inside: Picture) -> None:
        # What the source shows of its own mouth is kept until it opens wider than it was.
        wider = mouth_openness(vertices) - self._mouth_open
        shown = float(np.clip(wider / max(0.6 * self._mouth_open, 0.003), 0, 1))
        paint_mouth(out, vertices, inside, self._mouth_gain, self._surface.face_height_px, shown)


def _words(picture: Picture) -> np.ndarray[Any, np.dtype[np.uint32]]:
    """(h, w, 4) uint8 as (h, w) uint32, the same memory."""
    return picture.view(np.uint32)[:, :, 0]


def _box(vertices: Floats, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what the vertices cover of the picture, px."""
    low = np.maximum(np.floor(vertices[:, :2].min(0)).astype(int) - 1, 0)
    high = np.minimum(np.ceil(vertices[:, :2].max(0)).astype(int) + 2, [width, height])
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _lid_knots(eye: Eye, points: Floats, index: EyeIndex) -> Floats:
    """Where the seven lid points are along the eye, in the eye's columns."""
    first, second = points[index.corners[0], :2], points[index.corners[1], :2]
    along = (second - first) / max(float(np.linalg.norm(second - first)), 1e-6)
    middle = (points[list(index.upper), :2] + points[list(index.lower), :2]) / 2 - (first + second) / 2
    at = (middle @ along) / (1.3 * REACH * eye.width_px)
    return np.asarray((at + 1) / 2 * (COLUMNS - 1), np.float32)


def _along(knots: Floats, move: EyeMotion) -> EyeTarget:
    order = np.argsort(knots)
    at = np.arange(COLUMNS)
    openness = np.interp(at, knots[order], move.openness[order]).astype(np.float32)
    shift = np.interp(at, knots[order], move.lower_shift[order]).astype(np.float32)
    # Nothing moves at the corners.
    fade = np.clip(1.15 - np.abs(at / (COLUMNS - 1) * 2 - 1) * 1.3 * REACH * 2, 0, 0.25) / 0.25
    return EyeTarget(openness, (shift * fade).astype(np.float32), move.gaze)
