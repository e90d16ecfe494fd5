"""Faces out of videos and pictures: whose, how many, where; and nothing where something goes wrong."""

from __future__ import annotations

import errno
import gc
import json
import pickle
import shutil
import weakref
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from likeness.errors import (
    DiskFull,
    FaceIndex,
    FaceSetFormat,
    FaceSetMismatch,
    MediaNotFound,
    NoFace,
    NoFrames,
    OutputExists,
    Unreadable,
    UsageError,
)
from likeness.faces import identity
from likeness.faces.identity import MATCH
from likeness.facesets import collect
from likeness.facesets.faceset import FaceSet
from likeness.pipelines import lookout
from likeness.pipelines.extract_faces import extract_faces
from likeness.pipelines.recut_faces import recut_faces
from likeness.progress import Progress
from likeness.types import Face, Floats, Picture

from .conftest import wall, write_clip

RATE = Fraction(25)


@pytest.fixture(scope="module", autouse=True)
def known_faces() -> Iterator[None]:
    """The identity network sees the same faces in test after test; once is enough."""
    seen: dict[bytes, Floats] = {}
    embed = identity.embed_face

    def remember(image: Picture, face: Face, *, offline: bool | None = None) -> Floats:
        chip = identity.face_chip(image, face).tobytes()
        if chip not in seen:
            seen[chip] = embed(image, face, offline=offline)
        return seen[chip]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(identity, "embed_face", remember)
        yield


