"""How the driver's points become the source's: absolute, or relative to the driver's first frame."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from likeness.nn.fomm import Keypoints


def transfer(
    source: Keypoints, driving: Keypoints, initial: Keypoints, *, relative: bool, adapt_scale: bool
) -> Keypoints:
    """The points that the source is moved to (Siarohin et al. 2019, section 3.3, "relative motion transfer").

    Args:
        source, driving: points of the source, and of the driver now.
        initial: the driver's points in the frame that the source's own picture stands for.
        relative: add the driver's change since then, instead of taking over its points.
        adapt_scale: let the change be as large in the source as it is in the driver, for their sizes: the
            square root of the ratio of the areas that the points span.
    """
    if not relative:
        return driving
    scale = float(np.sqrt(_hull_area(source) / max(_hull_area(initial), 1e-12))) if adapt_scale else 1.0
    value = (driving.value - initial.value) * scale + source.value
    if source.jacobian is None or driving.jacobian is None or initial.jacobian is None:
        return Keypoints(value, None)
    change = driving.jacobian @ torch.linalg.inv(initial.jacobian)
    return Keypoints(value, change @ source.jacobian)


def _hull_area(points: Keypoints) -> float:
    """Of the convex hull of one picture's points."""
    corners = cv2.convexHull(points.value[0].float().numpy())[:, 0].astype(np.float64)
    x, y = corners.T
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)
