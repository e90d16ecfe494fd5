"""The inner loops of the mesh engine, compiled by numba on first use and kept in its cache.

All of them are single-threaded and release the GIL, so that tracking and encoding run beside them. Pictures
are uint8 (h, w, 4) RGBA with colour premultiplied by alpha; maps are float32 source pixels, and a map value
below -1 means "nothing of the person here".
"""

# numba compiles this; NumPy's stubs take `max(np.float32, float)` for a union that cannot be calculated with.
# mypy: disable-error-code="operator,call-overload,arg-type,type-var"

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import numba as nb
import numpy as np

from likeness.types import Floats, Picture

F = TypeVar("F", bound=Callable[..., Any])

if TYPE_CHECKING:

    def _compiled(function: F) -> F:
        """Let the type checker see the function that numba replaces."""
        return function
else:
    _compiled = nb.njit(nogil=True, fastmath=True, cache=True)

HOLE = -9.0


@_compiled
def shade(
    texture: Picture, out: Picture, ratio: Floats, map_u: Floats, map_v: Floats, left: int, top: int
) -> None:
    """Multiply the face by a ratio picture: `out[box] = texture[box] · ratio(map)`.

    Args:
        texture, out: (h, w, 4) uint8 RGBA premultiplied.
        ratio: (n, n) float32 in UV space, 1 = unchanged.
        map_u, map_v: (bh, bw) float32 UV pixels for the box whose corner is (left, top); < 0 = off the face.
    """
    last = ratio.shape[0] - 2
    for y in range(map_u.shape[0]):
        for x in range(map_u.shape[1]):
            u = map_u[y, x]
            row, column = top + y, left + x
            if u < 0:
                for c in range(3):
                    out[row, column, c] = texture[row, column, c]
                continue
            v = map_v[y, x]
            iu, iv = min(np.int32(u), last), min(np.int32(v), last)
            fu, fv = u - iu, v - iv
            upper = ratio[iv, iu] + fu * (ratio[iv, iu + 1] - ratio[iv, iu])
            lower = ratio[iv + 1, iu] + fu * (ratio[iv + 1, iu + 1] - ratio[iv + 1, iu])
            gain = upper + fv * (lower - upper)
            alpha = np.float32(texture[row, column, 3])
            for c in range(3):
                # Premultiplied colour may not exceed its alpha.
                out[row, column, c] = np.uint8(
                    min(np.float32(texture[row, column, c]) * gain + np.float32(0.5), alpha)
                )


@_compiled
def _smooth(t: float) -> float:
    t = min(max(t, 0.0), 1.0)
    return t * t * (3 - 2 * t)


@_compiled
def _sample(picture: Floats, x: float, y: float, channel: int) -> float:
    """Bilinear sample with the border repeated."""
    x = min(max(x, 0.0), picture.shape[1] - 1.001)
    y = min(max(y, 0.0), picture.shape[0] - 1.001)
    ix, iy = int(x), int(y)
    fx, fy = x - ix, y - iy
    upper = picture[iy, ix, channel] * (1 - fx) + picture[iy, ix + 1, channel] * fx
    lower = picture[iy + 1, ix, channel] * (1 - fx) + picture[iy + 1, ix + 1, channel] * fx
    return float(upper * (1 - fy) + lower * fy)


