"""Points without the tracker's trembling, and without delay: each frame's with those before and after it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from likeness.types import Floats

TREMBLE = 0.004
"""Points further apart than this share of the face's size differ by movement, not by the tracker's noise."""
REACH_S = 0.2
"""So far before and after a frame its neighbours count."""
MOST_FRAMES = 12


def reach_frames(rate_hz: float) -> int:
    """How many frames on each side that is."""
    return max(1, min(round(REACH_S * rate_hz), MOST_FRAMES))


def steady(window: Sequence[Floats | None], middle: int) -> Floats:
    """The points of the frame at `middle`, (n, 3) float32, as a mean over time of each point on its own.

    A neighbour counts less the more the point moved (a bilateral filter over time), and neighbours count in
    pairs, one before and one after, so that nothing lags; frames beyond one without the face do not count.
    What moves much, such as a lid, is left as it is.

    Args:
        window: the points of frames in a row; None where the face was not seen.
        middle: which of them; its points are there.
    """
    centre = window[middle]
    assert centre is not None
    size_px = float(np.ptp(centre[:, :2], axis=0).max())
    total, weights = centre.astype(np.float64), np.ones((len(centre), 1))
    for step in range(1, len(window)):
        first, last = middle - step, middle + step
        if first < 0 or last >= len(window):
            break
        before, after = window[first], window[last]
        if before is None or after is None:
            break
        moved = np.maximum(
            np.linalg.norm((before - centre)[:, :2], axis=1), np.linalg.norm((after - centre)[:, :2], axis=1)
        )
        weight = np.exp(-((moved / (TREMBLE * size_px)) ** 2))[:, None]
        total += weight * (before + after)
        weights += 2 * weight
    return (total / weights).astype(np.float32)
