"""Which face is replaced, and where it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from likeness.errors import ModelMissing
from likeness.faces.aligned import Alignment
from likeness.pipelines import choose_face
from likeness.pipelines.choose_face import Chooser
from likeness.pipelines.follow_face import Followed, follow_face, steadied
from likeness.types import Face, Floats, Frame, Picture

from ..puppet import HEIGHT, WIDTH, Puppet

RATE_HZ = 10.0
BLANK = np.zeros((200, 300, 3), np.uint8)


def face_at(x: float, face_id: int, px_per_cm: float = 5.0) -> Face:
    return replace(Puppet(px_per_cm=px_per_cm, x=x).face, id=face_id)


def frame(index: int) -> Frame:
    return Frame(BLANK, index, Fraction(index, 10))


@pytest.fixture
def people(monkeypatch: pytest.MonkeyPatch) -> dict[int, float]:
    """How far the face of each id is from the person looked for; who is asked is counted under -1."""
    far: dict[int, float] = {-1: 0}

    def embed(faces: list[tuple[Picture, Face]], *, offline: bool | None = None) -> Floats:
        ((_, face),) = faces
        far[-1] += 1
        vector = np.zeros((1, 128), np.float32)
        vector[0, 0] = far[face.id]
        return vector

    monkeypatch.setattr(choose_face, "embed_faces", embed)
    return far


KNOWN = np.zeros((1, 128), np.float32)
Choose = Callable[..., Face | None]


def test_without_a_wish_it_is_the_first_and_nobody_is_asked(people: dict[int, float]) -> None:
    chooser = Chooser(None, None, RATE_HZ)
    assert chooser.faces == 1
    assert [chooser.choose(BLANK, (face_at(100, 0),)) is not None for _ in range(50)] == [True] * 50
    assert people[-1] == 0


def test_a_number_waits_for_so_many_faces(people: dict[int, float]) -> None:
    chooser = Chooser(2, None, RATE_HZ)
    one, two = face_at(60, 0), face_at(220, 1)
    assert chooser.choose(BLANK, (one,)) is None
    assert chooser.choose(BLANK, (one, two)) is two
    people |= {0: 0.9, 1: 0.0}
    assert chooser.choose(BLANK, (one, two)) is two
    assert chooser.choose(BLANK, (one,)) is None


def test_who_comes_back_is_asked_whose_face_it_is(people: dict[int, float]) -> None:
    chooser = Chooser(None, None, RATE_HZ)
    people |= {0: 0.0, 1: 0.8, 2: 0.3}
    assert chooser.choose(BLANK, (face_at(100, 0),))
    assert chooser.choose(BLANK, ()) is None
    assert chooser.choose(BLANK, (face_at(100, 1),)) is None  # somebody else
    assert chooser.choose(BLANK, (face_at(100, 2),))  # the same person again


def test_the_one_who_is_known_is_found_among_others(people: dict[int, float]) -> None:
    chooser = Chooser(None, KNOWN, RATE_HZ)
    assert chooser.faces > 1
    people |= {0: 0.9, 1: 0.4, 2: 0.3}
    stranger, known = face_at(60, 0, 7.0), face_at(220, 1)
    for _ in range(30):
        assert chooser.choose(BLANK, (stranger, known)) is known
    assert 4 <= people[-1] <= 10  # each about once a second
    assert chooser.choose(BLANK, (stranger,)) is None


def test_without_the_network_whoever_is_found_again_is_the_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not fetched for that; but who looks for a person in particular needs it."""

    def missing(faces: object, *, offline: bool | None = None) -> Floats:
        assert offline or offline is None
        raise ModelMissing("It is not here.", "Pull it.")

    monkeypatch.setattr(choose_face, "embed_faces", missing)
    chooser = Chooser(None, None, RATE_HZ)
    assert chooser.choose(BLANK, (face_at(100, 0),))
    assert chooser.choose(BLANK, ()) is None
    assert [chooser.choose(BLANK, (face_at(150, 1),)) is not None for _ in range(3)] == [True] * 3
    with pytest.raises(ModelMissing):
        Chooser(None, KNOWN, RATE_HZ).choose(BLANK, (face_at(100, 0),))


def test_nobody_known_is_nobody(people: dict[int, float]) -> None:
    chooser = Chooser(None, KNOWN, RATE_HZ)
    people |= {0: 0.83}
    assert all(chooser.choose(BLANK, (face_at(100, 0),)) is None for _ in range(20))
    assert chooser.nearest == pytest.approx(0.83)


def test_a_number_overrules_what_is_known(people: dict[int, float]) -> None:
    chooser = Chooser(1, KNOWN, RATE_HZ)
    people |= {0: 0.9}
    assert chooser.choose(BLANK, (face_at(100, 0),))


def test_one_bad_look_at_a_face_is_doubted_and_two_are_believed(people: dict[int, float]) -> None:
    chooser = Chooser(None, KNOWN, RATE_HZ)
    people |= {0: 0.2}
    face = face_at(100, 0)
    assert all(chooser.choose(BLANK, (face,)) for _ in range(10))
    people |= {0: 0.9}
    seen = [chooser.choose(BLANK, (face,)) is not None for _ in range(10)]
    assert seen[:2] == [True, True]
    assert seen[-1] is False
    people |= {0: 0.2}
    assert [chooser.choose(BLANK, (face,)) is not None for _ in range(12)][-1]


