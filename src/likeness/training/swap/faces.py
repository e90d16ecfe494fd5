"""Faces of one person as training wants them: arrays, with maps of where face, eyes and mouth are."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.engines.swap.mask import EYE_AREAS, OUTER_LIPS
from likeness.errors import UsageError
from likeness.faces.landmarks import BLENDSHAPES
from likeness.faces.resnet import NUMBERS
from likeness.faces.topology import FACE_OVAL
from likeness.facesets.faceset import FaceSet
from likeness.facesets.records import FaceRecord
from likeness.types import Face, Floats, Picture

ZOOM = 1.25
MOST_FACES = 6000
"""Of one person; no more of one clip helps."""
MOST_BYTES = MOST_FACES * 3 * 320**2
"""What they may fill as cut, 1.8 GB: of larger pictures there are fewer."""


@dataclass(frozen=True, eq=False)
class Faces:
    """Cut faces of one person.

    Attributes:
        pictures: (n, side, side, 3) uint8 RGB, each `Alignment.cut(frame, side, zoom=zoom)`.
        points: (n, 478, 2 or 3) float32, px of the cut.
        zoom: how much more than the face's square the pictures show.
        embeddings: (n, 128) float32, whose face it is; a row of NaN where nobody measured it.
        sha256: of the face set that they come from; of arrays, of the arrays.
        name: what to call the set in messages.
        expressions: (n, 52) float32, the tracker's blendshapes; None = nobody measured them.
        sides_px: (n,) float32, of the faces' squares as they were filmed; None = nobody knows.
        source: the face set and its records, one for each face; None of bare arrays.
    """

    pictures: Picture
    points: Floats
    zoom: float = ZOOM
    embeddings: Floats | None = None
    sha256: str = ""
    name: str = "the faces"
    expressions: Floats | None = None
    sides_px: Floats | None = None
    source: tuple[FaceSet, tuple[FaceRecord, ...]] | None = None

    def __post_init__(self) -> None:
        n, side = self.pictures.shape[:2]
        if self.pictures.shape != (n, side, side, 3) or self.pictures.dtype != np.uint8:
            raise UsageError(
                f"{self.name}: {self.pictures.shape} are no pictures.", "Give (n, s, s, 3) uint8."
            )
        if self.points.shape[:2] != (n, 478) or self.points.shape[2] not in (2, 3):
            raise UsageError(f"{self.name}: {self.points.shape} are no points.", "Give (n, 478, 3), px.")

    def __len__(self) -> int:
        return len(self.pictures)

    @classmethod
    def read(cls, folder: str | os.PathLike[str], most: int = MOST_FACES) -> tuple[Faces, tuple[str, ...]]:
        """The faces of a face set; of a larger one, `most` that are spread over it. And what is to be noted.

        They fill `MOST_BYTES` at most.

        Raises:
            MediaError, FaceError: see `FaceSet.open` and `FaceSet.read`.
        """
        found = FaceSet.open(folder)
        name, count = found.folder.name or str(folder), len(found)
        most = min(count, most, MOST_BYTES // (3 * found.size_px**2))
        chosen = np.unique(np.linspace(0, count - 1, most).round().astype(int))
        records = [found.faces[i] for i in chosen]
        notes = [f"{name}: {note}" for note in found.notes]
        if len(records) < count:
            notes.append(
                f"{name}: of {count} faces, {len(records)} that are spread over it are learned from."
            )
        unknown = np.full(NUMBERS, np.nan, np.float32)
        known = [unknown if one.identity is None else np.asarray(one.identity, np.float32) for one in records]
        pictures = np.empty((len(records), found.size_px, found.size_px, 3), np.uint8)
        for picture, one in zip(pictures, records, strict=True):
            picture[:] = found.read(one)
        points = np.stack([found.points(one) for one in records])
        made = cls(
            pictures,
            points,
            found.zoom,
            np.stack(known),
            found.sha256,
            name,
            np.stack([np.asarray(one.blendshapes, np.float32) for one in records]),
            np.array([one.alignment.side_px for one in records], np.float32),
            (found, tuple(records)),
        )
        return made, tuple(notes)

    @cached_property
    def digest(self) -> str:
        """`sha256`, or that of the arrays."""
        if self.sha256:
            return self.sha256
        parts = hashlib.sha256(self.pictures.tobytes())
        parts.update(self.points.tobytes())
        return parts.hexdigest()

    def take(self, chosen: Iterable[int]) -> Faces:
        """Some of them, with another hash."""
        at = np.fromiter(chosen, int)
        known, expressions, sides = (
            None if one is None else one[at] for one in (self.embeddings, self.expressions, self.sides_px)
        )
        source = self.source and (self.source[0], tuple(self.source[1][i] for i in at))
        return Faces(
            self.pictures[at], self.points[at], self.zoom, known, "", self.name, expressions, sides, source
        )

    def measure(self, chosen: Iterable[int]) -> Floats:
        """Whose faces some of them are, (m, 128) float32; without those that are too small to tell.

        Of a face set this is measured on the pictures: what its file says of them, anybody could have
        written. Of bare arrays it is `embeddings`.

        Raises:
            MediaError, ModelError: a picture cannot be read, or the network not be had.
        """
        found: list[Floats | None] = []
        if self.source is not None:
            folder, records = self.source
            found = [folder.embed(records[i]) for i in chosen]
        elif self.embeddings is not None:
            found = [one if np.isfinite(one).all() else None for one in self.embeddings[list(chosen)]]
        known = [one for one in found if one is not None]
        return np.stack(known) if known else np.empty((0, NUMBERS), np.float32)

    def face(self, number: int) -> Face:
        """One of them as the tracker gives it, in px of the cut."""
        expression = np.zeros(len(BLENDSHAPES), np.float32)
        if self.expressions is not None:
            expression = self.expressions[number]
        return Face(self.points[number], expression, 1.0)

    @property
    def filmed_px(self) -> Floats:
        """(n,) float32, sides of the squares as they were filmed, or as they are cut."""
        if self.sides_px is not None:
            return self.sides_px
        return np.full(len(self), self.pictures.shape[1] / self.zoom, np.float32)

    def squares(self, size_px: int, chosen: Iterable[int] | None = None) -> Picture:
        """Without the rim, as the networks see them, (n, size_px, size_px, 3) uint8."""
        at = range(len(self)) if chosen is None else chosen
        matrix = to_cut(size_px, self.pictures.shape[1], self.zoom)
        found = [_shrink(self.pictures[i], matrix, size_px) for i in at]
        return np.stack(found) if found else np.empty((0, size_px, size_px, 3), np.uint8)

    def square_points(self, size_px: int) -> Floats:
        """Points in px of these, (n, 478, 2) float32."""
        matrix = to_cut(size_px, self.pictures.shape[1], self.zoom)
        return np.asarray((self.points[..., :2] - matrix[:, 2]) / matrix[0, 0], np.float32)


def to_cut(size_px: int, side_px: int, zoom: float) -> NDArray[np.float64]:
    """(2, 3): indices of a `size_px` square without rim to indices of the cut it is in."""
    step = side_px / (zoom * size_px)
    shift = (side_px - 1) / 2 - step * (size_px - 1) / 2
    return np.array([[step, 0, shift], [0, step, shift]])


def draw_mask(points: Floats, side_px: int) -> NDArray[np.uint8]:
    """The face, (side_px, side_px) uint8, 255 inside: the hull of the mesh's rim, as far up as it goes."""
    return _fill([points[list(FACE_OVAL), :2]], side_px)


