from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from likeness.config import AnimateConfig
from likeness.engines.base import Source
from likeness.errors import FaceIndex, FaceTooSmall, NoFace, Unreadable
from likeness.faces import find_faces
from likeness.motion.record import SMALLEST_FACE_PX
from likeness.pipelines.portrait import choose_face, fit_picture, read_portrait

from ..puppet import HEIGHT, WIDTH, Puppet
from .conftest import wall


def read(path: Path, **options: Any) -> Source:
    return read_portrait(path, AnimateConfig(**options))


def save(folder: Path, image: np.ndarray, name: str = "a.png", **options: Any) -> Path:
    Image.fromarray(image).save(folder / name, **options)
    return folder / name


def place_error(source: Source) -> float:
    """How far its points are from where a fresh look finds them, in thousandths of its size."""
    seen = find_faces(source.image)[0]
    error = np.abs(seen.points - source.face.points)[:468, :2].mean()
    return float(error / seen.size_px * 1000)


def test_a_small_photo_is_used_as_it_is(portrait: Path) -> None:
    source = read(portrait)
    with Image.open(portrait) as picture:
        pixels = np.asarray(picture)
    assert np.array_equal(source.image, pixels[..., :3])
    assert source.alpha is not None
    assert source.alpha.dtype == np.float32
    assert np.array_equal(np.rint(source.alpha * 255), pixels[..., 3])


