"""What happens inside the square of one face: bent, coloured, masked, pasted."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.config import Colour, PasteConfig
from likeness.engines.swap.colour import ColourMatch
from likeness.engines.swap.finish import Finisher
from likeness.engines.swap.hair import forehead_hair
from likeness.engines.swap.mask import (
    agree,
    eyes_mask,
    face_mask,
    lips_mask,
    mouth_mask,
    open_eyes_mask,
    soften,
)
from likeness.engines.swap.meshwarp import warp
from likeness.engines.swap.paste import paste
from likeness.faces.aligned import Alignment
from likeness.faces.topology import FACE_OVAL, RIGHT_EYE, canonical_mesh
from likeness.types import Floats, Picture

from ...puppet import Puppet

SIZE = 160


def square_of(puppet: Puppet) -> tuple[Picture, Floats]:
    """Its square, and its points in it."""
    alignment = Alignment.of(puppet.points, canonical_mesh())
    return alignment.cut(puppet.draw(), SIZE), alignment.cut_points(puppet.points, SIZE)


def smooth_picture(seed: int, side: int = SIZE) -> Picture:
    noise = np.random.default_rng(seed).normal(0, 60, (side, side, 3)).astype(np.float32)
    return np.clip(cv2.GaussianBlur(noise, (0, 0), 4) * 5 + 128, 0, 255).astype(np.uint8)


# Bending


def test_bent_onto_its_own_points_a_picture_stays_as_it_is() -> None:
    image, points = square_of(Puppet())
    bent, seen = warp(image, points, points, SIZE)
    inside = face_mask(points, SIZE) > 0.99
    assert seen[inside].mean() > 0.99
    assert np.abs(bent.astype(int) - image)[inside & seen].mean() < 1.0


def test_lips_open_where_the_points_say() -> None:
    """The painted lips of one picture come to lie where those of the other are."""
    closed, own = square_of(Puppet())
    wide, points = square_of(Puppet(lips=0.12))
    bent, _ = warp(closed, own, points, SIZE)
    for lip in (13, 14, 17):  # upper, lower, below the lower
        x, y = np.round(points[lip, :2]).astype(int)
        here = (slice(y - 1, y + 2), slice(x - 1, x + 2))
        assert np.abs(bent[here].mean((0, 1)) - wide[here].mean((0, 1))).max() < 60
    below = np.round(points[17, :2]).astype(int)
    assert abs(int(below[1]) - round(float(own[17, 1]))) > 8  # it did move


def test_the_eyes_look_where_the_points_look() -> None:
    """A dark iris is carried along."""
    ahead, own = square_of(Puppet(px_per_cm=10))
    _, points = square_of(Puppet(px_per_cm=10, gaze=0.18))
    bent, _ = warp(ahead, own, points, SIZE)
    x, y = np.round(points[RIGHT_EYE.iris, :2]).astype(int)
    old_x, old_y = np.round(own[RIGHT_EYE.iris, :2]).astype(int)
    assert x - old_x >= 3
    assert int(bent[y, x].sum()) < 150
    assert int(bent[old_y, old_x - 2].sum()) > int(bent[y, x].sum()) + 100


def test_what_turned_away_is_left_out() -> None:
    image, own = square_of(Puppet(turn_deg=(0, 45, 0)))
    _, points = square_of(Puppet())
    _, seen = warp(image, own, points, SIZE)
    inside = face_mask(points, SIZE) > 0.99
    assert 0.4 < seen[inside].mean() < 0.97


@settings(max_examples=25)
@given(st.integers(0, 2**31), st.floats(0.1, 40))
def test_wild_points_bend_nothing_to_pieces(seed: int, reach: float) -> None:
    _, own = square_of(Puppet())
    points = own + np.random.default_rng(seed).normal(0, reach, own.shape).astype(np.float32)
    bent, seen = warp(smooth_picture(1), own, points, SIZE)
    assert bent.shape == (SIZE, SIZE, 3)
    assert seen.shape == (SIZE, SIZE)


# Masks


def test_the_face_is_inside_its_outline() -> None:
    _, points = square_of(Puppet())
    mask = face_mask(points, SIZE)
    x, y = np.round(points[4, :2]).astype(int)
    assert mask[y, x] == 1
    assert mask[0, 0] == mask[-1, -1] == 0
    area = cv2.contourArea(cv2.convexHull(points[list(FACE_OVAL), :2]))
    assert mask.sum() == pytest.approx(area, rel=0.03)


def test_an_open_mouth_is_seen_and_a_closed_one_is_not() -> None:
    assert mouth_mask(square_of(Puppet(lips=0.1))[1], SIZE).sum() > 150
    assert mouth_mask(square_of(Puppet(lips=0.0))[1], SIZE).sum() < 30


@settings(max_examples=40)
@given(st.floats(-0.1, 0.2), st.floats(0, 0.25))
def test_a_softened_mask_stays_one(erode: float, blur: float) -> None:
    mask = face_mask(square_of(Puppet())[1], SIZE)
    soft = soften(mask, erode=erode, blur=blur)
    assert soft.dtype == np.float32
    assert soft.min() >= 0
    assert soft.max() <= 1
    assert not soft[[0, -1]].any()
    assert not soft[:, [0, -1]].any()
    if erode >= 0:
        assert (soft <= mask + 1e-6).all()


def test_more_erosion_leaves_less_and_more_blur_a_wider_edge() -> None:
    mask = face_mask(square_of(Puppet())[1], SIZE)
    sums = [soften(mask, erode=erode, blur=0.05).sum() for erode in (-0.05, 0, 0.05, 0.1)]
    assert sums == sorted(sums, reverse=True)
    edges = [
        ((soft := soften(mask, erode=0, blur=blur)) > 0.02) & (soft < 0.98) for blur in (0.0, 0.05, 0.15)
    ]
    widths = [float(edge.sum()) for edge in edges]
    assert widths == sorted(widths)
    assert widths[2] > 2 * widths[1] > 0


def test_a_mask_that_fills_the_square_ends_at_its_border() -> None:
    soft = soften(np.ones((64, 64), np.float32), erode=0, blur=0.1)
    assert soft[0].max() < 0.3
    assert soft[32, 32] == pytest.approx(1)


def test_both_have_to_see_a_face() -> None:
    outline = face_mask(square_of(Puppet())[1], SIZE)
    assert (agree(np.ones_like(outline), outline) >= outline).all()
    assert agree(np.ones_like(outline), outline)[0, 0] == 0
    assert not agree(np.zeros_like(outline), outline).any()


# Colours


METHODS: tuple[Colour, ...] = ("lab", "light", "histogram", "seamless", "none")


@pytest.mark.parametrize("method", METHODS)
def test_a_face_that_fits_is_left_alone(method: Colour) -> None:
    scene = smooth_picture(3)
    mask = face_mask(square_of(Puppet())[1], SIZE)
    matched = ColourMatch(method, 25)(scene, scene, mask)
    assert np.abs(matched.astype(int) - scene)[mask > 0.9].mean() < 1.5


@pytest.mark.parametrize("method", ["lab", "light", "histogram"])
def test_another_light_is_brought_to_that_of_the_scene(method: Colour) -> None:
    scene = smooth_picture(3)
    mask = face_mask(square_of(Puppet())[1], SIZE)
    face = np.clip(scene * np.array([0.6, 0.75, 0.9]) + 20, 0, 255).astype(np.uint8)
    inside = mask > 0.9
    matched = ColourMatch(method, 25)(face, scene, mask)
    off = np.abs(matched[inside].mean(0) - scene[inside].mean(0)).max()
    assert off < 4 < 20 < np.abs(face[inside].mean(0) - scene[inside].mean(0)).max()


def test_seamless_fits_at_the_edge() -> None:
    scene = smooth_picture(3)
    mask = soften(face_mask(square_of(Puppet())[1], SIZE), erode=0.05, blur=0.05)
    face = np.clip(smooth_picture(4).astype(int) // 2 + 90, 0, 255).astype(np.uint8)
    matched = ColourMatch("seamless", 25)(face, scene, mask)
    edge = (mask > 0.02) & (mask < 0.4)
    before = np.abs(cv2.blur(face, (15, 15)).astype(int) - cv2.blur(scene, (15, 15)))[edge].mean()
    after = np.abs(cv2.blur(matched, (15, 15)).astype(int) - cv2.blur(scene, (15, 15)))[edge].mean()
    assert after < 0.5 * before


@pytest.mark.parametrize("method", METHODS)
def test_nothing_to_compare_changes_nothing(method: Colour) -> None:
    face = smooth_picture(3)
    assert np.array_equal(
        ColourMatch(method, 25)(face, smooth_picture(4), np.zeros((SIZE, SIZE), np.float32)), face
    )


@pytest.mark.parametrize("method", ["lab", "light", "histogram", "seamless"])
def test_a_flicker_of_the_light_is_damped_and_forgotten_when_told(method: Colour) -> None:
    scene, mask = smooth_picture(3), face_mask(square_of(Puppet())[1], SIZE)
    bright = np.clip(scene.astype(int) + 40, 0, 255).astype(np.uint8)
    match = ColourMatch(method, 25)
    calm = match(scene, scene, mask).astype(int)
    flicker = match(scene, bright, mask).astype(int)
    inside = mask > 0.9
    assert (flicker - calm)[inside].mean() < 8
    match.forget()
    assert (match(scene, bright, mask).astype(int) - calm)[inside].mean() > 25


@pytest.mark.parametrize("method", ["lab", "light"])
def test_red_lips_neither_tint_the_skin_nor_glow(method: Colour) -> None:
    """Of a pale face with red lips, in the place of a dark one whose skin has more colours than hers."""
    points = square_of(Puppet())[1]
    mask, lips = face_mask(points, SIZE), lips_mask(points, SIZE)[..., None]
    draw = np.random.default_rng(0)
    dark, pale, red = (np.array(one, np.float32) for one in ((115, 80, 66), (200, 155, 135), (205, 60, 60)))
    scene = np.clip(dark + draw.normal(0, [12, 4, 4], (SIZE, SIZE, 3)), 0, 255).astype(np.uint8)
    face = (pale * (1 - lips) + red * lips + draw.normal(0, 1, (SIZE, SIZE, 1))).astype(np.uint8)
    inside = (mask > 0.9) & (cv2.GaussianBlur(lips[..., 0], (0, 0), 3) < 0.01)
    matched = ColourMatch(method, 25)(face, scene, mask, np.asarray(1 - lips[..., 0], np.float32))
    assert np.abs(matched[inside].mean(0) - dark).max() < 3
    within = cv2.erode(lips[..., 0], np.ones((5, 5))) > 0.9
    redness = [float((one[within, 0].astype(int) - one[within, 1]).mean()) for one in (face, matched)]
    assert redness[1] < redness[0]


def test_whites_of_eyes_stay_white_in_a_dark_face() -> None:
    points = square_of(Puppet(px_per_cm=10))[1]
    mask, eyes = face_mask(points, SIZE), open_eyes_mask(points, SIZE)
    dark, pale = np.array([115.0, 80, 66]), np.array([200.0, 155, 135])
    white, dimmer = np.array([225.0, 222, 220]), np.array([190.0, 188, 186])
    scene, face = (
        (skin * (1 - eyes[..., None]) + bulb * eyes[..., None]).astype(np.uint8)
        for skin, bulb in ((dark, dimmer), (pale, white))
    )
    skin = np.asarray(1 - eyes_mask(points, SIZE), np.float32)
    inside = cv2.erode(eyes, np.ones((3, 3))) > 0.9
    assert inside.sum() > 10
    match = ColourMatch("lab", 25)
    assert np.abs(match(face, scene, mask, skin, (eyes, eyes))[inside].mean(0) - dimmer).max() < 8
    assert (match(face, scene, mask, skin)[inside].mean(0) < dimmer - 25).all()
    # Where the new face has a lid in that place, it is skin.
    seen = eyes.copy()
    seen[:, : SIZE // 2] = 0
    lidded = (pale * (1 - seen[..., None]) + white * seen[..., None]).astype(np.uint8)
    covered = inside & (np.arange(SIZE) < SIZE // 2)
    assert covered.sum() > 5
    matched = ColourMatch("lab", 25)(lidded, scene, mask, skin, (eyes, eyes))
    assert np.abs(matched[covered].mean(0) - dark).max() < 12
    # Eyes that are shut say nothing, and what was seen before still holds.
    shut = np.zeros_like(eyes)
    assert np.abs(match(face, scene, mask, skin, (eyes, shut))[inside].mean(0) - dimmer).max() < 8


def test_no_old_eye_shows_through_the_soft_edge() -> None:
    """Turned away, the far eye lies where the mask's edge is soft."""
    puppet = Puppet(px_per_cm=10, turn_deg=(0, 38, 0))
    square = Alignment.of(puppet.points, canonical_mesh())
    image = np.zeros_like(puppet.draw())
    points = square.cut_points(puppet.points, SIZE)
    mask, eyes = face_mask(points, SIZE), eyes_mask(points, SIZE)
    finisher = Finisher(PasteConfig(colour="none", occlusion=False, mask_blur=0.15), 25)
    white = np.full((SIZE, SIZE, 3), 255, np.uint8)
    made = square.cut(finisher.finish(image, square, puppet.points, white, mask), SIZE)[..., 0]
    deep = (cv2.erode(eyes, np.ones((7, 7))) > 0.9) & (cv2.erode(mask, np.ones((3, 3))) > 0.9)
    soft = soften(mask, erode=0.02, blur=0.15)
    assert soft[deep].min() < 0.6
    assert made[deep].min() > 0.8 * 255