def test_a_jump_onto_somebody_else_is_noticed_at_once(people: dict[int, float]) -> None:
    """A cut puts another person where the tracker goes on with the same id."""
    chooser = Chooser(None, None, RATE_HZ)
    people |= {0: 0.0}
    assert chooser.choose(BLANK, (face_at(100, 0),))
    people |= {0: 0.9}
    chooser._known = KNOWN  # as it was embedded from the first frame
    first = chooser.choose(BLANK, (face_at(170, 0),))
    rest = [chooser.choose(BLANK, (face_at(170, 0),)) for _ in range(4)]
    assert first is None or rest[-1] is None


def test_tiny_faces_pass(people: dict[int, float]) -> None:
    assert Chooser(None, None, RATE_HZ).choose(BLANK, (face_at(100, 0, 1.0),)) is None


def test_another_person_in_the_same_place_is_noticed_at_once(people: dict[int, float]) -> None:
    """After a cut the tracker goes on with the id, and the points hardly moved; the picture is another."""
    mine = Puppet().draw()
    other = np.ascontiguousarray(255 - mine)
    face = Puppet().face
    for chooser in (Chooser(None, None, RATE_HZ), Chooser(None, KNOWN, RATE_HZ)):
        people |= {0: 0.0}
        assert all(chooser.choose(mine, (face,)) for _ in range(3))
        people |= {0: 0.9}
        chooser._known = KNOWN  # as it was embedded from the first frame
        seen = [chooser.choose(other, (face,)) is not None for _ in range(4)]
        assert seen == [True] + [False] * 3


def test_what_was_believed_too_long_is_taken_back(people: dict[int, float]) -> None:
    """A few frames are read ahead, so that nobody sees the doubt."""
    pictures = [Puppet().draw()] * 6 + [np.ascontiguousarray(255 - Puppet().draw())] * 6
    people |= {0: 0.0}

    class One:
        def faces(self, frame: Frame) -> tuple[Face, ...]:
            people[0] = 0.9 if frame.index >= 6 else 0.0
            return (Puppet().face,)

        def square(self, frame: Frame, face: Face) -> None:
            return None

    frames = (Frame(picture, n, Fraction(n, 10)) for n, picture in enumerate(pictures))
    items = follow_face(frames, Chooser(None, KNOWN, RATE_HZ), RATE_HZ, One())
    assert [item.face is not None for item in items] == [True] * 6 + [False] * 6


def test_of_two_the_one_who_is_not_doubted_is_chosen(people: dict[int, float]) -> None:
    """The two change places in a cut."""
    left, right = np.zeros((2, HEIGHT, 2 * WIDTH, 3), np.uint8)
    left[:, :WIDTH], left[:, WIDTH:] = Puppet().draw(), 255 - Puppet().draw()
    right[:, :WIDTH], right[:, WIDTH:] = 255 - Puppet().draw(), Puppet().draw()
    one, two = Puppet().face, replace(Puppet(x=96 + WIDTH).face, id=1)
    chooser = Chooser(None, KNOWN, RATE_HZ)
    people |= {0: 0.2, 1: 0.9}
    assert chooser.choose(left, (one, two)) is one
    people |= {0: 0.9, 1: 0.2}
    assert [chooser.choose(right, (one, two)) is two for _ in range(3)] == [True] * 3


# In time


def run(faces: list[Face | None], reach: int = 3) -> list[Followed]:
    return list(steadied((Followed(frame(n), face) for n, face in enumerate(faces)), reach))


def test_every_frame_comes_once_and_in_order() -> None:
    for count in (0, 1, 2, 7, 20):
        items = run([face_at(100, 0)] * count)
        assert [item.frame.index for item in items] == list(range(count))
        assert all(item.face is not None and item.square is not None for item in items)


def test_frames_without_the_face_stay_without() -> None:
    items = run([face_at(100, 0)] * 4 + [None] * 5 + [face_at(100, 0)] * 4)
    assert [item.face is not None for item in items] == [True] * 4 + [False] * 5 + [True] * 4
    assert [item.starts for item in items] == [True] + [False] * 8 + [True] + [False] * 3


def test_a_blink_of_the_tracker_is_bridged() -> None:
    items = run([face_at(100, 0)] * 4 + [None] * 2 + [face_at(103, 0)] * 4)
    assert all(item.face is not None for item in items)
    assert [item.starts for item in items] == [True] + [False] * 9
    middle = [float(item.face.points[4, 0]) for item in items if item.face is not None]
    assert middle == sorted(middle)


@pytest.mark.parametrize("after", [face_at(100, 1), face_at(190, 0)], ids=["another", "far away"])
def test_nothing_is_bridged_between_two_faces(after: Face) -> None:
    items = run([face_at(100, 0)] * 4 + [None] + [after] * 4)
    assert [item.face is not None for item in items] == [True] * 4 + [False] + [True] * 4
    assert items[5].starts


def test_a_jump_starts_anew() -> None:
    items = run([face_at(100, 0)] * 4 + [face_at(190, 0)] * 4)
    assert [item.starts for item in items] == [True, False, False, False] * 2


class Drawn:
    """One face, with a square drawn by hand in frame 1."""

    square_1 = Alignment(50, 60, 70, 5)

    def faces(self, frame: Frame) -> tuple[Face, ...]:
        return (face_at(100, 0),)

    def square(self, frame: Frame, face: Face) -> Alignment | None:
        return self.square_1 if frame.index == 1 else None


def test_a_square_that_was_drawn_is_used_as_it_is() -> None:
    items = list(follow_face((frame(n) for n in range(3)), Chooser(None, None, RATE_HZ), RATE_HZ, Drawn()))
    assert items[1].square == Drawn.square_1
    assert items[0].square != Drawn.square_1
