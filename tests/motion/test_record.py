"""Following one face through a driver, with a tracker that sees what the test says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from likeness.errors import FaceIndex, FaceTooSmall, NoFace
from likeness.motion import record as module
from likeness.motion.frame import MOUTH_PX, SHADING_PX, MotionFrame, Need
from likeness.motion.record import EASE_FRAMES, SMALLEST_FACE_PX, Recorder
from likeness.types import Face, Frame, Picture

from ..puppet import HEIGHT, WIDTH, Puppet

Seen = tuple[Face, ...]


def face_at(x: float, number: int = 0, px_per_cm: float = 7.0) -> Face:
    return replace(Puppet(x=x, px_per_cm=px_per_cm).face, id=number)


def pictures(count: int) -> Iterator[Frame]:
    for index in range(count):
        image = np.full((HEIGHT, WIDTH, 3), index % 256, np.uint8)
        yield Frame(image, index, Fraction(index, 25))


class ScriptedTracker:
    """Sees one entry of the script in each frame."""

    script: Sequence[Seen] = ()
    asked_for = 0

    def __init__(self, *, faces: int, threads: int) -> None:
        type(self).asked_for = faces
        self._next = iter(self.script)

    def track(self, image: Picture) -> Seen:
        return next(self._next)


@pytest.fixture
def tracker(monkeypatch: pytest.MonkeyPatch) -> type[ScriptedTracker]:
    monkeypatch.setattr(module, "FaceTracker", ScriptedTracker)
    return ScriptedTracker


def recorded(
    tracker: type[ScriptedTracker],
    script: Sequence[Seen],
    *,
    needs: frozenset[Need] = frozenset(),
    face: int | None = None,
) -> tuple[list[MotionFrame], Recorder]:
    tracker.script = script
    recorder = Recorder(needs=needs, face=face)
    return list(recorder.record(pictures(len(script)))), recorder


def places(frames: Sequence[MotionFrame]) -> list[float]:
    """Where each face is from left to right, px."""
    still = Puppet(x=0).points[:, 0].mean()
    return [float(frame.points[:, 0].mean() - still) for frame in frames]


def test_every_frame_as_tracked(tracker: type[ScriptedTracker]) -> None:
    script = [(face_at(50 + 3 * n),) for n in range(6)]
    frames, recorder = recorded(tracker, script)
    assert all(frame.points is seen[0].points for frame, seen in zip(frames, script, strict=True))
    assert recorder.held == 0
    assert not any(frame.held for frame in frames)


def test_a_short_gap_is_eased(tracker: type[ScriptedTracker]) -> None:
    script = [(face_at(50),), *[()] * 5, (face_at(80),)]
    frames, recorder = recorded(tracker, script)
    assert [frame.held for frame in frames] == [False, *[True] * 5, False]
    assert recorder.held == 5
    x = places(frames)
    assert x[0] == pytest.approx(50, abs=0.01)
    assert x[-1] == pytest.approx(80, abs=0.01)
    assert (np.diff(x) > 0).all()


def test_a_long_gap_is_held_and_then_eased(tracker: type[ScriptedTracker]) -> None:
    lost = EASE_FRAMES + 20
    frames, recorder = recorded(tracker, [(face_at(50),), *[()] * lost, (face_at(80),)])
    assert recorder.held == lost
    x = places(frames)
    assert x[1:21] == pytest.approx([50] * 20, abs=0.01)
    assert (np.diff(x[20:]) > 0).all()


def test_a_long_gap_is_handed_on_as_it_comes(tracker: type[ScriptedTracker]) -> None:
    """Memory must not grow with it."""
    tracker.script = [(face_at(50),), *[()] * 500]
    taken = 0

    def counted() -> Iterator[Frame]:
        nonlocal taken
        for frame in pictures(501):
            taken += 1
            yield frame

    for number, _ in enumerate(Recorder(needs=frozenset()).record(counted()), 1):
        assert taken - number <= EASE_FRAMES


def test_a_face_that_comes_late_is_held_backwards(tracker: type[ScriptedTracker]) -> None:
    frames, recorder = recorded(tracker, [(), (), (), (face_at(70),), (face_at(75),)])
    assert places(frames) == pytest.approx([70, 70, 70, 70, 75], abs=0.01)
    assert [frame.held for frame in frames] == [True, True, True, False, False]
    assert recorder.held == 3


def test_a_face_that_does_not_come_back_is_held(tracker: type[ScriptedTracker]) -> None:
    frames, recorder = recorded(tracker, [(face_at(70),), (face_at(75),), *[()] * 30])
    assert places(frames)[1:] == pytest.approx([75] * 31, abs=0.01)
    assert recorder.held == 30


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.booleans(), min_size=1, max_size=60).filter(any))
def test_whatever_is_lost_every_frame_has_its_motion(
    tracker: type[ScriptedTracker], seen: list[bool]
) -> None:
    script: list[Seen] = [(face_at(2.0 * n),) if yes else () for n, yes in enumerate(seen)]
    frames, recorder = recorded(tracker, script)
    assert [not frame.held for frame in frames] == seen
    assert recorder.held == seen.count(False)
    x = places(frames)
    assert (np.diff(x) >= -1e-2).all(), "in order"
    for number, yes in enumerate(seen):
        assert not yes or x[number] == pytest.approx(2.0 * number, abs=0.01)


def test_nobody(tracker: type[ScriptedTracker]) -> None:
    with pytest.raises(NoFace) as caught:
        recorded(tracker, [()] * 4)
    assert caught.value.hint


@pytest.mark.parametrize("px_per_cm", [1.0, SMALLEST_FACE_PX / 17.7 * 0.97])
def test_too_small(tracker: type[ScriptedTracker], px_per_cm: float) -> None:
    with pytest.raises(FaceTooSmall, match=str(SMALLEST_FACE_PX)) as caught:
        recorded(tracker, [(), (face_at(50, px_per_cm=px_per_cm),)])
    assert caught.value.hint


def test_large_enough_at_first_is_large_enough(tracker: type[ScriptedTracker]) -> None:
    """Somebody may walk away."""
    frames, _ = recorded(tracker, [(face_at(50),), (face_at(50, px_per_cm=1.5),)])
    assert len(frames) == 2


def test_a_face_by_its_number(tracker: type[ScriptedTracker]) -> None:
    left, right = face_at(40, 0), face_at(140, 1)
    script: list[Seen] = [(left,), (left, right), (left, right), (right,)]
    frames, recorder = recorded(tracker, script, face=2)
    assert tracker.asked_for == 2
    assert places(frames) == pytest.approx([140] * 4, abs=0.01)
    assert recorder.held == 1, "the first frame shows one face only"


def test_a_number_that_is_never_reached(tracker: type[ScriptedTracker]) -> None:
    with pytest.raises(FaceIndex, match="3 faces at once, only 2") as caught:
        recorded(tracker, [(face_at(40, 0),), (face_at(40, 0), face_at(140, 1))], face=3)
    assert "likeness faces" in caught.value.hint


def test_another_face_is_not_taken_for_the_chosen_one(tracker: type[ScriptedTracker]) -> None:
    left, right, stranger = face_at(40, 0), face_at(140, 1), face_at(90, 7)
    frames, recorder = recorded(tracker, [(left, right), (left, stranger), (left,), (left, right)], face=2)
    assert recorder.held == 2
    assert places(frames) == pytest.approx([140] * 4, abs=0.01)


def test_who_is_found_again_after_a_loss_is_the_one_face(tracker: type[ScriptedTracker]) -> None:
    """A tracker gives a new id to a face that was away for long."""
    frames, recorder = recorded(tracker, [(face_at(40, 0),), (), (face_at(60, 5),), (face_at(62, 5),)])
    assert recorder.held == 1
    assert [frame.held for frame in frames] == [False, True, False, False]


@pytest.mark.parametrize("needs", [(), ("appearance",), ("image",), ("image", "appearance")], ids=str)
def test_what_is_needed_is_kept_and_no_more(tracker: type[ScriptedTracker], needs: frozenset[Need]) -> None:
    frames, _ = recorded(tracker, [(face_at(96),), (), (face_at(96),), ()], needs=frozenset(needs))
    for frame in frames:
        assert (frame.image is not None) == ("image" in needs)
        if "appearance" in needs:
            assert frame.shading is not None
            assert frame.shading.shape == (SHADING_PX, SHADING_PX)
            assert frame.mouth is not None
            assert frame.mouth.shape == (*MOUTH_PX, 3)
            assert frame.skin is not None
        else:
            assert frame.shading is frame.mouth is frame.skin is None
    if "appearance" in needs:
        assert frames[2].skin == pytest.approx([2, 2, 2]), "from its own picture"


def test_a_mouth_seen_in_few_pixels_is_recorded_with_depth(tracker: type[ScriptedTracker]) -> None:
    """Behind the upper lip it is darker than at the lower one, in pictures that are all of one grey."""
    for size, is_deep in ((4.5, True), (8.0, False)):
        script = [(face_at(80, px_per_cm=size),)] * 120  # the last picture is of level 119
        frames, _ = recorded(tracker, script, needs=frozenset({"appearance"}))
        mouth = frames[-1].mouth
        assert mouth is not None
        assert (mouth[4, 24:72] < mouth[40, 24:72]).all() == is_deep
