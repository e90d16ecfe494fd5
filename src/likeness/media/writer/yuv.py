"""From RGB to what encoders take: luma, and colour at half the size (BT.709, limited range, 4:2:0).

FFmpeg's own conversion takes four times as long and gives the same, up to one level.
"""

# numba compiles this; NumPy's stubs take sums of np.int32 for a union that cannot be calculated with.
# mypy: disable-error-code="operator,call-overload,arg-type"

from __future__ import annotations

from typing import Any, TypeAlias

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from likeness.compiled import compiled
from likeness.types import Picture

Ints: TypeAlias = np.ndarray[Any, np.dtype[np.int32]]
Plane: TypeAlias = np.ndarray[Any, np.dtype[np.uint8]]

_KR, _KB = 0.2126, 0.0722  # ITU-R BT.709-6, 3.2
_KG = 1 - _KR - _KB
_BITS = 15


def _weights() -> Ints:
    """(9,) what red, green and blue add to luma, blue and red difference, in 1/2¹⁵."""
    luma = np.array([_KR, _KG, _KB])
    blue = (np.array([0, 0, 1]) - luma) / (2 * (1 - _KB))
    red = (np.array([1, 0, 0]) - luma) / (2 * (1 - _KR))
    scaled = np.concatenate([luma * 219, blue * 224, red * 224]) / 255 * 2**_BITS
    return np.asarray(np.round(scaled), np.int32)


class YuvMaker:
    """Makes frames of one size, width × height px, both even. An instance belongs to one thread."""

    def __init__(self, width: int, height: int) -> None:
        self._size = (width, height)
        self._weights = _weights()
        self._rows = np.empty((2, 3, width), np.uint8)
        self._sums = np.empty((3, width // 2), np.int32)

    def make(self, image: Picture) -> Any:
        """A new `av.VideoFrame` that shows (height, width, 3) uint8 RGB, C-contiguous."""
        frame: Any = av.VideoFrame(*self._size, "yuv420p")
        frame.colorspace, frame.color_range = int(Colorspace.ITU709), int(ColorRange.MPEG)
        luma, blue, red = (
            np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size) for plane in frame.planes
        )
        convert(image, luma, blue, red, self._weights, self._rows, self._sums)
        return frame


@compiled
def convert(
    image: Picture, luma: Plane, blue: Plane, red: Plane, weights: Ints, rows: Picture, sums: Ints
) -> None:
    """Fill the planes, whose rows may be longer than needed; `rows` and `sums` are scratch.

    Args:
        image: (h, w, 3) uint8 RGB, h and w even.
        luma: (h, w or more), blue, red: (h / 2, w / 2 or more), written; colour is the mean of four pixels.
        weights: (9,), see `_weights`.
        rows: (2, 3, w); sums: (3, w / 2).

    Channels are taken apart first, so that the compiler can do many pixels of the rest at once.
    """
    height, width, _ = image.shape
    half = np.int32((16 << _BITS) + (1 << (_BITS - 1)))
    half_of_four = np.int32((128 << (_BITS + 2)) + (1 << (_BITS + 1)))
    for y in range(0, height, 2):
        for n in range(2):
            _take_apart(image[y + n].reshape(-1), rows[n, 0], rows[n, 1], rows[n, 2])
            _weigh(rows[n, 0], rows[n, 1], rows[n, 2], luma[y + n], weights[:3], half)
        for channel in range(3):
            _add_fours(rows[0, channel], rows[1, channel], sums[channel])
        for x in range(width // 2):
            r, g, b = sums[0, x], sums[1, x], sums[2, x]
            u = r * weights[3] + g * weights[4] + b * weights[5]
            v = r * weights[6] + g * weights[7] + b * weights[8]
            blue[y // 2, x] = np.uint8((u + half_of_four) >> (_BITS + 2))
            red[y // 2, x] = np.uint8((v + half_of_four) >> (_BITS + 2))


@compiled
def _take_apart(row: Plane, red: Plane, green: Plane, blue: Plane) -> None:
    for x in range(len(red)):
        red[x], green[x], blue[x] = row[3 * x], row[3 * x + 1], row[3 * x + 2]


@compiled
def _weigh(red: Plane, green: Plane, blue: Plane, out: Plane, weights: Ints, half: int) -> None:
    w0, w1, w2 = weights[0], weights[1], weights[2]
    for x in range(len(red)):
        total = np.int32(red[x]) * w0 + np.int32(green[x]) * w1 + np.int32(blue[x]) * w2 + half
        out[x] = np.uint8(total >> _BITS)


@compiled
def _add_fours(upper: Plane, lower: Plane, out: Ints) -> None:
    for x in range(len(out)):
        above = np.int32(upper[2 * x]) + np.int32(upper[2 * x + 1])
        out[x] = above + np.int32(lower[2 * x]) + np.int32(lower[2 * x + 1])
