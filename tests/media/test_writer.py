from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from likeness.errors import DiskFull, MediaNotFound, NoAudio, NoFrames, NotWritable, OutputError, UsageError
from likeness.media import AudioSource, VideoReader, format_of, probe, read_image
from likeness.media.writer import VideoWriter
from likeness.types import Picture

NTSC = Fraction(30000, 1001)
FORMATS = ["mp4", "webm", "gif"]


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    before = threading.active_count()
    yield
    assert threading.active_count() == before


def write(
    path: Path,
    images: list[Picture],
    rate: Fraction | int = 25,
    audio: AudioSource | None = None,
    **wishes: Any,
) -> Path:
    height, width = images[0].shape[:2]
    settings = {
        "format": format_of(path),
        "width": width,
        "height": height,
        "rate": Fraction(rate),
        "audio": audio,
    }
    with VideoWriter(path, **settings, **wishes) as writer:
        for image in images:
            writer.write(image)
    return path


def moving_picture(size: tuple[int, int], frames: int) -> list[Picture]:
    """A coloured, detailed picture drifting over a still ground, smooth as photographs are."""
    width, height = size
    noise = np.random.default_rng(0).integers(0, 255, (height * 2, width * 2), np.uint8)
    grey = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 20, 235, cv2.NORM_MINMAX)
    tint = np.sin(np.add.outer(np.arange(height * 2) / 37, np.arange(width * 2) / 51)) * 0.3
    texture = np.dstack([grey * (0.7 + tint), grey * 0.8, grey * (0.7 - tint)]).astype(np.uint8)
    pictures = []
    for n in range(frames):
        image = texture[:height, :width].copy()
        top, left, side = height // 4 + n // 2, width // 4 + n, min(size) // 2
        image[top : top + side, left : left + side] = texture[height : height + side, width : width + side]
        pictures.append(image)
    return pictures


def psnr_db(one: Picture, other: Picture) -> float:
    return float(10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2)))


@pytest.mark.parametrize("rate", [Fraction(25), NTSC, Fraction(24000, 1001), Fraction(7, 2), Fraction(120)])
@pytest.mark.parametrize("suffix", ["mp4", "webm"])
def test_exact_rate_and_every_frame(clips: Any, tmp_path: Path, suffix: str, rate: Fraction) -> None:
    path = write(tmp_path / f"a.{suffix}", [clips.picture(n) for n in range(40)], rate)
    with VideoReader(path) as video:
        assert [clips.number_of(frame.image) for frame in video] == list(range(40))
    assert video.info.rate == rate
    assert not video.info.variable_rate
    if suffix == "mp4":
        with av.open(str(path)) as container:
            assert container.streams.video[0].average_rate == rate


@pytest.mark.parametrize(("suffix", "least_db"), [("mp4", 38), ("webm", 36), ("gif", 30)])
def test_quality(tmp_path: Path, suffix: str, least_db: float) -> None:
    pictures = moving_picture((192, 160), 30)
    with VideoReader(write(tmp_path / f"a.{suffix}", pictures)) as video:
        losses = [psnr_db(frame.image, pictures[frame.index]) for frame in video]
    assert len(losses) == 30
    assert min(losses) > least_db


@pytest.mark.parametrize("suffix", ["mp4", "webm"])
def test_quality_can_be_chosen(tmp_path: Path, suffix: str) -> None:
    pictures = moving_picture((96, 80), 10)
    sizes = [write(tmp_path / f"{q}.{suffix}", pictures, quality=q).stat().st_size for q in (40, 25, 10)]
    assert sizes == sorted(sizes)


