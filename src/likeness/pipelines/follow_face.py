"""The one face of a clip that is to be replaced, frame by frame: who it is, and where, without trembling."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from likeness.engines.swap.steady import reach_frames, steady
from likeness.faces import FaceTracker
from likeness.faces.aligned import Alignment
from likeness.faces.hands import Hand, HandTracker
from likeness.faces.topology import canonical_mesh
from likeness.pipelines.choose_face import Chooser, is_jump
from likeness.types import Face, Frame

BRIDGED_FRAMES = 2
"""So short a time a face that is not found is where it was, between where it was and where it is next."""


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """One frame.

    Attributes:
        frame: as it was filmed.
        face: the face to replace, its points steadied; None where it is not seen.
        square: around that face.
        hands: those near it.
        withdrawn: in so many frames before it the face was another one, as turned out here.
        starts: the face was not in the frame before, or is seen in another place: nothing carries over.
    """

    frame: Frame
    face: Face | None = None
    square: Alignment | None = None
    hands: tuple[Hand, ...] = ()
    withdrawn: int = 0
    starts: bool = False


class Found(Protocol):
    """Where faces come from."""

    def faces(self, frame: Frame) -> tuple[Face, ...]:
        """Those in the next frame; ids stay the same from frame to frame."""
        ...

    def square(self, frame: Frame, face: Face) -> Alignment | None:
        """The square that somebody drew by hand, or None."""
        ...


class Tracked:
    """Faces from the tracker.

    Args:
        limit: how many at most.
    """

    def __init__(self, limit: int) -> None:
        self._tracker = FaceTracker(faces=limit, threads=1)

    def faces(self, frame: Frame) -> tuple[Face, ...]:
        """Those in the next frame."""
        return self._tracker.track(frame.image)

    def square(self, frame: Frame, face: Face) -> Alignment | None:
        """None: nobody drew any."""
        return None


def follow_face(
    frames: Iterable[Frame],
    chooser: Chooser,
    rate_hz: float,
    found: Found | None = None,
    hands: HandTracker | None = None,
) -> Iterator[Followed]:
    """One `Followed` for each frame; a few frames are read ahead.

    Args:
        chooser: says which face.
        rate_hz: frames a second.
        found: where faces come from; None = the tracker.
        hands: finds the hands near the face; None = nobody does.
    """
    source = found or Tracked(chooser.faces)

    def look(frame: Frame) -> Followed:
        face = chooser.choose(frame.image, source.faces(frame))
        near = () if hands is None or face is None else hands.track(frame.image, face)
        return Followed(frame, face, hands=near, withdrawn=chooser.withdrawn)

    for item in steadied(map(look, frames), reach_frames(rate_hz)):
        drawn = None if item.face is None else source.square(item.frame, item.face)
        yield item if drawn is None else replace(item, square=drawn)


def steadied(found: Iterable[Followed], reach: int) -> Iterator[Followed]:
    """The same faces, their points steadied over `reach` frames on each side; short gaps are bridged."""
    window: deque[Face | None] = deque(maxlen=2 * reach + 1)
    waiting: deque[Followed] = deque()
    last: Face | None = None
    for one in found:
        window.append(one.face)
        waiting.append(one)
        for back in range(2, min(one.withdrawn + 1, len(window)) + 1):
            window[-back] = None
        _bridge(window)
        if len(waiting) > reach:
            item = _steady_one(waiting.popleft(), window, len(window) - 1 - reach, last)
            last = item.face
            yield item
    while waiting:
        item = _steady_one(waiting.popleft(), window, len(window) - 1 - len(waiting), last)
        last = item.face
        yield item


def _bridge(window: deque[Face | None]) -> None:
    """Fill a short gap that has just ended, if the same face is on both sides of it."""
    face = window[-1]
    gap = 0
    while gap + 1 < len(window) and window[-2 - gap] is None:
        gap += 1
    if face is None or not 0 < gap <= BRIDGED_FRAMES or gap + 1 >= len(window):
        return
    before = window[-2 - gap]
    if before is None or before.id != face.id or is_jump(before, face):
        return
    for step in range(1, gap + 1):
        share = np.float32(step / (gap + 1))
        window[-2 - gap + step] = replace(
            face,
            points=before.points + share * (face.points - before.points),
            blendshapes=before.blendshapes + share * (face.blendshapes - before.blendshapes),
        )


def _steady_one(item: Followed, window: deque[Face | None], middle: int, last: Face | None) -> Followed:
    face = window[middle]
    if face is None:
        return Followed(item.frame)
    points = steady([None if one is None else one.points for one in window], middle)
    calm = replace(face, points=points)
    starts = last is None or last.id != face.id or is_jump(last, calm)
    square = Alignment.of(points, canonical_mesh())
    return replace(item, face=calm, square=square, starts=starts)
