"""Clips are found, cut once, and kept."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from likeness.errors import MediaNotFound, NoFrames
from likeness.faces import find_faces
from likeness.media import VideoReader
from likeness.training.clips import Cut, find_clips, fit, prepare_clips

WHOLE = Cut(32, 32, crop=False)


def test_frame_folders_become_clips_as_they_are(clips_path: Path, tmp_path: Path) -> None:
    found = prepare_clips(clips_path, tmp_path / "cache", WHOLE)
    assert [clip.name for clip in found.clips] == ["0", "1", "2", "3"]
    first = np.stack([cv2.imread(str(p))[..., ::-1] for p in sorted((clips_path / "0").iterdir())])
    assert np.array_equal(found.clips[0].frames, first)
    assert isinstance(found.clips[0].frames, np.memmap)


def test_clips_are_cut_once(clips_path: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    prepare_clips(clips_path, cache, WHOLE)
    before = {path: path.stat().st_mtime_ns for path in cache.iterdir()}
    assert len(before) == 4
    prepare_clips(clips_path, cache, WHOLE)
    assert {path: path.stat().st_mtime_ns for path in cache.iterdir()} == before
    os.utime(clips_path / "0" / "000.png", ns=(1, 1))  # a changed picture
    prepare_clips(clips_path, cache, WHOLE)
    assert len(list(cache.iterdir())) == 5
    prepare_clips(clips_path, cache, Cut(16, 16, crop=False))  # another size
    assert len(list(cache.iterdir())) == 9


def test_a_cut_that_is_damaged_is_made_again(clips_path: Path, tmp_path: Path) -> None:
    wanted = [np.array(clip.frames) for clip in prepare_clips(clips_path, tmp_path / "cache", WHOLE).clips]
    for number, path in enumerate(sorted((tmp_path / "cache").iterdir())):
        path.write_bytes(path.read_bytes()[: (0, 50, 3000, 128)[number]])
    again = prepare_clips(clips_path, tmp_path / "cache", WHOLE).clips
    np.testing.assert_array_equal([clip.frames for clip in again], wanted)


def test_what_cannot_be_used_is_left_out_with_a_reason(clips_path: Path, tmp_path: Path) -> None:
    (clips_path / "broken.mp4").write_bytes(b"no video" * 100)
    found = prepare_clips(clips_path, tmp_path / "cache", WHOLE)
    assert len(found.clips) == 4
    assert len(found.notes) == 1
    assert found.notes[0].startswith("broken.mp4 was left out")


def test_dots_are_no_faces(clips_path: Path, tmp_path: Path) -> None:
    with pytest.raises(NoFrames, match="shows no face") as found:
        prepare_clips(clips_path, tmp_path / "cache", Cut(32, 32, crop=True))
    assert "--no-crop" in found.value.hint


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaNotFound):
        find_clips(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(MediaNotFound):
        find_clips(tmp_path)


def test_the_head_is_cut_out(carphone_path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "carphone"
    folder.mkdir(parents=True)
    with VideoReader(carphone_path) as reader:
        for frame in reader:
            if frame.index < 60 and frame.index % 10 == 0:
                # As a part of something larger: the crop has to find it.
                large = np.zeros((300, 400, 3), np.uint8)
                large[100:244, 180:373] = frame.image
                cv2.imwrite(str(folder / f"{frame.index:03}.png"), large[..., ::-1])
            if frame.index >= 60:
                break
    [clip] = prepare_clips(tmp_path / "data", tmp_path / "cache", Cut(128, 128)).clips
    assert clip.frames.shape == (6, 128, 128, 3)
    for frame in clip.frames:
        [face, *_] = find_faces(np.ascontiguousarray(frame))
        left, top, right, bottom = face.box
        assert 35 < face.size_px < 70
        assert abs((left + right) / 2 - 63.5) < 16
        assert abs((top + bottom) / 2 - 66) < 16


def test_other_shapes_get_bars() -> None:
    wide = np.full((50, 100, 3), 200, np.uint8)
    out = fit(wide, 64, 64)
    assert (out[16:48] == 200).all()
    assert not out[:16].any()
    assert not out[48:].any()
