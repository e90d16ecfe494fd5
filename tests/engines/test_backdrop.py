from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from likeness.engines.mesh.backdrop import split
from likeness.types import Floats, Picture

from ..puppet import Puppet

sizes = st.tuples(st.integers(2, 40), st.integers(2, 40))


@st.composite
def pictures_and_masks(draw: st.DrawFn) -> tuple[Picture, Floats]:
    height, width = draw(sizes)
    image = draw(
        st.one_of(
            arrays.arrays(np.uint8, (height, width, 3)),
            arrays.arrays(np.uint8, (height, width, 3), elements=st.sampled_from([0, 1, 254, 255])),
        )
    )
    person = draw(
        arrays.arrays(np.float32, (height, width), elements=st.floats(0, 1, width=32), fill=st.just(0.0))
    )
    return image, person


def put_together(layer: Picture, backdrop: Picture) -> Floats:
    share = 1 - layer[:, :, 3:].astype(np.float32) / 255
    return layer[:, :, :3] + share * backdrop


@settings(deadline=None)
@given(pictures_and_masks())
def test_the_layers_are_the_picture_again(drawn: tuple[Picture, Floats]) -> None:
    image, person = drawn
    layer, backdrop = split(image, person)
    assert layer.shape == (*image.shape[:2], 4)
    assert layer.dtype == backdrop.dtype == np.uint8
    assert np.abs(put_together(layer, backdrop) - image).max() <= 1
    assert (layer[:, :, :3] <= layer[:, :, 3:].astype(int) + 1).all(), "premultiplied"
    assert (layer[:, :, 3] >= np.floor(person * 255)).all(), "no part of the person is left behind"


@pytest.mark.parametrize("block_px", [3, 8, 31])
def test_the_layers_of_a_large_picture_are_the_picture_again(block_px: int) -> None:
    """Of the hardest contrast: what is guessed behind the person at a smaller size must not run over."""
    rng = np.random.default_rng(block_px)
    blocks = rng.integers(0, 2, (400 // block_px + 1, 560 // block_px + 1, 3), dtype=np.uint8) * 255
    image = np.repeat(np.repeat(blocks, block_px, 0), block_px, 1)[:400, :560]
    y, x = np.mgrid[:400, :560]
    person = np.clip((120 - np.hypot(x - 280, y - 200)) / 20, 0, 1).astype(np.float32)
    assert np.abs(put_together(*split(image, person)) - image).max() <= 1


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_nobody_and_nothing_but(value: float) -> None:
    image = np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype=np.uint8)
    layer, backdrop = split(image, np.full((50, 70), value, np.float32))
    if value:
        assert np.array_equal(layer[:, :, :3], image)
        assert (layer[:, :, 3] == 255).all()
    else:
        assert np.array_equal(backdrop, image)
        assert not layer.any()


def test_the_backdrop_goes_on_behind_the_person() -> None:
    """A dark disc on a plain wall: behind it is wall, and the wall around it is untouched."""
    y, x = np.mgrid[:120, :160]
    distance = np.hypot(x - 80, y - 60)
    image = np.where(distance[..., None] < 25, [20, 30, 40], [180, 170, 160]).astype(np.uint8)
    layer, backdrop = split(image, (distance < 25).astype(np.float32))
    assert np.abs(backdrop.astype(int) - [180, 170, 160]).max() <= 6
    assert (layer[distance > 40] == 0).all()


def test_hair_that_the_mask_missed_is_carried_along() -> None:
    """A dark strand beside the masked person belongs to the layer."""
    image = np.full((120, 160, 3), 200, np.uint8)
    person = np.zeros((120, 160), np.float32)
    person[40:100, 60:100] = 1
    image[40:100, 60:100] = 60
    image[40:100, 101] = 20
    layer, _ = split(image, person)
    assert layer[70, 101, 3] > 100


def test_a_face(hopper: object) -> None:
    puppet = Puppet()
    image = puppet.draw()
    layer, backdrop = split(image, puppet.mask())
    assert np.abs(put_together(layer, backdrop) - image).max() <= 1
    # The wall's gradient goes on behind the head.
    assert np.abs(backdrop[60, 90:100].astype(int) - image[60, [5, 185]].mean(0)).max() < 45