@_compiled
def paint_eye(
    out: Picture,
    skin: Floats,
    plate: Floats,
    ratio: Floats,
    along: Floats,
    down: Floats,
    column: Floats,
    comb: Floats,
    tables: Floats,
    axis: Floats,
    lash: Floats,
    numbers: Floats,
    left: int,
    top: int,
) -> None:
    """Paint one eye of the source picture with its lids moved (see `eyes.Eye` for what the layers are).

    Args:
        out: (h, w, 4) uint8 RGBA, written at the eye's box, whose corner is (left, top).
        skin, plate, ratio: (bh, bw, 3) float32: the picture itself, the lid without eye, and picture / plate.
        along, down: (bh, bw) float32 px from the eye's middle, along and across the line between its corners.
        column: (bh, bw) float32 position in the tables; comb: (bh, bw) float32 unevenness of the lashes.
        tables: (6, n) float32: upper lid, lower lid and brow lines of the source; upper and lower line
            wanted now; openness (1 = as in the source).
        axis: (4,) float32: unit vectors along and down in the picture.
        lash: (3,) float32 colour.
        numbers: (5,) float32: eye width px, gaze shift along and down px, lash thickness, side of the inner
            corner (±1).
    """
    width, gaze_x, gaze_y, thick, inner = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
    soft = max(0.9, 0.022 * width)
    last = tables.shape[1] - 2
    for row in range(along.shape[0]):
        for col in range(along.shape[1]):
            a, y = along[row, col], down[row, col]
            c = min(max(column[row, col], np.float32(0)), np.float32(last))
            i = int(c)
            f = c - i
            upper = tables[0, i] + f * (tables[0, i + 1] - tables[0, i])
            lower = tables[1, i] + f * (tables[1, i + 1] - tables[1, i])
            brow = tables[2, i] + f * (tables[2, i + 1] - tables[2, i])
            upper1 = tables[3, i] + f * (tables[3, i + 1] - tables[3, i])
            lower1 = tables[4, i] + f * (tables[4, i + 1] - tables[4, i])
            q = tables[5, i] + f * (tables[5, i + 1] - tables[5, i])
            closing = 1 - min(q, 1.0)
            aperture = max(lower - upper, 1e-3)
            du = upper1 - upper
            u = a / (0.5 * width)
            # What lies under the lid: skin below the lower line moves with it, the eyeball follows the gaze.
            dx, dy = 0.0, 0.0
            if y > lower1:
                dy = (lower1 - lower) * (1 - _smooth((y - lower1) / (0.38 * width)))
            elif y > upper1:
                at = min(max((y - upper) / aperture, 0.0), 1.0)
                inside = max(1 - abs(u / 1.04) ** 2.5, 0.0)
                rim = _smooth(at / 0.18) * _smooth((1 - at) / 0.12)
                dx = gaze_x * inside * rim
                fall = _smooth(at / 0.35) if gaze_y > 0 else _smooth((1 - at) / 0.35)
                dy = gaze_y * inside * fall * _smooth(min(at, 1 - at) / 0.12)
                if q > 1:
                    dy += du * min(max((lower - y) / max(lower - upper1, 1e-3), 0.0), 1.0)
            reach = max(upper1 - brow, 0.12 * width)
            lift = du * (1 - _smooth((upper1 - y) / reach))
            if q > 1 and y <= upper1:
                dy = lift
            x_in = col - dx * axis[0] - dy * axis[2]
            y_in = row - dx * axis[1] - dy * axis[3]
            if closing < 0.002:
                for ch in range(3):
                    out[top + row, left + col, ch] = np.uint8(_sample(skin, x_in, y_in, ch) + 0.5)
                continue
            over = min(max((upper1 - y) / soft + 0.5, 0.0), 1.0)
            below = min(max((y - lower1) / soft + 0.5, 0.0), 1.0)
            taper = _smooth((1.06 - abs(u)) / 0.30) * (0.72 + 0.28 * min(max(-u * inner, -1.0), 1.0))
            shadow = 1.0
            if taper > 0:
                t = max(y - upper1, 0.0) / (0.055 * width)
                shadow = 1 - 0.45 * _smooth(2.2 * closing) * np.exp(-t) * (1 - below)
            keep = _smooth((min(q, 1.0) - 0.2) / 0.6)
            mid = min(max((upper1 - y) / max(aperture, 0.12 * width), -0.2), 1.4)
            bulge = np.exp(-(((mid - 0.5) / 0.3) ** 2)) - 0.6 * np.exp(-(((mid - 0.02) / 0.16) ** 2))
            relief = 1 + 0.05 * closing * max(1 - u * u, 0.0) * bulge
            t = (y - upper1) / width
            sigma = (
                thick * 0.48
                if t < 0
                else max(thick * (0.22 + 0.55 * closing) * (1 + 0.25 * comb[row, col]), 0.012)
            )
            line = 0.85 * (1 - keep) * np.exp(-((t / sigma) ** 2)) * taper
            slide = 0.35 * lift
            for ch in range(3):
                value = 0.0
                if over < 1:
                    value = _sample(skin, x_in, y_in, ch) * shadow
                if over > 0:
                    lid = _sample(plate, col - slide * axis[2], row - slide * axis[3], ch)
                    if keep > 0:
                        own = _sample(ratio, col - lift * axis[2], row - lift * axis[3], ch)
                        lid *= 1 + (own - 1) * keep
                    value += (lid * relief - value) * over
                value += (lash[ch] - value) * line
                out[top + row, left + col, ch] = np.uint8(min(max(value + 0.5, 0.0), 255.0))
