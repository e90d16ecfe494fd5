"""The picture watermark: found after what people do to pictures, not found where it is not, not seen."""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from likeness.disclosure.watermark import search, tile
from likeness.disclosure.watermark.picture import MIN_SIDE_PX, PictureMark, mark_still
from likeness.disclosure.watermark.search import find_in_frames, find_in_picture
from likeness.errors import SealFailed, UsageError
from likeness.media import read_image
from likeness.types import Picture

PAYLOAD = 0x1A2B3C4D


@pytest.fixture(scope="module")
def portrait_picture(hopper_path: Path) -> Picture:
    """512 × 512."""
    return np.ascontiguousarray(read_image(hopper_path).image[:512])


@pytest.fixture(scope="module")
def marked_still(portrait_picture: Picture) -> Picture:
    return mark_still(portrait_picture, PAYLOAD)


@pytest.fixture(scope="module")
def marked_frames(hopper_path: Path) -> list[Picture]:
    """A second of a camera that drifts over the portrait at 16:9, marked."""
    image = cv2.resize(read_image(hopper_path).image, (720, 844), interpolation=cv2.INTER_CUBIC)
    frames = [np.ascontiguousarray(image[100 + shift : 460 + shift, 40:680]) for shift in range(12)]
    mark = PictureMark(640, 360, PAYLOAD, host=frames[0])
    for frame in frames:
        mark.add(frame)
    return frames


def psnr_db(one: Picture, other: Picture) -> float:
    error = float(np.mean((one.astype(np.float64) - other) ** 2))
    return 10 * math.log10(255**2 / max(error, 1e-9))


def as_jpeg(image: Picture, quality: int) -> Picture:
    memory = io.BytesIO()
    Image.fromarray(image).save(memory, "JPEG", quality=quality)
    return np.asarray(Image.open(memory))


def as_h264(frames: list[Picture], crf: int) -> list[Picture]:
    memory = io.BytesIO()
    height, width = (side // 2 * 2 for side in frames[0].shape[:2])
    with av.open(memory, "w", format="mp4") as output:
        options = {"crf": str(crf), "preset": "veryfast"}
        stream: Any = output.add_stream("libx264", rate=Fraction(25), options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for image in frames:
            even = np.ascontiguousarray(image[:height, :width])
            output.mux(stream.encode(av.VideoFrame.from_ndarray(even, format="rgb24")))
        output.mux(stream.encode(None))
    memory.seek(0)
    with av.open(memory) as source:
        return [frame.to_ndarray(format="rgb24") for frame in source.decode(video=0)]


def scaled(image: Picture, factor: float) -> Picture:
    return np.asarray(cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA))


def turned(image: Picture, degrees: float) -> Picture:
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1)
    return np.asarray(cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_CUBIC))


def toned(image: Picture, brightness: float = 0, contrast: float = 1, gamma: float = 1) -> Picture:
    level = (image / 255.0) ** gamma
    return np.clip(((level - 0.5) * contrast + 0.5 + brightness) * 255 + 0.5, 0, 255).astype(np.uint8)


STILL_CHANGES: dict[str, Callable[[Picture], Picture]] = {
    "nothing": lambda image: image,
    "JPEG": lambda image: as_jpeg(image, 30),
    "half": lambda image: scaled(image, 0.5),
    "larger": lambda image: scaled(image, 1.5),
    "crop": lambda image: image[20:480, 45:505],
    "mirror": lambda image: np.ascontiguousarray(image[:, ::-1]),
    "turn": lambda image: turned(image, 2),
    "turn back": lambda image: turned(image, -2),
    "turn and mirror": lambda image: np.ascontiguousarray(turned(image, 1.5)[:, ::-1]),
    "upright": lambda image: image[:, 80:440],
    "brighter": lambda image: toned(image, brightness=0.2),
    "more contrast": lambda image: toned(image, contrast=1.2),
    "gamma": lambda image: toned(image, gamma=0.8),
}


@pytest.mark.parametrize("change", STILL_CHANGES.values(), ids=STILL_CHANGES)
def test_a_still_is_recognised_after(change: Callable[[Picture], Picture], marked_still: Picture) -> None:
    found = find_in_picture(change(marked_still))
    assert found is not None
    assert found.payload == PAYLOAD
    assert found.frames == 1


VIDEO_CHANGES: dict[str, Callable[[list[Picture]], list[Picture]]] = {
    "crf 32": lambda frames: as_h264(frames, 32),
    "half": lambda frames: as_h264([scaled(image, 0.5) for image in frames], 23),
    "crop": lambda frames: as_h264([image[8:332, 50:626] for image in frames], 28),
    "upright": lambda frames: as_h264([image[:, 200:402] for image in frames], 23),
    "mirror": lambda frames: as_h264([image[:, ::-1] for image in frames], 23),
    "turn": lambda frames: as_h264([turned(image, -2) for image in frames], 23),
}


@pytest.mark.parametrize("change", VIDEO_CHANGES.values(), ids=VIDEO_CHANGES)
def test_a_video_is_recognised_after(
    change: Callable[[list[Picture]], list[Picture]], marked_frames: list[Picture]
) -> None:
    found = find_in_frames(change(marked_frames))
    assert found is not None
    assert found.payload == PAYLOAD


def test_the_latest_mark_counts(marked_still: Picture) -> None:
    """A portrait that was marked by an earlier run is animated."""
    remarked = marked_still.copy()
    PictureMark(512, 512, 99, host=marked_still).add(remarked)
    found = find_in_picture(as_jpeg(remarked, 50))
    assert found is not None
    assert found.payload == 99
    again = find_in_picture(as_jpeg(mark_still(marked_still, 77), 50))
    assert again is not None
    assert again.payload == 77


