"""Whose face it is: people told apart, and known again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from likeness.errors import NoFace, UsageError
from likeness.faces.identity import MATCH, NO_MATCH
from likeness.facesets.keep import NOBODY, People, References, Sighting, nearest, tell_apart
from likeness.types import Floats

CALM, OTHER_SCENE = "0" * 16, "f" * 16


def somebody(seed: int) -> Floats:
    """A person's embedding; two people are about 0.85 apart, as they really are."""
    direction = np.random.default_rng(seed).normal(size=128)
    return np.asarray(0.6 * direction / np.linalg.norm(direction), np.float32)


def towards(first: Floats, second: Floats, distance: float) -> Floats:
    """So far from the first, in the direction of the second."""
    step = second - first
    return np.asarray(first + distance * step / np.linalg.norm(step), np.float32)


ANNA, BERT, CARO = somebody(1), somebody(2), somebody(3)


def seen(*faces: Floats | None, face: int = 0, source: int = 0, code: str = CALM) -> list[Sighting]:
    return [Sighting(f"{n:06}_{face}.png", source, face, code, one) for n, one in enumerate(faces)]


def noisy(person: Floats, count: int, seed: int = 0) -> list[Floats]:
    """Faces of a person as they vary in a clip, about 0.15 from the mean."""
    noise = np.random.default_rng(seed).normal(scale=0.15 / 128**0.5, size=(count, 128))
    return [np.asarray(person + one, np.float32) for one in noise]


def none_of(count: int = 0) -> Floats:
    return np.empty((count, 128), np.float32)


def test_two_people_side_by_side() -> None:
    sightings = seen(*noisy(ANNA, 5), face=0) + seen(*noisy(BERT, 8), face=1)
    people = tell_apart(sightings)
    assert people.faces == (8, 5)
    assert people.person.tolist() == [1] * 5 + [0] * 8


def test_a_person_who_comes_back() -> None:
    """In another clip, and under another number."""
    sightings = seen(*noisy(ANNA, 5)) + seen(*noisy(BERT, 4), face=1) + seen(*noisy(ANNA, 4, 7), source=1)
    assert tell_apart(sightings).faces == (9, 4)


def test_a_cut_under_a_followed_face() -> None:
    """The tracker goes on with whoever is at that place after the cut."""
    sightings = seen(*noisy(ANNA, 6), *noisy(BERT, 3), *noisy(ANNA, 2))
    people = tell_apart(sightings)
    assert people.person.tolist() == [0] * 6 + [1] * 3 + [0] * 2
    assert len(set(people.piece.tolist())) == 3


def test_people_who_are_alike_are_told_apart_at_a_cut() -> None:
    """0.55 apart: within what may be one person's, were it not for another picture."""
    twin = towards(ANNA, BERT, 0.55)
    assert MATCH < 0.55 < NO_MATCH
    at_cut = seen(*[ANNA] * 4) + seen(*[twin] * 4, code=OTHER_SCENE)
    assert tell_apart(at_cut).faces == (4, 4)
    in_one_scene = seen(*[ANNA] * 4, *[twin] * 4)
    assert tell_apart(in_one_scene).faces == (8,)


def test_a_head_that_turns_away_stays_who_it_is() -> None:
    """Step by step farther from the mean than another person may be, and back."""
    way = [towards(ANNA, CARO, far) for far in (0, 0.2, 0.4, 0.6, 0.7, 0.7, 0.5, 0.3, 0.1, 0)]
    assert tell_apart(seen(*way)).faces == (10,)


def test_faces_too_small_to_be_known() -> None:
    sightings = seen(None, ANNA, None, ANNA) + seen(None, None, face=1)
    people = tell_apart(sightings)
    assert people.person.tolist() == [0, 0, 0, 0, NOBODY, NOBODY]
    assert people.faces == (4,)
    assert tell_apart(seen(None, None)).faces == ()
    assert tell_apart([]).faces == ()


@given(
    lengths=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 6)), min_size=1, max_size=12),
    seed=st.integers(0, 2**32),
)
def test_any_scenes_of_any_people(lengths: list[tuple[int, int]], seed: int) -> None:
    """Scenes of known people, one after another on one track: everybody is found, in order of how often."""
    truth = [who for who, count in lengths for _ in range(count)]
    faces = [
        face
        for number, (who, count) in enumerate(lengths)
        for face in noisy(somebody(10 + who), count, seed + number)
    ]
    people = tell_apart(seen(*faces))
    pairs = set(zip(truth, people.person.tolist(), strict=True))
    assert len(pairs) == len(set(truth)) == len(set(people.person.tolist()))
    assert list(people.faces) == sorted(people.faces, reverse=True)
    assert sum(people.faces) == len(truth)


