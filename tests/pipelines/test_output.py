from __future__ import annotations

import errno
from pathlib import Path

import pytest

from likeness.errors import DiskFull, NotWritable, OutputExists, UsageError
from likeness.pipelines.output import check_plain_output, plain_output


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.motion"
    path.write_text("input")
    return path


def test_what_may_be_written(folder: Path, source: Path) -> None:
    check_plain_output(folder / "a.motion", ".motion", overwrite=False, source=source)
    (folder / "b.MOTION").touch()
    check_plain_output(folder / "b.MOTION", ".motion", overwrite=True, source=source)


@pytest.mark.parametrize(
    ("name", "overwrite", "error"),
    [
        ("a.mp4", True, UsageError),
        ("a", False, UsageError),
        ("there.motion", False, OutputExists),
        ("nowhere/a.motion", False, NotWritable),
        ("../in.motion", True, UsageError),
    ],
)
def test_what_may_not(name: str, overwrite: bool, error: type[Exception], folder: Path, source: Path) -> None:
    (folder / "there.motion").touch()
    with pytest.raises(error) as caught:
        check_plain_output(folder / name, ".motion", overwrite=overwrite, source=source)
    assert getattr(caught.value, "hint", "")


def test_it_appears_when_it_is_complete(folder: Path) -> None:
    out = folder / "a.motion"
    with plain_output(out) as path:
        path.write_text("half")
        assert not out.exists()
        path.write_text("whole")
    assert out.read_text() == "whole"
    assert list(folder.iterdir()) == [out]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (KeyboardInterrupt(), KeyboardInterrupt),
        (ValueError("x"), ValueError),
        (OSError(errno.ENOSPC, "No space left on device"), DiskFull),
        (OSError(errno.EACCES, "Permission denied"), NotWritable),
    ],
    ids=repr,
)
def test_whatever_goes_wrong_what_was_there_stays(
    error: BaseException, expected: type[BaseException], folder: Path
) -> None:
    out = folder / "a.motion"
    out.write_text("old")
    with pytest.raises(expected), plain_output(out) as path:
        path.write_text("half")
        raise error
    assert out.read_text() == "old"
    assert list(folder.iterdir()) == [out]
