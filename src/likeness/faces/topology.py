"""Which of the 478 points is what, and the canonical face mesh that they belong to.

The numbers are those of the MediaPipe face mesh. "Right" and "left" are the subject's own, so the right eye
is on the left of the picture. Lid rows run from the corner at the picture's left to the one at its right.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from likeness.errors import ModelFormat
from likeness.types import Floats


@dataclass(frozen=True, slots=True)
class EyeIndex:
    """The points of one eye.

    Attributes:
        corners: left and right in the picture; `inner_corner` is the one at the nose.
        upper, lower: the lids' edges (7 points each); `upper_ring`, `lower_ring` the rows beyond them.
        brow: the lower edge of the brow.
        iris: the iris's middle.
        blink: name of the blendshape that says how closed it is.
    """

    corners: tuple[int, int]
    inner_corner: int
    upper: tuple[int, ...]
    lower: tuple[int, ...]
    upper_ring: tuple[int, ...]
    lower_ring: tuple[int, ...]
    brow: tuple[int, ...]
    iris: int
    blink: str

    @property
    def outline(self) -> tuple[int, ...]:
        """The opening, once around."""
        return (self.corners[0], *self.upper, self.corners[1], *reversed(self.lower))


RIGHT_EYE = EyeIndex(
    corners=(33, 133),
    inner_corner=133,
    upper=(246, 161, 160, 159, 158, 157, 173),
    lower=(7, 163, 144, 145, 153, 154, 155),
    upper_ring=(247, 30, 29, 27, 28, 56, 190),
    lower_ring=(25, 110, 24, 23, 22, 26, 112),
    brow=(46, 53, 52, 65, 55),
    iris=468,
    blink="eyeBlinkRight",
)
LEFT_EYE = EyeIndex(
    corners=(362, 263),
    inner_corner=362,
    upper=(398, 384, 385, 386, 387, 388, 466),
    lower=(382, 381, 380, 374, 373, 390, 249),
    upper_ring=(414, 286, 258, 257, 259, 260, 467),
    lower_ring=(341, 256, 252, 253, 254, 339, 255),
    brow=(285, 295, 282, 283, 276),
    iris=473,
    blink="eyeBlinkLeft",
)
EYES = (RIGHT_EYE, LEFT_EYE)

FACE_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip

# Lip lines from the mouth's left corner in the picture to its right one; rings from the inside out.
UPPER_LIP_RINGS = (
    (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308),
    (62, 183, 42, 41, 38, 12, 268, 271, 272, 407, 292),
    (76, 184, 74, 73, 72, 11, 302, 303, 304, 408, 306),
    (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291),
)
LOWER_LIP_RINGS = (
    (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308),
    (62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292),
    (76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306),
    (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291),
)
INNER_UPPER_LIP, INNER_LOWER_LIP = UPPER_LIP_RINGS[0], LOWER_LIP_RINGS[0]
LIPS = tuple(sorted({point for ring in UPPER_LIP_RINGS + LOWER_LIP_RINGS for point in ring}))
MOUTH_CORNERS = (61, 291)
INNER_MOUTH = (*INNER_UPPER_LIP, *reversed(INNER_LOWER_LIP[1:-1]))

FOREHEAD_TOP, CHIN = 10, 152
SKIN = (50, 280, 205, 425, 4, 197)
"""Cheeks and nose: plain skin."""


@dataclass(frozen=True, slots=True, eq=False)
class CanonicalMesh:
    """The average face that the tracker's points are a deformation of.

    Attributes:
        vertices: (468, 3) float32 cm: x right, y down, z away from the camera, like the tracker's points.
        uv: (468, 2) float32 0…1, v down.
        triangles: (898, 3) int32; eyes and mouth are closed.
        still: (n,) int32 vertices that lids, lips and jaw leave alone.
        rigid: (33,) int32 vertices that the head's pose is fitted to, with `rigid_weights` (33,) float32.
    """

    vertices: Floats
    uv: Floats
    triangles: NDArray[np.int32]
    rigid: NDArray[np.int32]
    rigid_weights: Floats
    still: NDArray[np.int32]


@functools.lru_cache(maxsize=2)
def canonical_mesh(model: Path | None = None) -> CanonicalMesh:
    """The mesh inside `face_landmarker.task`, which is fetched when `model` is None.

    Raises:
        ModelFormat: the bundle holds no such mesh.
    """
    from likeness.faces.nets import LANDMARKER, read_member
    from likeness.models import fetch

    data = read_member(model or fetch(LANDMARKER), "geometry_pipeline_metadata_landmarks.binarypb")
    try:
        return _parse(data)
    except (IndexError, struct.error, ValueError, KeyError) as error:
        raise ModelFormat(
            f"The face mesh in the model is damaged: {error}.", "Run `likeness models pull`."
        ) from error


def _parse(data: bytes) -> CanonicalMesh:
    """GeometryPipelineMetadata: field 1 is the mesh (3: vertices, 4: indices), field 2 weighted points."""
    vertices: list[float] = []
    indices: list[int] = []
    rigid: list[int] = []
    weights: list[float] = []
    for number, value in _fields(data):
        if not isinstance(value, bytes):
            continue
        if len(value) > 1000:
            for inner, item in _fields(value):
                if inner == 3:
                    vertices += _floats(item)
                elif inner == 4:
                    indices += _varints(item)
        elif number == 2:
            entry = dict(_fields(value))
            rigid.append(int(entry.get(1, 0)))
            weights += _floats(entry[2])
    table = np.array(vertices, np.float32).reshape(468, 5)
    position = table[:, :3] * np.array([1, -1, -1], np.float32)
    uv = table[:, 3:5].copy()
    if uv[FOREHEAD_TOP, 1] > uv[CHIN, 1]:
        uv[:, 1] = 1 - uv[:, 1]
    return CanonicalMesh(
        position.astype(np.float32),
        uv,
        np.array(indices, np.int32).reshape(898, 3),
        np.array(rigid, np.int32),
        np.array(weights, np.float32),
        _still(position),
    )


def _still(vertices: Floats) -> NDArray[np.int32]:
    lively = set(LIPS)
    for eye in EYES:
        lively |= {*eye.outline, *eye.upper_ring, *eye.lower_ring, *eye.brow}
    above_the_jaw = np.nonzero(vertices[:, 1] < 3.5)[0].tolist()
    return np.array([point for point in above_the_jaw if point not in lively], np.int32)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def _fields(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    """The fields of a protocol buffer message: (number, bytes for 32-bit and length-delimited, else int)."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        if kind == 2:
            size, at = _varint(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError(f"wire type {kind}")
        yield key >> 3, data[at : at + size]
        at += size


def _floats(item: bytes | int) -> list[float]:
    return list(struct.unpack(f"<{len(item) // 4}f", item)) if isinstance(item, bytes) else []


def _varints(item: bytes | int) -> list[int]:
    if isinstance(item, int):
        return [item]
    values, at = [], 0
    while at < len(item):
        value, at = _varint(item, at)
        values.append(value)
    return values
