"""From a clip and a model to a finished, sealed clip with another face."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from likeness.consent import check
from likeness.errors import (
    ConsentMissing,
    ConsentScope,
    DiskFull,
    FaceIndex,
    FaceSetFormat,
    MediaNotFound,
    ModelFormat,
    ModelMissing,
    NoFace,
    OutputExists,
    UsageError,
)
from likeness.faces import FaceTracker
from likeness.faces.aligned import Alignment
from likeness.faces.hands import Hand
from likeness.faces.topology import canonical_mesh
from likeness.facesets.alignments import Alignments, write_alignments
from likeness.facesets.measure import frame_hash
from likeness.facesets.records import FaceRecord, Pose, SourceFile
from likeness.media import VideoReader, probe
from likeness.pipelines import choose_face, follow_face, swap_clip
from likeness.pipelines.aligned_faces import AlignedFaces
from likeness.pipelines.swap import BATCH, convert, known_face
from likeness.pipelines.swapped import Swapped
from likeness.progress import Progress
from likeness.types import Face, Picture
from likeness.verification import verify

from ..puppet import HEIGHT, WIDTH
from .conftest import FRAMES, RATE, frames_of, puppet_at, wall, write_clip
from .swap_fixtures import GreenFace, corpus_record


@pytest.fixture
def model(tmp_path: Path) -> GreenFace:
    return GreenFace(check(corpus_record(tmp_path), act="swap"))


def is_green(picture: Picture, frame: int) -> bool:
    """Whether the nose is green."""
    x, y = np.round(puppet_at(frame).points[4, :2]).astype(int)
    red, green, blue = picture[y - 2 : y + 3, x - 2 : x + 3].reshape(-1, 3).mean(0)
    return bool(green > red + 60 and green > blue + 60)


@pytest.fixture(scope="module")
def result(talk: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Swapped, GreenFace]:
    folder = tmp_path_factory.mktemp("swapped")
    model = GreenFace(check(corpus_record(folder), act="swap"))
    return convert(talk, model=model, out=folder / "out", colour="none"), model


def test_every_face_is_replaced_and_nothing_else(result: tuple[Swapped, GreenFace], talk: Path) -> None:
    made, model = result
    pictures = frames_of(made.path)
    assert (made.frames, made.swapped_frames, len(pictures)) == (FRAMES, FRAMES, FRAMES)
    assert all(is_green(picture, n) for n, picture in enumerate(pictures))
    with VideoReader(talk) as video:
        for frame, picture in zip(video, pictures, strict=True):
            # Above the hair and left of it only the watermark is new.
            corner = (slice(0, 20), slice(0, WIDTH))
            assert np.abs(picture[corner].astype(int) - frame.image[corner]).mean() < 4
    assert sum(model.batches) == FRAMES
    assert max(model.batches) == BATCH


def test_it_is_sealed_and_says_how_it_was_made(result: tuple[Swapped, GreenFace], talk: Path) -> None:
    made, _ = result
    assert {"label", "watermark", "credentials"} <= set(made.sealed.layers)
    making = made.making
    assert (making.act, making.engine) == ("swap", "swap")
    assert [(each.path, each.role) for each in making.ingredients] == [(talk, "source")]
    assert {ref.name for ref in making.models} == {"swap-green", "face-landmarker"}
    assert making.consent is not None
    assert making.consent.kind == "corpus"
    assert made.clip == talk
    assert "An older model is used." in made.warnings


def test_size_rate_and_sound_are_kept(model: GreenFace, talk: Path, folder: Path) -> None:
    made = convert(talk, model=model, out=folder / "a.mp4", end_s=Fraction(1, 3))
    info = probe(made.path)
    assert (info.width, info.height, info.rate) == (WIDTH, HEIGHT, RATE)
    assert info.has_audio
    assert verify(made.path).label
    silent = convert(talk, model=model, out=folder / "b.mp4", end_s=Fraction(1, 3), audio="none")
    assert not probe(silent.path).has_audio


def test_a_part(model: GreenFace, talk: Path, folder: Path) -> None:
    start, end = Fraction(1, 5), Fraction(1, 2)
    wanted = [n for n in range(FRAMES) if start <= n / RATE < end]
    made = convert(talk, model=model, out=folder / "a", start_s=start, end_s=end, colour="none")
    pictures = frames_of(made.path)
    assert len(pictures) == len(wanted)
    assert all(is_green(picture, n) for n, picture in zip(wanted, pictures, strict=True))


def test_frames_without_the_face_pass_through(model: GreenFace, folder: Path, tmp_path: Path) -> None:
    pictures = [puppet_at(n).draw() for n in range(12)]
    pictures[4:9] = [wall()] * 5
    clip = write_clip(tmp_path / "in.mp4", pictures)
    made = convert(clip, model=model, out=folder / "a", colour="none")
    shown = [is_green(picture, n) for n, picture in enumerate(frames_of(made.path))]
    assert shown == [True] * 4 + [False] * 5 + [True] * 3
    assert made.swapped_frames == 7
    assert any("5 frames" in warning for warning in made.warnings)


@pytest.mark.parametrize("colour", ["lab", "light", "histogram", "seamless"])
def test_the_scene_colours_the_face(colour: str, model: GreenFace, talk: Path, folder: Path) -> None:
    made = convert(talk, model=model, out=folder / "a", colour=colour, end_s=Fraction(1, 6))
    assert not any(is_green(picture, n) for n, picture in enumerate(frames_of(made.path)))


def test_without_the_networks_for_hands_it_goes_on_and_says_so(
    model: GreenFace, talk: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(names: list[str], **_: object) -> None:
        raise ModelMissing(f"{names[0]} is not here.", "Pull it.")

    monkeypatch.setattr(swap_clip, "fetch_all", missing)
    made = convert(talk, model=model, out=folder / "a.mp4", end_s=Fraction(1, 6))
    assert any("hands are not kept" in warning for warning in made.warnings)
    quiet = convert(talk, model=model, out=folder / "b.mp4", end_s=Fraction(1, 6), occlusion=False)
    assert not any("hands" in warning for warning in quiet.warnings)


def test_a_hand_before_the_face_stays(
    model: GreenFace, talk: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hand on the nose: there the picture is as it was filmed."""
    points = puppet_at(0).points[4, :2] + np.random.default_rng(0).normal(0, 6, (21, 2))
    hand = Hand(points.astype(np.float32), 0.9)

    class OneHand:
        def track(self, image: Picture, face: Face) -> tuple[Hand, ...]:
            return (hand,)

    monkeypatch.setattr(swap_clip, "HandTracker", OneHand)
    for occlusion in (True, False):
        out = folder / str(occlusion)
        made = convert(talk, model=model, out=out, colour="none", end_s=Fraction(1, 6), occlusion=occlusion)
        assert [is_green(picture, n) for n, picture in enumerate(frames_of(made.path))] == [not occlusion] * 5


