"""A face set's folder appears complete or not at all."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from likeness.errors import DiskFull, NotWritable, OutputExists
from likeness.facesets import folder as module
from likeness.facesets.folder import check_folder, new_folder


def fill(folder: Path, text: str = "old") -> Path:
    folder.mkdir(parents=True)
    for name in ("alignments.json", "dropped.json", "sheet.jpg", "000001_0.png", "00002-03_000001_0.png"):
        (folder / name).write_text(text)
    return folder


def test_it_appears_when_all_is_there(tmp_path: Path) -> None:
    out = tmp_path / "faces" / "A"
    with new_folder(out) as folder:
        (folder / "alignments.json").write_text("new")
        assert not out.exists()
    assert [path.name for path in out.iterdir()] == ["alignments.json"]
    assert [path.name for path in out.parent.iterdir()] == ["A"]


@pytest.mark.parametrize("reason", [KeyboardInterrupt, ValueError])
def test_nothing_is_left(tmp_path: Path, reason: type[BaseException]) -> None:
    out = tmp_path / "faces" / "A"
    with pytest.raises(reason), new_folder(out) as folder:
        (folder / "alignments.json").write_text("new")
        raise reason
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_stays_until_the_new_is_complete(tmp_path: Path) -> None:
    out = fill(tmp_path / "A")
    with pytest.raises(KeyboardInterrupt), new_folder(out):
        raise KeyboardInterrupt
    assert len(list(out.iterdir())) == 5
    with new_folder(out) as folder:
        (folder / "alignments.json").write_text("new")
    assert [path.read_text() for path in out.iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["A"]


def test_it_comes_back_where_the_new_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = fill(tmp_path / "A")
    rename = Path.rename

    def refuse(path: Path, target: Path) -> Path:
        if path.name.startswith(".") and not path.name.endswith(".old"):
            raise PermissionError(errno.EACCES, "in use")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(NotWritable), new_folder(out) as folder:
        (folder / "alignments.json").write_text("new")
    assert (out / "alignments.json").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["A"]


def test_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(DiskFull), new_folder(tmp_path / "A"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_no_place_for_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(NotWritable), new_folder(tmp_path / "file" / "A"):
        pass


def test_only_face_sets_are_replaced(tmp_path: Path) -> None:
    out = fill(tmp_path / "A")
    with pytest.raises(OutputExists, match="already there"):
        check_folder(out, overwrite=False)
    check_folder(out, overwrite=True)
    (out / "thesis.doc").write_text("precious")
    with pytest.raises(OutputExists, match=r"thesis\.doc"):
        check_folder(out, overwrite=True)
    (out / "thesis.doc").unlink()
    (out / "holiday.png").write_text("precious")
    with pytest.raises(OutputExists, match=r"holiday\.png"):
        check_folder(out, overwrite=True)


def test_empty_folders_and_files(tmp_path: Path) -> None:
    check_folder(tmp_path / "new", overwrite=False)
    (tmp_path / "empty").mkdir()
    check_folder(tmp_path / "empty", overwrite=False)
    with new_folder(tmp_path / "empty") as folder:
        (folder / "alignments.json").write_text("new")
    assert (tmp_path / "empty" / "alignments.json").exists()
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputExists, match="is a file"):
        check_folder(tmp_path / "file", overwrite=True)


def test_every_file_of_ours_is_known() -> None:
    """What is written into a set must not keep the set from being replaced."""
    from likeness.facesets import alignments, finish, sheet, sorting

    ours = (
        alignments.FILE_NAME,
        finish.DROPPED_NAME,
        sheet.SHEET_NAME,
        sheet.PEOPLE_NAME,
        sorting.LISTING_NAME,
    )
    assert all(module._is_ours(name) for name in ours)
