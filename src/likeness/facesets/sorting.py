"""Putting the pictures of a face set in order, so that a file manager shows them so.

Sorting renames a picture and changes nothing else: "000034_0.png" becomes "00012-000034_0.png". Records know
it without the rank, so a folder that is half sorted is as good as any, and what is deleted by hand is gone.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

from likeness.errors import UsageError
from likeness.facesets.faceset import FaceSet
from likeness.facesets.records import FaceRecord
from likeness.facesets.sheet import SHEET_NAME, Tile, sheet_bytes
from likeness.media.files import temporary_beside, write_error

By: TypeAlias = Literal["yaw", "pitch", "blur", "identity", "size", "frame"]

LISTING_NAME: Final = "sorted.csv"


@dataclass(frozen=True, slots=True)
class _Order:
    """How faces are put in order.

    Attributes:
        value: what they are sorted by; None where it is not known, which comes last.
        spelling: how it is written on a sheet.
        title: what comes first.
        largest_first: instead of the smallest.
    """

    value: Callable[[FaceRecord], float | None]
    spelling: str
    title: str
    largest_first: bool = False


_ORDERS: Final[dict[By, _Order]] = {
    "yaw": _Order(lambda face: face.pose.yaw_deg, "{:+.0f}", "yaw in degrees, picture's right to its left"),
    "pitch": _Order(lambda face: face.pose.pitch_deg, "{:+.0f}", "pitch in degrees, chin up to chin down"),
    "blur": _Order(lambda face: face.blur, "{:.3f}", "sharpness, sharpest first", largest_first=True),
    "identity": _Order(lambda face: face.identity_distance, "{:.2f}", "identity distance, nearest first"),
    "size": _Order(lambda face: face.size_px, "{:.0f}", "size in px, largest first", largest_first=True),
    "frame": _Order(lambda face: face.time_s, "{:.2f}", "frame, with its time in seconds"),
}


@dataclass(frozen=True, slots=True)
class Sorting:
    """What was sorted.

    Attributes:
        folder: the face set.
        by: what it was sorted by.
        faces: how many.
        lowest, highest: the extremes of the value it was sorted by, or None where no face has one.
        notes: what was ignored; one sentence each.
    """

    folder: Path
    by: By
    faces: int
    lowest: float | None
    highest: float | None
    notes: tuple[str, ...] = ()


def sort_faces(folder: str | os.PathLike[str], by: By) -> Sorting:
    """Rename the pictures of a face set so that they stand in order, and write a sheet and a list in it.

    `sheet.jpg` is drawn anew, and `sorted.csv` lists rank, file and value. "frame" takes the ranks away.

    Args:
        by: "yaw", "pitch", "blur" (sharpest first), "identity" (nearest first), "size" (largest first), or
            "frame", the order of the clip.

    Raises:
        MediaNotFound, FaceSetFormat, NoFace: the folder is no face set that can be used.
        UsageError: there is no such order.
        OutputError: the folder cannot be written to.
    """
    if by not in _ORDERS:
        raise UsageError(f"“{by}” is no order of faces.", f"Choose among {', '.join(get_args(By))}.")
    faces, order = FaceSet.open(folder), _ORDERS[by]
    ranked = rank(faces.faces, by)
    values = [order.value(record) for record in ranked]
    known = [value for value in values if value is not None]
    try:
        paths = [_rename(faces, record, None if by == "frame" else n) for n, record in enumerate(ranked, 1)]
        labels = ["?" if value is None else order.spelling.format(value) for value in values]
        tiles = [Tile(path, label) for path, label in zip(paths, labels, strict=True)]
        sheet = sheet_bytes(f"{len(tiles)} faces by {order.title}", tiles, zoom=faces.zoom)
        _replace(faces.folder / SHEET_NAME, sheet)
        _replace(faces.folder / LISTING_NAME, _listing(by, ranked, values))
    except OSError as error:
        raise write_error(faces.folder, error) from error
    low, high = (min(known), max(known)) if known else (None, None)
    return Sorting(faces.folder, by, len(ranked), low, high, faces.notes)


def rank(faces: tuple[FaceRecord, ...], by: By) -> list[FaceRecord]:
    """The faces in order; those whose value is not known come last, and equal ones in the clip's order."""
    order = _ORDERS[by]
    sign = -1 if order.largest_first else 1

    def place(record: FaceRecord) -> tuple[bool, float, int, int, int]:
        value = order.value(record)
        # "frame" goes by source first.
        known = 0.0 if value is None or by == "frame" else sign * value
        return value is None, known, record.source, record.frame, record.face

    return sorted(faces, key=place)


def _rename(faces: FaceSet, record: FaceRecord, number: int | None) -> Path:
    """Gives a picture its rank, or takes it away; where that name is taken by a copy, nothing is done."""
    path = faces.path(record)
    new = path.with_name(record.file if number is None else f"{number:05}-{record.file}")
    if new == path or new.exists():
        return path
    path.rename(new)
    return new


def _listing(by: By, ranked: list[FaceRecord], values: list[float | None]) -> bytes:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["rank", "file", "source", "frame", by])
    for number, (record, value) in enumerate(zip(ranked, values, strict=True), 1):
        spelt = "" if value is None else f"{value:.6g}"
        table.writerow([number, record.file, record.source, record.frame, spelt])
    return text.getvalue().encode()


def _replace(path: Path, data: bytes) -> None:
    with temporary_beside(path) as pending:
        pending.path.write_bytes(data)
        pending.commit()