def test_who_is_kept_by_a_picture() -> None:
    sightings = seen(*noisy(ANNA, 5), face=0) + seen(*noisy(BERT, 8), face=1)
    references = References(np.stack([towards(ANNA, CARO, 0.3)]), none_of())
    assert references.judge(sightings, tell_apart(sightings)) == [None] * 5 + ["not the reference"] * 8


def test_several_pictures_of_whom_to_keep() -> None:
    sightings = seen(ANNA, face=0) + seen(BERT, face=1) + seen(CARO, face=2)
    references = References(np.stack([ANNA, CARO]), none_of())
    assert references.judge(sightings, tell_apart(sightings)) == [None, "not the reference", None]


def test_who_is_dropped_by_a_picture() -> None:
    sightings = seen(*noisy(ANNA, 5), face=0) + seen(*noisy(BERT, 8), face=1)
    references = References(none_of(), np.stack([BERT]))
    assert references.judge(sightings, tell_apart(sightings)) == [None] * 5 + ["like the dropped"] * 8


def test_the_nearer_picture_wins() -> None:
    """Two sisters: both pictures would match."""
    sister = towards(ANNA, BERT, 0.45)
    sightings = seen(ANNA, ANNA, face=0) + seen(sister, sister, face=1, code=OTHER_SCENE)
    people = People(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1]), (2, 2))
    references = References(np.stack([ANNA]), np.stack([sister]))
    assert references.judge(sightings, people) == [None, None, "like the dropped", "like the dropped"]


def test_what_a_piece_does_not_tell_the_person_tells() -> None:
    doubtful = towards(ANNA, CARO, 0.55)
    sightings = seen(*[ANNA] * 6) + seen(doubtful, face=1)
    reference = References(np.stack([ANNA]), none_of())
    one_person = People(np.array([0] * 6 + [1]), np.zeros(7, np.int64), (7,))
    assert reference.judge(sightings, one_person)[-1] is None
    two_people = People(np.array([0] * 6 + [1]), np.array([0] * 6 + [1]), (6, 1))
    assert reference.judge(sightings, two_people)[-1] == "cannot tell"
    stranger = [*sightings[:-1], *seen(BERT, face=1)]
    assert reference.judge(stranger, one_person)[-1] == "not the reference"


def test_who_cannot_be_known_is_not_kept() -> None:
    sightings = seen(ANNA, face=0) + seen(None, face=1)
    reference = References(np.stack([ANNA]), none_of())
    assert reference.judge(sightings, tell_apart(sightings)) == [None, "cannot tell"]
    nobody = References(none_of(), none_of())
    assert nobody.judge(sightings, tell_apart(sightings)) == [None, None]


def test_nearest() -> None:
    faces = np.stack([ANNA, BERT, np.full(128, np.nan, np.float32)])
    found = nearest(faces, np.stack([towards(ANNA, CARO, 0.2), BERT]))
    assert found[0] == pytest.approx(0.2, abs=1e-6)
    assert found[1] == 0
    assert np.isnan(found[2])
    assert np.isinf(nearest(faces[:2], none_of())).all()


def test_references_are_read(hopper_path: Path, tmp_path: Path) -> None:
    references = References.read([hopper_path], [], offline=None)
    assert references.keep.shape == (1, 128)
    assert references.drop.shape == (0, 128)
    blank = tmp_path / "blank.png"
    Image.new("RGB", (200, 200), (120, 130, 140)).save(blank)
    with pytest.raises(NoFace, match=r"blank\.png"):
        References.read([], [blank], offline=None)


def test_a_reference_shows_one_person(hopper_path: Path, carphone_path: Path, tmp_path: Path) -> None:
    import av

    with av.open(str(carphone_path)) as container:
        frame = next(container.decode(video=0)).to_ndarray(format="rgb24")
    both = Image.new("RGB", (1000, 620))
    both.paste(Image.open(hopper_path), (0, 0))
    both.paste(Image.fromarray(frame).resize((440, 360)), (540, 100))
    both.save(tmp_path / "both.png")
    with pytest.raises(UsageError, match="several people"):
        References.read([tmp_path / "both.png"], [], offline=None)
