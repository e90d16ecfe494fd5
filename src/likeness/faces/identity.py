"""Whose face it is, as far as a picture tells: 128 numbers, which lie close together for one person.

a = embed_face(picture, face)        (128,) float32
verdict(distance(a, b))              "match", "no match" or "cannot tell"
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness import models
from likeness.errors import FaceTooSmall, UsageError
from likeness.faces.resnet import NUMBERS, SIDE_PX, FaceNet, read_dlib
from likeness.faces.sampling import Affine, sample
from likeness.types import Face, Floats, Picture, Verdict

FaceEmbedding: TypeAlias = Floats
"""(128,) float32; about 1.3 long."""

MODEL = "face-identity"
REVISION = 1
"""Of what is read from the model's file."""

FACE_MODEL = "dlib-face-recognition-resnet-v1/1"
"""Network and revision of what is done around it. Embeddings of another one must not be compared."""

MATCH = 0.5
"""Closer than this: the same person. Of 29,298 pairs of pictures of two people one came closer, two drawings;
the closest photographs were 0.557 apart (`docs/identity.md`, 25 people)."""

NO_MATCH = 0.6
"""Farther than this: two people. It is the radius that the network was trained to, and the threshold of its
author's test (LFW), 99.38 % right, or 99.13 % with each face seen once, as here (dlib,
`python_examples/face_recognition.py`). 4 of our 1,930 pairs of one person lay beyond it, all with hands
before the face or damaged; none is known to be of different days: for those, only the author's figures speak.
Between the two nobody can tell: 3 % of one person's pairs, 1 % of two people's."""

MIN_SIZE_PX = 40
"""Of the face, the longer side of its box. At this size, compressed, 24 of 25 faces still matched; at 32 px
3 of 25 were taken for somebody else's."""


# dlib's average face in a square without padding (dlib/image_transforms/interpolation.h,
# `get_face_chip_details`): outer and inner corner of the left eye, then of the right one, base of the nose.
TEMPLATE = np.array(
    [
        [0.8595674595992, 0.2134981538014],
        [0.6460604764104, 0.2289674387677],
        [0.1205750620789, 0.2137274526848],
        [0.3340850613712, 0.2290642403242],
        [0.4901123135679, 0.6277975316475],
    ]
)
PADDING = 0.25
POINTS = (263, 362, 33, 133, 2)
"""The same in our mesh."""


def embed_face(image: Picture, face: Face, *, offline: bool | None = None) -> FaceEmbedding:
    """What tells this face from others, (128,) float32.

    Args:
        image: (h, w, 3) uint8 RGB.
        face: as found in `image`.
        offline: True forbids fetching the network; None asks the environment variable `LIKENESS_OFFLINE`.

    Raises:
        FaceTooSmall: the face has fewer than `MIN_SIZE_PX` pixels.
        ModelMissing, ChecksumMismatch, NotWritable, DiskFull: the network cannot be had.
    """
    return np.asarray(embed_faces([(image, face)], offline=offline)[0], np.float32)


def embed_faces(faces: Iterable[tuple[Picture, Face]], *, offline: bool | None = None) -> Floats:
    """`embed_face` for several, (n, 128) float32; each comes with the picture that it was found in."""
    chips = [face_chip(image, face) for image, face in faces]
    if not chips:
        return np.empty((0, NUMBERS), np.float32)
    return _network(models.Access(offline)).run(np.stack(chips))


def distance(a: FaceEmbedding, b: FaceEmbedding) -> float:
    """How far apart two embeddings are: Euclidean; 0 for the same picture, about 0.8 for two strangers.

    Raises:
        UsageError: one of them is no embedding of this model.
    """
    for embedding in (a, b):
        if embedding.shape != (NUMBERS,) or not np.isfinite(embedding).all():
            raise UsageError(
                f"A face embedding has {NUMBERS} finite numbers; this one has the shape {embedding.shape}.",
                f"Compare embeddings of {FACE_MODEL} only.",
            )
    return float(np.linalg.norm(a.astype(np.float64) - b))


def verdict(distance: float) -> Verdict:
    """What a distance says about two faces being one person's."""
    if distance < MATCH:
        return "match"
    return "no match" if distance > NO_MATCH else "cannot tell"


def face_chip(image: Picture, face: Face) -> Picture:
    """The upright face as the network wants it, (150, 150, 3) uint8 RGB; black outside the picture.

    Raises:
        FaceTooSmall: as `embed_face`.
    """
    if not face.size_px >= MIN_SIZE_PX:
        raise FaceTooSmall(
            f"The face has {face.size_px:.0f} pixels; to tell whose it is takes {MIN_SIZE_PX}.",
            "Use a larger or less cropped picture of it.",
        )
    to_picture = _similarity(TEMPLATE_PX, face.points[list(POINTS), :2])
    return sample(image, to_picture, SIDE_PX, SIDE_PX, border=cv2.BORDER_CONSTANT)


TEMPLATE_PX = (TEMPLATE + PADDING) / (1 + 2 * PADDING) * SIDE_PX


def _similarity(source: NDArray[np.floating], target: NDArray[np.floating]) -> Affine:
    """The (2, 3) similarity that brings `source` closest to `target`, (n, 2): least squares.

    In the complex plane that is a line, z ↦ az + b, whose slope turns and enlarges.
    """
    z, w = source @ [1, 1j], target.astype(np.float64) @ [1, 1j]
    slope = np.vdot(z - z.mean(), w - w.mean()) / np.vdot(z - z.mean(), z - z.mean())
    shift = w.mean() - slope * z.mean()
    return np.array([[slope.real, -slope.imag, shift.real], [slope.imag, slope.real, shift.imag]])


@cache
def _network(access: models.Access) -> FaceNet:
    return FaceNet(models.converted(MODEL, read_dlib, revision=REVISION, offline=access.offline))