# Hair


def test_hair_on_the_forehead_is_told_from_skin() -> None:
    image, points = square_of(Puppet())
    bare = forehead_hair(image, points)
    brow = points[[52, 282], 1].mean()
    top, middle = points[10, 1], points[10, 0]
    fringe = (
        slice(round(float(top)), round(float((top + brow) / 2))),
        slice(round(float(middle)) - 12, round(float(middle)) + 12),
    )
    covered = image.copy()
    covered[fringe] = (50, 40, 35)
    found = forehead_hair(covered, points)
    assert bare[fringe].mean() < 0.15
    assert found[fringe].mean() > 0.8
    low = round(float(points[4, 1]))
    assert not found[low:].any()  # nothing but the forehead


# Back into the picture


def test_a_square_goes_back_where_it_was_cut() -> None:
    image = smooth_picture(5, 320)
    square = Alignment(170.3, 150.8, 120.0, 17.0)
    mask = soften(np.ones((120, 120), np.float32), erode=0, blur=0.1)
    back = paste(image, square.cut(image, 120), mask, square)
    assert np.abs(back.astype(int) - image).max() <= 6
    assert np.abs(back.astype(int) - image).mean() < 0.5


def test_only_the_square_changes_and_never_the_given_picture() -> None:
    image = smooth_picture(5, 320)
    before = image.copy()
    square = Alignment(100, 120, 80, 30)
    out = paste(image, np.zeros((64, 64, 3), np.uint8), np.ones((64, 64), np.float32), square)
    assert np.array_equal(image, before)
    assert out[120, 100].sum() == 0
    rows, columns = np.indices((320, 320))
    far = np.hypot(rows - 120, columns - 100) > 80 * 0.75
    assert np.array_equal(out[far], image[far])


