"""How somebody speaks: how high and how loud how often, and the same made somebody else's.

A course is carried over by quantiles (histogram equalisation): what was louder or higher stays so, but it is
as loud or as high as it is with the other person as often.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from likeness.types import Floats

_SHARES: Final = np.linspace(0.02, 0.98, 25)
_ENOUGH: Final = 100  # values, before which nothing is known


class Spread:
    """How values are spread, in memory that does not grow.

    Args:
        low, high: where they lie; what lies outside counts as the nearest.
        step: how finely they are told apart.
        most: after so many values no more are taken in, so that what follows is treated alike; None: all are.
    """

    def __init__(self, low: float, high: float, step: float, most: int | None = None) -> None:
        self._low, self._step, self._most = low, step, most
        self._counts = np.zeros(round((high - low) / step), np.int64)

    def hear(self, values: Floats) -> None:
        """Take in (n,) values."""
        if self._most is not None and self._counts.sum() >= self._most:
            return
        places = np.clip((values - self._low) / self._step, 0, len(self._counts) - 1).astype(np.int64)
        self._counts += np.bincount(places, minlength=len(self._counts))

    @property
    def quantiles(self) -> NDArray[np.float64] | None:
        """(25,) from the lowest to the highest fiftieth; None while too little was heard."""
        total = np.concatenate(([0], np.cumsum(self._counts)))
        if total[-1] < _ENOUGH:
            return None
        # Without places where nothing lies, since there the sum does not rise.
        edges = self._low + self._step * np.arange(len(total))
        rising = np.concatenate(([True], np.diff(total) > 0))
        return np.asarray(np.interp(_SHARES * total[-1], total[rising], edges[rising]), np.float64)


def carry(values: Floats, source: Spread, target: Spread) -> Floats:
    """(n,) values of the one as the other would have them; unchanged while too little was heard of either.

    What lies beyond the known range lies as far beyond the other.
    """
    old, new = source.quantiles, target.quantiles
    if old is None or new is None:
        return values
    inside = np.interp(values, old, new)
    beyond = np.minimum(values - old[0], 0) + np.maximum(values - old[-1], 0)
    return np.asarray(inside + beyond, np.float32)


class Manner:
    """How high and how loud somebody speaks."""

    def __init__(self, *, most: int | None = None) -> None:
        self.energy = Spread(-12.0, 1.0, 0.05, most)
        self.log_f0 = Spread(np.log(40.0), np.log(1400.0), 0.01, most)

    def hear(self, f0_hz: Floats, voiced: Floats, energy: Floats) -> None:
        """Take in frames; see `analysis.Features`."""
        self.energy.hear(energy)
        self.log_f0.hear(np.log(f0_hz[voiced >= 0.5]))
