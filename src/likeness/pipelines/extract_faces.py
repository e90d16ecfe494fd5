"""Cut the faces of one person out of videos and pictures: read ▸ track ▸ cut ▸ whose face ▸ face set."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np

from likeness import models
from likeness.consent.gathering import is_still
from likeness.errors import FaceTooSmall, NoFace
from likeness.faces import FaceTracker, find_faces, identity
from likeness.faces.aligned import Alignment
from likeness.faces.nets import LANDMARKER
from likeness.faces.pose import euler_deg, head_pose
from likeness.faces.topology import CanonicalMesh, canonical_mesh
from likeness.facesets.alignments import (
    FILE_NAME,
    SIZE_PX,
    ZOOM,
    Alignments,
    FaceRecord,
    Pose,
    SourceFile,
    rounded_square,
    write_alignments,
)
from likeness.facesets.folder import check_folder, new_folder
from likeness.facesets.keep import Sighting, tell_apart
from likeness.facesets.measure import frame_hash, sharpness
from likeness.facesets.strict import Fields
from likeness.media import VideoReader, encode_png, read_image
from likeness.media.files import check_input
from likeness.pipelines.ahead import opencv_on_one_thread, run_ahead
from likeness.progress import OnProgress, Progress, silent
from likeness.types import Face, Picture

SMALLEST_FACE_PX = 48
_AHEAD_FRAMES = 4
_MOST_REFERENCES = 2000


@dataclass(frozen=True, slots=True)
class Extraction:
    """What was extracted.

    Attributes:
        folder: the finished face set.
        faces: how many were kept.
        frames: how many frames were looked at.
        frames_without_face: how many of them showed none.
        dropped: how many faces were left out, by reason.
        people: how many faces each person had that was seen, the most seen first.
        warnings: what a person should know of it.
    """

    folder: Path
    faces: int
    frames: int
    frames_without_face: int
    dropped: dict[str, int]
    people: tuple[int, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """A frame with its faces."""

    source: int
    frame: int
    time_s: Fraction
    image: Picture
    faces: tuple[Face, ...]


def extract_faces(
    sources: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    faces: int = 5,
    min_size_px: float = SMALLEST_FACE_PX,
    every: int = 1,
    start_s: Fraction | None = None,
    end_s: Fraction | None = None,
    size_px: int = SIZE_PX,
    overwrite: bool = False,
    offline: bool = False,
    on_progress: OnProgress = silent,
) -> Extraction:
    """Cut the faces of one person out of videos and pictures into the folder `out`."""
    paths = [Path(sources)] if isinstance(sources, str | os.PathLike) else [Path(one) for one in sources]
    out = Path(out)
    for path in paths:
        check_input(path)
    check_folder(out, overwrite=overwrite)
    bundle = models.fetch(LANDMARKER, on_progress=on_progress, offline=offline or None)
    with new_folder(out) as folder, opencv_on_one_thread():
        cutter = _Cutter(folder, size_px, min_size_px, prefix=len(paths) > 1, offline=offline)
        files: list[SourceFile] = []
        looks = _look(paths, files, bundle, faces, every, start_s, end_s)
        with run_ahead(looks, _AHEAD_FRAMES) as ready, cutter:
            for done, look in enumerate(ready, 1):
                cutter.take(look)
                on_progress(Progress("extract", done, None))
        return _finish(out, folder, cutter, tuple(files))


def _look(
    paths: list[Path],
    files: list[SourceFile],
    bundle: Path,
    faces: int,
    every: int,
    start_s: Fraction | None,
    end_s: Fraction | None,
) -> Iterator[_Look]:
    for number, path in enumerate(paths):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if is_still(path):
            image = read_image(path).image
            height, width = image.shape[:2]
            files.append(SourceFile(path.name, digest, width, height, None, 1))
            yield _Look(
                number, 0, Fraction(0), image, find_faces(image, limit=faces, threads=1, model=bundle)
            )
            continue
        with VideoReader(path, start_s=start_s, end_s=end_s) as reader:
            info = reader.info
            files.append(SourceFile(path.name, digest, info.width, info.height, info.rate, None))
            first = round(reader.start_s * info.rate)
            tracker = FaceTracker(faces=faces, threads=1, model=bundle)
            for frame in islice(reader, 0, None, every):
                index = first + frame.index
                yield _Look(number, index, index / info.rate, frame.image, tracker.track(frame.image))


class _Cutter:
    """Cuts and measures faces, into a folder and a file of lines, so that memory does not grow with them."""

    def __init__(
        self, folder: Path, size_px: int, min_size_px: float, *, prefix: bool, offline: bool
    ) -> None:
        self.frames = self.empty = 0
        self.size_px = size_px
        self.sightings: list[Sighting] = []
        self.dropped: Counter[str] = Counter()
        self.spool = folder / "faces.part"
        self._folder, self._min_size_px, self._prefix, self._offline = folder, min_size_px, prefix, offline
        self._mesh = canonical_mesh()

    def __enter__(self) -> _Cutter:
        self._lines = self.spool.open("w", encoding="utf-8")
        return self

    def __exit__(self, *details: object) -> None:
        self._lines.close()

    def take(self, look: _Look) -> None:
        self.frames += 1
        self.empty += not look.faces
        code = frame_hash(look.image) if look.faces else ""
        for face in look.faces:
            if face.size_px < self._min_size_px:
                self.dropped["too small"] += 1
                continue
            record, cut = measure_face(look, face, code, self.size_px, self._mesh, self._name(look, face))
            with contextlib.suppress(FaceTooSmall):
                record = replace(
                    record, identity=identity.embed_face(look.image, face, offline=self._offline or None)
                )
            (self._folder / record.file).write_bytes(encode_png(cut))
            self._lines.write(record.to_line() + "\n")
            self.sightings.append(Sighting(look.source, face.id, record.identity))

    def _name(self, look: _Look, face: Face) -> str:
        return f"{f'{look.source:02}_' if self._prefix else ''}{look.frame:06}_{face.id}.png"


def measure_face(
    look: _Look, face: Face, code: str, size_px: int, mesh: CanonicalMesh, name: str
) -> tuple[FaceRecord, Picture]:
    """A face's record, but for whose face it is, and its cut."""
    square = rounded_square(Alignment.of(face.points, mesh))
    cut = square.cut(look.image, size_px, zoom=ZOOM)
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
        blendshapes=face.blendshapes,
        blur=sharpness(square.cut(look.image, 128)),
        identity=None,
        identity_distance=None,
        frame_hash=code,
    )
    return record, cut


