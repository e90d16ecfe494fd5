"""Shading the face: an inner loop, compiled by numba on first use and kept in its cache.

It is single-threaded and releases the GIL, so that tracking and encoding run beside it. Pictures
are uint8 (h, w, 4) RGBA with colour premultiplied by alpha; maps are float32 source pixels, and a map value
below -1 means "nothing of the person here".
"""

# numba compiles this; NumPy's stubs take `max(np.float32, float)` for a union that cannot be calculated with.
# mypy: disable-error-code="operator,call-overload,arg-type,type-var"

from __future__ import annotations

import numpy as np

from likeness.compiled import compiled
from likeness.engines.mesh.raster import Words
from likeness.types import Floats


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
