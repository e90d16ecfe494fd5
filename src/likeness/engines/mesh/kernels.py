"""The inner loops of the mesh engine, compiled by numba on first use and kept in its cache.

All of them are single-threaded and release the GIL, so that tracking and encoding run beside them. Pictures
are uint8 (h, w, 4) RGBA with colour premultiplied by alpha; maps are float32 source pixels, and a map value
below -1 means "nothing of the person here".
"""

# numba compiles this; NumPy's stubs take `max(np.float32, float)` for a union that cannot be calculated with.
# mypy: disable-error-code="operator,call-overload,arg-type,type-var"

from __future__ import annotations

import numpy as np

from likeness.compiled import compiled
from likeness.engines.mesh.raster import Words
from likeness.types import Floats, Picture

NOTHING = 14.0
"""e to the power of minus this much changes no pixel."""


@compiled
def shade(
    texture: Words, out: Words, ratio: Floats, map_u: Floats, map_v: Floats, left: int, top: int
) -> None:
    """Multiply the face by a ratio picture: `out[box] = texture[box] · ratio(map)`.

    Args:
        texture, out: (h, w) uint32, each a pixel of premultiplied RGBA.
        ratio: (n, n) float32 in UV space, 1 = unchanged.
        map_u, map_v: (bh, bw) float32 UV pixels for the box whose corner is (left, top); < 0 = off the face.

    Only fetching goes pixel by pixel: the loops before and after it are for the compiler to do many at once.
    """
    height, width = map_u.shape
    flat, row_length = ratio.reshape(-1), np.uint32(ratio.shape[1])
    last, one = np.int32(ratio.shape[0] - 2), np.uint64(1)
    place = np.empty(width, np.uint32)
    part_u, part_v, gain = (
        np.empty(width, np.float32),
        np.empty(width, np.float32),
        np.empty(width, np.float32),
    )
    for y in range(height):
        for x in range(width):
            u, v = map_u[y, x], map_v[y, x]
            column, row = max(min(np.int32(u), last), 0), max(min(np.int32(v), last), 0)
            part_u[x], part_v[x] = u - np.float32(column), v - np.float32(row)
            place[x] = np.uint32(row) * row_length + np.uint32(column)
        for x in range(width):
            above = np.uint64(place[x])
            below = above + np.uint64(row_length)
            upper = flat[above] + part_u[x] * (flat[above + one] - flat[above])
            lower = flat[below] + part_u[x] * (flat[below + one] - flat[below])
            gain[x] = upper + part_v[x] * (lower - upper) if part_u[x] >= 0 else np.float32(1)
        _multiply(texture[top + y, left : left + width], out[top + y, left : left + width], gain)


@compiled
def _multiply(words: Words, out: Words, gain: Floats) -> None:
    byte, half = np.uint32(255), np.float32(0.5)
    for x in range(len(out)):
        word, g = words[x], gain[x]
        # Premultiplied colour may not exceed its alpha.
        alpha = np.float32(np.int32(word >> np.uint32(24)))
        red = min(np.float32(np.int32(word & byte)) * g + half, alpha)
        green = min(np.float32(np.int32((word >> np.uint32(8)) & byte)) * g + half, alpha)
        blue = min(np.float32(np.int32((word >> np.uint32(16)) & byte)) * g + half, alpha)
        colour = np.uint32(red) | np.uint32(green) << np.uint32(8) | np.uint32(blue) << np.uint32(16)
        out[x] = (word & np.uint32(0xFF000000)) | colour


@compiled
def _smooth(t: float) -> float:
    t = min(max(t, 0.0), 1.0)
    return t * t * (3 - 2 * t)


@compiled
def _sample(picture: Floats, x: float, y: float) -> tuple[float, float, float]:
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
                side = abs(u / 1.04)
                inside = max(1 - side * side * np.sqrt(side), 0.0)
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
                colour = _sample(skin, x_in, y_in)
                for ch in range(3):
                    out[top + row, left + col, ch] = np.uint8(colour[ch] + 0.5)
                continue
            over = min(max((upper1 - y) / soft + 0.5, 0.0), 1.0)
            below = min(max((y - lower1) / soft + 0.5, 0.0), 1.0)
            taper = _smooth((1.06 - abs(u)) / 0.30) * (0.72 + 0.28 * min(max(-u * inner, -1.0), 1.0))
            keep = _smooth((min(q, 1.0) - 0.2) / 0.6)
            colour = (0.0, 0.0, 0.0)
            if over < 1:
                colour = _sample(skin, x_in, y_in)
                t = max(y - upper1, 0.0) / (0.055 * width)
                if taper > 0 and t < NOTHING:
                    shadow = 1 - 0.45 * _smooth(2.2 * closing) * np.exp(-t) * (1 - below)
                    colour = (colour[0] * shadow, colour[1] * shadow, colour[2] * shadow)
            if over > 0:
                slide = 0.35 * lift
                lid = _sample(plate, col - slide * axis[2], row - slide * axis[3])
                mid = min(max((upper1 - y) / max(aperture, 0.12 * width), -0.2), 1.4)
                bulge = np.exp(-(((mid - 0.5) / 0.3) ** 2)) - 0.6 * np.exp(-(((mid - 0.02) / 0.16) ** 2))
                relief = 1 + 0.05 * closing * max(1 - u * u, 0.0) * bulge
                if keep > 0:
                    own = _sample(ratio, col - lift * axis[2], row - lift * axis[3])
                    lid = (
                        lid[0] * (1 + (own[0] - 1) * keep),
                        lid[1] * (1 + (own[1] - 1) * keep),
                        lid[2] * (1 + (own[2] - 1) * keep),
                    )
                colour = _mix(colour, (lid[0] * relief, lid[1] * relief, lid[2] * relief), over)
            t = (y - upper1) / width
            sigma = (
                thick * 0.48
                if t < 0
                else max(thick * (0.22 + 0.55 * closing) * (1 + 0.25 * comb[row, col]), 0.012)
            )
            if taper > 0 and (t / sigma) ** 2 < NOTHING:
                line = 0.85 * (1 - keep) * np.exp(-((t / sigma) ** 2)) * taper
                colour = _mix(colour, (lash[0], lash[1], lash[2]), line)
            for ch in range(3):
                out[top + row, left + col, ch] = np.uint8(min(max(colour[ch] + 0.5, 0.0), 255.0))


@compiled
def _mix(
    one: tuple[float, float, float], other: tuple[float, float, float], share: float
) -> tuple[float, float, float]:
    return (
        one[0] + (other[0] - one[0]) * share,
        one[1] + (other[1] - one[1]) * share,
        one[2] + (other[2] - one[2]) * share,
    )
