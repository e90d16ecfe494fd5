from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ImageFont

from likeness.disclosure.label import TEXTS, Label
from likeness.errors import UsageError
from likeness.types import LabelLanguage, Picture

Box = tuple[float, float, float, float]


def luminance(rgb: np.ndarray) -> np.ndarray:
    """WCAG 2.2, relative luminance."""
    c = rgb.astype(np.float64) / 255
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])


def drawn(label: Label, picture: Picture) -> Picture:
    """The label's area after it was drawn on `picture`."""
    marked = picture.copy()
    label.draw(marked)
    left, top, right, bottom = label.box
    return marked[top:bottom, left:right]


def overlap(a: Box, b: Box) -> bool:
    return min(a[2], b[2]) > max(a[0], b[0]) and min(a[3], b[3]) > max(a[1], b[1])


@settings(deadline=None, max_examples=60)
@given(st.tuples(*[st.integers(0, 255)] * 3), st.sampled_from([96, 256, 512, 1080]))
def test_contrast_has_a_floor_on_every_colour(colour: tuple[int, int, int], side: int) -> None:
    area = drawn(Label(side, side), np.full((side, side, 3), colour, np.uint8))
    light = luminance(area)
    centre = light[area.shape[0] // 4 : -area.shape[0] // 4]  # letters and box, without the rim
    contrast = (centre.max() + 0.05) / (np.median(centre) + 0.05)
    assert contrast >= 7.0


def test_letters_stay_readable_on_a_busy_picture() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
    on_black = luminance(drawn(Label(256, 256), np.zeros_like(noise)))[4:-4, 4:-4]
    light = luminance(drawn(Label(256, 256), noise))[4:-4, 4:-4]
    assert (light[on_black > 0.8].min() + 0.05) / (light[on_black < 0.01].max() + 0.05) > 4.5


@pytest.mark.parametrize(
    ("side", "least_px", "most_of_width"),
    [(256, 11, 0.42), (512, 15, 0.32), (1080, 24, 0.21), (2160, 36, 0.16)],
)
def test_size_is_legible_when_small_and_modest_when_large(
    side: int, least_px: int, most_of_width: float
) -> None:
    label = Label(side, side)
    rows = np.flatnonzero((luminance(drawn(label, np.zeros((side, side, 3), np.uint8))) > 0.5).any(axis=1))
    assert rows[-1] - rows[0] + 1 >= least_px
    assert label.box[2] - label.box[0] <= most_of_width * side


@settings(deadline=None, max_examples=80)
@given(st.data())
def test_never_on_the_face_while_a_corner_is_free(data: st.DataObject) -> None:
    width, height = data.draw(st.integers(128, 900)), data.draw(st.integers(128, 900))
    left, top = data.draw(st.integers(-50, width - 1)), data.draw(st.integers(-50, height - 1))
    face = (left, top, left + data.draw(st.integers(1, width)), top + data.draw(st.integers(1, height)))
    box = Label(width, height, face_box=face).box
    assert 0 <= box[0] < box[2] <= width
    assert 0 <= box[1] < box[3] <= height
    x0, y0, x1, y1 = Label(width, height).box
    mirrored = [(x0, width - x1), (y0, height - y1)]
    corners = [(x, y, x + x1 - x0, y + y1 - y0) for x in mirrored[0] for y in mirrored[1]]
    grown = (face[0] - 2, face[1] - 2, face[2] + 2, face[3] + 2)  # positions are rounded to even pixels
    if any(not overlap(corner, grown) for corner in corners):
        assert not overlap(box, face)


def test_prefers_the_bottom_and_takes_the_least_bad_corner() -> None:
    left, top, right, bottom = Label(400, 300).box
    assert left > 200
    assert top > 250
    away = Label(400, 300, face_box=(left - 5, top - 5, 400, 300)).box
    assert away[2] < 200  # the other corner at the bottom
    assert away[1] == top
    everywhere = Label(400, 300, face_box=(0, 0, 400, 299)).box
    assert everywhere == (left, top, right, bottom)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 300), st.integers(1, 300), st.sampled_from(sorted(TEXTS)))
def test_changes_nothing_outside_its_box(width: int, height: int, language: str) -> None:
    picture = np.random.default_rng(width * 1000 + height).integers(0, 256, (height, width, 3), np.uint8)
    label = Label(width, height, language=language)
    marked = picture.copy()
    label.draw(marked)
    left, top, right, bottom = label.box
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    outside = np.ones((height, width), bool)
    outside[top:bottom, left:right] = False
    assert np.array_equal(marked[outside], picture[outside])
    assert min(width, height) < 8 or not np.array_equal(marked, picture)


def test_blending_matches_the_formula_at_the_extremes() -> None:
    """A box of opacity .72 and grey 12: white shows as about 80, black as about 9."""
    label = Label(512, 512)
    for background, expected in ((255, 80), (0, 9)):
        area = drawn(label, np.full((512, 512, 3), background, np.uint8))
        fill = area[4, area.shape[1] // 2]
        assert np.abs(fill.astype(int) - expected).max() <= 1


def test_every_text_has_glyphs() -> None:
    font = ImageFont.load_default(40.0)
    missing = font.getmask("\ufffe").getbbox(), bytes(font.getmask("\ufffe"))
    for text in TEXTS.values():
        for letter in set(text) - {" "}:
            mask = font.getmask(letter)
            assert (mask.getbbox(), bytes(mask)) != missing, f"{letter!r} of {text!r}"


@pytest.mark.parametrize("language", ["zh", "ar", "ru", "el", "cs", "DE", ""])
def test_languages_that_cannot_be_drawn_are_refused_and_not_drawn_as_boxes(language: str) -> None:
    assert language not in TEXTS
    with pytest.raises(UsageError, match="no label text") as raised:
        Label(256, 256, language=language)
    assert "cannot be drawn" in raised.value.hint


def test_refuses_what_it_was_not_made_for() -> None:
    with pytest.raises(ValueError, match="shape"):
        Label(64, 48).draw(np.zeros((64, 48, 3), np.uint8))
    with pytest.raises(UsageError, match="xx"):
        Label(64, 48, language="xx")


def test_the_options_know_the_same_languages() -> None:
    assert set(get_args(LabelLanguage)) == set(TEXTS)
