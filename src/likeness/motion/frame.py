"""What one driver frame says of the face, without the rest of its picture."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from likeness.types import Face, Floats, Picture

Need: TypeAlias = Literal["appearance", "image"]
"""What an engine needs beside the points: shading and mouth ("appearance"), or the whole picture ("image")."""

SHADING_PX = 128
MOUTH_PX = (48, 96)


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
    """

    points: Floats
    blendshapes: Floats
    shading: Picture | None = None
    mouth: Picture | None = None
    skin: Floats | None = None
    held: bool = False
    image: Picture | None = None

    @property
    def face(self) -> Face:
        """The same points as a `Face`."""
        return Face(self.points, self.blendshapes, 1.0)


class OneEuro:
    """One-Euro filter: calm when slow, quick when fast (Casiez, Roussel, Vogel, CHI 2012, §3).

    Args:
        rate_hz: samples per second.
        cutoff_hz: cut-off for a value at rest.
        beta: how much the cut-off rises with speed, in Hz per (unit per second).
    """

    def __init__(self, rate_hz: float, cutoff_hz: float, beta: float) -> None:
        self._rate_hz = rate_hz
        self._cutoff_hz = cutoff_hz
        self._beta = beta
        self._value: Floats | None = None
        self._speed: Floats | None = None

    def __call__(self, value: Floats) -> Floats:
        """The filtered value; any shape, the same at each call."""
        if self._value is None or self._speed is None:
            self._value, self._speed = value.copy(), np.zeros_like(value)
            return value
        speed = (value - self._value) * self._rate_hz
        self._speed = self._speed + self._share(1.0) * (speed - self._speed)
        cutoff_hz = self._cutoff_hz + self._beta * np.abs(self._speed)
        self._value = (self._value + self._share(cutoff_hz) * (value - self._value)).astype(np.float32)
        return self._value

    def _share(self, cutoff_hz: float | Floats) -> float | Floats:
        return 1.0 / (1.0 + self._rate_hz / (2 * math.pi * cutoff_hz))


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
