from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from likeness.faces import find_faces
from likeness.faces.find import windows
from likeness.types import Picture

Canvas = Callable[..., Picture]


def scaled(picture: Picture, factor: float) -> Picture:
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=how), np.uint8)


def test_one_face(hopper: Picture) -> None:
    (face,) = find_faces(hopper)
    assert face.points.shape == (478, 3)
    assert face.points.dtype == face.blendshapes.dtype == np.float32
    assert face.blendshapes.shape == (52,)
    assert face.blendshapes.min() >= 0
    assert face.blendshapes.max() <= 1
    assert face.score > 0.99
    left, top, right, bottom = face.box
    assert (left, top, right, bottom) == pytest.approx((171, 131, 354, 334), abs=4)
    # The pupils, as measured by eye.
    assert np.linalg.norm(face.points[468, :2] - (222, 190)) < 2
    assert np.linalg.norm(face.points[473, :2] - (305.5, 186.5)) < 2


@pytest.mark.parametrize("factor", [0.12, 0.3, 2.5])
def test_any_size(hopper: Picture, factor: float) -> None:
    (reference,), (face,) = find_faces(hopper), find_faces(scaled(hopper, factor))
    expected = (reference.points[:, :2] + 0.5) * factor - 0.5
    assert np.linalg.norm(face.points[:, :2] - expected, axis=1).mean() < 0.03 * face.size_px


def test_face_larger_than_the_picture(hopper: Picture) -> None:
    (face,) = find_faces(hopper[150:330, 185:345])
    assert face.size_px > 160


def test_small_faces_among_large_ones_are_listed_largest_first(hopper: Picture, on_canvas: Canvas) -> None:
    picture = on_canvas(
        900, 1400, (scaled(hopper, 0.2), 90, 60), (hopper, 300, 200), (scaled(hopper, 0.5), 1000, 500)
    )
    faces = find_faces(picture)
    assert [face.id for face in faces] == [0, 1, 2]
    assert [round(face.size_px, -1) for face in faces] == [200, 100, 40]
    assert len(find_faces(picture, limit=2)) == 2
    assert find_faces(picture, limit=1)[0].size_px == faces[0].size_px


@pytest.mark.parametrize("turns", [1, 3])
def test_picture_lying_on_its_side(hopper: Picture, turns: int) -> None:
    (upright,), (turned,) = find_faces(hopper), find_faces(np.ascontiguousarray(np.rot90(hopper, turns)))
    assert turned.size_px == pytest.approx(upright.size_px, rel=0.1)


def test_grey_dark_and_noisy(hopper: Picture) -> None:
    grey = np.repeat(cv2.cvtColor(hopper, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    noise = np.random.default_rng(0).normal(0, 30, hopper.shape)
    for picture in (grey, grey // 4, np.clip(hopper + noise, 0, 255).astype(np.uint8)):
        assert len(find_faces(picture)) == 1


def test_much_detail_makes_no_faces(hopper: Picture) -> None:
    """At this size the network sees faces in badges and buttons; a closer look does not."""
    assert len(find_faces(scaled(hopper, 6))) == 1


@pytest.mark.parametrize(
    ("height", "width"), [(1, 1), (1, 400), (400, 1), (2, 3), (7, 7), (30, 3000), (3000, 30), (600, 900)]
)
@pytest.mark.parametrize("kind", ["black", "noise", "gradient"])
def test_no_face(height: int, width: int, kind: str, on_canvas: Canvas) -> None:
    if kind == "noise":
        picture = np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)
    else:
        picture = np.zeros((height, width, 3), np.uint8) if kind == "black" else on_canvas(height, width)
    assert find_faces(picture) == ()


def test_face_in_a_very_wide_picture(hopper: Picture, on_canvas: Canvas) -> None:
    assert len(find_faces(on_canvas(600, 4000, (hopper, 3000, 0)))) == 1
    assert len(find_faces(on_canvas(3500, 512, (hopper, 0, 2700)))) == 1


def test_points_follow_the_picture(hopper: Picture, on_canvas: Canvas) -> None:
    """Moved by whole pixels, the points move with the picture: the convention of pixel centres holds."""
    (still,), (moved,) = (
        find_faces(on_canvas(600, 600, (hopper, 0, 0))),
        find_faces(on_canvas(600, 600, (hopper, 41, 0))),
    )
    shift = (moved.points - still.points)[:, :2].mean(0)
    assert shift == pytest.approx((41, 0), abs=0.5)


def test_pixel_centres_are_at_integers(carphone: list[Picture]) -> None:
    """In mirrored pictures x becomes w - 1 - x; half a pixel lost on the way would show twice."""
    middle = [10, 151, 9, 8, 168, 6, 197, 195, 5, 4, 1, 2, 164, 0, 13, 14, 17, 18, 200, 199, 175, 152]
    errors = []
    for frame in carphone[::6]:
        (face,), (mirrored,) = find_faces(frame), find_faces(np.ascontiguousarray(frame[:, ::-1]))
        total = (face.points[middle, 0] + mirrored.points[middle, 0]).mean()
        errors.append((total - (frame.shape[1] - 1)) / (1.5 * face.size_px / 256))
    assert abs(np.mean(errors)) < 0.4


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(1, 5000), st.integers(1, 5000))
def test_windows_cover_the_picture(height: int, width: int) -> None:
    found = list(windows(height, width))
    assert len(found) <= 2 + 9 + 49 + 225
    for side in {window.width for window in found}:
        centres = np.array([(window.x, window.y) for window in found if window.width == side])
        for spot in ((0, 0), (width, height), (width / 2, height / 3)):
            assert (np.abs(centres - spot) <= side / 2 + 1e-6).all(axis=1).any()