# Whose face


def embedded(monkeypatch: pytest.MonkeyPatch, away: float) -> None:
    """Every face lies so far from the person looked for."""
    vector = np.zeros((1, 128), np.float32)
    vector[0, 0] = away
    monkeypatch.setattr(choose_face, "embed_faces", lambda faces, *, offline=None: vector)


def test_only_the_person_whom_the_model_knows_is_replaced(
    model: GreenFace, talk: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.card = {"identity": {"A": [0.0] * 128}}
    embedded(monkeypatch, 0.9)
    with pytest.raises(NoFace, match=r"person A whom the model knows.*0\.90 away") as caught:
        convert(talk, model=model, out=folder / "a.mp4")
    assert "--face N" in caught.value.hint
    assert list(folder.iterdir()) == []
    made = convert(talk, model=model, out=folder / "a", face=1, end_s=Fraction(1, 6))
    assert made.swapped_frames == made.frames
    embedded(monkeypatch, 0.3)
    assert convert(talk, model=model, out=folder / "b", end_s=Fraction(1, 6)).swapped_frames == 5


@pytest.mark.parametrize("values", [[1.0, 2.0], "nobody", [["x"]] * 128, {"a": 1}])
def test_a_card_that_says_nonsense_is_refused(values: object, model: GreenFace) -> None:
    model.card = {"identity": {"A": values}}
    with pytest.raises(ModelFormat, match="card is damaged"):
        known_face(model, "A")


@pytest.mark.parametrize(
    "card", [{}, {"identity": None}, {"identity": {"B": [0.0] * 128}}, {"identity": "x"}]
)
def test_a_card_may_know_nobody(card: dict[str, Any], model: GreenFace) -> None:
    model.card = card
    assert known_face(model, "A") is None


def test_the_other_direction_needs_its_own_consent(model: GreenFace, talk: Path, folder: Path) -> None:
    with pytest.raises(ConsentMissing, match="person A"):
        convert(talk, model=model, out=folder / "a.mp4", to="A")
    assert list(folder.iterdir()) == []


def test_the_label_stays_where_the_record_says_so(model: GreenFace, talk: Path, folder: Path) -> None:
    with pytest.raises(ConsentScope, match="label"):
        convert(talk, model=model, out=folder / "a.mp4", label="none")


def test_consent_comes_before_the_clip_is_even_looked_for(folder: Path, tmp_path: Path) -> None:
    class Refuses(GreenFace):
        def permission(self, to: str) -> Any:
            raise ConsentMissing("No.", "Ask.")

    with pytest.raises(ConsentMissing):
        convert(tmp_path / "no clip.mp4", model=Refuses(None), out=folder / "a.mp4")  # type: ignore[arg-type]


# Bad input


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_model_that_went_wrong_is_refused(bad: float, model: GreenFace, talk: Path, folder: Path) -> None:
    model.fill = np.float32(bad)
    with pytest.raises(ModelFormat, match="no numbers"):
        convert(talk, model=model, out=folder / "a.mp4")
    assert list(folder.iterdir()) == []


def test_a_clip_without_a_face(model: GreenFace, folder: Path, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "wall.mp4", [wall()] * 5)
    with pytest.raises(NoFace, match=r"No face was found in wall\.mp4"):
        convert(clip, model=model, out=folder / "a.mp4")
    assert list(folder.iterdir()) == []


def test_a_number_that_is_not_there(model: GreenFace, talk: Path, folder: Path) -> None:
    with pytest.raises(FaceIndex, match="never shows 3 faces"):
        convert(talk, model=model, out=folder / "a.mp4", face=3)
    assert list(folder.iterdir()) == []


def test_choices_are_checked(model: GreenFace, talk: Path, folder: Path) -> None:
    for wrong in ({"colour": "pink"}, {"mask_blur": 0.6}, {"to": "C"}, {"face": 0}, {"shine": 1}):
        with pytest.raises(UsageError):
            convert(talk, model=model, out=folder / "a.mp4", **wrong)
    with pytest.raises(MediaNotFound):
        convert(folder / "no.mp4", model=model, out=folder / "a.mp4")
    with pytest.raises(UsageError):
        convert(talk, model=model, out=talk)
    (folder / "there.mp4").write_text("precious")
    with pytest.raises(OutputExists):
        convert(talk, model=model, out=folder / "there.mp4")
    assert (folder / "there.mp4").read_text() == "precious"


class Stop(Exception):  # noqa: N818
    """Raised on purpose."""


@pytest.mark.parametrize("error", [KeyboardInterrupt, Stop])
@pytest.mark.parametrize(("done", "name"), [(1, "a.mp4"), (9, "a.webm"), (FRAMES, "frames"), (9, "a.gif")])
def test_stopped_in_the_middle_it_leaves_nothing(
    error: type[BaseException], done: int, name: str, model: GreenFace, talk: Path, folder: Path
) -> None:
    """No file, and (see `no_thread_is_left`) no thread."""

    def stop(progress: Progress) -> None:
        if (progress.stage, progress.done) == ("swap", done):
            raise error

    with pytest.raises(error):
        convert(talk, model=model, out=folder / name, on_progress=stop)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["a.mp4", "frames"])
