"""A folder of faces, opened to learn from."""

from __future__ import annotations

import hashlib
import os
import re
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np

from likeness.errors import FaceSetFormat, MediaNotFound, NoFace, Unreadable
from likeness.faces.identity import MIN_SIZE_PX, FaceEmbedding, embed_face
from likeness.facesets.alignments import FILE_NAME, Alignments, read_alignments
from likeness.facesets.records import FaceRecord
from likeness.media.image import read_image
from likeness.types import Face, Floats, Picture

RANKED: Final = re.compile(r"(?:\d{5,9}-)?((?:\d{1,5}_)?\d{6,9}_\d{1,9}\.png)", re.ASCII)
"""A picture's name in the folder. `likeness swap sort` puts a rank before the name that the record knows."""


class FaceSet:
    """The faces in a folder that has an alignments file.

    A picture that was deleted, or a line of the file, is a face less, and no error; `notes` says how many.

    Attributes:
        folder: where it is.
        alignments: the file's content, with the records of all faces that it lists.
        faces: the records whose pictures are there, in the order of the file.
        notes: what was ignored; one sentence each.
    """

    def __init__(self, folder: Path, alignments: Alignments) -> None:
        self.folder = folder
        self.alignments = alignments
        self._names, spare = find_pictures(folder)
        self.faces: tuple[FaceRecord, ...] = tuple(
            record for record in alignments.faces if record.file in self._names
        )
        missing = len(alignments.faces) - len(self.faces)
        unknown = spare + len(self._names) - len(self.faces)
        notes = []
        if missing:
            notes.append(f"{missing} of the faces that {FILE_NAME} lists have no picture any more.")
        if unknown:
            notes.append(f"{unknown} PNG files are ignored, since {FILE_NAME} does not know them.")
        self.notes = tuple(notes)

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> FaceSet:
        """Open a folder that `likeness swap extract` made.

        Raises:
            MediaNotFound: there is no such folder, or no alignments file in it.
            FaceSetFormat: the alignments file cannot be used; says why.
            NoFace: no face is left.
        """
        path = Path(folder)
        if not path.is_dir():
            raise MediaNotFound(
                f"There is no folder {path}.", "`likeness swap extract VIDEO -o FOLDER` makes one."
            )
        found = cls(path, read_alignments(path / FILE_NAME))
        if not found.faces:
            raise NoFace(f"No face is left in {path}.", "Extract them again with `likeness swap extract`.")
        return found

    @property
    def size_px(self) -> int:
        """The side of each picture."""
        return self.alignments.size_px

    @property
    def zoom(self) -> float:
        """How much more than the square of the face each picture shows."""
        return self.alignments.zoom

    def __len__(self) -> int:
        return len(self.faces)

    def path(self, record: FaceRecord) -> Path:
        """Where a face's picture is."""
        return self.folder / self._names[record.file]

    def read(self, record: FaceRecord) -> Picture:
        """A face's picture, (size_px, size_px, 3) uint8 RGB.

        Raises:
            MediaError: it cannot be read.
            FaceSetFormat: it has another size.
        """
        path, side = self.path(record), self.size_px
        image = read_image(path, max_pixels=16 * side * side).image
        if image.shape != (side, side, 3):
            raise FaceSetFormat(
                f"{path} is {image.shape[1]}×{image.shape[0]} px large; in this set all are {side}×{side}.",
                f"Restore it, or delete it: `likeness swap extract --alignments {FILE_NAME}` cuts it anew.",
            )
        return image

    def points(self, record: FaceRecord) -> Floats:
        """The (478, 3) float32 points of a face, px of its picture."""
        return record.alignment.cut_points(record.points, self.size_px, zoom=self.zoom)

    def embed(self, record: FaceRecord, *, offline: bool | None = None) -> FaceEmbedding | None:
        """Whose face a picture shows, (128,) float32, or None where it is too small to be known.

        `record.identity` says the same of the frame it was cut from (they are within 0.1 of each other), but
        that is what a file says, which anybody may edit, and pictures may be exchanged. Where consent depends
        on it, measure.

        Raises:
            MediaError: the picture cannot be read.
            ModelError: the identity network cannot be had.
        """
        face = Face(self.points(record), record.blendshapes, record.score)
        if not np.isfinite(face.points).all() or face.size_px < MIN_SIZE_PX:
            return None
        return embed_face(self.read(record), face, offline=offline)

    @cached_property
    def sha256(self) -> str:
        """Of all faces and pictures, however they are sorted. Reads every picture once.

        Raises:
            Unreadable: a picture is not there any more.
        """
        whole = hashlib.sha256(f"{self.size_px} {self.zoom}\n".encode())
        for record in sorted(self.faces, key=lambda face: face.file):
            whole.update(record.to_line().encode())
            try:
                with self.path(record).open("rb") as file:
                    whole.update(hashlib.file_digest(file, "sha256").digest())
            except OSError as error:
                raise Unreadable(
                    f"{self.path(record)} cannot be read: {error.strerror}.",
                    "Leave the folder as it is while it is used.",
                ) from error
        return whole.hexdigest()


def find_pictures(folder: Path) -> tuple[dict[str, str], int]:
    """The names of the pictures in a folder by the names that records know, and how many others there are."""
    names: dict[str, str] = {}
    spare = 0
    for name in sorted(entry.name for entry in os.scandir(folder) if entry.is_file()):
        if found := RANKED.fullmatch(name):
            if names.setdefault(found[1], name) != name:
                spare += 1  # a copy of a face under another rank
        elif name.lower().endswith(".png"):
            spare += 1
    return names, spare