def test_what_was_done_is_reported(marked_still: Picture) -> None:
    found = find_in_picture(np.ascontiguousarray(turned(marked_still, 2)[25:487, 25:487]))
    assert found is not None
    assert found.rotation_deg == pytest.approx(2, abs=0.2)
    assert found.scale == pytest.approx(512 / 462, abs=0.01)
    assert not found.mirrored
    reflected = find_in_picture(np.ascontiguousarray(turned(marked_still, 2)[:, ::-1]))
    assert reflected is not None
    assert reflected.mirrored
    assert reflected.rotation_deg == pytest.approx(2, abs=0.2)


def test_the_layout_stays_what_it_is() -> None:
    """Files marked by earlier versions have to be recognised for ever."""
    layout = tile.layout()
    text = ",".join(map(str, (layout.data * layout.data_signs).astype(int).ravel()))
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "4189107dc3176c4c"
    assert len(np.union1d(layout.pilot, layout.data)) == tile.SIDE_CHIPS**2


def test_stills_and_frames_stay_close_to_the_original(
    portrait_picture: Picture, marked_still: Picture
) -> None:
    assert psnr_db(portrait_picture, marked_still) >= 44
    marked = portrait_picture.copy()
    PictureMark(512, 512, PAYLOAD).add(marked)
    assert 42 <= psnr_db(portrait_picture, marked) < 43


@settings(deadline=None, max_examples=25)
@given(
    st.integers(MIN_SIDE_PX, 200),
    st.integers(MIN_SIDE_PX, 200),
    st.integers(0, 2**32 - 1),
    st.sampled_from(["flat", "noise", "stripes", "black", "white"]),
)
def test_no_picture_changes_by_more_than_promised(height: int, width: int, payload: int, kind: str) -> None:
    random = np.random.default_rng(payload)
    image = {
        "flat": np.full((height, width, 3), random.integers(256), np.uint8),
        "noise": random.integers(0, 256, (height, width, 3), np.uint8),
        "stripes": np.tile((np.arange(width) // 5 % 2 * 255)[None, :, None], (height, 1, 3)).astype(np.uint8),
        "black": np.zeros((height, width, 3), np.uint8),
        "white": np.full((height, width, 3), 255, np.uint8),
    }[kind]
    marked = image.copy()
    PictureMark(width, height, payload).add(marked)
    assert marked.shape == image.shape
    assert marked.dtype == np.uint8
    assert psnr_db(image, marked) >= 42


def test_a_flat_sky_stays_within_two_levels() -> None:
    sky = np.full((720, 1280, 3), (120, 160, 220), np.uint8)
    PictureMark(1280, 720, PAYLOAD).add(sky)
    change = sky.astype(int) - (120, 160, 220)
    assert np.abs(change).max() <= 3
    assert np.mean(np.abs(change) > 1) < 0.01


def test_only_luma_changes_and_other_pixels_stay() -> None:
    canvas = np.random.default_rng(0).integers(40, 200, (200, 300, 3)).astype(np.uint8)
    before = canvas.copy()
    view = canvas[20:180, 30:270]
    PictureMark(240, 160, PAYLOAD).add(view)
    change = canvas.astype(int) - before
    assert (change == change[..., :1]).all()
    assert change[20:180, 30:270].any()
    change[20:180, 30:270] = 0
    assert not change.any()


def test_a_mark_is_for_one_size(portrait_picture: Picture) -> None:
    mark = PictureMark(500, 512, PAYLOAD)
    with pytest.raises(UsageError):
        mark.add(portrait_picture.copy())
    with pytest.raises(UsageError):
        mark.add(np.zeros((512, 500, 3), np.float32))  # type: ignore[arg-type]


def test_tiny_pictures_are_refused() -> None:
    with pytest.raises(SealFailed):
        PictureMark(MIN_SIDE_PX - 1, 500, PAYLOAD)
    with pytest.raises(SealFailed):
        mark_still(np.zeros((500, MIN_SIDE_PX - 1, 3), np.uint8), PAYLOAD)
    with pytest.raises(UsageError):
        PictureMark(500, 500, 1 << 32)


def test_no_mark_is_seen_in_crops_without_one(portrait_picture: Picture) -> None:
    random = np.random.default_rng(1)
    for _ in range(200):
        y, x = random.integers(0, 200, 2)
        side = int(random.integers(200, 312))
        crop = portrait_picture[y : y + side, x : x + side]
        flat = search.whitened(search.residual(crop))
        assert not any(search.is_mark(decoded) for _, decoded in search.attempts(flat, thorough=False))


def test_no_mark_is_seen_by_a_thorough_search(portrait_picture: Picture) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (300, 400, 3), np.uint8)
    for image in (portrait_picture, portrait_picture[100:400], noise, noise // 9 * 0 + 7):
        assert find_in_picture(image) is None


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (3, 8192), (700, 2), (16, 16)])
def test_odd_shapes_are_looked_at_without_harm(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    assert find_in_picture(image) is None


def test_frames_are_thinned_and_have_one_size(marked_still: Picture) -> None:
    assert find_in_frames([]) is None
    found = find_in_frames(scaled(marked_still, 0.625) for _ in range(250))
    assert found is not None
    assert 40 < found.frames < 80
    with pytest.raises(UsageError):
        find_in_frames([marked_still, marked_still[:400]])
