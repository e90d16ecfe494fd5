"""From a driver's face to a source's: what each frame asks the source's face to do.

The head's movement is taken out of the driver's points, what remains is expression; it is turned and scaled
into the source's own place and size. Lids and lips are absolute beside that: their openness is measured
between the driver's closed and open, so that a blink closes and a closed mouth closes on every source.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.config import MotionConfig
from likeness.faces.pose import (
    Similarity,
    euler_deg,
    fit_head,
    from_euler_deg,
    head_pose,
)
from likeness.faces.topology import (
    CHIN,
    EYES,
    FACE_OVAL,
    FOREHEAD_TOP,
    INNER_LOWER_LIP,
    INNER_UPPER_LIP,
    LIPS,
    LOWER_LIP_RINGS,
    MOUTH_CORNERS,
    UPPER_LIP_RINGS,
    CanonicalMesh,
)
from likeness.motion.calibrate import Calibration, fit_reference, lip_gaps
from likeness.motion.calm import Calm
from likeness.motion.eyes import EyeMeasure, EyeMotion
from likeness.motion.frame import MotionFrame
from likeness.types import Face, Floats

__all__ = ["FACE", "EyeMotion", "Retargeter", "Target", "region_weights", "wanted_gap", "yaw_range_deg"]

TURN_LIMIT_DEG = 32.0
"""A picture holds one side of a head. Turned further than this from the front, the missing side shows."""
RING_SHARE = (1.0, 0.95, 0.85, 0.7)
"""How much the lip rows follow the inner lip line, from the inside out."""
UPPER_LIP_SHARE = 0.35
FACE = 468


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """What the source's face is to do in one frame.

    Attributes:
        points: (468, 3) float32 px: the expression, in the source's own place and pose.
        head: how the head moves from there.
        eyes: right and left.
        turned_deg: pitch, yaw, roll that the driver asked for and `head` softened, (2, 3).
    """

    points: Floats
    head: Similarity
    eyes: tuple[EyeMotion, EyeMotion]
    turned_deg: NDArray[np.float64]


class Retargeter:
    """Carries a driver's motion to one source.

    Args:
        source: the face in the source picture.
        size_px: width and height of the source picture.
    """

    def __init__(
        self,
        source: Face,
        size_px: tuple[int, int],
        calibration: Calibration,
        mesh: CanonicalMesh,
        config: MotionConfig,
    ) -> None:
        self._mesh, self._calibration, self._config = mesh, calibration, config
        self._points = source.points[:FACE].astype(np.float64)
        self._source = head_pose(source.points, mesh)
        self._source_yaw = float(euler_deg(self._source.rotation)[1])
        self._ratio = self._source.scale / calibration.pose.scale
        if not config.adapt_scale:
            self._ratio = max(size_px) / max(calibration.driver.width, calibration.driver.height)
        reference = calibration.reference.points
        wide_source = np.linalg.norm(np.subtract(*source.points[list(MOUTH_CORNERS)])) / self._source.scale
        wide_driver = np.linalg.norm(np.subtract(*reference[list(MOUTH_CORNERS)])) / calibration.pose.scale
        self._mouth_ratio = float(np.clip(wide_source / wide_driver, 0.7, 1.3)) if config.adapt_scale else 1.0
        self._base = (reference[:FACE] if config.relative else calibration.neutral).astype(np.float64)
        self._weights = region_weights(mesh, config.region)
        self._jaw = _follow_lips(mesh)
        self._calm = Calm(float(calibration.driver.rate), config.smooth) if config.smooth else None
        self._eye_reference = [EyeMeasure(calibration, mesh, number) for number in (0, 1)]

    def __call__(self, frame: MotionFrame) -> Target:
        """What this driver frame asks for."""
        moved = fit_reference(self._calibration.reference, frame, self._mesh)
        delta = self._expression(frame, moved)
        points = self._points + delta * self._weights[:, None]
        if self._config.region in ("all", "expression", "lips"):
            self._close_lips(points, frame, moved)
        self._part_lips(points)
        eyes = [self._eye(frame, moved, number) for number in (0, 1)]
        self._settle_lids(points, delta)
        head, turned_deg = self._head(self._steady(frame, moved))
        if self._calm is not None:
            points, head = self._calm(points, head, self._source.scale)
        return Target(points.astype(np.float32), head, (eyes[0], eyes[1]), turned_deg)

    def _steady(self, frame: MotionFrame, moved: Similarity) -> Similarity:
        reference = self._calibration.reference
        if frame.steady is None or reference.steady is None:
            return moved
        still = self._mesh.still
        return fit_head(reference.steady[still], frame.steady[still])

    def _expression(self, frame: MotionFrame, moved: Similarity) -> NDArray[np.float64]:
        """Displacement of the source's points, (468, 3) px, without the head's movement."""
        change = moved.undo(frame.points[:FACE]) - (self._base - moved.origin)
        upright = change @ self._calibration.pose.rotation
        delta: NDArray[np.float64] = upright * self._ratio @ self._source.rotation.T * self._config.strength
        delta[list(LIPS)] *= self._mouth_ratio
        return delta

    def _close_lips(self, points: NDArray[np.float64], frame: MotionFrame, moved: Similarity) -> None:
        """Bring the gap between the lips to the driver's, measured above the driver's closed lips."""
        down = self._points[CHIN] - self._points[FOREHEAD_TOP]
        height = float(np.linalg.norm(down))
        down /= height
        floor = self._calibration.lip_floor.astype(np.float64) * height
        opened = lip_gaps(frame.points, moved, self._calibration.reference) * height - floor
        own = (self._points[list(INNER_LOWER_LIP)] - self._points[list(INNER_UPPER_LIP)]) @ down
        wanted = own + self._config.strength * (wanted_gap(np.maximum(opened, 0), own, floor) - own)
        gap = (points[list(INNER_LOWER_LIP)] - points[list(INNER_UPPER_LIP)]) @ down
        change = np.convolve(np.pad(wanted - gap, 1, mode="edge"), [0.25, 0.5, 0.25], "valid")
        change[[0, -1]] = 0
        for ring, share in zip(UPPER_LIP_RINGS, RING_SHARE, strict=True):
            points[list(ring)] -= (UPPER_LIP_SHARE * share * change)[:, None] * down
        for ring, share in zip(LOWER_LIP_RINGS, RING_SHARE, strict=True):
            inner = list(ring[1:-1])
            points[inner] += ((1 - UPPER_LIP_SHARE) * share * change)[1:-1, None] * down
        points += (self._jaw @ change)[:, None] * ((1 - UPPER_LIP_SHARE) * RING_SHARE[-1] * down)

    def _part_lips(self, points: NDArray[np.float64]) -> None:
        """Where the lips would cross, let them meet; where they cross in the source, leave them at that."""
        down = self._source.rotation[:, 1]
        upper, lower = list(INNER_UPPER_LIP[1:-1]), list(INNER_LOWER_LIP[1:-1])
        least = np.minimum((self._points[lower] - self._points[upper]) @ down, 0)
        crossed = np.maximum(least - (points[lower] - points[upper]) @ down, 0)[:, None] * down
        points[upper] -= crossed / 2
        points[lower] += crossed / 2

    def _eye(self, frame: MotionFrame, moved: Similarity, number: int) -> EyeMotion:
        if self._config.region in ("pose", "lips"):
            return EyeMotion(np.ones(7, np.float32), np.zeros(7, np.float32), np.zeros(2, np.float32))
        motion = self._eye_reference[number](frame, moved)
        strength = self._config.strength
        return EyeMotion(
            np.maximum(1 + strength * (motion.openness - 1), 0).astype(np.float32),
            (strength * motion.lower_shift).astype(np.float32),
            (strength * motion.gaze).astype(np.float32),
        )

    def _settle_lids(self, points: NDArray[np.float64], delta: NDArray[np.float64]) -> None:
        """The lids' own movement is painted (see `engines/mesh/eyes.py`): the mesh there moves as a whole."""
        for eye in EYES:
            corners = list(eye.corners)
            whole = (delta[corners] * self._weights[corners, None]).mean(0)
            for row, own in (
                (eye.upper, 0.0),
                (eye.lower, 0.0),
                (eye.upper_ring, 0.4),
                (eye.lower_ring, 0.5),
            ):
                index = list(row)
                change = own * delta[index] * self._weights[index, None]
                points[index] = self._points[index] + change + (1 - own) * whole

    def _head(self, moved: Similarity) -> tuple[Similarity, NDArray[np.float64]]:
        # The point that stands for the one the driver's head was seen to turn about.
        origin = self._points[self._mesh.still].mean(0)
        asked = np.zeros(3)
        if self._config.region not in ("all", "pose"):
            return Similarity(np.eye(3), 1.0, origin, origin), np.zeros((2, 3))
        strength = self._config.pose_strength
        strength = self._config.strength if strength is None else strength
        if self._config.relative:
            asked = euler_deg(moved.rotation) * strength
        else:
            turned = moved.rotation @ self._calibration.pose.rotation @ self._source.rotation.T
            asked = euler_deg(turned) * strength
        given = np.array(
            [
                _soften(asked[0], -30, 30),
                _soften(asked[1], *yaw_range_deg(self._source_yaw)),
                _soften(asked[2], -45, 45),
            ]
        )
        shift = (moved.centre - moved.origin) * self._ratio * strength
        shift[2] = 0
        scale = 1 + (moved.scale - 1) * strength
        return Similarity(from_euler_deg(given), scale, origin, origin + shift), np.stack([asked, given])


