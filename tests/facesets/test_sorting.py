"""Faces in order: renamed, listed, and drawn."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from likeness.errors import MediaNotFound, NotWritable, UsageError
from likeness.facesets import sorting
from likeness.facesets.faceset import FaceSet
from likeness.facesets.sorting import By, sort_faces

from ..puppet import Puppet

MakeSet = Callable[..., FaceSet]
LOOKS = (
    Puppet(turn_deg=(0, 10, 0), px_per_cm=6),
    Puppet(turn_deg=(5, -20, 0), px_per_cm=8),
    Puppet(turn_deg=(-5, 0, 0), px_per_cm=7),
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.png"))


@pytest.mark.parametrize(
    ("by", "frames"),
    [
        ("yaw", [1, 2, 0]),
        ("pitch", [2, 0, 1]),
        ("size", [1, 2, 0]),
        ("identity", [0, 1, 2]),
    ],
)
def test_order(make_set: MakeSet, by: By, frames: list[int]) -> None:
    faces = make_set(*LOOKS)
    sha256 = faces.sha256
    done = sort_faces(faces.folder, by)
    assert (done.faces, done.by, done.notes) == (3, by, ())
    assert names(faces.folder) == [f"{rank:05}-{frame:06}_0.png" for rank, frame in enumerate(frames, 1)]
    with (faces.folder / "sorted.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["frame"]) for row in rows] == frames
    values = [float(row[by]) for row in rows]
    assert (min(values), max(values)) == pytest.approx((done.lowest, done.highest), rel=1e-4)
    again = FaceSet.open(faces.folder)
    assert [record.frame for record in again.faces] == [0, 1, 2]
    assert again.sha256 == sha256


def test_sharpest_first(make_set: MakeSet) -> None:
    faces = make_set(*LOOKS)
    blur = [record.blur for record in faces.faces]
    sort_faces(faces.folder, "blur")
    assert [int(name[6:12]) for name in names(faces.folder)] == np.argsort(blur)[::-1].tolist()


def test_sorted_again_and_back(make_set: MakeSet) -> None:
    faces = make_set(*LOOKS)
    before = names(faces.folder)
    sort_faces(faces.folder, "yaw")
    sort_faces(faces.folder, "size")
    sort_faces(faces.folder, "pitch")
    assert len(names(faces.folder)) == 3
    sort_faces(faces.folder, "frame")
    assert names(faces.folder) == before


def test_the_sheet_follows(make_set: MakeSet) -> None:
    faces = make_set(*LOOKS)
    sort_faces(faces.folder, "yaw")
    with Image.open(faces.folder / "sheet.jpg") as sheet:
        by_yaw = np.asarray(sheet)
    sort_faces(faces.folder, "frame")
    with Image.open(faces.folder / "sheet.jpg") as sheet:
        by_frame = np.asarray(sheet)
    tile = np.s_[24:120, 0:96]
    third = np.s_[24:120, 192:288]
    # The first in the clip is the one most turned to the picture's left, and so the last by yaw.
    assert np.abs(by_frame[tile].astype(int) - by_yaw[third]).mean() < 3
    assert np.abs(by_frame[tile].astype(int) - by_yaw[tile]).mean() > 8


def test_what_was_deleted_stays_so(make_set: MakeSet) -> None:
    faces = make_set(*LOOKS)
    sort_faces(faces.folder, "yaw")
    (faces.folder / "00001-000001_0.png").unlink()
    done = sort_faces(faces.folder, "size")
    assert names(faces.folder) == ["00001-000002_0.png", "00002-000000_0.png"]
    assert len(done.notes) == 1


def test_interrupted_anywhere(make_set: MakeSet, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is half sorted is as good as any."""
    faces = make_set(*LOOKS)
    sha256, rename = faces.sha256, Path.rename
    left = [2]

    def stop_later(path: Path, target: Path) -> Path:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", stop_later)
    with pytest.raises(KeyboardInterrupt):
        sort_faces(faces.folder, "yaw")
    monkeypatch.undo()
    half = FaceSet.open(faces.folder)
    assert half.notes == ()
    assert half.sha256 == sha256
    sort_faces(faces.folder, "yaw")
    assert len(names(faces.folder)) == 3


def test_nobodys_copy_is_overwritten(make_set: MakeSet) -> None:
    faces = make_set(*LOOKS)
    sort_faces(faces.folder, "yaw")
    (faces.folder / "00003-000001_0.png").write_bytes(b"kept by somebody")
    sort_faces(faces.folder, "identity")
    sort_faces(faces.folder, "frame")
    assert (faces.folder / "00003-000001_0.png").read_bytes() == b"kept by somebody"


def test_refusals(make_set: MakeSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MediaNotFound):
        sort_faces(tmp_path / "nowhere", "yaw")
    faces = make_set(*LOOKS)
    with pytest.raises(UsageError, match="colour"):
        sort_faces(faces.folder, "colour")  # type: ignore[arg-type]

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(sorting, "_replace", refuse)
    with pytest.raises(NotWritable):
        sort_faces(faces.folder, "yaw")
