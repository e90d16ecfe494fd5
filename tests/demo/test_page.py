from __future__ import annotations

import dataclasses
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from likeness import Animation
from likeness.demo.page import build_page
from likeness.demo.posted import Copy
from likeness.demo.tracked import PICTURES, Tracked
from likeness.verification import Verification


@pytest.fixture(scope="module")
def verification(copies: tuple[Copy, ...]) -> Verification:
    return copies[0].verification


@pytest.fixture(scope="module")
def page(animation: Animation, tracked: Tracked, copies: tuple[Copy, ...]) -> str:
    return build_page(animation, tracked, copies, 4.2)


class Reader(HTMLParser):
    """Collects what a page loads, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loaded += [value or "" for name, value in attrs if name in ("src", "href", "poster", "srcset")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_is_one_file(page: str) -> None:
    reader = Reader(page)
    assert len(reader.loaded) == 6 + PICTURES, "portrait, driver, result, three copies, tracked"
    assert all(re.match(r"data:(image/jpeg|video/mp4);base64,", source) for source in reader.loaded)
    assert not re.search(r"https?://|url\(|@import", page)
    assert "default-src 'none'" in page


def test_the_page_says_what_was_made_and_what_it_is(
    page: str, animation: Animation, verification: Verification
) -> None:
    text = Reader(page).text
    assert verification.answer in text
    for reason in verification.reasons:
        assert reason in text
    for words in ("AI-generated", "compositeWithTrainedAlgorithmicMedia", "grace_hopper.jpg (source)"):
        assert words in text
    assert f"{animation.frames} at 29.97 a second" in text
    assert "Use it responsibly." in text
    assert "What it cannot do" in text
    assert "$" not in text, "every placeholder was filled"


def test_the_page_shows_three_layers_and_what_is_left(
    page: str, animation: Animation, copies: tuple[Copy, ...]
) -> None:
    text = Reader(page).text
    whole, compressed, halved = copies
    assert whole.verification.watermark.found
    assert f"manifest {whole.verification.watermark.manifest}…" in text
    assert "there, and they hold" in text
    assert [copy.verification.state for copy in copies] == ["valid", "absent", "absent"]
    assert text.count("gone") == 2
    missed = [not copy.verification.watermark.found for copy in copies]
    assert text.count("too little of it is left") == sum(missed)
    sizes = [Image.open(io.BytesIO(copy.picture)).size for copy in (whole, compressed, halved)]
    assert sizes[0] == sizes[1] == (animation.width, animation.height)
    assert sizes[2] == (animation.width // 4 * 2, animation.height // 4 * 2)


def test_what_strangers_wrote_is_only_text(
    animation: Animation, tracked: Tracked, copies: tuple[Copy, ...]
) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    spoilt = dataclasses.replace(
        copies[0].verification, signer=evil, engine=evil, rights=evil, reasons=(evil,), state="invalid"
    )
    evils = (dataclasses.replace(copies[0], verification=spoilt), *copies[1:])
    page = build_page(dataclasses.replace(animation, warnings=(evil,)), tracked, evils, 1.0)
    reader = Reader(page)
    assert evil in reader.text
    assert reader.tags.count("script") == 1
    assert 'class="card bad"' in page


def test_curves_are_broken_where_no_face_was_seen(animation: Animation, copies: tuple[Copy, ...]) -> None:
    values = np.array([0.1, 0.2, np.nan, np.nan, 0.3, 0.1], np.float32)
    nothing = np.full(6, np.nan, np.float32)
    page = build_page(animation, Tracked(1.0, (), values, nothing, values), copies, 1.0)
    paths = re.findall(r'<path d="([^"]*)"', page)
    assert [path.count("M") for path in paths] == [2, 0, 2]
    assert "nan" not in "".join(paths)


def test_what_is_tracked_in_the_driver(tracked: Tracked) -> None:
    assert tracked.aspect == pytest.approx(193 / 144)  # 176 px, each a little wider than high
    assert len(tracked.mouth) == len(tracked.eyes) == len(tracked.turn_deg) == 120
    assert np.isfinite(tracked.mouth).all(), "the face is seen in every frame"
    # Frames 43 and 93 are blinks, by eye; frame 60 shows a wide open mouth, frame 5 a closed one.
    assert tracked.eyes[40:46].min() < 0.5 * np.median(tracked.eyes)
    assert tracked.eyes[90:97].min() < 0.7 * np.median(tracked.eyes)
    assert tracked.mouth[60] > tracked.mouth[5] + 0.05
    sizes = {Image.open(io.BytesIO(picture)).size for picture in tracked.pictures}
    assert sizes == {(579, 432)}
    assert len(tracked.pictures) == PICTURES
