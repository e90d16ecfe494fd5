"""What an eye of the driver does, measured absolutely: between this face's own closed and open."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.faces.pose import Similarity, gaze_offset
from likeness.faces.topology import EYES, CanonicalMesh, EyeIndex
from likeness.motion.calibrate import SHAPE, Calibration, fit_reference
from likeness.motion.frame import MotionFrame
from likeness.types import Floats

WIDEST = 2.8
"""An eye that is usually open in the driver opens at most so much wider than in the source."""


@dataclass(frozen=True, slots=True, eq=False)
class EyeMotion:
    """What one eye does, at the seven points of its lids from left to right in the picture.

    Attributes:
        openness: (7,) float32, 1 = as in the source, 0 = closed.
        lower_shift: (7,) float32, downward shift of the lower lid in eye widths.
        gaze: (2,) float32, shift of the iris along and across the eye in eye widths.
    """

    openness: Floats
    lower_shift: Floats
    gaze: Floats


class EyeMeasure:
    """One eye of the driver, measured against its reference."""

    def __init__(self, calibration: Calibration, mesh: CanonicalMesh, number: int) -> None:
        self._index: EyeIndex = EYES[number]
        self._closed, self._open = calibration.eye_closed[number], calibration.eye_open[number]
        usual = (calibration.eye_usual[number] - self._closed) / max(self._open - self._closed, 0.02)
        self._opening = min(1.0, (WIDEST - 1) / max(usual - 1, 1e-6))
        reference = calibration.reference
        self._still = fit_reference(reference, reference, mesh)
        gap, self._lower, self._gaze = self._measure(reference, self._still)
        # The opening's shape along the eye, at the width that counts as open.
        shape = gap / max(float(gap.mean()), 1e-6)
        # Near the corners it is too small to divide by: shape and measurement are raised there alike.
        self._shape = np.maximum(shape, 0.35)
        self._added = self._shape - shape

    def _measure(
        self, frame: MotionFrame, moved: Similarity
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Gap and height of the lower lid (7,) in eye widths, and the gaze."""
        back = moved.undo(frame.points)
        first, second = back[self._index.corners[0]], back[self._index.corners[1]]
        width = float(np.linalg.norm(second - first)) + 1e-6
        upper, lower = back[list(self._index.upper)], back[list(self._index.lower)]
        gap = np.linalg.norm(upper - lower, axis=1) / width
        along = (second - first)[:2] / np.linalg.norm((second - first)[:2])
        offset = (lower - (first + second) / 2)[:, :2]
        height = offset @ np.array([-along[1], along[0]]) / width
        return gap, height, gaze_offset(frame.points, self._index)

    def __call__(self, frame: MotionFrame, moved: Similarity) -> EyeMotion:
        gap, lower, gaze = self._measure(frame, moved)
        # Counted from the open eye, so that the reference is 1 also where there is no span to speak of.
        span = max(self._open - self._closed, 0.02)
        mean = 1 + (float(gap.mean()) - self._open) / span
        columns = 1 + ((gap + self._added * gap.mean()) / self._shape - self._open) / span
        openness = np.maximum(mean + 0.6 * (columns - mean), 0)
        # What lies under a half closed lid was never seen: such an eye opens less far, in proportion.
        openness = np.where(openness > 1, 1 + self._opening * (openness - 1), openness)
        openness = np.minimum(openness, WIDEST)
        # The points alone leave a lid a little open; where the blendshape is sure, it closes.
        blink = float(frame.blendshapes[SHAPE[self._index.blink]])
        openness *= 1 - np.clip((blink - 0.6) / 0.2, 0, 1) * np.clip((0.6 - mean) / 0.25, 0, 1)
        if mean < 0.08:
            openness[:] = 0
        return EyeMotion(
            openness.astype(np.float32),
            np.clip(lower - self._lower, -0.15, 0.1).astype(np.float32),
            np.clip(gaze - self._gaze, -0.22, 0.22).astype(np.float32),
        )
