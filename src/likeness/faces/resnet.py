"""The network behind `faces.identity`: dlib's face recognition ResNet v1 (Davis King 2017, CC0), in NumPy.

A ResNet of 29 convolutions (He et al. 2016, arXiv:1512.03385, with layers taken out), which turns a face into
128 numbers such that faces of one person lie closer together than 0.6. What it computes is set down in dlib's
`examples/dnn_face_recognition_ex.cpp`, `anet_type`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from likeness.errors import ModelFormat
from likeness.types import Floats, Picture

SIDE_PX = 150
"""Of the square picture that the network takes."""

STEM = (32, 7)  # channels, kernel
BLOCKS = (
    *[(32, 1)] * 3,
    *[(64, 2), *[(64, 1)] * 3],
    *[(128, 2), *[(128, 1)] * 2],
    *[(256, 2), *[(256, 1)] * 2],
    (256, 2),
)
"""(channels, stride) of each residual block: two 3 × 3 convolutions, the first of them with the stride."""

NUMBERS = 128
LAYERS = {b"con_4": 0, b"affine_": 0, b"fc_2": 5}
"""What dlib calls the layers that hold numbers, and how many bytes stand between name and tensor."""
MEAN = np.array([122.782, 117.001, 104.298], np.float32)
SCALE = np.float32(1 / 256)

BATCH = 8  # pictures at once: what lies unfolded in memory stays below 100 MB


class FaceNet:
    """The network, ready to run. An instance may be used by several threads at once.

    Args:
        arrays: as `read_dlib` returns them.
    """

    def __init__(self, arrays: Mapping[str, Floats]) -> None:
        self._arrays = arrays

    def run(self, chips: Picture) -> Floats:
        """Pictures of aligned faces, (n, 150, 150, 3) uint8 RGB, to (n, 128) float32."""
        found = [self._run(chips[start : start + BATCH]) for start in range(0, len(chips), BATCH)]
        return np.concatenate([np.empty((0, NUMBERS), np.float32), *found])

    def _run(self, chips: Picture) -> Floats:
        x = ((chips.astype(np.float32) - MEAN) * SCALE).transpose(0, 3, 1, 2)
        x = _pool_max(np.maximum(self._convolve(x, "stem", stride=2, padding=0), 0))
        for index, (_, stride) in enumerate(BLOCKS):
            inner = np.maximum(self._convolve(x, f"{index}.a", stride=stride, padding=stride == 1), 0)
            inner = self._convolve(inner, f"{index}.b", stride=1, padding=1)
            x = np.maximum(_add(inner, x if stride == 1 else _pool_mean(x)), 0)
        return np.asarray(x.mean((2, 3)) @ self._arrays["head"], np.float32)

    def _convolve(self, x: Floats, name: str, *, stride: int, padding: int) -> Floats:
        """(n, c, h, w) to (n, d, h', w'), as one product of matrices."""
        weight, bias = self._arrays[f"{name}.weight"], self._arrays[f"{name}.bias"]
        kernel = weight.shape[-1]
        if padding:
            x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        windows = sliding_window_view(x, (kernel, kernel), (2, 3))[:, :, ::stride, ::stride]
        count, _, height, width = windows.shape[:4]
        columns = windows.transpose(0, 1, 4, 5, 2, 3).reshape(count, -1, height * width)
        y = weight.reshape(len(weight), -1) @ columns + bias[:, None]
        return y.reshape(count, -1, height, width)


def _pool_max(x: Floats) -> Floats:
    """The largest of each 3 × 3 window, two apart: of rows first, then of columns."""
    height, width = ((side - 3) // 2 * 2 + 1 for side in x.shape[2:])
    rows = np.maximum(
        np.maximum(x[:, :, 0:height:2], x[:, :, 1 : height + 1 : 2]), x[:, :, 2 : height + 2 : 2]
    )
    first, second, third = (rows[..., at : width + at : 2] for at in range(3))
    return np.maximum(np.maximum(first, second), third)


def _pool_mean(x: Floats) -> Floats:
    """The mean of each block of 2 × 2; an odd last row or column is left out."""
    height, width = x.shape[2] // 2, x.shape[3] // 2
    blocks = x[:, :, : 2 * height, : 2 * width].reshape(*x.shape[:2], height, 2, width, 2)
    return np.asarray(blocks.mean((3, 5)))


def _add(x: Floats, y: Floats) -> Floats:
    """The sum of two (n, c, h, w) arrays of different sizes; what one lacks is zero (dlib's `add_prev`)."""
    total = np.zeros(np.maximum(x.shape, y.shape), np.float32)
    for part in (x, y):
        total[tuple(slice(side) for side in part.shape)] += part
    return total


def read_dlib(data: bytes) -> dict[str, Floats]:
    """The arrays in `dlib_face_recognition_resnet_model_v1.dat`.

    dlib writes the layers one after another, from the picture to the output: a name, then the layer's numbers
    as one tensor. Each convolution is followed by an affine layer (a batch normalisation at rest), which is
    merged into it here.

    Returns:
        "stem.weight" (32, 3, 7, 7) and "stem.bias" (32,); "0.a.weight", "0.a.bias", "0.b.weight", … of each
        block; "head" (256, 128). All float32.

    Raises:
        ModelFormat: `data` is another file.
    """
    arrays: dict[str, Floats] = {}
    at = 0
    for name, (outputs, inputs, kernel) in _convolutions():
        size = outputs * inputs * kernel**2
        filters, at = _tensor(data, at, b"con_4", size + outputs)
        affine, at = _tensor(data, at, b"affine_", 2 * outputs)
        gain, shift = affine[:outputs], affine[outputs:]
        weight = filters[:size].reshape(outputs, inputs, kernel, kernel)
        arrays[f"{name}.weight"] = weight * gain[:, None, None, None]
        arrays[f"{name}.bias"] = filters[size:] * gain + shift
    inputs = BLOCKS[-1][0]
    arrays["head"] = _tensor(data, at, b"fc_2", inputs * NUMBERS)[0].reshape(inputs, NUMBERS)
    return arrays


def _convolutions() -> Iterator[tuple[str, tuple[int, int, int]]]:
    """Name and (outputs, inputs, kernel) of each convolution, from the picture on."""
    channels, kernel = STEM
    yield "stem", (channels, 3, kernel)
    before = channels
    for index, (channels, _) in enumerate(BLOCKS):
        yield f"{index}.a", (channels, before, 3)
        yield f"{index}.b", (channels, channels, 3)
        before = channels


def _tensor(data: bytes, at: int, layer: bytes, size: int) -> tuple[Floats, int]:
    """The numbers of the next layer of this name, and the place after them (dlib/cuda/gpu_data.h)."""
    name = bytes([1, len(layer)]) + layer
    start = data.find(name, at)
    (version, *sides), at = _integers(data, start + len(name) + LAYERS[layer], 5)
    if start < 0 or version != 2 or math.prod(sides) != size or at + 4 * size > len(data):
        raise ModelFormat(
            f"This is not dlib's face recognition network: no layer {layer.decode()} of {size} numbers.",
            "Run `likeness models pull face-identity` to fetch it again.",
        )
    return np.frombuffer(data, "<f4", size, at).astype(np.float32), at + 4 * size


def _integers(data: bytes, at: int, count: int) -> tuple[list[int], int]:
    """The next integers, and the place after them. Each has sign and length in one byte, then its bytes."""
    values = []
    for _ in range(count):
        head = data[at] if at < len(data) else 0
        end = at + 1 + (head & 0x0F)
        value = int.from_bytes(data[at + 1 : end], "little")
        values.append(-value if head & 0x80 else value)
        at = end
    return values, at
