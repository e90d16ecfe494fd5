"""Reading a driver before playing it: which frame stands for the source's own picture, and what this face's
closed and open are.

A face model reads a closed eye as .08 to .16, not as 0, and closed lips as a small gap, differently for each
person. What is learnt here makes "closed" mean closed, whatever the first frames look like.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from likeness.errors import UsageError
from likeness.faces.landmarks import BLENDSHAPES
from likeness.faces.pose import Rotation, Similarity, euler_deg, eye_openness, fit_head, head_pose
from likeness.faces.topology import CHIN, EYES, FOREHEAD_TOP, INNER_LOWER_LIP, INNER_UPPER_LIP, CanonicalMesh
from likeness.motion.frame import DriverInfo, MotionFrame
from likeness.types import Face, Floats

SHAPE = {name: number for number, name in enumerate(BLENDSHAPES)}
LIDS_AND_JAW = [SHAPE[name] for name in ("eyeBlinkLeft", "eyeBlinkRight", "jawOpen")]
MOUTH = [number for name, number in SHAPE.items() if name.startswith("mouth")]


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """What is known of a driver.

    Attributes:
        reference: the frame that stands for the source's own picture.
        index: its number.
        pose: its head pose.
        eye_open: openness (see `faces.pose.eye_openness`) of right and left eye that stands for the source's
            own picture; `eye_closed` counts as closed, and `eye_usual` is how open they mostly are.
        lip_floor: (11,) the gap of closed lips along the mouth, in face heights.
        neutral: (468, 3) the driver's usual face, in the reference's place.
    driver: what is known of the driver as a whole.
    """

    reference: MotionFrame
    index: int
    pose: Similarity
    eye_open: tuple[float, float]
    eye_closed: tuple[float, float]
    eye_usual: tuple[float, float]
    lip_floor: Floats
    neutral: Floats
    driver: DriverInfo


def calibrate(
    frames: Sequence[MotionFrame],
    source: Face,
    mesh: CanonicalMesh,
    driver: DriverInfo,
    best_frame: Literal["auto", "first"] | int = "auto",
) -> Calibration:
    """Learn from the driver's first seconds.

    Args:
        frames: at least one.
        driver: its rate and size.
        best_frame: as in `MotionConfig`.

    Raises:
        UsageError: `best_frame` is not among the frames.
    """
    index = _choose(frames, source, mesh, best_frame)
    reference = frames[index]
    opened, closed, mostly = [], [], []
    for eye in EYES:
        values = np.array([eye_openness(frame.points, eye) for frame in frames])
        usual = float(np.percentile(values, 75))
        mostly.append(usual)
        own = eye_openness(reference.points, eye)
        # The source is taken to look as the reference does, unless that was caught in a blink and it was not.
        blinks = reference.blendshapes[SHAPE[eye.blink]] - source.blendshapes[SHAPE[eye.blink]]
        opened.append(usual if own < 0.7 * usual and blinks > 0.15 else own)
        closed.append(float(np.clip(np.percentile(values, 1) + 0.015, 0.08, 0.16)))
    moved = [fit_reference(reference, frame, mesh) for frame in frames]
    gaps = [lip_gaps(frame.points, move, reference) for frame, move in zip(frames, moved, strict=True)]
    shapes = [move.undo(frame.points[:468]) for frame, move in zip(frames, moved, strict=True)]
    floor = np.clip(np.percentile(gaps, 4, axis=0), 0, 0.012).astype(np.float32)
    return Calibration(
        reference,
        index,
        head_pose(reference.points, mesh),
        (opened[0], opened[1]),
        (min(closed[0], 0.6 * opened[0]), min(closed[1], 0.6 * opened[1])),
        (mostly[0], mostly[1]),
        floor,
        (np.median(shapes, axis=0) + moved[index].origin).astype(np.float32),
        driver,
    )


def fit_reference(reference: MotionFrame, frame: MotionFrame, mesh: CanonicalMesh) -> Similarity:
    """How the head moved from the reference to this frame."""
    return fit_head(reference.points[mesh.still], frame.points[mesh.still])


def lip_gaps(points: Floats, moved: Similarity, reference: MotionFrame) -> Floats:
    """Distance of the inner lip lines (11,) along the reference face's own vertical, in its face heights."""
    back = moved.undo(points[:468])
    axis = reference.points[CHIN] - reference.points[FOREHEAD_TOP]
    height = float(np.linalg.norm(axis))
    gap = (back[list(INNER_LOWER_LIP)] - back[list(INNER_UPPER_LIP)]) @ (axis / height)
    return np.asarray(gap / height, np.float32)


def _choose(
    frames: Sequence[MotionFrame],
    source: Face,
    mesh: CanonicalMesh,
    best_frame: Literal["auto", "first"] | int,
) -> int:
    if best_frame == "first":
        return 0
    if isinstance(best_frame, int):
        if best_frame >= len(frames):
            raise UsageError(
                f"Frame {best_frame} is not among the {len(frames)} driver frames that are looked at first.",
                f"Choose a best frame from 0 to {len(frames) - 1}, or auto.",
            )
        return best_frame
    openness = np.array([[eye_openness(frame.points, eye) for eye in EYES] for frame in frames])
    # Amid a blink every later frame would stare.
    blinking = np.clip(0.85 - openness / np.percentile(openness, 75, axis=0), 0, None).sum(1)
    rotation = head_pose(source.points, mesh).rotation
    unlike = np.array([_unlikeness(frame, source, rotation, mesh) for frame in frames])
    return int(np.argmin(unlike + 5 * blinking + 10 * _covered(frames)))


def _covered(frames: Sequence[MotionFrame]) -> Floats:
    """How far each face's shading is from what it mostly is, (n,): a hand before the face stands out."""
    shown = [frame.shading[::4, ::4] for frame in frames if frame.shading is not None]
    if len(shown) < len(frames):
        return np.zeros(len(frames), np.float32)
    light = np.log(np.array(shown, np.float32) + 6)
    return np.asarray(np.abs(light - np.median(light, axis=0)).mean((1, 2)), np.float32)


def _unlikeness(frame: MotionFrame, source: Face, rotation: Rotation, mesh: CanonicalMesh) -> float:
    """How different a driver frame is from the source, turned by `rotation`, in pose, lids, jaw and lips."""
    if frame.held:
        return float("inf")
    turn = head_pose(frame.points, mesh).rotation @ rotation.T
    difference = np.abs(frame.blendshapes - source.blendshapes)
    face = 2.5 * difference[LIDS_AND_JAW].sum() + 0.5 * difference[MOUTH].sum()
    return float(np.abs(euler_deg(turn)).sum() / 15 + face)
