"""Calming what is tracked, for those who ask for it."""

from __future__ import annotations

import math

import numpy as np

from likeness.types import Floats


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
        cutoff_hz = np.asarray(self._cutoff_hz + self._beta * np.abs(self._speed), np.float32)
        self._value = (self._value + self._share(cutoff_hz) * (value - self._value)).astype(np.float32)
        return self._value

    def _share(self, cutoff_hz: float | Floats) -> float | Floats:
        return 1.0 / (1.0 + self._rate_hz / (2 * math.pi * cutoff_hz))
