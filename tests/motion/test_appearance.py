from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.faces.topology import FACE_OVAL, INNER_LOWER_LIP, INNER_UPPER_LIP, canonical_mesh
from likeness.motion.appearance import Unwrapper, deepen_mouth, skin_colour, uv_pixels
from likeness.motion.frame import MOUTH_PX, SHADING_PX
from likeness.types import Picture

from ..puppet import HEIGHT, WIDTH, Puppet


@pytest.fixture(scope="module")
def unwrapper(home: object) -> Unwrapper:
    return Unwrapper(canonical_mesh())


def slope(across: bool) -> Picture:
    """Grey that says how far right (or down) a pixel is."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.repeat((x if across else y)[:, :, None], 3, axis=2).astype(np.uint8)


@pytest.mark.parametrize("puppet", [Puppet(), Puppet(turn_deg=(5, 15, -20)), Puppet(px_per_cm=5, x=70)])
@pytest.mark.parametrize("axis", [0, 1])
def test_each_vertex_is_seen_where_it_is(unwrapper: Unwrapper, puppet: Puppet, axis: int) -> None:
    shading = unwrapper.shading(slope(axis == 0), puppet.points).astype(float)
    inner = np.setdiff1d(np.arange(468), FACE_OVAL)
    column, row = np.round(uv_pixels(canonical_mesh(), SHADING_PX)[inner]).astype(int).T
    error = np.abs(shading[row, column] - puppet.points[inner, axis])
    assert np.median(error) < 1
    assert np.percentile(error, 98) < 4


def test_the_map_shows_the_face_upright(unwrapper: Unwrapper) -> None:
    shading = unwrapper.shading(slope(across=False), Puppet(turn_deg=(0, 0, 30)).points).astype(float)
    middle = shading[20:100, 64]
    assert (np.diff(middle) >= 0).all()


def test_luminance_is_averaged_not_picked(unwrapper: Unwrapper) -> None:
    """Stripes finer than the map become grey."""
    height, width = 8 * HEIGHT, 8 * WIDTH
    stripes = np.zeros((height, width, 3), np.uint8)
    stripes[:, ::2] = 255
    shading = unwrapper.shading(stripes, Puppet(px_per_cm=56, x=8 * 96, y=8 * 100).points)
    assert np.abs(shading[40:90, 40:90].astype(int) - 127).max() < 40


@settings(deadline=None, max_examples=40)
@given(st.floats(-400, 600), st.floats(-400, 600), st.floats(2, 60), st.floats(-180, 180))
def test_a_face_may_lie_anywhere(unwrapper: Unwrapper, x: float, y: float, size: float, roll: float) -> None:
    """Partly or wholly outside the picture: its border repeats."""
    image = np.full((60, 80, 3), (10, 100, 200), np.uint8)
    points = Puppet(px_per_cm=size, x=x, y=y, turn_deg=(0, 0, roll), lips=0.05).points
    shading, mouth = unwrapper.shading(image, points), unwrapper.mouth(image, points)
    assert shading.shape == (SHADING_PX, SHADING_PX)
    assert mouth.shape == (*MOUTH_PX, 3)
    assert (shading == shading[0, 0]).all()
    assert (mouth == (10, 100, 200)).all()
    assert skin_colour(image, points) == pytest.approx([10, 100, 200])


def test_the_mouth_is_cut_between_the_lips(unwrapper: Unwrapper) -> None:
    puppet = Puppet(lips=0.1, turn_deg=(0, 0, 12))
    points = puppet.points
    for axis in (0, 1):
        inside = unwrapper.mouth(slope(axis == 0), points)[..., 0].astype(float)
        upper, lower = points[list(INNER_UPPER_LIP), axis], points[list(INNER_LOWER_LIP), axis]
        assert inside[0, ::19] == pytest.approx(upper[::2], abs=1.2)
        assert inside[-1, ::19] == pytest.approx(lower[::2], abs=1.2)
    dark = unwrapper.mouth(puppet.draw(), points)
    assert dark[10:-10, 30:-30].mean() < 70 < puppet.draw()[100:110, 90:100].mean()


@settings(deadline=None, max_examples=30)
@given(st.floats(2, 20), st.integers(0, 255))
def test_a_mouth_seen_in_few_pixels_gets_its_depth_back(size: float, level: int) -> None:
    """Darker towards the corners and the upper lip, never brighter; the larger the face, the less."""
    inside = np.full((*MOUTH_PX, 3), level, np.uint8)
    height, width = MOUTH_PX
    small, large = (deepen_mouth(inside, Puppet(px_per_cm=k).points).astype(int) for k in (size, size + 1))
    assert (small <= large).all()
    assert (large <= inside).all()
    for picture in (small, large):
        assert (np.diff(picture[:, width // 2], axis=0) >= 0).all()
        assert (np.diff(picture[height // 2, : width // 2], axis=0) >= 0).all()
        assert (picture == picture[:, ::-1]).all()


def test_a_mouth_seen_in_many_pixels_stays_as_it_is() -> None:
    inside = np.random.default_rng(1).integers(0, 256, (*MOUTH_PX, 3), np.uint8)
    assert np.array_equal(deepen_mouth(inside, Puppet(px_per_cm=8).points), inside)
    assert deepen_mouth(inside, Puppet(px_per_cm=3).points).mean() < 0.8 * inside.mean()


def test_skin_is_skin() -> None:
    puppet = Puppet()
    colour = skin_colour(puppet.draw(), puppet.points)
    assert colour.dtype == np.float32
    assert colour == pytest.approx([200, 156, 133], abs=25)
    assert colour[0] > colour[1] > colour[2]
