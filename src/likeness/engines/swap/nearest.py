"""Which of B's pictures shows best what A does: a few are kept, far apart, and exchanged softly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.engines.swap.hair import forehead_hair
from likeness.faces.aligned import Alignment
from likeness.faces.landmarks import BLENDSHAPES
from likeness.faces.pose import euler_deg, head_pose
from likeness.faces.topology import canonical_mesh
from likeness.facesets.measure import sharpness
from likeness.types import Face, Floats, Picture

MOST_LOOKS = 48
LARGEST_PX = 512
"""A look is kept at its own size, but no larger: 48 of them take 38 MB at most."""
ZOOM = 1.1
"""Somewhat more than the square is kept: a wide open mouth's chin may leave it."""

STAY = 0.35
"""So much nearer another look has to be before the one that is shown is left for it."""
FADE_S = 0.2
"""How long that takes where it is just so much nearer: both are bent onto the same points meanwhile. Where it
is several times as much, it takes as many times less: no eye that shuts may be mixed with an open one."""

DEGREES = 9.0
"""A turn of the head by so much weighs as much as a wholly closed eye at weight 1."""
_WEIGHTS = {
    "eyeBlink": 3.0,
    "eyeSquint": 0.4,
    "eyeLook": 0.8,
    "jawOpen": 2.0,
    "mouthPucker": 1.2,
    "mouthFunnel": 1.2,
    "mouthSmile": 1.2,
    "mouthClose": 0.6,
    "brow": 0.5,
}
TRAIT_WEIGHTS = np.array(
    [next((w for start, w in _WEIGHTS.items() if name.startswith(start)), 0.2) for name in BLENDSHAPES],
    np.float32,
)
TRAITS = 3 + len(BLENDSHAPES)


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One picture of B.

    Attributes:
        texture: (size, size, 4) uint8 RGBA, the face's square and a rim; hair on the forehead is transparent.
        points: (478, 3) float32 px in it.
        traits: (55,) float32, pose and expression; see `traits_of`.
        sharpness: as `facesets.measure.sharpness` says.
    """

    texture: Picture
    points: Floats
    traits: Floats
    sharpness: float


def traits_of(face: Face) -> Floats:
    """What the face does, (55,) float32, so scaled that Euclidean distances compare well."""
    turned = euler_deg(head_pose(face.points, canonical_mesh()).rotation) / DEGREES
    turned[2] *= 0.2  # the square turns along
    return np.concatenate([turned, TRAIT_WEIGHTS * face.blendshapes]).astype(np.float32)


class Gallery:
    """The looks of one person, as different from each other as can be, and no more than `most`."""

    def __init__(self, most: int = MOST_LOOKS) -> None:
        self._most = most
        self._looks: list[Look] = []
        self._apart = np.zeros((0, 0))

    def add(self, image: Picture, face: Face) -> None:
        """Take in another picture; where there are too many, one of the two most alike goes, the blurrier."""
        self._looks.append(look_at(image, face))
        traits = np.array([look.traits for look in self._looks])
        apart = np.full((len(traits), len(traits)), np.inf)
        apart[:-1, :-1] = self._apart
        apart[-1, :-1] = apart[:-1, -1] = np.linalg.norm(traits[:-1] - traits[-1], axis=1)
        if len(traits) > self._most:
            pair = np.unravel_index(int(apart.argmin()), apart.shape)
            worse = min((int(one) for one in pair), key=lambda one: self._looks[one].sharpness)
            del self._looks[worse]
            apart = np.delete(np.delete(apart, worse, 0), worse, 1)
        self._apart = apart

    def __len__(self) -> int:
        return len(self._looks)

    @property
    def looks(self) -> tuple[Look, ...]:
        """What was kept."""
        return tuple(self._looks)


def look_at(image: Picture, face: Face) -> Look:
    """Cut a face out, to be bent onto others."""
    square = Alignment.of(face.points, canonical_mesh())
    size = int(np.clip(np.ceil(square.side_px * ZOOM), 64, LARGEST_PX))
    texture = square.cut(image, size, zoom=ZOOM)
    points = square.cut_points(face.points, size, zoom=ZOOM)
    skin = np.rint(255 * (1 - forehead_hair(texture, points, whole=True))).astype(np.uint8)
    return Look(np.dstack([texture, skin]), points, traits_of(face), sharpness(texture))


class Choice:
    """Looks for one frame after another, without flicker.

    Args:
        looks: what there is.
        rate_hz: frames a second.
    """

    def __init__(self, looks: tuple[Look, ...], rate_hz: float) -> None:
        self._looks = looks
        self._traits = np.array([look.traits for look in looks])
        self._step = 1 / max(FADE_S * rate_hz, 1)
        self._haste = 1.0
        self._shares: NDArray[np.float64] = np.zeros(len(looks))
        self._shown = -1

    def choose(self, face: Face) -> list[tuple[Look, float]]:
        """The looks to mix for this face, and their shares, which add up to 1."""
        away = np.linalg.norm(self._traits - traits_of(face), axis=1)
        nearest = int(away.argmin())
        if self._shown < 0:
            self._shown = nearest
            self._shares[nearest] = 1
        elif away[nearest] + STAY < away[self._shown]:
            self._haste = float(away[self._shown] - away[nearest]) / STAY
            self._shown = nearest
        self._shares = np.maximum(self._shares - self._haste * self._step, 0)
        self._shares[self._shown] = 0
        self._shares[self._shown] = max(1 - self._shares.sum(), 0)
        self._shares /= self._shares.sum()
        return [(self._looks[at], float(self._shares[at])) for at in np.flatnonzero(self._shares)]

    def forget(self) -> None:
        """The face was gone: begin anew."""
        self._shown = -1
        self._shares[:] = 0
