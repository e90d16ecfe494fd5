"""Drawing the head's surface over the backdrop.

Pictures are words here: (h, w) uint32, a view of RGBA bytes with colour premultiplied by alpha, so that two
channels are weighed by one multiplication. The texture, read at random, is words of twice that size, which
bring a pixel with its right neighbour: see `paired`. Maps are float32 source pixels for each pixel of the
result; `HOLE` in `map_x` means that nothing of the person is there. Loops are plain and without branches
where they can be, for the compiler to work on several pixels at once.
"""

# numba compiles this; NumPy's stubs take `max(np.float32, float)` for a union that cannot be calculated with.
# mypy: disable-error-code="operator,call-overload,arg-type,type-var"

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from likeness.compiled import compiled
from likeness.types import Floats, Picture

Words: TypeAlias = np.ndarray[Any, np.dtype[np.uint32]]
Pairs: TypeAlias = np.ndarray[Any, np.dtype[np.uint64]]
Indices: TypeAlias = np.ndarray[Any, np.dtype[np.int32]]

HOLE = np.float32(-9)
STRIP = 16
"""Rows that are drawn at once: few enough for their maps to stay in the processor's cache."""
OVERLAP = 1e-3
"""Triangles reach so far over their edges, in shares of their height, which keeps shared edges closed."""

# Every second byte of a word, and in these lanes of 16 bits: a half, and what has run over.
LANES, HALF, OVER = np.uint32(0x00FF00FF), np.uint32(0x00800080), np.uint32(0x01000100)
EIGHT, SIXTEEN, NEXT = np.uint32(8), np.uint32(16), np.uint64(32)


