"""Hands near a face."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness import models
from likeness.faces import find_faces, hands
from likeness.faces.hands import HOLD, Hand, HandTracker, hand_mask
from likeness.media import VideoReader
from likeness.types import Face, Picture

from ..puppet import Puppet

IDENTITY = np.array([[1.0, 0, 0], [0, 1, 0]])


def hand(x: float = 100, y: float = 150, size: float = 60, angle: float = 0.0) -> Hand:
    """A flat hand, fingers up."""
    points = [(0.0, 0.0)]
    for finger, across in enumerate((-0.45, -0.25, -0.08, 0.09, 0.25)):
        root, length = (-0.25, 0.5) if finger == 0 else (-0.8, 0.75)
        points += [(across * (1 + 0.3 * k), root - length * k / 3) for k in range(4)]
    flat = np.array(points) * size
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return Hand((flat @ turn.T + [x, y]).astype(np.float32), 0.9)


# Where to look next


@given(st.floats(-3.1, 3.1), st.floats(20, 300))
def test_the_region_turns_and_grows_with_the_hand(angle: float, size: float) -> None:
    upright = hands._region_of_points(hand(size=60).points)
    region = hands._region_of_points(hand(size=size, angle=angle).points)
    turned = (region.angle_rad - upright.angle_rad - angle + math.pi) % (2 * math.pi) - math.pi
    assert abs(turned) < 1e-3
    assert region.width == pytest.approx(upright.width * size / 60, rel=1e-3)


def test_the_region_holds_the_whole_hand() -> None:
    for angle in (0.0, 1.0, 2.5, -2.0):
        one = hand(angle=angle)
        region = hands._region_of_points(one.points)
        crop = region.to_picture(100, 100)
        back = np.linalg.solve(crop[:, :2], (one.points - crop[:, 2]).T).T
        assert back.min() > 0
        assert back.max() < 100


# The mask


def test_the_mask_covers_fingers_palm_and_wrist() -> None:
    one = hand()
    mask = hand_mask((one,), IDENTITY, 256)
    for x, y in np.round(one.points).astype(int):
        assert mask[y, x] > 0.9
    assert mask[175, 100] > 0.9  # below the wrist: the arm
    assert mask[60, 30] == mask[240, 240] == 0
    assert not hand_mask((), IDENTITY, 256).any()


def test_the_mask_is_drawn_in_the_square() -> None:
    """Half the scale, moved."""
    half = np.array([[0.5, 0, 20], [0, 0.5, 10]])
    large, small = hand_mask((hand(),), IDENTITY, 256), hand_mask((hand(),), half, 256)
    assert small.sum() == pytest.approx(large.sum() / 4, rel=0.12)
    x, y = half[:, :2] @ [100, 120] + half[:, 2]
    assert small[int(y), int(x)] > 0.9


# In time


class Sees(HandTracker):
    """Sees what it is told, without networks."""

    def __init__(self, seen: list[list[Hand]]) -> None:
        self._seen = seen
        self._hands = ()
        self._held = self._frame = 0

    def _look(self, image: Picture, region: object, found: list[Hand]) -> None:
        for one in self._seen[self._frame]:
            if one not in found:
                found.append(one)

    def _search(self, image: Picture, window: object) -> list[object]:  # type: ignore[override]
        return [None]


def test_a_hand_that_is_lost_for_a_moment_is_still_there() -> None:
    one = hand()
    seen = [[one], [], [one], [one], *[[]] * 6]
    tracker, image, face = Sees(seen), np.zeros((8, 8, 3), np.uint8), Puppet().face
    shown = [len(tracker.track(image, face)) for _ in seen]
    assert shown == [1] * 4 + [1] * HOLD + [0] * (6 - HOLD)


# The networks, where they are at hand

needs_nets = pytest.mark.skipif(
    not (models.find(hands.PALMS) and models.find(hands.HANDS)), reason="needs the networks for hands"
)


@needs_nets
def test_where_there_is_no_hand_none_is_seen(hopper_path: Path) -> None:
    from likeness.media import read_image

    image = read_image(hopper_path).image
    (face,) = find_faces(image, limit=1)
    tracker = HandTracker()
    assert [tracker.track(image, face) for _ in range(3)] == [()] * 3


def faces_and_frames(path: Path, first_s: float, count: int) -> list[tuple[Picture, Face]]:
    found = []
    with VideoReader(path, start_s=first_s) as video:
        for frame in video:
            if frame.index % 2 == 0:
                found += [(frame.image, face) for face in find_faces(frame.image, limit=1)]
            if frame.index >= 2 * count:
                break
    return found


def covered(one: Hand, face: Face) -> bool:
    left, top, right, bottom = face.box
    x, y = one.points[:, 0], one.points[:, 1]
    return bool(((x > left) & (x < right) & (y > top) & (y < bottom)).any())


@needs_nets
def test_hands_before_a_real_face_are_seen(shared: Path) -> None:
    """In this clip a woman covers her mouth from second 3 on; at its beginning no hand is there."""
    path = shared / "media/driving/pyfeat__WolfgangLanger_Pexels.mp4"
    if not path.exists():
        pytest.skip("needs that clip")
    tracker = HandTracker()
    assert not any(tracker.track(image, face) for image, face in faces_and_frames(path, 0, 4))
    tracker = HandTracker()
    frames = faces_and_frames(path, 3, 8)
    seen = [tracker.track(image, face) for image, face in frames]
    assert sum(map(bool, seen)) >= len(frames) - 1
    assert all(covered(found[0], face) for found, (_, face) in zip(seen, frames, strict=True) if found)
