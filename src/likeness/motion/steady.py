"""A steadier view of the head's place, without delay: each frame's points averaged with its neighbours'."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from likeness.motion.frame import MotionFrame

WEIGHTS = (0.04,) * 25
"""Symmetric, so nothing lags."""
TREMBLE = 0.0035
"""Frames further apart than this share of the face's size differ by movement, not by the tracker's noise."""


def steady(frames: Iterable[MotionFrame]) -> Iterator[MotionFrame]:
    """The same frames with `steady` filled in; half a window is read ahead."""
    middle = len(WEIGHTS) // 2
    window: deque[MotionFrame] = deque(maxlen=len(WEIGHTS))
    for frame in frames:
        window.extend([frame] * (1 if window else middle + 1))
        if len(window) == len(WEIGHTS):
            yield _average(window)
    for _ in range(middle if window else 0):
        window.append(window[-1])
        if len(window) == len(WEIGHTS):
            yield _average(window)


def _average(window: deque[MotionFrame]) -> MotionFrame:
    """A bilateral mean over time: neighbours count less, in pairs, the more the face moved."""
    middle = len(WEIGHTS) // 2
    centre = window[middle].points
    size_px = float(np.ptp(centre[:468, :2], axis=0).max())
    moved = np.array([np.abs(frame.points - centre)[:468, :2].mean() for frame in window]) / size_px
    calm = np.exp(-((moved / TREMBLE) ** 2))
    weights = np.array(WEIGHTS) * np.minimum(calm, calm[::-1])
    points = np.tensordot(weights / weights.sum(), np.array([frame.points for frame in window]), 1)
    return replace(window[middle], steady=points.astype(np.float32))
