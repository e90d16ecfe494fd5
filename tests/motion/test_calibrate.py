from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.errors import UsageError
from likeness.faces.pose import euler_deg, eye_openness
from likeness.faces.topology import EYES
from likeness.motion.frame import MotionFrame

from ..puppet import Puppet, learn

SOURCE = Puppet(x=80, turn_deg=(0, 10, 0)).face


def test_the_first_or_a_chosen_frame() -> None:
    frames = [Puppet(x=90 + n).frame for n in range(5)]
    assert learn(frames, SOURCE, "first").index == 0
    for number in range(5):
        calibration = learn(frames, SOURCE, number)
        assert calibration.index == number
        assert calibration.reference is frames[number]


@pytest.mark.parametrize("number", [3, 4, 10**6])
def test_a_frame_that_is_not_there(number: int) -> None:
    with pytest.raises(UsageError, match=f"Frame {number} is not among the 3") as caught:
        learn([Puppet().frame] * 3, SOURCE, number)
    assert "0 to 2" in caught.value.hint


@pytest.mark.parametrize(
    "unlike",
    [
        {"turn_deg": (0, -20, 0)},
        {"turn_deg": (15, 10, 0)},
        {"turn_deg": (0, 10, 25)},
        {"lips": 0.1, "turn_deg": (0, 10, 0)},
        {"blink": 0.9, "turn_deg": (0, 10, 0)},
    ],
    ids=str,
)
def test_auto_finds_the_frame_that_is_most_like_the_source(unlike: dict[str, object]) -> None:
    frames = [Puppet(**unlike).frame] * 6  # type: ignore[arg-type]
    frames[4] = Puppet(turn_deg=(0, 10, 0)).frame
    assert learn(frames, SOURCE, "auto").index == 4


def test_auto_never_takes_a_face_that_was_not_seen() -> None:
    alike, unlike = Puppet(turn_deg=(0, 10, 0)).frame, Puppet(turn_deg=(0, -30, 0), lips=0.1).frame
    frames = [replace(alike, held=True), unlike, replace(alike, held=True)]
    assert learn(frames, SOURCE, "auto").index == 1


def test_auto_knows_a_face_at_any_size_and_place() -> None:
    frames = [Puppet(lips=0.05).frame, Puppet(px_per_cm=20, x=-300, turn_deg=(0, 10, 0)).frame]
    assert learn(frames, SOURCE, "auto").index == 1


def test_what_open_and_closed_eyes_are() -> None:
    frames = [Puppet(blink=b).frame for b in (0, 0, 0, 0.5, 1, 0.5, 0, 0)]
    calibration = learn(frames, SOURCE)
    for eye, opened, closed in zip(EYES, calibration.eye_open, calibration.eye_closed, strict=True):
        assert opened == pytest.approx(eye_openness(Puppet().points, eye), rel=1e-3)
        assert eye_openness(Puppet(blink=1).points, eye) < closed < 0.75 * opened


def test_a_reference_caught_in_a_blink_is_not_what_open_means() -> None:
    frames = [Puppet(blink=b).frame for b in (0.9, 0.5, 0, 0, 0, 0)]
    calibration = learn(frames, SOURCE)
    assert calibration.eye_open == pytest.approx(learn(frames[2:], SOURCE).eye_open, rel=0.05)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 0.2)), min_size=1, max_size=8))
def test_figures_stay_in_their_ranges(moves: list[tuple[float, float]]) -> None:
    calibration = learn([Puppet(blink=blink, lips=lips).frame for blink, lips in moves], SOURCE)
    for opened, closed in zip(calibration.eye_open, calibration.eye_closed, strict=True):
        assert 0 <= closed <= opened
    assert calibration.lip_floor.shape == (11,)
    assert (calibration.lip_floor >= 0).all()
    assert (calibration.lip_floor <= 0.02).all(), "an open mouth is never taken for closed lips"


def test_closed_lips_are_learnt_from_whenever_they_close() -> None:
    """A tracker reads closed lips as a gap; this one always reads at least 0.006."""
    frames = [Puppet(lips=0.006 + gap).frame for gap in (0.08, 0.05, 0.0, 0.0, 0.06, 0.07)]
    assert learn(frames, SOURCE).lip_floor[5] == pytest.approx(0.006, abs=2e-3)


def test_the_usual_face_is_told_in_the_references_place() -> None:
    still, smiling = Puppet(turn_deg=(0, 15, 0), x=90), Puppet(smile=0.8)
    frames: list[MotionFrame] = [still.frame, *[smiling.frame] * 6]
    calibration = learn(frames, SOURCE)
    in_place = replace(still, smile=0.8)
    assert np.abs(calibration.neutral - in_place.points[:468]).max() < 0.2
    assert euler_deg(calibration.pose.rotation)[1] == pytest.approx(15, abs=0.5)