def test_a_full_disk_is_called_one_and_nothing_is_left(
    name: str, model: GreenFace, talk: Path, folder: Path
) -> None:
    resource = pytest.importorskip("resource")
    convert(talk, model=model, out=folder / "first.mp4")  # all that is cached is written
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(DiskFull):
            convert(talk, model=model, out=folder / name)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [path.name for path in folder.iterdir()] == ["first.mp4"]


# Alignments that were repaired by hand


def records_of(clip: Path) -> list[FaceRecord]:
    """As `extract` would write them."""
    tracker, found = FaceTracker(), []
    with VideoReader(clip) as video:
        for frame in video:
            for face in tracker.track(frame.image):
                found.append(
                    FaceRecord(
                        file=f"{frame.index:06d}_{face.id}.png",
                        source=0,
                        frame=frame.index,
                        face=face.id,
                        time_s=float(frame.time_s),
                        box=face.box,
                        score=face.score,
                        pose=Pose(0, 0, 0),
                        alignment=Alignment.of(face.points, canonical_mesh()),
                        points=face.points,
                        blendshapes=face.blendshapes,
                        blur=0.1,
                        identity=None,
                        identity_distance=None,
                        frame_hash=frame_hash(frame.image),
                    )
                )
    return found


def write(path: Path, clip: Path, records: list[FaceRecord]) -> Path:
    info = probe(clip)
    source = SourceFile(clip.name, "0" * 64, info.width, info.height, info.rate, FRAMES)
    write_alignments(path, Alignments((source,), ()), (record.to_line() for record in records))
    return path


