"""`alignments.json`: where every face of a face set was, in a file that people can read and repair.

One JSON object; each face is an object on a line of its own, so that a line can be deleted with any editor.
`docs/face-sets.md` describes every field. Reading is strict: sizes before anything is parsed, every value
before it is used, and no file name that leaves the folder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from likeness.errors import FaceSetFormat, MediaNotFound, Unreadable
from likeness.faces.identity import FACE_MODEL
from likeness.facesets.records import MAX_SOURCES, FaceRecord, SourceFile
from likeness.facesets.strict import DocumentError, read_object

FILE_NAME: Final = "alignments.json"
FORMAT: Final = "likeness-alignments"
VERSION: Final = 1
MAX_BYTES: Final = 1_000_000_000
MAX_FACES: Final = 100_000
"""About 10 kB each."""
SIZE_PX: Final = 320
ZOOM: Final = 1.25
SIZES_PX: Final = (64, 1024)
"""The smallest and the largest side of a cut."""

DistanceTo: TypeAlias = Literal["median", "keep"]

_WORD = re.compile(r"[\x20-\x7e]{1,80}")


@dataclass(frozen=True, slots=True, eq=False)
class Alignments:
    """The content of an alignments file.

    Attributes:
        sources: the files that faces were cut from.
        faces: in the order of the file.
        size_px, zoom: of the cuts, as `Alignment.cut` takes them.
        distance_to: what `FaceRecord.identity_distance` is measured from.
        identity_model: what embeddings were measured with. Those of another network than ours are left out.
    """

    sources: tuple[SourceFile, ...]
    faces: tuple[FaceRecord, ...]
    size_px: int = SIZE_PX
    zoom: float = ZOOM
    distance_to: DistanceTo = "median"
    identity_model: str = FACE_MODEL


def write_alignments(path: Path, header: Alignments, lines: Iterable[str]) -> int:
    """Write the file; the caller sees to temporary names.

    Args:
        header: what to say beside the faces; its own faces are not written.
        lines: `FaceRecord.to_line()` of each face.

    Returns:
        how many faces were written.
    """
    head = {
        "format": FORMAT,
        "version": VERSION,
        "size_px": header.size_px,
        "zoom": header.zoom,
        "identity_model": header.identity_model,
        "distance_to": header.distance_to,
    }
    sources = ",\n".join(json.dumps(source.to_json()) for source in header.sources)
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f'{json.dumps(head)[:-1]},\n"sources": [\n{sources}\n],\n"faces": [')
        for count, line in enumerate(lines, 1):
            file.write(",\n" if count > 1 else "\n")
            file.write(line)
        file.write("\n]}\n")
    return count


def read_alignments(path: Path) -> Alignments:
    """Read an alignments file, whoever wrote it.

    Raises:
        MediaNotFound: there is no such file.
        Unreadable: it may not be read.
        FaceSetFormat: it is damaged, too large, of a newer version, or says impossible things.
    """
    try:
        return parse_alignments(_read_text(path))
    except DocumentError as fault:
        raise FaceSetFormat(
            f"{path} is not a usable alignments file: it {fault}.",
            "Undo what was changed, update likeness, or extract the faces again (`likeness swap extract`).",
        ) from fault


def parse_alignments(text: str) -> Alignments:
    """The same from its text; raises `DocumentError`."""
    header, faces = read_object(text, "faces", _check_head, FaceRecord.read, MAX_FACES)
    if header.raw("format") != FORMAT or header.raw("version") != VERSION:
        raise DocumentError("does not say that it is one")
    sources = header.each("sources", SourceFile.read, MAX_SOURCES)
    if any(face.source >= len(sources) for face in faces):
        raise DocumentError("has a face from a source that it does not list")
    if len({face.file for face in faces}) < len(faces):
        raise DocumentError("names one picture for two faces")
    distance_to = header.raw("distance_to")
    if distance_to not in ("median", "keep"):
        raise DocumentError("has “distance_to” that is neither median nor keep")
    model = header.text("identity_model", _WORD)
    if model != FACE_MODEL:
        faces = [replace(face, identity=None, identity_distance=None) for face in faces]
    return Alignments(
        sources,
        tuple(faces),
        header.whole("size_px", *SIZES_PX),
        header.number("zoom", 1, 2),
        distance_to,
        model,
    )


def _check_head(header: dict[str, Any]) -> None:
    """Before anything is made of the faces, which another version may describe in another way."""
    if header.get("format", FORMAT) != FORMAT:
        raise DocumentError("is of another format")
    version = header.get("version", VERSION)
    if version != VERSION or isinstance(version, bool | float):
        raise DocumentError(
            f"is of version {str(version)[:20]}, and this program reads version {VERSION} only"
        )


def _read_text(path: Path) -> str:
    if path.is_dir() or not path.exists():
        raise MediaNotFound(
            f"There is no alignments file {path}.", "`likeness swap extract VIDEO -o FOLDER` makes one."
        )
    if not path.is_file():
        raise DocumentError("is not an ordinary file")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1) if path.stat().st_size <= MAX_BYTES else None
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror}.", "Change its permissions.") from error
    if data is None or len(data) > MAX_BYTES:
        raise DocumentError(f"is larger than the {MAX_BYTES // 10**6} MB that are read")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError("is not text in UTF-8") from error
