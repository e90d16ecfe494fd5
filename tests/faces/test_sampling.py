from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.faces.sampling import Region, sample, transform
from likeness.types import Picture


def ramp(height: int, width: int) -> Picture:
    """Red is x, green is y."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x, y, np.zeros_like(x)], axis=-1).astype(np.uint8)


middle = st.floats(110, 140)


@settings(max_examples=80, deadline=None)
@given(middle, middle, st.floats(20, 300), st.floats(-math.pi, math.pi), st.sampled_from([32, 64]))
def test_a_crop_shows_what_its_matrix_says(x: float, y: float, size: float, angle: float, side: int) -> None:
    """On a ramp the colour tells the place, at every scale and turn: no half pixel is lost by averaging."""
    matrix = Region(x, y, size, size, angle).to_picture(side, side)
    crop = sample(ramp(256, 256), matrix, side, side)
    index = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1)
    place = transform(index, matrix)
    inside = ((place > 12) & (place < 243)).all(axis=-1)
    assert inside.any()
    error = crop[..., :2] - place
    assert np.abs(error[inside]).max() < 1.5
    assert np.abs(error[inside].mean(axis=0)).max() < 0.8


def test_the_whole_picture_at_its_own_size_is_unchanged() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert np.array_equal(sample(picture, Region.whole(picture).to_picture(64, 64), 64, 64), picture)


def test_fine_texture_averages_out() -> None:
    checks = np.zeros((600, 600, 3), np.uint8)
    checks[::2, ::2] = checks[1::2, 1::2] = 255
    matrix = Region(301, 299, 420, 420).to_picture(64, 64)
    assert np.abs(sample(checks, matrix, 64, 64).astype(int) - 127).max() < 32
    assert np.ptp(sample(checks, matrix, 64, 64, antialias=False)) > 100


def test_a_region_beside_the_picture_shows_its_border() -> None:
    picture = np.full((90, 90, 3), 77, np.uint8)
    for x, y in ((-4000, 20), (4000, 4000), (45, -900)):
        assert (sample(picture, Region(x, y, 600, 600).to_picture(32, 32), 32, 32) == 77).all()


def test_pictures_smaller_than_a_block() -> None:
    picture = np.full((1, 3, 3), 9, np.uint8)
    assert (sample(picture, Region(1, 0, 900, 900).to_picture(32, 32), 32, 32) == 9).all()
