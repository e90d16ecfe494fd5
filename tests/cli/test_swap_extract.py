"""`likeness swap extract` and `likeness swap sort`, as they are typed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from PIL import Image

from likeness.facesets.faceset import FaceSet
from likeness.pipelines.extract_faces import extract_faces

from .conftest import Outcome, write_video

Cli = Callable[..., Outcome]


@pytest.fixture(scope="module")
def clip(carphone_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five frames of a man in a car."""
    with av.open(str(carphone_path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", frames[:10:2], rate=25)


@pytest.fixture(scope="module")
def photo(carphone_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same man at another moment."""
    with av.open(str(carphone_path)) as container:
        frame = list(container.decode(video=0))[40]
    path = tmp_path_factory.mktemp("photo") / "photo.png"
    Image.fromarray(frame.to_ndarray(format="rgb24")).save(path)
    return path


@pytest.fixture(scope="module")
def made(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The faces of the clip. Not to be changed."""
    return extract_faces(clip, tmp_path_factory.mktemp("made") / "A").folder


@pytest.fixture
def faces(made: Path, tmp_path: Path) -> Path:
    """A copy of them."""
    return shutil.copytree(made, tmp_path / "faces" / "A")


def test_extract_says_what_came_of_it(clip: Path, hopper_path: Path, cli: Cli, tmp_path: Path) -> None:
    done = cli("swap", "extract", clip, hopper_path, "-o", tmp_path / "A", "--every", 2)
    assert (done.code, done.err) == (0, "")
    first, left_out, note = done.out.splitlines()
    assert first == f"{tmp_path / 'A'}  3 faces from 4 frames"
    assert left_out == "left out: 1 another person (dropped.json)"
    assert note.startswith("note: 2 people were seen; left out: 2 (1 face).")


def test_every_option_reaches_the_work(
    clip: Path, photo: Path, hopper_path: Path, cli: Cli, tmp_path: Path
) -> None:
    done = cli(
        *("swap", "extract", clip, hopper_path, "-o", tmp_path / "A", "--drop", photo, "--person", "all"),
        *("--faces", 1, "--min-size", 50, "--every", 2, "--start", "0.04", "--end", "0:00.2", "--size", 64),
    )
    assert done.code == 0, done
    assert "1 face from 3 frames" in done.out
    assert "2 like the dropped" in done.out
    faces = FaceSet.open(tmp_path / "A")
    assert [faces.alignments.sources[record.source].name for record in faces.faces] == [hopper_path.name]
    assert faces.size_px == 64
    kept = cli("swap", "extract", clip, hopper_path, "-o", tmp_path / "B", "--keep", photo, "--offline")
    assert "5 faces from 6 frames" in kept.out


def test_sort_and_sort_back(faces: Path, cli: Cli) -> None:
    names = sorted(path.name for path in faces.glob("*.png"))
    for by in ("yaw", "pitch", "blur", "identity", "size"):
        done = cli("swap", "sort", faces, "--by", by)
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith(f"{faces}  5 faces by {by} (")
        assert all(path.name.startswith("0000") and path.name[5] == "-" for path in faces.glob("*.png"))
    (faces / names[0]).write_bytes((faces / f"{next(faces.glob('*000000_0.png')).name}").read_bytes())
    done = cli("swap", "sort", faces, "--by", "frame")
    assert done.code == 0
    assert [name for name in names if not (faces / name).exists()] == []


def test_cut_anew(faces: Path, clip: Path, cli: Cli) -> None:
    file = faces / "alignments.json"
    done = cli("swap", "extract", clip, "-o", faces, "--alignments", file, "--overwrite", "--size", 96)
    assert (done.code, done.out) == (0, f"{faces}  5 faces, cut anew\n")
    assert FaceSet.open(faces).size_px == 96
    both = cli("swap", "extract", clip, "-o", faces, "--alignments", file, "--keep", clip)
    assert both.is_refusal(2)
    assert "--keep" in both.err


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("missing.mp4", 3),
        ("folder.jpg", 3),
        ("empty.mp4", 3),
        ("text.mp4", 3),
        ("truncated.mp4", 3),
        ("sound_only.mp4", 3),
        ("no_frames.mp4", 3),
        ("nobody.mp4", 4),
        ("nobody.png", 4),
        ("huge.png", 3),
        ("truncated.jpg", 3),
    ],
)
def test_bad_input(bad_files: Path, name: str, code: int, cli: Cli, tmp_path: Path) -> None:
    out = tmp_path / "faces" / "A"
    assert cli("swap", "extract", bad_files / name, "-o", out).is_refusal(code)
    assert list(tmp_path.iterdir()) == []
    reference = cli("swap", "extract", bad_files / "small_face.png", "-o", out, "--keep", bad_files / name)
    assert reference.is_refusal(code)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "options",
    [
        ("--person", "0"),
        ("--person", "first"),
        ("--person", "-1"),
        ("--start", "soon"),
        ("--start", "3", "--end", "2"),
        ("--every", "0"),
        ("--faces", "0"),
        ("--min-size", "nan"),
        ("--size", "5"),
    ],
)
def test_bad_options(clip: Path, options: tuple[str, ...], cli: Cli, tmp_path: Path) -> None:
    refused = cli("swap", "extract", clip, "-o", tmp_path / "A", *options)
    assert refused.code in (2, 4)
    assert refused.is_refusal(refused.code)
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_stays(faces: Path, clip: Path, cli: Cli) -> None:
    before = sorted(path.name for path in faces.iterdir())
    assert cli("swap", "extract", clip, "-o", faces).is_refusal(9)
    (faces / "notes.txt").write_text("mine")
    assert cli("swap", "extract", clip, "-o", faces, "--overwrite").is_refusal(9)
    assert sorted(path.name for path in faces.iterdir()) == sorted([*before, "notes.txt"])


def test_folders_that_are_no_face_set(faces: Path, cli: Cli, tmp_path: Path) -> None:
    assert cli("swap", "sort", tmp_path / "none", "--by", "yaw").is_refusal(3)
    assert cli("swap", "sort", tmp_path, "--by", "yaw").is_refusal(3)
    assert cli("swap", "sort", faces, "--by", "colour").is_refusal(2)
    damaged = tmp_path / "damaged"
    shutil.copytree(faces, damaged)
    (damaged / "alignments.json").write_text('{"version": 2}')
    refused = cli("swap", "sort", damaged, "--by", "yaw")
    assert refused.is_refusal(3)
    assert "version 2" in refused.err
