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
from likeness.faces.identity import MIN_SIZE_PX, NO_MATCH, distance, embed_faces
from likeness.faces.topology import canonical_mesh
from likeness.types import Face, Floats, Frame, Picture

SMALLEST_PX = 24.0
"""A smaller face passes through: nobody would see who it is."""
BRIDGED_FRAMES = 2
"""So short a time a face that is not found is where it was, between where it was and where it is next."""
FACES = 4
"""So many faces are followed where one of them is looked for by whose it is."""
ASK_S = 1.0
"""So often a face is asked again whose it is; a cut may have put another person in its place."""
JUMP = 0.35
"""A face that moves by so much of its size from one frame to the next may be another one."""


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """One frame.

    Attributes:
        frame: as it was filmed.
        face: the face to replace, its points steadied; None where it is not seen.
        square: around that face.
        hands: those near it.
        starts: the face was not in the frame before, or is seen in another place: nothing carries over.
    """

    frame: Frame
    face: Face | None = None
    square: Alignment | None = None
    hands: tuple[Hand, ...] = ()
    starts: bool = False


class Chooser:
    """Which of the faces in a frame is the one.

    Args:
        number: which face, as numbered by `likeness faces` in the first frame that has so many; None = the
            largest, or whoever is known.
        known: (n, 128) float32, embeddings of the person to look for; None = whoever is chosen first.
        rate_hz: frames a second.
        offline: fetch no model for that.
    """

    def __init__(
        self, number: int | None, known: Floats | None, rate_hz: float, *, offline: bool | None = None
    ) -> None:
        self._number = number or 1
        self._searches = known is not None and number is None
        self._known = known if self._searches else None
        self._first: tuple[Picture, Face] | None = None
        self._ask_every = max(1, round(ASK_S * rate_hz))
        self._offline = offline
        self._asked: dict[int, _Answer] = {}
        self._id: int | None = None
        self._frame = -1
        self.most = 0
        self.nearest = np.inf

    @property
    def faces(self) -> int:
        """How many faces have to be followed."""
        return FACES if self._searches else self._number

    def choose(self, image: Picture, faces: tuple[Face, ...]) -> Face | None:
        """The face in this picture, or None."""
        self._frame += 1
        faces = tuple(face for face in faces if face.size_px >= SMALLEST_PX)
        self.most = max(self.most, len(faces))
        if self._known is None and self._id is None:
            return self._begin(image, faces)
        theirs = [face for face in faces if self._is_known(image, face)]
        best = min(theirs, key=lambda face: (face.id != self._id, self._asked[face.id].away), default=None)
        if best is not None:
            self._id = best.id
        return best

    def _begin(self, image: Picture, faces: tuple[Face, ...]) -> Face | None:
        if len(faces) < self._number:
            return None
        face = faces[self._number - 1]
        self._id = face.id
        self._asked[face.id] = _Answer(self._frame, 0.0, face.points)
        if face.size_px >= MIN_SIZE_PX:  # kept for when somebody else comes, which is seldom
            self._first = image, face
        return face

    def _is_known(self, image: Picture, face: Face) -> bool:
        before = self._asked.get(face.id)
        if before is not None:
            moved = np.linalg.norm((face.points - before.points)[:, :2], axis=1).mean() / face.size_px
            self._asked[face.id] = before = replace(before, points=face.points)
            is_time = self._searches or before.doubted
            if not (is_time and self._frame >= before.frame + self._ask_every) and moved < JUMP:
                return before.away <= NO_MATCH
        away = self._ask(image, face)
        if away is None:  # too small to tell
            away = before.away if before else (0.0 if face.id == self._id else np.inf)
        elif before is not None and before.away <= NO_MATCH < away:
            # A face that was theirs and looks like somebody else's for once, such as one behind a hand: ask
            # again soon, and believe it then.
            soon = self._frame - self._ask_every + 3
            if not before.doubted:
                self._asked[face.id] = _Answer(soon, before.away, face.points, doubted=True)
                return True
        self._asked[face.id] = _Answer(self._frame, away, face.points)
        return away <= NO_MATCH

    def _ask(self, image: Picture, face: Face) -> float | None:
        if face.size_px < MIN_SIZE_PX or (self._known is None and self._first is None):
            return None
        if self._known is None and self._first is not None:
            self._known = embed_faces([self._first], offline=self._offline)
            self._first = None
        assert self._known is not None
        embedding = embed_faces([(image, face)], offline=self._offline)[0]
        away = min(distance(embedding, one) for one in self._known)
        self.nearest = min(self.nearest, away)
        return away


@dataclass(frozen=True, slots=True, eq=False)
class _Answer:
    """How far a face is from the person looked for, when that was asked, and where it was last."""

    frame: int
    away: float
    points: Floats
    doubted: bool = False


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
        return Followed(frame, face, hands=near)

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
    if before is None or before.id != face.id or _is_jump(before, face):
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
        return item
    points = steady([None if one is None else one.points for one in window], middle)
    calm = replace(face, points=points)
    starts = last is None or last.id != face.id or _is_jump(last, calm)
    square = Alignment.of(points, canonical_mesh())
    return replace(item, face=calm, square=square, starts=starts)


def _is_jump(before: Face, face: Face) -> bool:
    moved = np.linalg.norm((face.points - before.points)[:, :2], axis=1).mean()
    return bool(moved > JUMP * face.size_px)