@pytest.mark.parametrize("suffix", ["mp4", "webm"])
def test_colours_and_their_tags(tmp_path: Path, suffix: str) -> None:
    colours = [(200, 30, 60), (20, 160, 220), (250, 240, 230), (12, 20, 16), (90, 200, 40)]
    path = write(tmp_path / f"a.{suffix}", [np.full((48, 64, 3), colour, np.uint8) for colour in colours])
    with VideoReader(path) as video:
        seen = [frame.image[20:28, 20:28].mean((0, 1)) for frame in video]
    np.testing.assert_allclose(seen, colours, atol=5)
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
    assert (frame.colorspace, frame.color_range, frame.format.name) == (1, 1, "yuv420p")
    if suffix == "mp4":
        assert (frame.color_primaries, frame.color_trc) == (1, 1)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("size", [(65, 47), (64, 47), (1, 1)])
def test_odd_sizes(tmp_path: Path, suffix: str, size: tuple[int, int]) -> None:
    """Even sizes are reached by repeating the edge, so nothing is lost and no border appears."""
    width, height = size
    image = np.full((height, width, 3), 60, np.uint8)
    image[:, -1] = image[-1] = 200
    with VideoReader(write(tmp_path / f"a.{suffix}", [image] * 3)) as video:
        seen = next(iter(video)).image
    grown = 0 if suffix == "gif" else 1
    assert seen.shape == (height + height % 2 * grown, width + width % 2 * grown, 3)
    if height > 1:
        np.testing.assert_allclose(seen[height - 1 :, 4:].mean(), 200, atol=12)


def test_mp4_starts_fast(clips: Any, tmp_path: Path) -> None:
    """The index lies before the pictures, so that a web page can play while it loads."""
    data = write(tmp_path / "a.mp4", [clips.picture(n) for n in range(10)]).read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize(
    ("rate", "kept"),
    [
        (Fraction(25), 50),
        (NTSC, 50),
        (Fraction(50), 50),
        (Fraction(60), 41),
        (Fraction(100), 25),
        (Fraction(10), 50),
    ],
)
def test_gif_keeps_time(clips: Any, tmp_path: Path, rate: Fraction, kept: int) -> None:
    """Its clock ticks in hundredths of a second; never two frames closer than two ticks."""
    path = write(tmp_path / "a.gif", [clips.picture(n) for n in range(50)], rate)
    with av.open(str(path)) as container:
        stamps = [frame.pts for frame in container.decode(video=0)]
    assert len(stamps) == kept
    assert min(later - earlier for earlier, later in itertools.pairwise(stamps)) >= 2
    assert stamps[-1] / 100 == pytest.approx(float(49 / rate), abs=0.021)


