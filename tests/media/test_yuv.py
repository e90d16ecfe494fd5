"""RGB to 4:2:0, against the standard's formula written plainly and against FFmpeg."""

from __future__ import annotations

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.media.writer.yuv import YuvMaker
from likeness.types import Picture

sides = st.integers(1, 40).map(lambda half: 2 * half)


def random_picture(width: int, height: int, seed: int) -> Picture:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def planes_of(frame: av.VideoFrame) -> list[Picture]:
    """Luma, blue and red difference, without what pads their rows."""
    return [
        np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
        for plane in frame.planes
    ]


@settings(deadline=None, max_examples=25)
@given(sides, sides, st.integers(0, 10**6))
def test_it_is_the_formula_of_the_standard(width: int, height: int, seed: int) -> None:
    image = random_picture(width, height, seed)
    luma, blue, red = planes_of(YuvMaker(width, height).make(image))
    # ITU-R BT.709-6, items 3.2 to 3.4 and 4.6.
    r, g, b = np.moveaxis(image / 255, 2, 0)
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    np.testing.assert_allclose(luma, 16 + 219 * y, atol=0.52)
    for plane, difference in ((blue, (b - y) / 1.8556), (red, (r - y) / 1.5748)):
        fours = difference.reshape(height // 2, 2, width // 2, 2).mean((1, 3))
        np.testing.assert_allclose(plane, 128 + 224 * fours, atol=0.52)


def test_it_is_what_ffmpeg_makes_up_to_one_level() -> None:
    image = random_picture(96, 64, 1)
    ours = YuvMaker(96, 64).make(image)
    theirs = av.VideoFrame.from_ndarray(image, "rgb24").reformat(
        format="yuv420p",
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
        interpolation=Interpolation.AREA,
    )
    for one, other in zip(planes_of(ours), planes_of(theirs), strict=True):
        assert np.abs(one.astype(int) - other).max() <= 1
    assert (ours.colorspace, ours.color_range) == (theirs.colorspace, theirs.color_range)


def test_frames_are_independent() -> None:
    maker = YuvMaker(16, 16)
    first = maker.make(np.full((16, 16, 3), 255, np.uint8))
    maker.make(np.zeros((16, 16, 3), np.uint8))
    assert (planes_of(first)[0] == 235).all()