@pytest.fixture(scope="module")
def records(talk: Path) -> list[FaceRecord]:
    return records_of(talk)


def test_alignments_stand_in_for_the_tracker(
    records: list[FaceRecord],
    model: GreenFace,
    talk: Path,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = write(tmp_path / "alignments.json", talk, [one for one in records if one.frame != 5])

    class Refuses:
        def __init__(self, **_: object) -> None:
            raise AssertionError("the tracker was used")

    monkeypatch.setattr(follow_face, "FaceTracker", Refuses)
    for start in (None, Fraction(1, 5)):  # frames are counted from the file's beginning
        first = 0 if start is None else 6
        out = folder / f"from {first}"
        made = convert(talk, model=model, out=out, alignments=file, colour="none", start_s=start)
        shown = [is_green(picture, n) for n, picture in enumerate(frames_of(made.path), first)]
        assert all(shown)  # a single frame that is missing is bridged
        assert len(shown) == FRAMES - first


def test_the_clip_is_found_among_several_sources(
    records: list[FaceRecord], talk: Path, tmp_path: Path
) -> None:
    """Also where its name is spelt otherwise: systems differ in how they write an umlaut."""
    clip = tmp_path / "Gespra\u0308ch.mp4"
    info = probe(talk)
    sources = [
        SourceFile(name, "0" * 64, info.width, info.height, info.rate, FRAMES)
        for name in ("other.mp4", "Gespr\u00e4ch.mp4")
    ]
    path = tmp_path / "alignments.json"
    write_alignments(
        path, Alignments(tuple(sources), ()), (replace(one, source=1).to_line() for one in records)
    )
    assert AlignedFaces(path, clip, 0).most == 1
    with pytest.raises(NoFace):
        AlignedFaces(path, tmp_path / "third.mp4", 0)


def test_a_square_that_was_moved_by_hand_moves_the_face(
    records: list[FaceRecord], model: GreenFace, talk: Path, folder: Path, tmp_path: Path
) -> None:
    moved = [replace(one, alignment=replace(one.alignment, x=one.alignment.x - 60)) for one in records]
    file = write(tmp_path / "alignments.json", talk, moved)
    made = convert(talk, model=model, out=folder / "a", alignments=file, colour="none", mask="model")
    assert not any(is_green(picture, n) for n, picture in enumerate(frames_of(made.path)))


def test_alignments_of_another_clip_are_refused(
    records: list[FaceRecord], model: GreenFace, talk: Path, folder: Path, tmp_path: Path
) -> None:
    other = write_clip(
        tmp_path / "other.mp4", [np.ascontiguousarray(puppet_at(n).draw()[:, ::-1]) for n in range(6)]
    )
    file = write(tmp_path / "alignments.json", talk, records)
    with pytest.raises(UsageError, match=r"Frame \d of other\.mp4 is not the one") as caught:
        convert(other, model=model, out=folder / "a.mp4", alignments=file)
    assert "extract" in caught.value.hint
    assert list(folder.iterdir()) == []


def test_alignments_that_cannot_be_used(model: GreenFace, talk: Path, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(MediaNotFound):
        convert(talk, model=model, out=folder / "a.mp4", alignments=tmp_path / "none.json")
    (tmp_path / "damaged.json").write_text("{")
    with pytest.raises(FaceSetFormat):
        convert(talk, model=model, out=folder / "a.mp4", alignments=tmp_path / "damaged.json")
    with pytest.raises(NoFace, match="lists no face of"):
        convert(talk, model=model, out=folder / "a.mp4", alignments=write(tmp_path / "e.json", talk, []))
    assert list(folder.iterdir()) == []
