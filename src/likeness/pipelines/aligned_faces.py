"""Faces as an alignments file has them, which people may have repaired by hand, in place of the tracker's."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from likeness.consent.text import tidy_name
from likeness.errors import NoFace, UsageError
from likeness.faces.aligned import Alignment
from likeness.faces.topology import canonical_mesh
from likeness.facesets.alignments import Alignments, read_alignments
from likeness.facesets.measure import SAME_FRAME_BITS, bits_apart, frame_hash
from likeness.facesets.records import FaceRecord
from likeness.pipelines.lookout import NAME_LETTERS
from likeness.types import Face, Frame

_DRAWN_PX, _DRAWN_SIDE, _DRAWN_DEG = 1.5, 0.02, 1.0
"""A square that differs more than this from the one its points give was drawn by hand."""


class AlignedFaces:
    """The faces of one clip, from its alignments file. It is a `follow_face.Found`.

    Args:
        path: the alignments file, or the face set's folder.
        clip: the video; its name says which source of the file it is, if there are several.
        first_frame: number in the file of the first frame that will be asked for.

    Raises:
        MediaNotFound, FaceSetFormat: it cannot be read.
        NoFace: it lists no face of this clip.
    """

    def __init__(self, path: Path, clip: Path, first_frame: int) -> None:
        if path.is_dir():
            path = path / "alignments.json"
        self._path, self._clip, self._first = path, clip, first_frame
        self._records: dict[int, list[FaceRecord]] = defaultdict(list)
        listed = read_alignments(path)
        source = _source_of(listed, clip)
        for record in listed.faces:
            if record.source == source:
                self._records[record.frame].append(record)
        if not self._records:
            raise NoFace(
                f"{path} lists no face of {clip.name}.",
                "Give the file that was made of this very clip: `likeness swap extract CLIP -o FOLDER`.",
            )

    @property
    def most(self) -> int:
        """How many different faces there are."""
        return len({record.face for records in self._records.values() for record in records})

    def faces(self, frame: Frame) -> tuple[Face, ...]:
        """The faces of a frame, the largest first.

        Raises:
            UsageError: the frame is not the one that the file speaks of.
        """
        records = self._of(frame)
        if records:
            apart = bits_apart(frame_hash(frame.image), records[0].frame_hash)
            if apart > SAME_FRAME_BITS:
                raise UsageError(
                    f"Frame {records[0].frame} of {self._clip.name} is not the one in {self._path} "
                    f"(their hashes differ in {apart} of 64 bits).",
                    "Give the file that was made of this very clip, or extract anew.",
                )
        found = [Face(one.points, one.blendshapes, one.score, one.face) for one in records]
        return tuple(sorted(found, key=lambda face: -face.size_px))

    def square(self, frame: Frame, face: Face) -> Alignment | None:
        """The square that was drawn by hand, or None."""
        for record in self._of(frame):
            if record.face == face.id and _is_drawn(record):
                return record.alignment
        return None

    def _of(self, frame: Frame) -> list[FaceRecord]:
        return self._records.get(self._first + frame.index, [])


def _source_of(listed: Alignments, clip: Path) -> int:
    if len(listed.sources) == 1:
        return 0
    names, name = [source.name for source in listed.sources], tidy_name(clip.name, NAME_LETTERS)
    return names.index(name) if name in names else -1


def _is_drawn(record: FaceRecord) -> bool:
    drawn, given = record.alignment, Alignment.of(record.points, canonical_mesh())
    turned = (drawn.roll_deg - given.roll_deg + 180) % 360 - 180
    return (
        abs(drawn.x - given.x) > _DRAWN_PX
        or abs(drawn.y - given.y) > _DRAWN_PX
        or abs(drawn.side_px - given.side_px) > _DRAWN_SIDE * given.side_px
        or abs(turned) > _DRAWN_DEG
    )