def yaw_range_deg(source_yaw_deg: float) -> tuple[float, float]:
    """How far a head may be turned to either side, for how far the picture shows it turned already.

    Away from the front it may go to the limit, or a little on from where it is. Towards the front, a
    three-quarter view uncovers a far cheek that nobody has seen.
    """
    away = max(TURN_LIMIT_DEG - abs(source_yaw_deg), 8.0)
    back = TURN_LIMIT_DEG - 0.6 * max(abs(source_yaw_deg) - 15.0, 0.0)
    back = max(back, 10.0)
    return (-away, back) if source_yaw_deg < 0 else (-back, away)


def wanted_gap(
    opened: NDArray[np.float64], own: NDArray[np.float64], floor: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The gap between the source's lips for a driver who opens them by `opened`; all of one shape and unit.

    Closed lips read as a small gap, `floor`, in the source too. If it shows closed lips, it keeps its `own`
    gap for them; if it shows an open mouth, that has to close entirely. `opened = own - floor` is the source.
    """
    hidden = np.minimum(own, floor)
    closed = np.clip(2 * floor - own, 0, hidden)
    return np.asarray(opened + np.minimum(hidden, closed + opened))


def region_weights(mesh: CanonicalMesh, region: str) -> NDArray[np.float64]:
    """How much of the expression each of the 468 points takes over, 0…1."""
    if region == "pose":
        return np.zeros(FACE)
    if region in ("all", "expression"):
        return _firm_forehead(mesh)
    if region == "lips":
        centres, reach_cm = mesh.vertices[list(LIPS)], 2.5
    else:
        around = [point for eye in EYES for point in (*eye.outline, *eye.brow)]
        centres, reach_cm = mesh.vertices[around], 1.5
    distance_cm = np.linalg.norm(mesh.vertices[:, None] - centres[None], axis=2).min(1)
    return np.asarray(np.exp(-((distance_cm / reach_cm) ** 2)), np.float64)


def _firm_forehead(mesh: CanonicalMesh) -> NDArray[np.float64]:
    """1, but less towards the hairline and the temples: bone does not move, only the tracker does."""
    height_cm = mesh.vertices[:, 1].astype(np.float64)
    weights = 0.3 + 0.7 * np.clip((height_cm + 8.2) / 3.7, 0, 1)
    upper_edge = [point for point in FACE_OVAL if height_cm[point] < 0]
    weights[upper_edge] *= 0.3
    return weights


def _follow_lips(mesh: CanonicalMesh) -> NDArray[np.float64]:
    """(468, 11): how the chin follows each column of the lower lip, falling off over a few centimetres."""
    outer = mesh.vertices[list(LOWER_LIP_RINGS[-1])].astype(np.float64)
    distance_cm = np.linalg.norm(mesh.vertices[:, None] - outer[None], axis=2)
    near = np.exp(-((distance_cm / 1.5) ** 2)) + 1e-12
    weights = near / near.sum(1, keepdims=True) * np.exp(-((distance_cm.min(1) / 3.0) ** 2))[:, None]
    weights[list(LIPS)] = 0
    weights[mesh.vertices[:, 1] < outer[:, 1].min()] = 0
    return np.asarray(weights, np.float64)


def _soften(value: float, low: float, high: float) -> float:
    """Leaves the middle 70 % of a range alone and bends the rest towards its ends."""
    edge = high if value > 0 else low
    knee = 0.7 * edge
    room = edge - knee
    if abs(value) <= abs(knee) or room == 0:
        return float(np.clip(value, low, high)) if room == 0 else value
    return float(knee + room * np.tanh((value - knee) / room))
