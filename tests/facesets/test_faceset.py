"""A folder of faces: opened, read, repaired by hand."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from likeness.errors import FaceSetFormat, MediaNotFound, NoFace, Unreadable
from likeness.faces.aligned import Alignment
from likeness.faces.topology import canonical_mesh
from likeness.facesets.faceset import FaceSet
from likeness.facesets.sorting import sort_faces

from ..puppet import Puppet
from .conftest import SIZE_PX

MakeSet = Callable[..., FaceSet]


def test_faces_are_where_the_points_say(make_set: MakeSet) -> None:
    puppet = Puppet(x=80, y=110, turn_deg=(0, 20, 10))
    faces = make_set(puppet)
    (record,) = faces.faces
    assert faces.notes == ()
    assert (len(faces), faces.size_px, faces.zoom) == (1, SIZE_PX, 1.25)
    image = puppet.draw()
    again = Alignment.of(record.points, canonical_mesh()).cut(image, SIZE_PX, zoom=1.25)
    assert np.abs(faces.read(record).astype(int) - again).mean() < 1  # the file holds tenths of a pixel
    points = faces.points(record)
    assert points.shape == (478, 3)
    assert points.dtype == np.float32
    assert ((points[:, :2] > 0) & (points[:, :2] < SIZE_PX)).all()
    # The pupils are dark, there in the cut where the points say.
    for pupil in points[[468, 473], :2]:
        x, y = np.rint(pupil).astype(int)
        assert faces.read(record)[y, x].mean() < 110


def test_a_picture_less_is_a_face_less(make_set: MakeSet) -> None:
    faces = make_set(Puppet(), Puppet(smile=0.3), Puppet(blink=1))
    sha256 = faces.sha256
    faces.path(faces.faces[1]).unlink()
    fewer = FaceSet.open(faces.folder)
    assert [record.frame for record in fewer.faces] == [0, 2]
    assert len(fewer.notes) == 1
    assert fewer.notes[0].startswith("1 of the faces")
    assert len(fewer.alignments.faces) == 3
    assert fewer.sha256 != sha256


def test_a_line_less_is_a_face_less(make_set: MakeSet) -> None:
    faces = make_set(Puppet(), Puppet(smile=0.3))
    path = faces.folder / "alignments.json"
    head, _, last = path.read_text().partition('{"file": "000001_0.png"')
    path.write_text(head.rstrip().rstrip(",") + last[last.index("\n") :])
    fewer = FaceSet.open(faces.folder)
    assert [record.frame for record in fewer.faces] == [0]
    assert fewer.notes == ("1 PNG files are ignored, since alignments.json does not know them.",)


def test_other_files_do_not_matter(make_set: MakeSet) -> None:
    faces = make_set(Puppet())
    sha256 = faces.sha256
    (faces.folder / "notes.txt").write_text("good")
    (faces.folder / "000001_0.png").mkdir()
    assert FaceSet.open(faces.folder).notes == ()
    assert FaceSet.open(faces.folder).sha256 == sha256
    (faces.folder / "holiday.png").write_bytes(b"none of ours")
    assert FaceSet.open(faces.folder).notes != ()


def test_a_copy_under_another_rank_counts_once(make_set: MakeSet) -> None:
    faces = make_set(Puppet(), Puppet(smile=0.3))
    shutil.copy(faces.folder / "000000_0.png", faces.folder / "00007-000000_0.png")
    found = FaceSet.open(faces.folder)
    assert len(found.faces) == 2
    assert len(found.notes) == 1


def test_the_hash_is_of_what_is_learned_from(make_set: MakeSet) -> None:
    faces = make_set(Puppet(), Puppet(smile=0.3))
    sha256 = faces.sha256
    sort_faces(faces.folder, "size")
    assert FaceSet.open(faces.folder).sha256 == sha256
    Image.new("RGB", (SIZE_PX, SIZE_PX)).save(
        faces.path(FaceSet.open(faces.folder).faces[0]).with_name("x.bmp")
    )
    assert FaceSet.open(faces.folder).sha256 == sha256
    again = FaceSet.open(faces.folder)
    Image.new("RGB", (SIZE_PX, SIZE_PX)).save(again.path(again.faces[0]))
    assert FaceSet.open(faces.folder).sha256 != sha256


def test_pictures_of_another_size(make_set: MakeSet) -> None:
    faces = make_set(Puppet(), Puppet(smile=0.3))
    Image.new("RGB", (32, 32)).save(faces.path(faces.faces[0]))
    with pytest.raises(FaceSetFormat, match="32×32"):
        faces.read(faces.faces[0])
    faces.path(faces.faces[1]).write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    with pytest.raises(Unreadable):
        faces.read(faces.faces[1])


def test_folders_that_are_none(make_set: MakeSet, tmp_path: Path) -> None:
    with pytest.raises(MediaNotFound, match="no folder"):
        FaceSet.open(tmp_path / "nowhere")
    with pytest.raises(MediaNotFound, match="alignments"):
        FaceSet.open(tmp_path)
    faces = make_set(Puppet())
    faces.path(faces.faces[0]).unlink()
    with pytest.raises(NoFace):
        FaceSet.open(faces.folder)