@pytest.mark.parametrize(("width", "height"), [(192, 224), (191, 223), (191, 224), (192, 223)])
def test_sides_are_even_and_pixels_are_kept(width: int, height: int, tmp_path: Path) -> None:
    image = Puppet().draw()[:height, :width]
    source = read(save(tmp_path, image))
    assert source.image.shape == (height // 2 * 2, width // 2 * 2, 3)
    assert np.array_equal(source.image, image[: height // 2 * 2, : width // 2 * 2])
    assert source.alpha is None
    assert place_error(source) < 1


@pytest.mark.parametrize("max_side", [128, 151, 200, 333, 448])
@pytest.mark.parametrize("size", [(448, 384), (384, 448), (447, 301)])
def test_a_large_photo_shrinks_to_the_longest_side(
    max_side: int, size: tuple[int, int], tmp_path: Path
) -> None:
    height, width = size
    image = Puppet(px_per_cm=14, x=width / 2, y=200).draw(width, height)
    source = read(save(tmp_path, image), max_side=max_side)
    rows, columns = source.image.shape[:2]
    assert max(rows, columns) <= max_side
    assert max(rows, columns) >= min(max_side, max(size)) - 2
    assert rows % 2 == columns % 2 == 0
    assert rows / columns == pytest.approx(height / width, rel=0.015)
    assert place_error(source) < 25


@pytest.mark.parametrize(
    "options",
    [{"max_side": 128}, {"max_side": 300}, {}, {"crop": True, "size": 128}, {"crop": True, "size": 640}],
    ids=str,
)
def test_points_move_exactly_as_pixels_do(options: dict[str, Any], tmp_path: Path) -> None:
    """A soft blob in the mask, put on the tip of the nose, is there in every size."""
    image = Puppet(px_per_cm=14, x=190, y=200).draw(384, 448)
    nose = find_faces(image)[0].points[1, :2]
    y, x = np.mgrid[:448, :384]
    blob = 255 * np.exp(-((x - nose[0]) ** 2 + (y - nose[1]) ** 2) / (2 * 12.0**2))
    source = read(save(tmp_path, np.dstack([image, blob.round().astype(np.uint8)])), **options)
    assert source.alpha is not None
    rows, columns = np.mgrid[: source.alpha.shape[0], : source.alpha.shape[1]]
    middle = np.array([(source.alpha * columns).sum(), (source.alpha * rows).sum()]) / source.alpha.sum()
    assert source.face.points[1, :2] == pytest.approx(middle, abs=0.1)


@pytest.mark.parametrize("most", [302, 303, 401])
def test_no_side_is_longer_than_allowed(most: int) -> None:
    height, width = fit_picture(np.zeros((301, 401, 3), np.uint8), most).shape[:2]
    assert (height % 2, width % 2) == (0, 0)
    assert most - 2 < width <= most


def test_shrinking_averages(tmp_path: Path) -> None:
    """A fine pattern becomes grey, in picture and mask alike."""
    image = Puppet(px_per_cm=14, x=200, y=200).draw(600, 600)
    image[450:, ::2], image[450:, 1::2] = 0, 255
    alpha = np.full((600, 600, 1), 255, np.uint8)
    alpha[450:, ::2] = 0
    source = read(save(tmp_path, np.dstack([image, alpha])), max_side=200)
    assert np.abs(source.image[155:195, 5:-5].astype(int) - 127).max() < 50
    assert source.alpha is not None
    assert np.abs(source.alpha[155:195, 5:-5] - 0.5).max() < 0.2


@pytest.mark.parametrize("size", [128, 256, 301, 640])
def test_a_crop_is_a_square_around_head_and_shoulders(size: int, tmp_path: Path) -> None:
    image = Puppet(px_per_cm=6, x=300, y=180).draw(500, 400)
    source = read(save(tmp_path, image), crop=True, size=size)
    side = size // 2 * 2
    assert source.image.shape == (side, side, 3)
    left, top, right, bottom = source.face.box
    assert (bottom - top) / side == pytest.approx(1 / 2.3, abs=0.03)
    assert (left + right) / 2 == pytest.approx(side / 2, abs=0.03 * side)
    assert (top + bottom) / 2 == pytest.approx(side / 2, abs=0.05 * side)
    assert place_error(source) < 25


def test_a_crop_cuts_the_mask_too(portrait: Path) -> None:
    source = read(portrait, crop=True, size=200)
    assert source.alpha is not None
    assert source.alpha.shape == (200, 200)
    assert source.alpha[100, 100] == pytest.approx(1, abs=0.01)
    assert source.alpha[2, 2] == pytest.approx(0, abs=0.01)


def test_a_photo_is_read_as_it_is_meant_to_be_seen(tmp_path: Path) -> None:
    """Turned, and told so in its EXIF data."""
    image = Puppet().draw()
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save(tmp_path, np.rot90(image), "turned.png", exif=exif)
    source = read(path)
    assert np.array_equal(source.image, image)


def test_faces_are_chosen_by_number_and_the_largest_else(tmp_path: Path) -> None:
    image = np.hstack([Puppet(px_per_cm=5).draw(), Puppet(px_per_cm=7.5).draw(), wall()])
    path = save(tmp_path, image)
    default, first, second = read(path), read(path, source_face=1), read(path, source_face=2)
    assert np.array_equal(default.face.points, first.face.points)
    assert first.face.box[0] > WIDTH > second.face.box[2]
    with pytest.raises(FaceIndex, match="shows 2 faces, so there is no face 3") as caught:
        read(path, source_face=3)
    assert "likeness faces" in caught.value.hint


def test_one_face_is_no_two(portrait: Path) -> None:
    with pytest.raises(FaceIndex, match="shows 1 face,"):
        read(portrait, source_face=2)


def test_nobody(tmp_path: Path) -> None:
    with pytest.raises(NoFace, match=r"a\.png") as caught:
        read(save(tmp_path, wall()))
    assert caught.value.hint


def test_too_small(tmp_path: Path) -> None:
    face = Puppet().face
    small = replace(face, points=face.points * np.float32(0.9 * SMALLEST_FACE_PX / face.size_px))
    large = replace(face, points=face.points * np.float32(1.1 * SMALLEST_FACE_PX / face.size_px))
    with pytest.raises(FaceTooSmall, match=str(SMALLEST_FACE_PX)) as caught:
        choose_face((small,), None, tmp_path / "a.png")
    assert caught.value.hint
    assert choose_face((large, small), None, tmp_path / "a.png") is large


def test_a_face_that_would_become_too_small_in_the_output(tmp_path: Path) -> None:
    """Large enough in the photo, but not at the size that is asked for; a crop of the head is."""
    image = np.full((800, 700, 3), 128, np.uint8)
    image[:HEIGHT, :WIDTH] = Puppet().draw()
    path = save(tmp_path, image)
    assert read(path, max_side=400).face.size_px > SMALLEST_FACE_PX
    with pytest.raises(FaceTooSmall, match=r"At 224×256 px, the face in a\.png would be \d\d px") as caught:
        read(path, max_side=256)
    assert "--max-side, or --crop (max_side or crop in Python)" in caught.value.hint
    assert read(path, max_side=256, crop=True).face.size_px > SMALLEST_FACE_PX


def test_no_picture(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no picture")
    with pytest.raises(Unreadable):
        read(tmp_path / "a.png")


def test_size_of_the_puppets_picture() -> None:
    """What the cases above rely on."""
    assert Puppet().draw().shape == (HEIGHT, WIDTH, 3)
