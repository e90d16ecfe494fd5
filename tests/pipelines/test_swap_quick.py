"""A swap without training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from likeness.errors import (
    ConsentExpired,
    ConsentMissing,
    ConsentScope,
    MediaNotFound,
    NoFace,
    SubjectMismatch,
    UsageError,
)
from likeness.pipelines.swap_quick import gather_looks, quick
from likeness.progress import Progress
from likeness.types import Picture
from likeness.verification import verify

from ..puppet import Puppet
from .conftest import FRAMES, frames_of, puppet_at, wall, write_clip
from .swap_fixtures import YESTERDAY, corpus_record, subject_record

BLUE = np.array([0.45, 0.7, 1.35])


def tinted(picture: Picture) -> Picture:
    """A puppet of another colour."""
    return np.clip(picture * BLUE, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def other_photo(media: Path) -> Path:
    path = media / "blue.png"
    Image.fromarray(tinted(Puppet(px_per_cm=8).draw(seed=3))).save(path)
    return path


@pytest.fixture(scope="module")
def other_clip(media: Path) -> Path:
    pictures = [tinted(Puppet(lips=0.01 * n, turn_deg=(0, n - 5, 0)).draw(seed=n)) for n in range(10)]
    return write_clip(media / "blue.mp4", pictures)


def blueness(picture: Picture, frame: int) -> float:
    x, y = np.round(puppet_at(frame).points[4, :2]).astype(int)
    red, _, blue = picture[y - 3 : y + 4, x - 3 : x + 4].reshape(-1, 3).mean(0)
    return float(blue - red)


@pytest.mark.parametrize("what", ["photo", "clip"])
def test_the_other_face_is_shown_in_place(
    what: str, talk: Path, other_photo: Path, other_clip: Path, folder: Path, tmp_path: Path
) -> None:
    face = other_photo if what == "photo" else other_clip
    made = quick(talk, face=face, consent=corpus_record(tmp_path), out=folder / "a", colour="none")
    pictures = frames_of(made.path)
    assert (made.frames, made.swapped_frames) == (FRAMES, FRAMES)
    assert all(
        blueness(picture, n) > 40 > 0 > blueness(puppet_at(n).draw(), n) for n, picture in enumerate(pictures)
    )
    making = made.making
    assert (making.act, making.engine) == ("swap", "mesh-swap")
    assert [each.path for each in making.ingredients] == [talk, face]
    assert making.parameters["looks"] == (1 if what == "photo" else 10)


def test_light_and_colours_are_those_of_the_clip(
    talk: Path, other_photo: Path, folder: Path, tmp_path: Path
) -> None:
    made = quick(talk, face=other_photo, consent=corpus_record(tmp_path), out=folder / "a")
    for n, picture in enumerate(frames_of(made.path)):
        assert abs(blueness(picture, n) - blueness(puppet_at(n).draw(), n)) < 40


def test_the_clip_carries_credentials_for_a_swap(
    talk: Path, other_photo: Path, folder: Path, tmp_path: Path
) -> None:
    made = quick(talk, face=other_photo, consent=corpus_record(tmp_path), out=folder / "a.mp4")
    assert {"label", "watermark", "credentials"} <= set(made.sealed.layers)
    assert verify(made.path).label


def test_no_more_looks_are_kept_than_asked_for(other_clip: Path) -> None:
    reports: list[Progress] = []
    assert len(gather_looks(other_clip, 3, reports.append)) == 3
    assert [report.done for report in reports] == list(range(1, 11))


# Consent comes first


def test_without_a_record_nothing_is_opened(folder: Path) -> None:
    with pytest.raises(ConsentMissing):
        quick(folder / "no.mp4", face=folder / "no.png", consent=None, out=folder / "a.mp4")


def test_an_expired_record_or_one_for_something_else_opens_nothing(folder: Path, tmp_path: Path) -> None:
    old = corpus_record(tmp_path, valid_from=YESTERDAY, valid_until=YESTERDAY)
    other = corpus_record(tmp_path, acts=["animate"])
    for record, error in ((old, ConsentExpired), (other, ConsentScope)):
        with pytest.raises(error):
            quick(folder / "no.mp4", face=folder / "no.png", consent=record, out=folder / "a.mp4")


def test_the_label_stays_unless_the_record_says_otherwise(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConsentScope, match="label"):
        quick("no.mp4", face="no.png", consent=corpus_record(tmp_path), out=folder / "a.mp4", label="none")


def test_a_record_of_somebody_else(
    talk: Path, other_photo: Path, hopper_path: Path, folder: Path, tmp_path: Path
) -> None:
    record = subject_record(tmp_path, hopper_path)
    with pytest.raises(SubjectMismatch):
        quick(talk, face=other_photo, consent=record, out=folder / "a.mp4")
    assert list(folder.iterdir()) == []


def test_a_record_with_nothing_to_compare_is_not_enough(
    talk: Path, other_photo: Path, folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(SubjectMismatch, match="could not be compared"):
        quick(talk, face=other_photo, consent=subject_record(tmp_path), out=folder / "a.mp4")
    assert list(folder.iterdir()) == []


def test_the_person_of_the_record_is_shown(
    talk: Path, hopper_path: Path, folder: Path, tmp_path: Path
) -> None:
    record = subject_record(tmp_path, hopper_path)
    made = quick(talk, face=hopper_path, consent=record, out=folder / "a.mp4")
    assert made.making.consent is not None
    assert made.making.consent.kind == "subject"
    assert "fitted" in made.making.consent.statement


# Bad input


def test_a_picture_without_a_face(talk: Path, folder: Path, tmp_path: Path) -> None:
    Image.fromarray(wall()).save(tmp_path / "wall.png")
    for face in (tmp_path / "wall.png", write_clip(tmp_path / "wall.mp4", [wall()] * 4)):
        with pytest.raises(NoFace, match=f"No face was found in {face.name}"):
            quick(talk, face=face, consent=corpus_record(tmp_path), out=folder / "a.mp4")
    assert list(folder.iterdir()) == []


def test_files_that_are_not_there(talk: Path, other_photo: Path, folder: Path, tmp_path: Path) -> None:
    record = corpus_record(tmp_path)
    with pytest.raises(MediaNotFound):
        quick(folder / "no.mp4", face=other_photo, consent=record, out=folder / "a.mp4")
    with pytest.raises(MediaNotFound):
        quick(talk, face=folder / "no.png", consent=record, out=folder / "a.mp4")
    with pytest.raises(UsageError):
        quick(talk, face=other_photo, consent=record, out=talk)
    (tmp_path / "faces").mkdir()
    with pytest.raises(MediaNotFound, match="is a folder"):
        quick(talk, face=tmp_path / "faces", consent=record, out=folder / "a.mp4")
    (tmp_path / "faces" / "alignments.json").write_text("{}")
    with pytest.raises(MediaNotFound, match="is a face set") as raised:
        quick(talk, face=tmp_path / "faces", consent=record, out=folder / "a.mp4")
    assert "the clip that it was extracted from" in raised.value.hint


def test_stopped_while_looking_it_leaves_nothing(
    talk: Path, other_clip: Path, folder: Path, tmp_path: Path
) -> None:
    def stop(progress: Progress) -> None:
        if progress.stage == "look":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        quick(talk, face=other_clip, consent=corpus_record(tmp_path), out=folder / "a.mp4", on_progress=stop)
    assert list(folder.iterdir()) == []