def paired(picture: Picture) -> Pairs:
    """(h, w, 4) uint8, C-contiguous, as (h · w - 1,) uint64 that overlap by half: the same memory."""
    return np.ndarray((picture.size // 4 - 1,), np.dtype("<u8"), picture, strides=(4,))


@compiled
def draw_surface(
    vertices: Floats,
    source: Floats,
    triangles: Indices,
    texture: Pairs,
    backdrop: Words,
    out: Picture,
    longest_gap: int,
    jump: float,
    seams: tuple[int, int, int, int],
) -> None:
    """Draw the surface with its texture over the backdrop, a few rows at a time.

    Args:
        vertices: (n, 3) as seen, px; the smaller z is in front.
        source: (n, 2) the same vertices in the texture, px.
        triangles: (m, 3) vertex numbers; those that turn their back are left out.
        texture: (h · w - 1,) RGBA, `paired`.
        backdrop: (h, w), of which alpha does not matter.
        out: (h, w, 3) uint8 RGB, written everywhere.
        longest_gap: see `close_gaps`.
        jump: see `soften_seams`.
        seams: left, top, right, bottom of where seams are softened, px.
    """
    height, width = backdrop.shape
    # Triangles wait in one list per strip, linked by their numbers, and move on to the next strip.
    first = np.empty((height - 1) // STRIP + 1, np.int32)
    first[:] = -1
    following = np.empty(len(triangles), np.int32)
    for t in range(len(triangles) - 1, -1, -1):
        row = _first_row(vertices, triangles, t) - 1
        if row < height:
            strip = int(max(row, 0)) // STRIP
            following[t] = first[strip]
            first[strip] = t
    # The maps' first row is the last one of the strip before, to which seams are softened too.
    map_x, map_y = np.empty((STRIP + 1, width), np.float32), np.empty((STRIP + 1, width), np.float32)
    map_x[0] = HOLE
    depth = np.empty((STRIP, width), np.float32)
    scratch, pairs = np.empty((4, width), np.uint32), np.empty((2, width), np.uint64)
    for strip in range(len(first)):
        top = strip * STRIP
        bottom = min(top + STRIP, height)
        rows_x, rows_y = map_x[1 : bottom - top + 1], map_y[1 : bottom - top + 1]
        rows_x[:] = HOLE
        depth[:] = np.inf
        left, right = width, 0
        t = first[strip]
        while t >= 0:
            after = following[t]
            low, high = draw_triangle(vertices, source, triangles, t, rows_x, rows_y, depth, top)
            left, right = min(left, low), max(right, high)
            if bottom < height and _last_row(vertices, triangles, t) + 1 > bottom:
                following[t] = first[strip + 1]
                first[strip + 1] = t
            t = after
        right = max(left, right)
        for y in range(top, bottom):
            row_x, row_y = rows_x[y - top], rows_y[y - top]
            start, stop = close_gaps(row_x[left:right], row_y[left:right], longest_gap)
            start, stop = start + left, stop + left
            put(backdrop[y, :start], out[y, :start])
            composite(
                texture,
                width,
                height,
                backdrop[y, start:stop],
                out[y, start:stop],
                row_x[start:stop],
                row_y[start:stop],
                scratch,
                pairs,
            )
            put(backdrop[y, stop:], out[y, stop:])
        for y in range(max(top, seams[1] + 1), min(bottom, seams[3])):
            soften_seams(out, y - 1, map_x[y - top :], map_y[y - top :], seams[0], seams[2], jump)
        for x in range(width):  # copying a row in one would take numba two seconds more to compile
            map_x[0, x], map_y[0, x] = map_x[STRIP, x], map_y[STRIP, x]


@compiled
def _first_row(vertices: Floats, triangles: Indices, t: int) -> float:
    i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
    return float(min(vertices[i, 1], vertices[j, 1], vertices[k, 1]))


@compiled
def _last_row(vertices: Floats, triangles: Indices, t: int) -> float:
    i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
    return float(max(vertices[i, 1], vertices[j, 1], vertices[k, 1]))


@compiled
def draw_triangle(
    vertices: Floats,
    source: Floats,
    triangles: Indices,
    t: int,
    map_x: Floats,
    map_y: Floats,
    depth: Floats,
    top: int,
) -> tuple[int, int]:
    """Draw triangle `t` with a z-buffer into the rows of a map whose first is row `top` of the picture.

    Returns:
        The columns it may have touched: the first, and one past the last.
    """
    rows, width = map_x.shape
    i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
    ax, ay, az = vertices[i, 0], vertices[i, 1] - top, vertices[i, 2]
    bx, by, bz = vertices[j, 0] - ax, vertices[j, 1] - top - ay, vertices[j, 2] - az
    cx, cy, cz = vertices[k, 0] - ax, vertices[k, 1] - top - ay, vertices[k, 2] - az
    su, sv = source[i, 0], source[i, 1]
    bu, bv = source[j, 0] - su, source[j, 1] - sv
    cu, cv = source[k, 0] - su, source[k, 1] - sv
    area = bx * cy - cx * by
    if not (abs(area) >= 0.02 and area * (bu * cv - cu * bv) >= 0):
        return width, 0
    first = max(int(np.ceil(ay + min(0.0, by, cy) - 0.01)), 0)
    last = min(int(np.floor(ay + max(0.0, by, cy) + 0.01)), rows - 1)
    low = max(np.ceil(ax + min(0.0, bx, cx) - 0.01), 0.0)
    high = min(np.floor(ax + max(0.0, bx, cx) + 0.01), width - 1.0)
    # Barycentric weights are linear in x along a row: w = p · x + r, for each of the three corners.
    inverse = 1.0 / area
    p1, p2 = cy * inverse, -by * inverse
    q1, q2 = -cx * inverse, bx * inverse
    p0 = -p1 - p2
    dz, du, dv = np.float32(p1 * bz + p2 * cz), np.float32(p1 * bu + p2 * cu), np.float32(p1 * bv + p2 * cv)
    for y in range(first, last + 1):
        r1 = (y - ay) * q1 - ax * p1
        r2 = (y - ay) * q2 - ax * p2
        start, stop = _clip(p1, r1, low, high)
        start, stop = _clip(p2, r2, start, stop)
        start, stop = _clip(p0, 1.0 - r1 - r2, start, stop)
        if not start <= stop:
            continue
        x0 = int(np.ceil(start))
        w1, w2 = x0 * p1 + r1, x0 * p2 + r2
        z = np.float32(az + w1 * bz + w2 * cz)
        u, v = np.float32(su + w1 * bu + w2 * cu), np.float32(sv + w1 * bv + w2 * cv)
        for n in range(int(np.floor(stop)) - x0 + 1):
            step = np.float32(n)
            x = np.uint64(x0 + n)
            if z + step * dz < depth[y, x]:
                depth[y, x] = z + step * dz
                map_x[y, x] = u + step * du
                map_y[y, x] = v + step * dv
    return int(low), int(high) + 1


@compiled
def _clip(p: float, r: float, start: float, stop: float) -> tuple[float, float]:
    """The part of [start, stop] where p · x + r is not negative."""
    if p > 1e-9:
        return max(start, (-OVERLAP - r) / p), stop
    if p < -1e-9:
        return start, min(stop, (-OVERLAP - r) / p)
    return start, (stop if r >= -OVERLAP else start - 1)


@compiled
def close_gaps(map_x: Floats, map_y: Floats, longest: int) -> tuple[int, int]:
    """Bridge short gaps in a row of a map, where one part of the head turned out from behind another.

    Args:
        map_x, map_y: (w,)
        longest: in px; longer gaps are background.

    Returns:
        The columns that are drawn: the first, and one past the last.
    """
    start, stop = 0, len(map_x)
    while start < stop and map_x[start] < -1:
        start += 1
    while stop > start and map_x[stop - 1] < -1:
        stop -= 1
    holes = 0
    for x in range(start, stop):
        holes += map_x[x] < -1
    if holes == 0:
        return start, stop
    last = start
    for x in range(start, stop):
        if map_x[x] < -1:
            continue
        gap = x - last - 1
        if 0 < gap <= longest:
            step_x = (map_x[x] - map_x[last]) / (gap + 1)
            step_y = (map_y[x] - map_y[last]) / (gap + 1)
            for n in range(1, gap + 1):
                map_x[last + n] = map_x[last] + n * step_x
                map_y[last + n] = map_y[last] + n * step_y
        last = x
    return start, stop


@compiled
def put(words: Words, out: Picture) -> None:
    """Write a row of words (n,) as RGB (n, 3)."""
    flat = out.reshape(-1)
    for x in range(len(words)):
        flat[3 * x] = np.uint8(words[x])
        flat[3 * x + 1] = np.uint8(words[x] >> EIGHT)
        flat[3 * x + 2] = np.uint8(words[x] >> SIXTEEN)


@compiled
def composite(
    texture: Pairs,
    width: int,
    height: int,
    backdrop: Words,
    out: Picture,
    map_x: Floats,
    map_y: Floats,
    scratch: Words,
    pairs: Pairs,
) -> None:
    """Sample the texture bilinearly where the map points and lay it over the backdrop.

    Args:
        texture: (height · width - 1,), `paired`.
        backdrop, map_x, map_y: (n,), one row.
        out: (n, 3) uint8 RGB, written.
        scratch, pairs: (4, n or more), (2, n or more); whatever is in them is lost.
    """
    place, part_x, part_y, words = scratch[0], scratch[1], scratch[2], scratch[3]
    upper, lower = pairs[0], pairs[1]
    row_length = np.uint32(width)
    last_x, last_y = np.int32(width - 2), np.int32(height - 2)
    whole, half, zero = np.float32(256), np.float32(0.5), np.float32(0)
    for x in range(len(out)):
        u, v = max(map_x[x], zero), max(map_y[x], zero)
        column, row = max(min(np.int32(u), last_x), 0), max(min(np.int32(v), last_y), 0)
        part_x[x] = np.int32(min((u - np.float32(column)) * whole + half, whole))
        part_y[x] = np.int32(min((v - np.float32(row)) * whole + half, whole))
        place[x] = np.uint32(row) * row_length + np.uint32(column)
    for x in range(len(out)):
        above = np.uint64(place[x])
        upper[x], lower[x] = texture[above], texture[above + np.uint64(row_length)]
    for x in range(len(out)):
        fx, fy = part_x[x], part_y[x]
        f11 = np.uint32((fx * fy + np.uint32(128)) >> EIGHT)
        f01, f10, f00 = np.uint32(fx - f11), np.uint32(fy - f11), np.uint32(np.uint32(256) - fx - fy + f11)
        a, b = np.uint32(upper[x]), np.uint32(upper[x] >> NEXT)
        c, d = np.uint32(lower[x]), np.uint32(lower[x] >> NEXT)
        red_blue = _weigh(a, b, c, d, f00, f01, f10, f11)
        green_alpha = _weigh(a >> EIGHT, b >> EIGHT, c >> EIGHT, d >> EIGHT, f00, f01, f10, f11)
        if map_x[x] < -1:
            red_blue = green_alpha = np.uint32(0)
        rest = np.uint32(255) - (green_alpha >> SIXTEEN)
        red_blue = _over(red_blue, backdrop[x], rest)
        words[x] = red_blue | _over(green_alpha, backdrop[x] >> EIGHT, rest) << EIGHT
    put(words[: len(out)], out)


@compiled
def _weigh(a: int, b: int, c: int, d: int, fa: int, fb: int, fc: int, fd: int) -> np.uint32:
    """The weighted mean of two channels of four pixels; the weights add up to 256."""
    total = (a & LANES) * fa + (b & LANES) * fb + (c & LANES) * fc + (d & LANES) * fd + HALF
    return np.uint32((total >> EIGHT) & LANES)


@compiled
def _over(front: int, behind: int, rest: int) -> np.uint32:
    """Two channels over those behind them, which count `rest` of 255."""
    share = (behind & LANES) * rest + HALF
    both = front + (((share + ((share >> EIGHT) & LANES)) >> EIGHT) & LANES)
    over = both & OVER
    return np.uint32((both | (over - (over >> EIGHT))) & LANES)


@compiled
def soften_seams(
    out: Picture, y: int, map_x: Floats, map_y: Floats, left: int, right: int, jump: float
) -> None:
    """Blend the two pixels at each place where the map jumps: one part of the head in front of another.

    Args:
        out: (h, w, 3) uint8, changed in [left, right) of rows y and y + 1.
        map_x, map_y: (2 or more, w): the map of these rows.
        jump: difference of neighbouring map values, in px, from which on they do not belong together.
    """
    for x in range(left, right - 1):
        u, v = map_x[0, x], map_y[0, x]
        if u < -1:
            continue
        right_u, below_u = map_x[0, x + 1], map_x[1, x]
        if right_u >= -1 and abs(right_u - u) + abs(map_y[0, x + 1] - v) > jump:
            _blend(out, y, x, y, x + 1)
        if below_u >= -1 and abs(below_u - u) + abs(map_y[1, x] - v) > jump:
            _blend(out, y, x, y + 1, x)


@compiled
def _blend(out: Picture, y: int, x: int, y1: int, x1: int) -> None:
    for c in range(3):
        a, b = np.int32(out[y, x, c]), np.int32(out[y1, x1, c])
        out[y, x, c] = (3 * a + b + 2) >> 2
        out[y1, x1, c] = (a + 3 * b + 2) >> 2
