"""What one driver frame says of the face, without the rest of its picture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

import numpy as np

from likeness.types import Face, Floats, Picture

Need: TypeAlias = Literal["appearance", "image"]
"""What an engine needs beside points: shading and mouth ("appearance"), or the whole picture ("image")."""

SHADING_PX = 128
MOUTH_PX = (48, 96)


@dataclass(frozen=True, slots=True)
class DriverInfo:
    """What is known of a driver as a whole.

    Attributes:
        rate: exact frames per second.
        width, height: of its picture, px.
        frames: how many there will be, or None where that is not known before the end.
    """

    rate: Fraction
    width: int
    height: int
    frames: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class MotionFrame:
    """The driver's face at one moment.

    Attributes:
        points: (478, 3) float32 px of the driver's picture, as tracked, not smoothed.
        blendshapes: (52,) float32, 0…1.
        shading: (128, 128) uint8 luminance of the face unwrapped to the canonical UV map, or None.
        mouth: (48, 96, 3) uint8 RGB, the inside of the mouth between the inner lip lines, or None.
        skin: (3,) float32 RGB, 0…255, mean colour of cheeks and nose, or None.
        held: the face was not seen here; these are the last values known.
        image: (h, w, 3) uint8 RGB, the driver's picture, for engines that need it; never stored.
        steady: (478, 3) float32 px, the points averaged over the neighbouring frames, or None; never stored.
    """

    points: Floats
    blendshapes: Floats
    shading: Picture | None = None
    mouth: Picture | None = None
    skin: Floats | None = None
    held: bool = False
    image: Picture | None = None
    steady: Floats | None = None

    @property
    def face(self) -> Face:
        """The same points as a `Face`."""
        return Face(self.points, self.blendshapes, 1.0)


def interpolate(before: MotionFrame, after: MotionFrame, count: int) -> Iterable[MotionFrame]:
    """`count` frames that ease from one known face to the next; marked as held."""
    for n in range(1, count + 1):
        t = n / (count + 1)
        t = t * t * (3 - 2 * t)
        near = before if t < 0.5 else after
        yield MotionFrame(
            points=((1 - t) * before.points + t * after.points).astype(np.float32),
            blendshapes=((1 - t) * before.blendshapes + t * after.blendshapes).astype(np.float32),
            shading=near.shading,
            mouth=near.mouth,
            skin=near.skin,
            held=True,
            image=near.image,
        )
