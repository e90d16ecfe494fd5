"""Looking for faces in videos and pictures, one after the other."""

from __future__ import annotations

import hashlib
import math
import mimetypes
import os
from collections.abc import Generator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Final, TypeAlias

from likeness.consent.gathering import is_still
from likeness.consent.text import tidy_name
from likeness.errors import MediaError, MediaNotFound, UsageError
from likeness.faces import FaceTracker, find_faces
from likeness.facesets.alignments import MAX_FACES
from likeness.facesets.collect import Look
from likeness.facesets.records import MAX_SOURCES, SourceFile
from likeness.media import VideoReader, read_image
from likeness.media.files import check_input

PathLike: TypeAlias = str | os.PathLike[str]
NAME_LETTERS: Final = 200


def listed(paths: PathLike | Sequence[PathLike]) -> list[Path]:
    """One path or several, as a list."""
    return [Path(paths)] if isinstance(paths, str | os.PathLike) else [Path(one) for one in paths]


def find_sources(sources: PathLike | Sequence[PathLike]) -> list[Path]:
    """The files that are meant: those given, and the videos and pictures in folders that are.

    Raises:
        MediaNotFound: one of them is not there, or a folder holds none.
        Unreadable: one of them is empty, or may not be read.
        UsageError: there are too many, or none.
    """
    found: list[Path] = []
    for one in listed(sources):
        inside = sorted(each for each in one.iterdir() if _is_media(each)) if one.is_dir() else [one]
        if not inside:
            raise MediaNotFound(f"There is no video or picture in {one}.", "Give files, or another folder.")
        found += map(check_input, inside)
    if not 0 < len(found) <= MAX_SOURCES:
        raise UsageError(
            f"These are {len(found)} files; give 1 to {MAX_SOURCES}.",
            "Give a video, or a folder of pictures.",
        )
    return found


def check_apart(paths: Sequence[Path], out: Path) -> None:
    """Refuse to replace a folder with what is cut from files in it.

    Raises:
        UsageError: one of them is.
    """
    for path in paths:
        if out.resolve() in path.resolve().parents:
            raise UsageError(
                f"{path} lies in {out}, which would be replaced.", "Give another folder for the faces."
            )


class Lookout:
    """Reads videos and pictures, and follows the faces in them.

    Of several files one that cannot be read is left out; `warnings` says so.

    Args:
        paths: as from `find_sources`.
        model: path of `face_landmarker.task`.
        faces: follow at most so many at once, the largest.
        every: look at every so many frames only.
        start_s, end_s: the part of each video to look at, in seconds.

    Attributes:
        files: what is known of each path; complete once all looks were taken.
        frames_expected: an estimate of how many frames will be looked at, or None.
        warnings: what a person should know; complete once all looks were taken.

    Raises:
        MediaError: not one of the files can be read.
        UsageError: there are more frames than a face set can hold faces.
    """

    def __init__(
        self,
        paths: list[Path],
        model: Path,
        *,
        faces: int,
        every: int,
        start_s: Fraction | None,
        end_s: Fraction | None,
    ) -> None:
        self.warnings: list[str] = []
        self.files: list[SourceFile] = []
        self._paths, self._model, self._faces, self._every = paths, model, faces, every
        self._start_s, self._end_s = start_s, end_s
        self._failed: list[MediaError] = []
        self.frames_expected = self._count()

    def looks(self) -> Generator[Look]:
        """Every frame that is to be looked at, with its faces, in order.

        Raises:
            MediaError: not one of the files could be read.
        """
        for number, path in enumerate(self._paths):
            self.files.append(
                SourceFile(tidy_name(path.name, NAME_LETTERS), sha256_of(path), 1, 1, None, None)
            )
            try:
                yield from self._picture(number, path) if is_still(path) else self._video(number, path)
            except MediaError as error:
                self._note(path, error)
        if len(self._failed) == len(self._paths):
            raise self._failed[0]

    def _picture(self, number: int, path: Path) -> Generator[Look]:
        image = read_image(path).image
        height, width = image.shape[:2]
        self.files[number] = replace(self.files[number], width=width, height=height, frames=1)
        found = find_faces(image, limit=self._faces, threads=1, model=self._model)
        yield Look(number, 0, Fraction(0), image, found)

    def _video(self, number: int, path: Path) -> Generator[Look]:
        with VideoReader(path, start_s=self._start_s, end_s=self._end_s) as reader:
            info = reader.info
            known = replace(self.files[number], width=info.width, height=info.height, rate=info.rate)
            self.files[number] = known
            first = last = int(reader.start_s * info.rate)
            tracker = FaceTracker(faces=self._faces, threads=1, model=self._model)
            for frame in reader:
                last = first + frame.index
                if frame.index % self._every == 0:
                    yield Look(number, last, last / info.rate, frame.image, tracker.track(frame.image))
            if self._end_s is None:
                self.files[number] = replace(known, frames=last + 1)
            if reader.damaged:
                self.warnings.append(f"Parts of {path.name} are damaged or missing.")

    def _count(self) -> int | None:
        """Also finds, before any work is done, what cannot be read at all."""
        total: int | None = 0
        for path in self._paths:
            count: int | None = 1
            if not is_still(path):
                try:
                    count = self._expected(path)
                except MediaError:
                    if len(self._paths) == 1:
                        raise
                    count = 0
            total = None if total is None or count is None else total + count
        if total is not None and total > MAX_FACES:
            raise UsageError(
                f"These are {total} frames, and a face set holds {MAX_FACES} faces at most.",
                f"Add --every {math.ceil(total * self._every / MAX_FACES)} or more (every in Python).",
            )
        return total

    def _expected(self, path: Path) -> int | None:
        with VideoReader(path, start_s=self._start_s, end_s=self._end_s) as reader:
            frames = reader.frames_expected
        return None if frames is None else math.ceil(frames / self._every)

    def _note(self, path: Path, error: MediaError) -> None:
        self._failed.append(error)
        self.warnings.append(f"{path.name} was left out: {error.what}")


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_media(path: Path) -> bool:
    kind = mimetypes.guess_type(path.name, strict=False)[0] or ""
    return path.is_file() and not path.name.startswith(".") and kind.startswith(("image/", "video/"))
