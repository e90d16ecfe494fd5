"""Which of the faces in a clip is the one that is to be replaced."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from likeness.errors import ModelMissing
from likeness.faces.aligned import Alignment
from likeness.faces.identity import MIN_SIZE_PX, NO_MATCH, distance, embed_faces
from likeness.faces.topology import canonical_mesh
from likeness.types import Face, Floats, Picture

SMALLEST_PX = 24.0
"""A smaller face passes through: nobody would see who it is."""
FACES = 4
"""So many faces are followed where one of them is looked for by whose it is."""
ASK_S = 1.0
"""So often a face that is looked for is asked again whose it is."""
JUMP = 0.35
"""A face that moves by so much of its size from one frame to the next may be another one."""
ALIKE = 0.9
"""So may one that looks otherwise: the correlation of 24 × 24 pixels of it. In eleven of thirteen clips it
was above 0.95 from frame to frame, in two it fell to 0.7 where a head was thrown about; of two people it was
0.88 at most."""
DOUBT_FRAMES = 3


def is_jump(before: Face, face: Face) -> bool:
    """Whether a face moved further than one does from frame to frame."""
    moved = np.linalg.norm((face.points - before.points)[:, :2], axis=1).mean()
    return bool(moved > JUMP * face.size_px)


class Chooser:
    """Says which of the faces in a frame is the one. Belongs to one clip.

    Args:
        number: which face, as numbered by `likeness faces` in the first frame that has so many; None = the
            largest, or whoever is known.
        known: (n, 128) float32, embeddings of the person to look for; None = whoever is chosen first.
        rate_hz: frames a second.
        offline: fetch no model for that.

    Attributes:
        most: how many faces a frame showed at most.
        withdrawn: in so many frames before the last one the face that was chosen was somebody else's, as
            turned out only then.
        nearest: how far the nearest face that was asked was from the person; infinite if none was.
    """

    def __init__(
        self, number: int | None, known: Floats | None, rate_hz: float, *, offline: bool | None = None
    ) -> None:
        self._number = number or 1
        self._searches = known is not None and number is None
        self._known = known if self._searches else None
        self._first: tuple[Picture, Face] | None = None
        self._ask_every = max(1, round(ASK_S * rate_hz)) if self._searches else math.inf
        self._offline = offline
        self._asked: dict[int, _Answer] = {}
        self._id: int | None = None
        self._frame = -1
        self.most = self.withdrawn = 0
        self.nearest = math.inf

    @property
    def faces(self) -> int:
        """How many faces have to be followed."""
        return FACES if self._searches else self._number

    def choose(self, image: Picture, faces: tuple[Face, ...]) -> Face | None:
        """The face in this picture, or None."""
        self._frame += 1
        self.withdrawn = 0
        faces = tuple(face for face in faces if face.size_px >= SMALLEST_PX)
        self.most = max(self.most, len(faces))
        if self._known is None and self._id is None:
            return self._begin(image, faces)
        theirs = [face for face in faces if self._is_theirs(image, face)]
        best = min(theirs, key=self._rank, default=None)
        if best is not None:
            self._id = best.id
        return best

    def _rank(self, face: Face) -> tuple[bool, bool, float]:
        """The smallest is the best: not doubted, followed already, near."""
        answer = self._asked[face.id]
        return answer.doubted_at is not None, face.id != self._id, answer.away

    def _begin(self, image: Picture, faces: tuple[Face, ...]) -> Face | None:
        if len(faces) < self._number:
            return None
        face = faces[self._number - 1]
        self._id = face.id
        self._asked[face.id] = _Answer(math.inf, 0.0, face, _glimpse(image, face))
        if face.size_px >= MIN_SIZE_PX:  # kept for when somebody else comes, which is seldom
            self._first = image, face
        return face

    def _is_theirs(self, image: Picture, face: Face) -> bool:
        before, seen = self._asked.get(face.id), _glimpse(image, face)
        changed = before is not None and (is_jump(before.face, face) or not _is_alike(before.seen, seen))
        if before is not None and not changed and self._frame < before.ask_at:
            self._asked[face.id] = replace(before, face=face, seen=seen)
            return before.away <= NO_MATCH
        away, ask_at = self._ask(image, face), self._frame + self._ask_every
        doubted_at: int | None = None
        if away is None:
            # With one face to follow, whoever is found again after a loss is that face.
            may_be = face.id == self._id or (not self._searches and self._number == 1)
            away = before.away if before else (0.0 if may_be else math.inf)
        elif before is not None and before.away <= NO_MATCH < away:
            if before.doubted_at is None:
                # A face that was theirs and looks like somebody else's for once, such as one behind a hand:
                # ask again soon, and believe it then.
                away, doubted_at = before.away, self._frame
                ask_at = self._frame + (1 if changed else DOUBT_FRAMES)
            elif face.id == self._id:
                self.withdrawn = self._frame - before.doubted_at
        self._asked[face.id] = _Answer(ask_at, away, face, seen, doubted_at)
        return away <= NO_MATCH

    def _ask(self, image: Picture, face: Face) -> float | None:
        """How far the face is from the person; None where nobody can tell."""
        if face.size_px < MIN_SIZE_PX or (self._known is None and self._first is None):
            return None
        # Where nobody in particular is looked for, the network is used if it is there, and not fetched.
        offline = self._offline if self._searches else True
        try:
            if self._known is None and self._first is not None:
                self._known = embed_faces([self._first], offline=offline)
                self._first = None
            embedding = embed_faces([(image, face)], offline=offline)[0]
        except ModelMissing:
            if self._searches:
                raise
            return None
        assert self._known is not None
        away = min(distance(embedding, one) for one in self._known)
        self.nearest = min(self.nearest, away)
        return away


@dataclass(frozen=True, slots=True, eq=False)
class _Answer:
    """How far a face is from the person looked for, when to ask again, where and what it was last, and since
    which frame it is doubted."""

    ask_at: float
    away: float
    face: Face
    seen: Floats
    doubted_at: int | None = None


def _glimpse(image: Picture, face: Face) -> Floats:
    """What a face looks like at a glance: its middle in few pixels, less their mean; plain grey is all 0."""
    square = Alignment.of(face.points, canonical_mesh()).cut(image, 24)
    middle = cv2.cvtColor(square, cv2.COLOR_RGB2GRAY)[4:-3, 5:-5].astype(np.float32)
    return np.asarray(middle - middle.mean(), np.float32)


def _is_alike(before: Floats, seen: Floats) -> bool:
    """Whether it may be the same face a frame later."""
    size = float(np.linalg.norm(before) * np.linalg.norm(seen))
    return size < 1 or float((before * seen).sum()) > ALIKE * size
