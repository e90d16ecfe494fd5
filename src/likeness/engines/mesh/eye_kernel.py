"""Painting an eye with its lids moved, pixel by pixel, compiled by numba on first use and kept in its cache.

`eyes.Eye` says what the layers are. What each pixel shows is put together from the inside out: the eyeball or
the skin below it, with the upper lid's shadow; over it the lid; over both the lashes. Where a pixel lies is
said along and across the line between the eye's corners, in px.
"""

# numba compiles this; NumPy's stubs take `max(np.float32, float)` for a union that cannot be calculated with.
# mypy: disable-error-code="operator,call-overload,arg-type,type-var,no-any-return"

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numba import njit

from likeness.compiled import compiled
from likeness.types import Floats, Picture

NOTHING = 14.0
"""e to the power of minus this much changes no pixel."""

Colour: TypeAlias = tuple[float, float, float]


@compiled
def _smooth(t: float) -> float:
    t = min(max(t, 0.0), 1.0)
    return t * t * (3 - 2 * t)


@compiled
def _sample(picture: Floats, x: float, y: float) -> Colour:
    """Bilinear sample of (h, w, 3) with the border repeated."""
    x = min(max(x, 0.0), picture.shape[1] - 1.001)
    y = min(max(y, 0.0), picture.shape[0] - 1.001)
    i, j = int(y), int(x)
    fx, fy = x - j, y - i
    upper, lower = picture[i], picture[i + 1]
    a, b, c, d = (1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy
    return (
        a * upper[j, 0] + b * upper[j + 1, 0] + c * lower[j, 0] + d * lower[j + 1, 0],
        a * upper[j, 1] + b * upper[j + 1, 1] + c * lower[j, 1] + d * lower[j + 1, 1],
        a * upper[j, 2] + b * upper[j + 1, 2] + c * lower[j, 2] + d * lower[j + 1, 2],
    )


@compiled
def _mix(one: Colour, other: Colour, share: float) -> Colour:
    return (
        one[0] + (other[0] - one[0]) * share,
        one[1] + (other[1] - one[1]) * share,
        one[2] + (other[2] - one[2]) * share,
    )


@compiled
def _look_up(tables: Floats, column: float) -> tuple[float, float, float, float, float, float]:
    """The six tables at this place along the eye."""
    last = tables.shape[1] - 2
    c = min(max(column, np.float32(0)), np.float32(last))
    i = int(c)
    f = c - i
    return (
        tables[0, i] + f * (tables[0, i + 1] - tables[0, i]),
        tables[1, i] + f * (tables[1, i + 1] - tables[1, i]),
        tables[2, i] + f * (tables[2, i + 1] - tables[2, i]),
        tables[3, i] + f * (tables[3, i + 1] - tables[3, i]),
        tables[4, i] + f * (tables[4, i + 1] - tables[4, i]),
        tables[5, i] + f * (tables[5, i + 1] - tables[5, i]),
    )


@compiled
def _roll(
    y: float, u: float, upper: float, aperture: float, gaze_x: float, gaze_y: float
) -> tuple[float, float]:
    """How far the eyeball has moved here for this gaze: most in the middle, nothing at the rim."""
    at = min(max((y - upper) / aperture, 0.0), 1.0)
    side = abs(u / 1.04)
    inside = max(1 - side * side * np.sqrt(side), 0.0)
    rim = _smooth(at / 0.18) * _smooth((1 - at) / 0.12)
    fall = _smooth(at / 0.35) if gaze_y > 0 else _smooth((1 - at) / 0.35)
    return gaze_x * inside * rim, gaze_y * inside * fall * _smooth(min(at, 1 - at) / 0.12)


@compiled
def _shade_under_lid(
    colour: Colour, depth: float, closing: float, below: float, taper: float, width: float
) -> Colour:
    """The shadow that a lid which comes down casts on the eye, `depth` px below its edge."""
    t = max(depth, 0.0) / (0.055 * width)
    if taper <= 0 or t >= NOTHING:
        return colour
    shadow = 1 - 0.45 * _smooth(2.2 * closing) * np.exp(-t) * (1 - below)
    return (colour[0] * shadow, colour[1] * shadow, colour[2] * shadow)


@compiled
def _bulge(height: float, closing: float, aperture: float, width: float, u: float) -> float:
    """Light on the lid `height` px above its edge: the eyeball shows through as a bulge."""
    mid = min(max(height / max(aperture, 0.12 * width), -0.2), 1.4)
    bulge = np.exp(-(((mid - 0.5) / 0.3) ** 2)) - 0.6 * np.exp(-(((mid - 0.02) / 0.16) ** 2))
    return 1 + 0.05 * closing * max(1 - u * u, 0.0) * bulge


@compiled
def _lash_line(y: float, closing: float, keep: float, taper: float, thick: float, uneven: float) -> float:
    """How much of a pixel the lashes cover, `y` eye widths below the lid's edge: a line, wider downwards."""
    sigma = thick * 0.48 if y < 0 else max(thick * (0.22 + 0.55 * closing) * (1 + 0.25 * uneven), 0.012)
    if taper <= 0 or (y / sigma) ** 2 >= NOTHING:
        return 0.0
    return 0.85 * (1 - keep) * np.exp(-((y / sigma) ** 2)) * taper


@njit(inline="always")  # a call for every pixel would take a tenth of the time
def _pixel(
    layers: Floats,
    row: int,
    col: int,
    a: float,
    y: float,
    uneven: float,
    lines: tuple[float, float, float, float, float, float],
    numbers: Floats,
) -> Colour:
    """What one pixel shows; the arguments are those of `paint_eye` there."""
    width, gaze_x, gaze_y, thick, inner = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
    upper, lower, brow, upper_now, lower_now, q = lines
    closing = 1 - min(q, 1.0)
    aperture = max(lower - upper, 1e-3)
    drop = upper_now - upper
    u = a / (0.5 * width)
    # The lid's skin comes down with its edge, less the nearer to the brow.
    lift = drop * (1 - _smooth((upper_now - y) / max(upper_now - brow, 0.12 * width)))
    dx, dy = 0.0, 0.0
    if y > lower_now:
        dy = (lower_now - lower) * (1 - _smooth((y - lower_now) / (0.38 * width)))
    elif y > upper_now:
        dx, dy = _roll(y, u, upper, aperture, gaze_x, gaze_y)
        if q > 1:
            dy += drop * min(max((lower - y) / max(lower - upper_now, 1e-3), 0.0), 1.0)
    elif q > 1:
        dy = lift
    x_in = col - dx * numbers[5] - dy * numbers[7]
    y_in = row - dx * numbers[6] - dy * numbers[8]
    if closing < 0.002:
        return _sample(layers[0], x_in, y_in)
    soft = max(0.9, 0.022 * width)
    over = min(max((upper_now - y) / soft + 0.5, 0.0), 1.0)
    below = min(max((y - lower_now) / soft + 0.5, 0.0), 1.0)
    taper = _smooth((1.06 - abs(u)) / 0.30) * (0.72 + 0.28 * min(max(-u * inner, -1.0), 1.0))
    keep = _smooth((min(q, 1.0) - 0.2) / 0.6)
    colour = (0.0, 0.0, 0.0)
    if over < 1:
        eyeball = _sample(layers[0], x_in, y_in)
        colour = _shade_under_lid(eyeball, y - upper_now, closing, below, taper, width)
    if over > 0:
        slide = 0.35 * lift
        lid = _sample(layers[1], col - slide * numbers[7], row - slide * numbers[8])
        if keep > 0:
            own = _sample(layers[2], col - lift * numbers[7], row - lift * numbers[8])
            lid = _mix(lid, (lid[0] * own[0], lid[1] * own[1], lid[2] * own[2]), keep)
        light = _bulge(upper_now - y, closing, aperture, width, u)
        colour = _mix(colour, (lid[0] * light, lid[1] * light, lid[2] * light), over)
    line = _lash_line((y - upper_now) / width, closing, keep, taper, thick, uneven)
    return _mix(colour, (numbers[9], numbers[10], numbers[11]), line)


@compiled
def paint_eye(
    out: Picture, layers: Floats, places: Floats, tables: Floats, numbers: Floats, left: int, top: int
) -> None:
    """Paint one eye of the source picture with its lids moved.

    Args:
        out: (h, w, 4) uint8 RGBA, written at the eye's box, whose corner is (left, top).
        layers: (3, bh, bw, 3) float32: the picture itself, the lid without eye, and picture / lid.
        places: (4, bh, bw) float32: px from the eye's middle, along and across the line between its corners;
            position in the tables; unevenness of the lashes.
        tables: (6, n) float32: upper lid, lower lid and brow lines of the source; upper and lower line
            wanted now; openness (1 = as in the source).
        numbers: (12,) float32: eye width px, gaze shift along and down px, lash thickness, side of the inner
            corner (±1); unit vectors along and down in the picture; colour of the lashes.
    """
    for row in range(places.shape[1]):
        for col in range(places.shape[2]):
            a, y, uneven = places[0, row, col], places[1, row, col], places[3, row, col]
            lines = _look_up(tables, places[2, row, col])
            colour = _pixel(layers, row, col, a, y, uneven, lines, numbers)
            for ch in range(3):
                out[top + row, left + col, ch] = np.uint8(min(max(colour[ch] + 0.5, 0.0), 255.0))
