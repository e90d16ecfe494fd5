from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from likeness.errors import DiskFull, NotWritable, OutputExists, Unsupported, UsageError
from likeness.media import check_output, format_of, temporary_beside
from likeness.media.files import frame_name, write_error


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.mp4", "mp4"),
        ("a.MP4", "mp4"),
        ("x/a.webm", "webm"),
        ("a.gif", "gif"),
        ("frames", "png"),
    ],
)
def test_format(path: str, expected: str) -> None:
    assert format_of(path) == expected


def test_format_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "take.2").mkdir()
    assert format_of(tmp_path / "take.2") == "png"


@pytest.mark.parametrize("path", ["a.avi", "a.png", "a.mp5"])
def test_unknown_format(path: str) -> None:
    with pytest.raises(Unsupported, match=path) as caught:
        format_of(path)
    assert ".mp4" in caught.value.hint


def test_output_may_be_new(tmp_path: Path) -> None:
    check_output(tmp_path / "a.mp4")
    check_output(tmp_path / "frames")
    assert list(tmp_path.iterdir()) == []


def test_output_exists(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    with pytest.raises(OutputExists) as caught:
        check_output(tmp_path / "a.mp4")
    assert "--overwrite" in caught.value.hint
    check_output(tmp_path / "a.mp4", overwrite=True)


def test_inputs_are_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    (tmp_path / "sub").mkdir()
    with pytest.raises(UsageError):
        check_output(tmp_path / "sub" / ".." / "a.mp4", overwrite=True, inputs=[tmp_path / "a.mp4"])


def test_only_a_folder_of_frames_is_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    (folder / frame_name(1)).touch()
    with pytest.raises(OutputExists):
        check_output(folder)
    check_output(folder, overwrite=True)
    (folder / "thesis.txt").touch()
    with pytest.raises(OutputExists, match=r"thesis\.txt"):
        check_output(folder, overwrite=True)


def test_output_has_no_place(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "missing" / "a.mp4", tmp_path / "file" / "a.mp4"):
        with pytest.raises(NotWritable):
            check_output(path)
    (tmp_path / "file2").touch()
    with pytest.raises(OutputExists, match="is a file"):
        check_output(tmp_path / "file2", overwrite=True)


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no such permission there")
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")
def test_output_in_a_read_only_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(NotWritable):
        check_output(tmp_path / "a.mp4")


def test_commit(tmp_path: Path) -> None:
    target = tmp_path / "a.mp4"
    target.write_text("old")
    with temporary_beside(target) as pending:
        assert pending.path.parent == tmp_path
        assert pending.path.suffix == ".mp4"
        pending.path.write_text("new")
        assert target.read_text() == "old"
        pending.commit()
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
    assert target.read_text() == "new"


@pytest.mark.parametrize("is_folder", [False, True])
@pytest.mark.parametrize("ending", [None, KeyboardInterrupt, ValueError])
def test_without_commit_nothing_stays(
    tmp_path: Path, is_folder: bool, ending: type[BaseException] | None
) -> None:
    def work() -> None:
        with temporary_beside(tmp_path / "out.gif") as pending:
            if is_folder:
                pending.path.mkdir()
                (pending.path / frame_name(1)).touch()
            else:
                pending.path.touch()
            if ending:
                raise ending

    if ending:
        with pytest.raises(ending):
            work()
    else:
        work()
    assert list(tmp_path.iterdir()) == []


def test_commit_of_a_folder(tmp_path: Path) -> None:
    for round_number in (1, 2):
        with temporary_beside(tmp_path / "frames") as pending:
            pending.path.mkdir()
            (pending.path / frame_name(round_number)).touch()
            pending.commit()
    assert [path.name for path in tmp_path.iterdir()] == ["frames"]
    assert [path.name for path in (tmp_path / "frames").iterdir()] == [frame_name(2)]


def test_commit_never_deletes_what_others_wrote(tmp_path: Path) -> None:
    """Something may have been put there since it was checked."""
    with temporary_beside(tmp_path / "frames") as pending, pytest.raises(OutputExists):
        pending.path.mkdir()
        (tmp_path / "frames").mkdir()
        (tmp_path / "frames" / "thesis.txt").touch()
        pending.commit()
    assert (tmp_path / "frames" / "thesis.txt").exists()


def test_a_long_name_fits(tmp_path: Path) -> None:
    with temporary_beside(tmp_path / ("n" * 240 + ".mp4")) as pending:
        pending.path.touch()
        pending.commit()
    assert len(list(tmp_path.iterdir())) == 1


def test_what_went_wrong(tmp_path: Path) -> None:
    assert isinstance(write_error(tmp_path, OSError(errno.ENOSPC, "No space")), DiskFull)
    assert isinstance(write_error(tmp_path, OSError(errno.EFBIG, "File too large")), DiskFull)
    assert isinstance(write_error(tmp_path, PermissionError(errno.EACCES, "Permission denied")), NotWritable)