@pytest.fixture(scope="session")
def caller(carphone_path: Path) -> list[Picture]:
    """Frames of a man in a car, 352 × 288."""
    with av.open(str(carphone_path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return [np.asarray(cv2.resize(frame, (352, 288)), np.uint8) for frame in frames]


@pytest.fixture(scope="session")
def admiral(hopper_path: Path) -> Picture:
    """A portrait of a woman, 245 × 288."""
    with Image.open(hopper_path) as picture:
        return np.asarray(picture.convert("RGB").resize((245, 288)))


@pytest.fixture(scope="session")
def caller_photo(caller: list[Picture], media: Path) -> Path:
    """The caller at another moment."""
    path = media / "caller.png"
    Image.fromarray(caller[40]).save(path)
    return path


@pytest.fixture(scope="session")
def clip(caller: list[Picture], media: Path) -> Path:
    """Eight frames of the caller alone."""
    return write_clip(media / "caller.mp4", caller[:16:2], rate=RATE)


@pytest.fixture(scope="session")
def pair(caller: list[Picture], admiral: Picture, media: Path) -> Path:
    """Six frames of the two side by side, then two of the caller alone."""
    beside = np.zeros_like(admiral) + 90
    frames = [np.hstack([caller[n], admiral if n < 6 else beside])[:, :596] for n in range(8)]
    return write_clip(media / "pair.mp4", frames, rate=RATE)


@pytest.fixture(scope="session")
def made(clip: Path, media: Path) -> FaceSet:
    """The faces of the clip. Not to be changed."""
    extract_faces(clip, media / "made")
    return FaceSet.open(media / "made")


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def counts(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "dropped.json").read_text())
    return found


def test_a_clip_becomes_a_face_set(clip: Path, folder: Path, caller: list[Picture]) -> None:
    told: list[Progress] = []
    done = extract_faces(clip, folder / "faces" / "A", on_progress=told.append)
    assert (done.faces, done.frames, done.empty_frames, done.dropped, done.warnings) == (8, 8, 0, {}, ())
    assert [(person.faces, person.kept) for person in done.people] == [(8, 8)]
    assert [(one.done, one.total) for one in told if one.stage == "extract"] == [(n, 8) for n in range(1, 9)]
    assert files_in(done.folder) == {f"{n:06}_0.png" for n in range(8)} | {
        "alignments.json",
        "sheet.jpg",
        "dropped.json",
    }
    faces = FaceSet.open(done.folder)
    (source,) = faces.alignments.sources
    assert (source.name, source.width, source.height) == ("caller.mp4", 352, 288)
    assert (source.rate, source.frames) == (RATE, 8)
    for number, record in enumerate(faces.faces):
        assert record.frame == number
        assert record.time_s == pytest.approx(number / 25)
        assert record.identity_distance is not None
        assert record.identity_distance < MATCH
        assert abs(record.pose.yaw_deg) < 45
        assert 0 < record.blur < 10
        cut = record.alignment.cut(caller[2 * number], 320, zoom=1.25)
        assert faces.read(record).shape == (320, 320, 3)
        assert np.abs(faces.read(record).astype(int) - cut).mean() < 6


def test_whose_face_it_is_can_be_measured_on_the_picture(
    made: FaceSet, pair: Path, folder: Path, hopper_path: Path
) -> None:
    """Where pictures were exchanged, the file still says what it said, and the pictures do not."""
    shutil.copytree(made.folder, folder / "A")
    faces = FaceSet.open(folder / "A")
    for record in faces.faces[:2]:
        assert record.identity is not None
        found = faces.embed(record)
        assert found is not None
        assert np.linalg.norm(found - record.identity) < 0.1
    extract_faces(pair, folder / "B", keep=[hopper_path])
    other = FaceSet.open(folder / "B")
    shutil.copy(other.path(other.faces[0]), faces.path(faces.faces[0]))
    exchanged = faces.embed(faces.faces[0])
    assert exchanged is not None
    assert np.linalg.norm(exchanged - np.asarray(faces.faces[0].identity)) > MATCH


def test_the_same_twice(clip: Path, made: FaceSet, folder: Path) -> None:
    extract_faces(clip, folder / "again")
    assert FaceSet.open(folder / "again").sha256 == made.sha256


def test_frames_are_counted_from_the_beginning_of_the_file(clip: Path, made: FaceSet, folder: Path) -> None:
    done = extract_faces(clip, folder / "A", every=2, start_s=Fraction(1, 25), end_s=Fraction(6, 25))
    faces = FaceSet.open(folder / "A")
    assert done.frames == 3
    assert [record.frame for record in faces.faces] == [1, 3, 5]
    assert faces.alignments.sources[0].frames is None
    hashes = {record.frame: record.frame_hash for record in made.faces}
    assert [record.frame_hash for record in faces.faces] == [hashes[n] for n in (1, 3, 5)]


def test_who_is_seen_most_is_kept(pair: Path, folder: Path) -> None:
    done = extract_faces(pair, folder / "A")
    assert [(person.faces, person.kept) for person in done.people] == [(8, 8), (6, 0)]
    assert done.dropped == {"another person": 6}
    assert "2 people were seen; left out: 2 (6 faces)" in done.warnings[0]
    faces = FaceSet.open(folder / "A")
    assert all((record.box[0] + record.box[2]) / 2 < 352 for record in faces.faces)
    assert len(faces) == 8
    assert faces.notes == ()  # nobody else's picture was left behind
    with Image.open(folder / "A" / "people.jpg") as sheet:
        assert sheet.height == 2 * (24 + 96)
    listed = counts(folder / "A")
    assert listed["dropped"] == {"another person": 6}
    assert isinstance(listed["faces"], list)
    assert {face["reason"] for face in listed["faces"]} == {"another person"}
    assert all(face["box"][0] > 352 for face in listed["faces"])
    assert "identity" not in listed["faces"][0]  # nothing that others could be known again by


@pytest.mark.parametrize(("who", "kept"), [(1, [8, 0]), (2, [0, 6]), ("all", [8, 6])])
def test_one_of_the_people(pair: Path, folder: Path, who: int, kept: list[int]) -> None:
    done = extract_faces(pair, folder / "A", person=who)
    assert [person.kept for person in done.people] == kept
    assert len(FaceSet.open(folder / "A")) == sum(kept) == done.faces


def test_one_who_was_not_seen(pair: Path, folder: Path) -> None:
    with pytest.raises(FaceIndex, match="2 were seen"):
        extract_faces(pair, folder / "A", person=3)
    assert files_in(folder) == set()


def test_whom_to_keep(pair: Path, hopper_path: Path, folder: Path) -> None:
    done = extract_faces(pair, folder / "A", keep=[hopper_path])
    assert [person.kept for person in done.people] == [0, 6]
    assert done.dropped == {"not the reference": 8}
    faces = FaceSet.open(folder / "A")
    assert faces.alignments.distance_to == "keep"
    assert all(record.identity_distance < 0.3 for record in faces.faces if record.identity_distance)
    assert all(record.box[0] > 352 for record in faces.faces)


def test_whom_to_drop(pair: Path, hopper_path: Path, caller_photo: Path, folder: Path) -> None:
    done = extract_faces(pair, folder / "A", drop=str(caller_photo))
    assert [person.kept for person in done.people] == [0, 6]
    assert done.dropped == {"like the dropped": 8}
    both = extract_faces(pair, folder / "B", keep=[caller_photo, hopper_path], drop=[hopper_path])
    assert [person.kept for person in both.people] == [8, 0]


def test_strangers_only(clip: Path, hopper_path: Path, folder: Path) -> None:
    with pytest.raises(NoFace, match="of 8, 8 not the reference") as told:
        extract_faces(clip, folder / "A", keep=[hopper_path])
    assert "--keep" in told.value.hint and "--min-size" not in told.value.hint
    assert files_in(folder) == set()


def test_a_cut_to_somebody_else(caller: list[Picture], admiral: Picture, media: Path, folder: Path) -> None:
    """At the same place in the picture, where the tracker goes on as if nothing had happened."""
    room = np.full_like(caller[0], 120)
    room[:, 60:305] = admiral
    path = write_clip(media / "cut.mp4", [*caller[:6], *[room] * 3, *caller[6:8]], rate=RATE)
    done = extract_faces(path, folder / "A")
    assert [(person.faces, person.kept) for person in done.people] == [(8, 8), (3, 0)]
    kept = [record.frame for record in FaceSet.open(folder / "A").faces]
    assert kept == [0, 1, 2, 3, 4, 5, 9, 10]


def test_small_faces(pair: Path, folder: Path) -> None:
    with pytest.raises(NoFace, match="14 too small") as told:
        extract_faces(pair, folder / "A", min_size_px=400)
    assert "--min-size" in told.value.hint and "--keep" not in told.value.hint
    done = extract_faces(pair, folder / "A", min_size_px=110)
    assert done.dropped["too small"] > 0
    assert all(record.size_px >= 110 for record in FaceSet.open(folder / "A").faces)


def test_frames_without_a_face(caller: list[Picture], media: Path, folder: Path) -> None:
    nobody = np.full_like(caller[0], 110)
    path = write_clip(media / "gaps.mp4", [nobody, caller[0], caller[1], *[nobody] * 3], rate=RATE)
    done = extract_faces(path, folder / "A")
    assert (done.faces, done.frames, done.empty_frames) == (2, 6, 4)
    listed = counts(folder / "A")
    assert listed["frames_without_face"] == 4
    assert listed["gaps"] == [{"source": 0, "first": 0, "last": 0}, {"source": 0, "first": 3, "last": 5}]


def test_several_clips_and_pictures(
    clip: Path, hopper_path: Path, caller: list[Picture], folder: Path, tmp_path: Path
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in (30, 50):
        Image.fromarray(caller[number]).save(photos / f"{number}.png")
    (photos / "notes.txt").write_text("not a picture")
    done = extract_faces([clip, photos, hopper_path], folder / "A", every=4)
    assert (done.frames, done.faces) == (5, 4)
    faces = FaceSet.open(folder / "A")
    assert [record.file for record in faces.faces] == [
        "00_000000_0.png",
        "00_000004_0.png",
        "01_000000_0.png",
        "02_000000_0.png",
    ]
    names = [source.name for source in faces.alignments.sources]
    assert names == ["caller.mp4", "30.png", "50.png", hopper_path.name]
    assert faces.alignments.sources[1].rate is None
    assert done.dropped == {"another person": 1}


def test_one_bad_file_among_several(clip: Path, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_text("not a picture" * 10)
    (tmp_path / "bad.mp4").write_text("not a video" * 10)
    done = extract_faces([tmp_path / "bad.jpg", clip, tmp_path / "bad.mp4"], folder / "A", every=4)
    assert done.faces == 2
    assert [warning.split(" was left out")[0] for warning in done.warnings] == ["bad.jpg", "bad.mp4"]
    with pytest.raises(Unreadable):
        extract_faces([tmp_path / "bad.jpg", tmp_path / "bad.mp4"], folder / "B")
    assert [path.name for path in folder.iterdir()] == ["A"]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("none.mp4", MediaNotFound),
        ("empty.mp4", Unreadable),
        ("text.mp4", Unreadable),
        ("dir", MediaNotFound),
    ],
)
def test_files_that_are_none(folder: Path, tmp_path: Path, name: str, error: type[Exception]) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("not a video" * 10)
    (tmp_path / "dir").mkdir()
    with pytest.raises(error):
        extract_faces(tmp_path / name, folder / "A")
    assert files_in(folder) == set()


def test_nobody_there(media: Path, folder: Path) -> None:
    path = write_clip(media / "wall.mp4", [wall()] * 3)
    with pytest.raises(NoFace, match="in 3 frames"):
        extract_faces(path, folder / "A")
    with pytest.raises(NoFrames):
        extract_faces(path, folder / "A", start_s=Fraction(10))
    with pytest.raises(UsageError):
        extract_faces(path, folder / "A", start_s=Fraction(2), end_s=Fraction(1))
    assert files_in(folder) == set()


@pytest.mark.parametrize(
    "options",
    [{"every": 0}, {"faces": 0}, {"faces": 100}, {"min_size_px": float("nan")}, {"size_px": 16}],
)
def test_values_out_of_range(clip: Path, folder: Path, options: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        extract_faces(clip, folder / "A", **options)  # type: ignore[arg-type]
    with pytest.raises(UsageError):
        extract_faces([], folder / "A")
    for nobody in (0, -1, "anna"):
        with pytest.raises(UsageError, match="is no person"):
            extract_faces(clip, folder / "A", person=nobody)  # type: ignore[arg-type]


def test_too_long_a_clip_is_refused_at_once(
    clip: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookout, "MAX_FACES", 3)
    with pytest.raises(UsageError) as caught:
        extract_faces(clip, folder / "A")
    assert "--every 3" in caught.value.hint


def test_what_is_there_is_not_replaced_unasked(clip: Path, made: FaceSet, folder: Path) -> None:
    shutil.copytree(made.folder, folder / "A")
    before = files_in(folder)
    with pytest.raises(OutputExists):
        extract_faces(clip, folder / "A", every=4)
    assert files_in(folder) == before
    extract_faces(clip, folder / "A", every=4, overwrite=True)
    assert len(FaceSet.open(folder / "A")) == 2


def test_sources_are_not_replaced(made: FaceSet, folder: Path) -> None:
    shutil.copytree(made.folder, folder / "A")
    before = files_in(folder)
    with pytest.raises(UsageError, match="would be replaced"):
        extract_faces(folder / "A" / "000000_0.png", folder / "A", overwrite=True)
    assert files_in(folder) == before


def test_stopped(clip: Path, folder: Path) -> None:
    def stop(progress: Progress) -> None:
        if progress.stage == "extract" and progress.done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract_faces(clip, folder / "faces" / "A", on_progress=stop)
    assert files_in(folder) == set()


def test_a_full_disk(clip: Path, made: FaceSet, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(made.folder, folder / "A")
    write, left = Path.write_bytes, [3]

    def fill(path: Path, data: bytes) -> int:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", fill)
    with pytest.raises(DiskFull):
        extract_faces(clip, folder / "A", overwrite=True)
    monkeypatch.undo()
    assert FaceSet.open(folder / "A").sha256 == made.sha256
    assert [path.name for path in folder.iterdir()] == ["A"]


def test_memory_does_not_grow_with_the_clip(
    clip: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once a frame was taken, neither its picture nor its faces are kept; of a face 1 kB is."""
    taken: list[weakref.ref[Picture]] = []
    take = collect.Collector.take

    def watch(collector: collect.Collector, look: collect.Look) -> None:
        image = look.image.copy()  # what the reader holds is its own affair
        taken.append(weakref.ref(image))
        take(collector, replace(look, image=image))
        del image
        gc.collect()
        assert [one() for one in taken] == [None] * len(taken)
        assert len(pickle.dumps(collector.sightings[-1])) < 1000

    monkeypatch.setattr(collect.Collector, "take", watch)
    assert extract_faces(clip, folder / "A").faces == len(taken)


def test_cut_anew_it_is_the_same(clip: Path, made: FaceSet, folder: Path) -> None:
    done = recut_faces(made.folder / "alignments.json", clip, folder / "A")
    assert done.faces == 8
    assert FaceSet.open(folder / "A").sha256 == made.sha256
    assert files_in(folder / "A") == files_in(made.folder) - {"dropped.json"}


def test_a_square_that_was_moved_by_hand(
    clip: Path, made: FaceSet, folder: Path, caller: list[Picture]
) -> None:
    shutil.copytree(made.folder, folder / "A")
    path = folder / "A" / "alignments.json"
    edited = json.loads(path.read_text())
    edited["faces"][3]["square"] = {"x": 100, "y": 90.5, "side_px": 60, "roll_deg": 30}
    edited["faces"] = edited["faces"][2:5]
    path.write_text(json.dumps(edited, indent=1))
    done = recut_faces(path, clip, folder / "A", size_px=128, overwrite=True)
    faces = FaceSet.open(folder / "A")
    assert done.faces == len(faces) == 3
    assert faces.size_px == 128
    record = faces.faces[1]
    assert (record.frame, record.alignment.x, record.alignment.roll_deg) == (3, 100, 30)
    assert np.array_equal(record.points, made.faces[3].points)
    cut = record.alignment.cut(caller[6], 128, zoom=1.25)
    assert np.abs(faces.read(record).astype(int) - cut).mean() < 6
    assert record.identity_distance == made.faces[3].identity_distance


def test_what_was_deleted_from_a_folder_stays_deleted(clip: Path, made: FaceSet, folder: Path) -> None:
    shutil.copytree(made.folder, folder / "A")
    (folder / "A" / "000002_0.png").unlink()
    assert recut_faces(folder / "A", clip, folder / "B").faces == 7
    assert recut_faces(folder / "A" / "alignments.json", clip, folder / "C").faces == 8


def test_the_clip_packed_anew(made: FaceSet, caller: list[Picture], folder: Path, tmp_path: Path) -> None:
    """Another file of the same frames, under another name."""
    other = write_clip(tmp_path / "copy.mp4", caller[:16:2], rate=RATE, options={"movflags": "faststart"})
    assert recut_faces(made.folder, other, folder / "A").faces == 8
    assert FaceSet.open(folder / "A").alignments.sources[0].name == "copy.mp4"


def test_files_of_one_name_are_told_by_their_order(
    clip: Path, pair: Path, folder: Path, tmp_path: Path
) -> None:
    """As cameras number them, in two folders."""
    paths = [tmp_path / name / "00001.mp4" for name in ("one", "two")]
    for source, path in zip((clip, pair), paths, strict=True):
        path.parent.mkdir()
        shutil.copy(source, path)
    made = extract_faces(paths, folder / "A", person="all")
    again = recut_faces(made.folder, paths, folder / "B")
    assert again.faces == made.faces
    with pytest.raises(FaceSetMismatch):
        recut_faces(made.folder, paths[::-1], folder / "C")


def test_another_video(
    made: FaceSet, caller: list[Picture], pair: Path, folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(FaceSetMismatch, match="596×288 px"):
        recut_faces(made.folder, pair, folder / "A")
    short = write_clip(tmp_path / "short.mp4", caller[:10:2], rate=RATE)
    with pytest.raises(FaceSetMismatch, match="no frame 5"):
        recut_faces(made.folder, short, folder / "A")
    turned = [np.ascontiguousarray(frame[::-1]) for frame in caller[:16:2]]
    other = write_clip(tmp_path / "other.mp4", turned, rate=RATE)
    with pytest.raises(FaceSetMismatch, match="another picture"):
        recut_faces(made.folder, other, folder / "A")
    still = tmp_path / "still.png"
    Image.fromarray(caller[0]).save(still)
    with pytest.raises(FaceSetMismatch, match=r"still\.png"):
        recut_faces(made.folder, still, folder / "A")
    with pytest.raises(FaceSetMismatch, match="is not given"):
        recut_faces(made.folder, [short, other], folder / "A")
    assert files_in(folder) == set()


def test_an_alignments_file_that_cannot_be_used(made: FaceSet, clip: Path, folder: Path) -> None:
    path = folder / "alignments.json"
    for text, error in [
        ("{", FaceSetFormat),
        (
            (made.folder / "alignments.json").read_text().replace('"version": 1', '"version": 9'),
            FaceSetFormat,
        ),
        ((made.folder / "alignments.json").read_text().partition('{"file"')[0] + "]}", NoFace),
    ]:
        path.write_text(text)
        with pytest.raises(error):
            recut_faces(path, clip, folder / "A")
    with pytest.raises(MediaNotFound):
        recut_faces(folder / "none.json", clip, folder / "A")
    with pytest.raises(UsageError):
        recut_faces(made.folder, clip, folder / "A", size_px=9999)
    assert files_in(folder) == {"alignments.json"}
