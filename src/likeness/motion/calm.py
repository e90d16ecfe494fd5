"""Calming a face's expression and its head's movement together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from likeness.faces.pose import Similarity, euler_deg, from_euler_deg
from likeness.motion.smooth import OneEuro


class Calm:
    """Smooths expression and head movement; lids and gaze stay as quick as they are."""

    def __init__(self, rate_hz: float, smooth: float) -> None:
        cutoff_hz = 0.6 + 6 * (1 - smooth)
        self._points = OneEuro(rate_hz, cutoff_hz, 1.0)
        self._head = OneEuro(rate_hz, cutoff_hz, 1.0)

    def __call__(
        self, points: NDArray[np.float64], head: Similarity, px_per_cm: float
    ) -> tuple[NDArray[np.float64], Similarity]:
        calm = self._points((points / px_per_cm).astype(np.float32)).astype(np.float64) * px_per_cm
        # In like units, so that one filter fits: 5° or 5 % of size move the face's edge by about 1 cm.
        angles = euler_deg(head.rotation) / 5
        shift = (head.centre - head.origin) / px_per_cm
        state = np.concatenate([angles, shift, [head.scale * 20]]).astype(np.float32)
        state = self._head(state).astype(np.float64)
        rotation = from_euler_deg(state[:3] * 5)
        return calm, Similarity(
            rotation, float(state[6] / 20), head.origin, head.origin + state[3:6] * px_per_cm
        )