@pytest.mark.parametrize(
    "square", [Alignment(-10, 20, 90, 5), Alignment(318, 318, 200, -40), Alignment(-500, 0, 50, 0)]
)
def test_a_square_may_leave_the_picture(square: Alignment) -> None:
    image = smooth_picture(5, 320)
    out = paste(image, np.zeros((64, 64, 3), np.uint8), np.ones((64, 64), np.float32), square, sharpen=0.5)
    assert out.shape == image.shape


def test_a_larger_face_covers_more() -> None:
    image, black = smooth_picture(5, 320), np.zeros((64, 64, 3), np.uint8)
    square, mask = Alignment(160, 160, 100, 0), np.ones((64, 64), np.float32)
    covered = [
        (paste(image, black, mask, square, face_scale=scale).sum(2) == 0).sum() for scale in (0.8, 1.0, 1.2)
    ]
    assert covered[0] < 0.7 * covered[1] < 0.7 * 0.75 * covered[2]


def test_sharpening_adds_contrast() -> None:
    image = smooth_picture(5, 320)
    square, mask = Alignment(160, 160, 128, 0), np.ones((128, 128), np.float32)
    face = smooth_picture(6, 128)
    plain, sharp = (paste(image, face, mask, square, sharpen=amount) for amount in (0.0, 1.0))
    part = (slice(110, 210), slice(110, 210))
    edges = [cv2.Laplacian(one[part].astype(np.float32), cv2.CV_32F).std() for one in (plain, sharp)]
    assert edges[1] > 1.15 * edges[0]


def test_a_fine_face_in_few_pixels_does_not_alias() -> None:
    checks = (np.indices((256, 256)).sum(0) % 2 * 255).astype(np.uint8)[:, :, None].repeat(3, 2)
    out = paste(
        np.full((100, 100, 3), 128, np.uint8),
        checks,
        np.ones((256, 256), np.float32),
        Alignment(50, 50, 40, 0),
    )
    assert np.abs(out[40:60, 40:60].astype(int) - 128).max() < 12
