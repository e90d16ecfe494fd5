from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from likeness.errors import MediaNotFound, NoFace, OutputExists, UsageError
from likeness.pipelines.list_faces import draw_numbers, list_faces

from ..puppet import HEIGHT, WIDTH, Puppet
from .conftest import wall, write_clip

TWO = (6.0, 7.5)


@pytest.fixture(scope="module")
def group(media: Path) -> Path:
    """A small face and a larger one at its right."""
    path = media / "group.png"
    Image.fromarray(np.hstack([Puppet(px_per_cm=size).draw() for size in TWO])).save(path)
    return path


def test_the_largest_is_number_one(group: Path) -> None:
    first, second = list_faces(group)
    assert first.size_px > second.size_px
    assert first.box[0] > WIDTH > second.box[2]


def test_faces_of_a_video_are_those_of_the_first_frame_that_shows_any(group: Path, folder: Path) -> None:
    with Image.open(group) as picture:
        both = np.asarray(picture)
    empty = np.hstack([wall(), wall()])
    clip = write_clip(folder / "a.mp4", [empty] * 3 + [both] * 3)
    first, second = list_faces(clip)
    assert first.box[0] > WIDTH > second.box[2]


def test_a_numbered_copy(group: Path, folder: Path) -> None:
    out = folder / "numbered.png"
    faces = list_faces(group, numbered=out)
    with Image.open(out) as made, Image.open(group) as before:
        changed = (np.asarray(made) != np.asarray(before)).any(2)
    for face in faces:
        left, top, right, bottom = (round(side) for side in face.box)
        assert changed[top : bottom + 1, [left, right]].all()
        assert changed[[top, bottom], left : right + 1].all()
        assert not changed[top + 40 : bottom - 5, left + 5 : right - 5].any(), "the face can be seen"
    assert list(folder.iterdir()) == [out]
    with pytest.raises(OutputExists):
        list_faces(group, numbered=out)
    list_faces(group, numbered=out, overwrite=True)


@pytest.mark.parametrize(("x", "y", "px_per_cm"), [(-20, -20, 7), (190, 230, 7), (96, 110, 30), (96, 110, 1)])
def test_numbers_stay_in_the_picture(x: float, y: float, px_per_cm: float) -> None:
    picture = wall()
    before = picture.copy()
    drawn = draw_numbers(picture, (Puppet(x=x, y=y, px_per_cm=px_per_cm).face,))
    assert drawn.shape == (HEIGHT, WIDTH, 3)
    assert np.array_equal(picture, before), "a copy"
    assert (drawn != picture).any()


def test_what_is_refused(group: Path, folder: Path) -> None:
    with pytest.raises(MediaNotFound):
        list_faces(folder / "none.png")
    with pytest.raises(UsageError):
        list_faces(group, numbered=folder / "a.jpg")
    with pytest.raises(UsageError):
        list_faces(group, numbered=group, overwrite=True)
    Image.fromarray(wall()).save(folder / "wall.png")
    with pytest.raises(NoFace, match=r"wall\.png") as caught:
        list_faces(folder / "wall.png", numbered=folder / "b.png")
    assert caught.value.hint
    assert [path.name for path in folder.iterdir()] == ["wall.png"]
