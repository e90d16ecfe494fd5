"""The inside of the mouth: what a closed mouth in the source cannot show is taken from the driver."""

from __future__ import annotations

import cv2
import numpy as np

from likeness.faces.topology import INNER_LOWER_LIP, INNER_UPPER_LIP
from likeness.types import Floats, Picture

COLUMNS = len(INNER_UPPER_LIP)


def paint_mouth(
    out: Picture, points: Floats, inside: Picture, gain: Floats, face_height_px: float, shown: float
) -> None:
    """Lay the unwrapped inside of a mouth between the lip lines of the rendered picture, in place.

    Args:
        out: (h, w, 3) uint8 RGB.
        points: (n, 3) float32 px; the first 468 are the face as rendered.
        inside: (mh, mw, 3) uint8 RGB, unwrapped between the inner lip lines.
        gain: (3,) float32, brings the driver's skin colour to the source's.
        shown: 0…1, how much of it to show at most.
    """
    upper, lower = points[list(INNER_UPPER_LIP), :2], points[list(INNER_LOWER_LIP), :2]
    gap_px = float(np.linalg.norm(lower - upper, axis=1).max())
    shown *= float(np.clip((gap_px / face_height_px - 0.008) / 0.02, 0, 1))
    if shown <= 0 or gap_px < 1.0:
        return
    height, width = out.shape[:2]
    outline = np.vstack([upper, lower[1:-1][::-1]])
    low = np.maximum(np.floor(outline.min(0)).astype(int) - 4, 0)
    high = np.minimum(np.ceil(outline.max(0)).astype(int) + 5, [width, height])
    if (high - low < 2).any():
        return
    left, top = int(low[0]), int(low[1])
    x = np.arange(left, int(high[0]), dtype=np.float32)
    y = np.arange(top, int(high[1]), dtype=np.float32)[:, None]
    # Lip lines are followed along the mouth: position between the corners, then between the lips.
    order = np.argsort((upper + lower)[:, 0])
    middle_x = ((upper + lower)[order, 0]) / 2
    u = np.interp(x, middle_x, order.astype(np.float64)).astype(np.float32)
    line_up = np.interp(u, np.arange(COLUMNS), upper[:, 1])
    line_down = np.interp(u, np.arange(COLUMNS), lower[:, 1])
    v = (y - line_up) / np.maximum(line_down - line_up, 1e-3)
    map_x = np.broadcast_to(u / (COLUMNS - 1) * (inside.shape[1] - 1), v.shape).astype(np.float32)
    map_y = (np.clip(v, -0.2, 1.2) * inside.shape[0] - 0.5).astype(np.float32)
    texture = cv2.remap(inside, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mask = np.zeros(v.shape, np.uint8)
    cv2.fillPoly(mask, [np.round((outline - [left, top]) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), max(0.7, face_height_px * 0.005))
    weight = (soft * (shown / 255))[:, :, None]
    region = out[top : int(high[1]), left : int(high[0])]
    region[:] = np.clip(region * (1 - weight) + texture * gain * weight + 0.5, 0, 255).astype(np.uint8)
