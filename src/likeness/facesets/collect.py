"""From frames to faces on disk: each is cut, measured and written at once.

What stays in memory of a face is whose it may be, less than 1 kB.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from likeness.errors import FaceTooSmall
from likeness.faces import identity
from likeness.faces.aligned import Alignment
from likeness.faces.pose import euler_deg, head_pose
from likeness.faces.topology import CanonicalMesh, canonical_mesh
from likeness.facesets.alignments import ZOOM
from likeness.facesets.keep import Reason, Sighting
from likeness.facesets.measure import SHARPNESS_SIDE_PX, frame_hash, sharpness
from likeness.facesets.records import FaceRecord, Pose, rounded_square
from likeness.facesets.strict import Fields
from likeness.media.image import encode_png
from likeness.types import Face, Floats, Picture


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A frame with the faces in it.

    Attributes:
        source: which source, from 0.
        frame, time_s: which frame of it, from 0, and its time in seconds.
        image: (h, w, 3) uint8 RGB.
        faces: those in it; ids stay the same within a source.
    """

    source: int
    frame: int
    time_s: Fraction
    image: Picture
    faces: tuple[Face, ...]


class Collector:
    """Takes the faces of one frame after another. A context manager.

    Args:
        folder: where to.
        size_px: side of the cuts.
        min_size_px: faces whose box is smaller are left out.
        sources: how many there will be; with several, names of pictures begin with the source's number.
        offline: fetch no model; None = as the environment says.

    Attributes:
        frames: how many were taken so far.
        empty_frames: how many of them showed no face.
        gaps: source, first and last frame of every run of frames without a face.
        sightings: the faces that were cut.
        dropped: how many faces were left out, by reason.
    """

    def __init__(
        self, folder: Path, *, size_px: int, min_size_px: float, sources: int, offline: bool | None = None
    ) -> None:
        self.folder, self.size_px = folder, size_px
        self.frames = self.empty_frames = 0
        self.gaps: list[tuple[int, int, int]] = []
        self.sightings: list[Sighting] = []
        self.dropped: Counter[Reason] = Counter()
        self._min_size_px, self._offline = min_size_px, offline
        self._digits = 0 if sources == 1 else max(2, len(str(sources - 1)))
        self._mesh = canonical_mesh()
        self._gap_goes_on = False

    def __enter__(self) -> Collector:
        self._records = (self.folder / "records.part").open("w+", encoding="utf-8")
        self._reasons = (self.folder / "reasons.part").open("w+", encoding="utf-8")
        return self

    def __exit__(self, *details: object) -> None:
        for file in (self._records, self._reasons):
            file.close()
            Path(file.name).unlink(missing_ok=True)

    def take(self, look: Look) -> None:
        """Cuts the faces of a frame; frames come in order.

        Raises:
            ModelError: the identity network cannot be had.
            OSError: the disk takes no more.
        """
        self.frames += 1
        self._note_gap(look)
        code = frame_hash(look.image) if look.faces else ""
        prefix = f"{look.source:0{self._digits}}_" if self._digits else ""
        for face in look.faces:
            name = f"{prefix}{look.frame:06}_{face.id}.png"
            if face.size_px < self._min_size_px:
                self.drop("too small", look.source, look.frame, face.id, face.box)
                continue
            record, cut = measure(look, face, name, code, self.size_px, self._mesh)
            record = replace(record, identity=self._embed(look.image, face))
            (self.folder / name).write_bytes(encode_png(cut))
            self._records.write(record.to_line() + "\n")
            self.sightings.append(Sighting(name, look.source, face.id, code, record.identity))

    def drop(
        self, reason: Reason, source: int, frame: int, face: int, box: tuple[float, float, float, float]
    ) -> None:
        """Notes that a face was left out."""
        self.dropped[reason] += 1
        sides = [round(side, 1) for side in box]
        what = {"reason": reason, "source": source, "frame": frame, "face": face, "box": sides}
        self._reasons.write(json.dumps(what) + "\n")

    def records(self) -> Iterator[FaceRecord]:
        """The record of every sighting, read back from disk."""
        self._records.seek(0)
        for line in self._records:
            yield FaceRecord.read(Fields(json.loads(line)))

    def reasons(self) -> Iterator[str]:
        """One line of JSON for every face that was left out."""
        self._reasons.seek(0)
        for line in self._reasons:
            yield line.rstrip("\n")

    def _embed(self, image: Picture, face: Face) -> Floats | None:
        with contextlib.suppress(FaceTooSmall):
            return identity.embed_face(image, face, offline=self._offline)
        return None

    def _note_gap(self, look: Look) -> None:
        if look.faces:
            self._gap_goes_on = False
            return
        self.empty_frames += 1
        if self._gap_goes_on and self.gaps[-1][0] == look.source:
            self.gaps[-1] = (look.source, self.gaps[-1][1], look.frame)
        else:
            self.gaps.append((look.source, look.frame, look.frame))
        self._gap_goes_on = True


def measure(
    look: Look, face: Face, name: str, code: str, size_px: int, mesh: CanonicalMesh
) -> tuple[FaceRecord, Picture]:
    """A face's record, without whose it is, and its cut.

    Args:
        name: of its picture.
        code: the frame's hash.
    """
    square = rounded_square(Alignment.of(face.points, mesh))
    pitch, yaw, roll = euler_deg(head_pose(face.points, mesh).rotation).tolist()
    record = FaceRecord(
        file=name,
        source=look.source,
        frame=look.frame,
        face=face.id,
        time_s=float(look.time_s),
        box=face.box,
        score=face.score,
        pose=Pose(pitch, yaw, roll),
        alignment=square,
        points=face.points,
        blendshapes=np.clip(face.blendshapes, 0, 1),
        blur=measure_square(look.image, square),
        identity=None,
        identity_distance=None,
        frame_hash=code,
    )
    return record, square.cut(look.image, size_px, zoom=ZOOM)


def measure_square(image: Picture, square: Alignment) -> float:
    """How sharp a face is in a picture, from the square itself."""
    return sharpness(square.cut(image, SHARPNESS_SIDE_PX))
