from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from likeness.errors import FaceIndex, NoFace, NoFrames, NotWritable, OutputExists, UsageError
from likeness.motion.file import MotionFile
from likeness.motion.frame import DriverInfo
from likeness.pipelines.record import record_motion
from likeness.progress import Progress

from ..puppet import HEIGHT, WIDTH, Puppet
from .conftest import FRAMES, RATE, puppet_at, wall, write_clip


def test_what_is_recorded(talk: Path, folder: Path) -> None:
    told: list[Progress] = []
    out = folder / "a.motion"
    recording = record_motion(talk, out=out, on_progress=told.append)
    assert (recording.path, recording.driving) == (out, talk)
    assert (recording.frames, recording.rate, recording.held_frames) == (FRAMES, RATE, 0)
    assert [each.done for each in told if each.stage == "record"] == list(range(1, FRAMES + 1))
    file = MotionFile(out)
    assert file.info == DriverInfo(RATE, WIDTH, HEIGHT, FRAMES)
    for number, frame in enumerate(file.frames()):
        assert np.abs(frame.points - puppet_at(number).points)[:468, :2].mean() < 3
        assert frame.shading is not None
        assert frame.mouth is not None
        assert frame.skin is not None
    assert list(folder.iterdir()) == [out]


def test_geometry_alone_holds_nothing_of_the_look(talk: Path, motion: Path, folder: Path) -> None:
    record_motion(talk, out=folder / "a.motion", geometry_only=True)
    for frame, full in zip(
        MotionFile(folder / "a.motion").frames(), MotionFile(motion).frames(), strict=True
    ):
        assert np.array_equal(frame.points, full.points)
        assert np.array_equal(frame.blendshapes, full.blendshapes)
        assert frame.shading is frame.mouth is frame.skin is None


def test_a_part_and_a_face(folder: Path) -> None:
    pictures = [
        np.hstack([Puppet(px_per_cm=7.5, x=90 + n).draw(), Puppet(px_per_cm=6).draw()]) for n in range(8)
    ]
    clip = write_clip(folder / "two.mp4", pictures, rate=Fraction(10))
    part = {"start_s": Fraction(1, 5), "end_s": Fraction(1, 2)}
    for number, middle in ((None, 93.0), (1, 93.0), (2, WIDTH + 96.0)):
        recording = record_motion(clip, out=folder / f"{number}.motion", face=number, **part)
        assert recording.frames == 3
        points = np.array([frame.points for frame in MotionFile(recording.path).frames()])
        assert points[:, :468, 0].mean() == pytest.approx(middle, abs=5)
    with pytest.raises(FaceIndex):
        record_motion(clip, out=folder / "three.motion", face=3)
    assert not (folder / "three.motion").exists()


def test_frames_without_a_face_are_counted(folder: Path) -> None:
    pictures = [Puppet().draw()] * 4 + [wall()] * 3 + [Puppet().draw()] * 4
    recording = record_motion(write_clip(folder / "in.mp4", pictures), out=folder / "a.motion")
    assert (recording.frames, recording.held_frames) == (11, 3)
    held = [frame.held for frame in MotionFile(recording.path).frames()]
    assert held == [False] * 4 + [True] * 3 + [False] * 4


def test_what_is_refused(talk: Path, motion: Path, folder: Path) -> None:
    there = folder / "there.motion"
    there.write_text("precious")
    with pytest.raises(UsageError):
        record_motion(motion, out=folder / "a.motion")
    with pytest.raises(UsageError):
        record_motion(talk, out=folder / "a.mp4")
    with pytest.raises(OutputExists):
        record_motion(talk, out=there)
    with pytest.raises(NotWritable):
        record_motion(talk, out=folder / "nowhere" / "a.motion")
    assert there.read_text() == "precious"
    assert record_motion(talk, out=there, overwrite=True, end_s=Fraction(1, 10)).frames == 3


def test_nobody(folder: Path, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "wall.mp4", [wall()] * 5)
    with pytest.raises(NoFace):
        record_motion(clip, out=folder / "a.motion")
    assert list(folder.iterdir()) == []


def test_a_video_that_breaks_off_is_told(folder: Path, tmp_path: Path) -> None:
    pictures = [puppet_at(n).draw(seed=n) for n in range(FRAMES)]
    broken = write_clip(tmp_path / "a.mkv", pictures)
    assert record_motion(broken, out=folder / "whole.motion").warnings == ()
    broken.write_bytes(broken.read_bytes()[: broken.stat().st_size * 2 // 3])
    made = record_motion(broken, out=folder / "a.motion")
    assert made.frames < FRAMES
    assert any("damaged or missing" in warning for warning in made.warnings)


def test_a_picture_moves_nobody(portrait: Path, folder: Path, tmp_path: Path) -> None:
    """Neither as a file of its own nor as a video; `animate` would refuse what came of it."""
    for source in (portrait, write_clip(tmp_path / "one.mp4", [Puppet().draw()])):
        with pytest.raises(NoFrames, match=f"{source.name} holds one picture only") as caught:
            record_motion(source, out=folder / "a.motion")
        assert caught.value.hint
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("done", [1, FRAMES // 2])
def test_stopped_in_the_middle_it_leaves_nothing(done: int, talk: Path, folder: Path) -> None:
    def stop(progress: Progress) -> None:
        if (progress.stage, progress.done) == ("record", done):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record_motion(talk, out=folder / "a.motion", on_progress=stop)
    assert list(folder.iterdir()) == []
