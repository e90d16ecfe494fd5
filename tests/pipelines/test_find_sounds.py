"""Which files of a folder are sounds."""

from __future__ import annotations

from pathlib import Path

import pytest

from likeness.errors import MediaNotFound
from likeness.pipelines.find_sounds import find_sounds


def test_what_counts_as_sound(tmp_path: Path) -> None:
    sounds = ["a.wav", "b.FLAC", "c.opus", "d.mpg"]
    others = ["list.m3u", "list.M3U8", "list.pls", "list.ram", "list.wax", "._a.wav", "cover.jpg", "a.txt"]
    for name in (*sounds, *others):
        (tmp_path / name).write_text("x")
    (tmp_path / "folder.wav").mkdir()
    assert [one.name for one in find_sounds(tmp_path)] == sounds


def test_a_folder_of_playlists_holds_no_sound(tmp_path: Path) -> None:
    (tmp_path / "list.m3u").write_text("a.wav")
    with pytest.raises(MediaNotFound, match="no sound"):
        find_sounds(tmp_path)