def draw_eyes(points: Floats, side_px: int) -> NDArray[np.uint8]:
    """Both eyes with their lids, (side_px, side_px) uint8, 255 inside."""
    return _fill([points[list(area), :2] for area in EYE_AREAS], side_px)


def draw_mouth(points: Floats, side_px: int) -> NDArray[np.uint8]:
    """The mouth with its lips, (side_px, side_px) uint8, 255 inside."""
    return _fill([points[list(OUTER_LIPS), :2]], side_px)


_SHIFT_BITS = 4


def _fill(outlines: Iterable[Floats], side_px: int) -> NDArray[np.uint8]:
    plane = np.zeros((side_px, side_px), np.uint8)
    for outline in outlines:
        hull = cv2.convexHull(np.rint(outline * (1 << _SHIFT_BITS)).astype(np.int32))
        cv2.fillConvexPoly(plane, hull, 255, cv2.LINE_AA, _SHIFT_BITS)
    return plane


def _shrink(image: Picture, matrix: NDArray[np.float64], size_px: int) -> Picture:
    """Samples twice as densely as asked where the picture has that many pixels, and averages."""
    over = 2 if matrix[0, 0] >= 1.5 else 1
    fine = finer(matrix, over)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    side = size_px * over
    if matrix[0, 0] > 2 * over:  # far more pixels than are needed: average blocks of them first
        factor = int(matrix[0, 0] // over)
        crop = image[: image.shape[0] // factor * factor, : image.shape[1] // factor * factor]
        image = np.asarray(
            cv2.resize(crop, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA), np.uint8
        )
        fine = fine / factor
        fine[:, 2] += (1 / factor - 1) / 2
    cut = cv2.warpAffine(image, fine, (side, side), flags=flags, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(cv2.resize(cut, (size_px, size_px), interpolation=cv2.INTER_AREA), np.uint8)


def finer(matrix: NDArray[np.float64], times: int) -> NDArray[np.float64]:
    """The same (2, 3) matrix for a picture of `times` as many pixels each way."""
    fine = matrix / times
    fine[:, 2] = matrix[:, 2] + matrix[:, :2].sum(1) * (1 / times - 1) / 2
    return fine