def _finish(out: Path, folder: Path, cutter: _Cutter, files: tuple[SourceFile, ...]) -> Extraction:
    if not cutter.sightings:
        raise NoFace(
            "No face was found that is large enough.",
            "Use another clip, or a lower --min-size (min_size_px in Python).",
        )
    people = tell_apart(cutter.sightings)
    counts = tuple(np.bincount(people[people >= 0]).tolist()) or (0,)
    own = people == (0 if (people >= 0).any() else -1)
    known = [one.embedding for one, is_own in zip(cutter.sightings, own, strict=True) if is_own]
    vectors = np.array([one for one in known if one is not None][:_MOST_REFERENCES])
    median = np.median(vectors, axis=0) if len(vectors) else None

    def lines() -> Iterable[str]:
        with cutter.spool.open(encoding="utf-8") as file:
            for line, is_own in zip(file, own, strict=True):
                record = FaceRecord.read(Fields(json.loads(line)))
                if not is_own:
                    cutter.dropped["another person"] += 1
                    (folder / record.file).unlink()
                    continue
                if record.identity is not None and median is not None:
                    far = float(np.linalg.norm(record.identity - median))
                    record = replace(record, identity_distance=far)
                yield record.to_line()

    kept = write_alignments(folder / FILE_NAME, Alignments(files, (), cutter.size_px), lines())
    cutter.spool.unlink()
    return Extraction(out, kept, cutter.frames, cutter.empty, dict(cutter.dropped), counts)
