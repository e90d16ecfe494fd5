"""Cut faces anew by squares that were repaired by hand: alignments ▸ video ▸ face set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Final

from likeness.consent.gathering import is_still
from likeness.consent.text import tidy_name
from likeness.errors import FaceSetMismatch, NoFace, NoFrames, UsageError
from likeness.facesets.alignments import FILE_NAME, SIZES_PX, Alignments, read_alignments, write_alignments
from likeness.facesets.collect import measure_square
from likeness.facesets.faceset import FaceSet
from likeness.facesets.folder import check_folder, new_folder
from likeness.facesets.measure import SAME_FRAME_BITS, bits_apart, frame_hash
from likeness.facesets.records import FaceRecord, SourceFile, rounded_square
from likeness.facesets.sheet import SHEET_NAME, identity_sheet
from likeness.media import VideoReader, encode_png, read_image
from likeness.pipelines.ahead import opencv_on_one_thread, run_ahead
from likeness.pipelines.lookout import NAME_LETTERS, PathLike, check_apart, find_sources, sha256_of
from likeness.progress import OnProgress, Progress, silent
from likeness.types import Picture

_AHEAD_FRAMES: Final = 4


@dataclass(frozen=True, slots=True)
class Recut:
    """What was cut anew: the finished face set, and how many faces it holds."""

    folder: Path
    faces: int


def recut_faces(
    alignments: PathLike,
    sources: PathLike | Sequence[PathLike],
    out: PathLike,
    *,
    size_px: int | None = None,
    overwrite: bool = False,
    on_progress: OnProgress = silent,
) -> Recut:
    """Cut the faces that an alignments file lists out of its videos and pictures, by the squares in it.

    Nothing is looked for: faces are where the file says, and who they are stays as it says.

    Args:
        alignments: the file, for all faces in it; or a face set, for those whose pictures are still there.
        sources: the videos and pictures it was made from, in any order if they are still called the same.
        out: a folder as for `extract_faces`; it may be the face set itself, with `overwrite`.
        size_px: side of the cut pictures; None = as before.

    Raises:
        FaceSetFormat: the file cannot be used; says why.
        FaceSetMismatch: it belongs to other videos.
        LikenessError: see `likeness.errors`; nothing is written then.
    """
    listed, out = _open(Path(alignments)), Path(out)
    paths = _assign(find_sources(sources), listed)
    size_px = listed.size_px if size_px is None else size_px
    if not SIZES_PX[0] <= size_px <= SIZES_PX[1]:
        raise UsageError(f"“size” is {size_px}.", f"Choose a value from {SIZES_PX[0]} to {SIZES_PX[1]}.")
    check_folder(out, overwrite=overwrite)
    check_apart(list(paths.values()), out)
    found = list(listed.faces)
    with new_folder(out) as folder, opencv_on_one_thread():
        with run_ahead(_frames(listed, paths), _AHEAD_FRAMES) as frames:
            done = 0
            for image, numbers in frames:
                for number in numbers:
                    found[number] = _cut(image, found[number], folder, size_px, listed.zoom)
                done += len(numbers)
                on_progress(Progress("extract", done, len(found), "faces"))
        files = tuple(_renew(known, paths.get(number)) for number, known in enumerate(listed.sources))
        header = replace(listed, sources=files, faces=(), size_px=size_px)
        write_alignments(folder / FILE_NAME, header, (record.to_line() for record in found))
        faces = [(folder / record.file, record.identity_distance) for record in found]
        sheet = identity_sheet(faces, listed.distance_to, zoom=listed.zoom)
        (folder / SHEET_NAME).write_bytes(sheet)
    return Recut(out, len(found))


def _open(path: Path) -> Alignments:
    if path.is_dir():
        faces = FaceSet.open(path)
        return replace(faces.alignments, faces=faces.faces)
    listed = read_alignments(path)
    if not listed.faces:
        raise NoFace(f"{path} lists no face.", "Extract them again with `likeness swap extract`.")
    return listed


def _assign(paths: list[Path], listed: Alignments) -> dict[int, Path]:
    """Which of the given files each source is that faces are needed from."""
    needed = sorted({record.source for record in listed.faces})
    by_name = {tidy_name(path.name, NAME_LETTERS): path for path in paths}
    names = [listed.sources[number].name for number in needed]
    if len(set(names)) < len(names) == len(paths):  # of different folders: only their order tells
        return dict(zip(needed, paths, strict=True))
    assigned = dict(zip(needed, map(by_name.get, names), strict=True))
    if None in assigned.values() and len(paths) == len(needed):  # files may have been renamed
        return dict(zip(needed, paths, strict=True))
    found = {number: path for number, path in assigned.items() if path is not None}
    for number in needed:
        if number not in found:
            raise FaceSetMismatch(
                f"The faces come from {len(needed)} files, and {listed.sources[number].name} is not given.",
                "Give all of them, in the order of the alignments file if they were renamed.",
            )
    return found


def _frames(listed: Alignments, paths: dict[int, Path]) -> Generator[tuple[Picture, list[int]]]:
    """Every frame that is needed, and the numbers of the faces in it."""
    for source, path in paths.items():
        wanted: dict[int, list[int]] = defaultdict(list)
        for number, record in enumerate(listed.faces):
            if record.source == source:
                wanted[record.frame].append(number)
        known = listed.sources[source]
        for frame, image in _read(path, known, min(wanted), max(wanted)):
            if numbers := wanted.pop(frame, None):
                _check_frame(image, [listed.faces[number] for number in numbers], path)
                yield image, numbers
        if wanted:
            raise FaceSetMismatch(
                f"{path} has no frame {min(wanted)}, from which a face is to be cut.",
                "Give the video that the alignments file was made from.",
            )


def _read(path: Path, known: SourceFile, first: int, last: int) -> Generator[tuple[int, Picture]]:
    if is_still(path) != (known.rate is None):
        raise FaceSetMismatch(f"{path} is not {known.name}.", "Give the file that the faces were cut from.")
    if known.rate is None:
        image = read_image(path).image
        _check_shape(path, known, image.shape[1], image.shape[0], None)
        yield 0, image
        return
    try:
        with VideoReader(path, start_s=first / known.rate) as reader:
            _check_shape(path, known, reader.info.width, reader.info.height, reader.info.rate)
            for frame in reader:
                yield first + frame.index, frame.image
                if first + frame.index == last:
                    return
    except NoFrames:
        return  # what is missing is said by whom it is missed


def _check_shape(path: Path, known: SourceFile, width: int, height: int, rate: Fraction | None) -> None:
    if (width, height, rate) != (known.width, known.height, known.rate):
        raise FaceSetMismatch(
            f"{path} is {width}×{height} px{_at(rate)}, and the faces were found at "
            f"{known.width}×{known.height} px{_at(known.rate)}.",
            "Give the file that the alignments file was made from.",
        )


def _at(rate: Fraction | None) -> str:
    return "" if rate is None else f" at {float(rate):.6g} frames a second"


def _check_frame(image: Picture, records: list[FaceRecord], path: Path) -> None:
    code = frame_hash(image)
    for record in records:
        if bits_apart(code, record.frame_hash) > SAME_FRAME_BITS:
            raise FaceSetMismatch(
                f"Frame {record.frame} of {path} is another picture than the one that {record.file} was "
                "cut from.",
                "Give the file that the alignments file was made from.",
            )


def _cut(image: Picture, record: FaceRecord, folder: Path, size_px: int, zoom: float) -> FaceRecord:
    square = rounded_square(record.alignment)
    (folder / record.file).write_bytes(encode_png(square.cut(image, size_px, zoom=zoom)))
    return replace(record, alignment=square, blur=measure_square(image, square))


def _renew(known: SourceFile, path: Path | None) -> SourceFile:
    """What is known of a file that may have been renamed, or packed anew, since."""
    if path is None:
        return known
    return replace(known, name=tidy_name(path.name, NAME_LETTERS), sha256=sha256_of(path))
