from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.errors import NoFrames
from likeness.media import VideoReader
from likeness.motion.frame import DriverInfo
from likeness.pipelines.driver import Driver, frame_range

from ..puppet import HEIGHT, WIDTH, Puppet
from .conftest import FRAMES, RATE, puppet_at, wall, write_clip


def test_a_video(talk: Path) -> None:
    with Driver(talk, needs=frozenset({"appearance"})) as driver:
        assert driver.info == DriverInfo(RATE, WIDTH, HEIGHT, FRAMES)
        assert driver.has_audio
        frames = list(driver.frames())
    assert len(frames) == FRAMES
    assert all(frame.steady is not None and frame.shading is not None for frame in frames)
    assert all(frame.image is None for frame in frames)
    assert (driver.held, driver.damaged, driver.start_s) == (0, False, 0)
    errors = [np.abs(f.points - puppet_at(n).points)[:468, :2].mean() for n, f in enumerate(frames)]
    assert max(errors) < 3


def test_a_recorded_motion(motion: Path, talk: Path) -> None:
    with Driver(motion, needs=frozenset({"appearance"})) as driver, Driver(talk, needs=frozenset()) as video:
        assert driver.info == video.info
        assert not driver.has_audio
        recorded, tracked = list(driver.frames()), list(video.frames())
    assert len(recorded) == len(tracked)
    for one, other in zip(recorded, tracked, strict=True):
        assert np.array_equal(one.points, other.points)
        assert one.steady is not None
        assert np.array_equal(one.steady, other.steady)


def test_an_engine_may_ask_for_the_pictures(talk: Path) -> None:
    with Driver(talk, needs=frozenset({"image"})) as driver, VideoReader(talk) as video:
        for frame, picture in zip(driver.frames(), video, strict=True):
            assert frame.image is not None
            assert np.array_equal(frame.image, picture.image)


parts = st.tuples(
    st.fractions(0, 1, max_denominator=300), st.none() | st.fractions(0, 1, max_denominator=300)
).filter(lambda part: part[1] is None or part[0] < part[1])


@given(parts, st.fractions(Fraction(1), Fraction(120), max_denominator=1001))
def test_a_part_of_a_motion_holds_the_frames_from_start_until_end(
    part: tuple[Fraction, Fraction | None], rate: Fraction
) -> None:
    start_s, end_s = part
    wanted = [n for n in range(50) if start_s <= n / rate and (end_s is None or n / rate < end_s)]
    info = DriverInfo(rate, 10, 10, 50)
    if wanted:
        assert list(frame_range(info, start_s, end_s)) == wanted
    else:
        with pytest.raises(NoFrames) as caught:
            frame_range(info, start_s, end_s)
        assert caught.value.hint


@pytest.mark.parametrize(
    ("start_s", "end_s"), [(None, "1/10"), ("1/10", None), ("1/7", "1/2"), ("201/1000", "601/1000")]
)
def test_video_and_motion_are_cut_alike(
    talk: Path, motion: Path, start_s: str | None, end_s: str | None
) -> None:
    part = {
        "start_s": None if start_s is None else Fraction(start_s),
        "end_s": None if end_s is None else Fraction(end_s),
    }
    counts = []
    for path in (talk, motion):
        with Driver(path, needs=frozenset(), **part) as driver:
            counts.append((driver.start_s, driver.info.frames, sum(1 for _ in driver.frames())))
    assert counts[0] == counts[1]
    assert counts[0][1] == counts[0][2]


def test_a_part_beyond_the_end(talk: Path, motion: Path) -> None:
    with pytest.raises(NoFrames):
        Driver(motion, needs=frozenset(), start_s=Fraction(60))
    with (
        Driver(talk, needs=frozenset(), start_s=Fraction(60)) as driver,
        pytest.raises(NoFrames),
    ):
        list(driver.frames())


def test_faces_that_are_not_seen_are_counted(folder: Path) -> None:
    pictures = [Puppet().draw()] * 6 + [wall()] * 5 + [Puppet(x=100).draw()] * 6
    clip = write_clip(folder / "lost.mp4", pictures)
    with Driver(clip, needs=frozenset()) as driver:
        held = [frame.held for frame in driver.frames()]
    assert held == [False] * 6 + [True] * 5 + [False] * 6
    assert driver.held == 5


def test_a_driver_may_be_left_at_any_time(talk: Path, motion: Path) -> None:
    for path in (talk, motion):
        with Driver(path, needs=frozenset()) as driver:
            stream = driver.frames()
            next(stream)
            stream.close()
        with Driver(path, needs=frozenset()):
            pass