def test_gif_palette_follows_a_new_scene(tmp_path: Path) -> None:
    first = moving_picture((96, 80), 20)
    second = [np.ascontiguousarray(255 - image[..., ::-1] // 2) for image in first]
    pictures = [*first, *second]
    with VideoReader(write(tmp_path / "a.gif", pictures)) as video:
        losses = [psnr_db(frame.image, pictures[frame.index]) for frame in video]
    assert len(losses) == 40
    assert min(losses) > 28


def test_gif_leaves_still_pixels_alone(tmp_path: Path) -> None:
    pictures = moving_picture((96, 80), 30)
    with VideoReader(write(tmp_path / "a.gif", pictures)) as video:
        ground = [frame.image[:10].copy() for frame in video]
    assert all((each == ground[0]).all() for each in ground)


def test_folder_of_pictures(clips: Any, tmp_path: Path) -> None:
    pictures = [clips.picture(n, (31, 17)) for n in range(12)]
    folder = write(tmp_path / "frames", pictures)
    names = sorted(path.name for path in folder.iterdir())
    assert names == [f"frame_{n:06}.png" for n in range(1, 13)]
    for name, picture in zip(names, pictures, strict=True):
        np.testing.assert_array_equal(read_image(folder / name).image, picture)


def test_the_caller_may_reuse_its_array(clips: Any, tmp_path: Path) -> None:
    image = np.empty((48, 64, 3), np.uint8)
    with VideoWriter(tmp_path / "a.mp4", format="mp4", width=64, height=48, rate=Fraction(25)) as writer:
        for n in range(40):
            image[:] = clips.picture(n)
            writer.write(image)
    with VideoReader(tmp_path / "a.mp4") as video:
        assert [clips.number_of(frame.image) for frame in video] == list(range(40))


def test_views_are_welcome(clips: Any, tmp_path: Path) -> None:
    pictures = [clips.picture(n, (64, 48))[:, ::-1] for n in range(5)]
    with VideoReader(write(tmp_path / "a.mp4", pictures)) as video:
        assert psnr_db(next(iter(video)).image, pictures[0]) > 25


@pytest.mark.parametrize(
    "image",
    [np.zeros((48, 63, 3), np.uint8), np.zeros((48, 64), np.uint8), np.zeros((48, 64, 3), np.float32)],
)
def test_wrong_picture(tmp_path: Path, image: Any) -> None:
    with (
        pytest.raises(ValueError, match="expected uint8"),
        VideoWriter(tmp_path / "a.mp4", format="mp4", width=64, height=48, rate=Fraction(25)) as writer,
    ):
        writer.write(image)


def test_closed_is_closed(clips: Any, tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "a.mp4", format="mp4", width=64, height=48, rate=Fraction(25))
    writer.write(clips.picture(1))
    writer.close()
    writer.close()
    with pytest.raises(ValueError, match="closed"):
        writer.write(clips.picture(2))
    assert probe(tmp_path / "a.mp4").width == 64


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".gif", ""])
def test_no_picture(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    with pytest.raises(NoFrames):
        VideoWriter(path, format=format_of(path), width=64, height=48, rate=Fraction(25)).close()


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".gif", ""])
def test_abandoned(clips: Any, tmp_path: Path, suffix: str) -> None:
    """Ctrl-C: quickly out, the thread gone, and the file free to be removed."""
    path = tmp_path / f"a{suffix}"

    def work() -> None:
        with VideoWriter(path, format=format_of(path), width=64, height=48, rate=Fraction(25)) as writer:
            for n in range(20):
                writer.write(clips.picture(n))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    if path.is_file():
        path.unlink()


@pytest.mark.parametrize("suffix", FORMATS)
def test_not_writable(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "missing" / f"a.{suffix}"
    with pytest.raises(NotWritable, match=suffix):
        write(path, [np.zeros((48, 64, 3), np.uint8)])


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux only")  # noqa: PTH110 (it is no file)
@pytest.mark.parametrize("container", FORMATS)
def test_disk_full(container: Any) -> None:
    """The error comes out by itself while writing, or at the latest on closing; nothing hangs."""
    noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)

    def work() -> None:
        with VideoWriter("/dev/full", format=container, width=64, height=48, rate=Fraction(25)) as writer:
            for _ in range(100):
                writer.write(noise)

    with pytest.raises(DiskFull) as caught:
        work()
    assert "space" in caught.value.hint


def test_folder_vanishes(clips: Any, tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "frames", format="png", width=64, height=48, rate=Fraction(25))
    (tmp_path / "frames").rmdir()
    with pytest.raises(NotWritable), writer:
        for n in range(100):
            writer.write(clips.picture(n))


def test_impossible_video(tmp_path: Path) -> None:
    for size, rate in (((0, 10), 25), ((10, 10), 0), ((10, 10), -1)):
        with pytest.raises(UsageError):
            VideoWriter(tmp_path / "a.mp4", format="mp4", width=size[0], height=size[1], rate=Fraction(rate))
    with pytest.raises(OutputError):
        VideoWriter(tmp_path / "a.mp4", format="mp4", width=40000, height=40000, rate=Fraction(25))


def test_sound_that_cannot_be_had(clips: Any, tmp_path: Path) -> None:
    silent = clips.make("silent.mp4", 3)
    for source, expected in ((tmp_path / "missing.wav", MediaNotFound), (silent, NoAudio)):
        with pytest.raises(expected):
            write(tmp_path / "a.mp4", [clips.picture(1)], audio=AudioSource(source))
