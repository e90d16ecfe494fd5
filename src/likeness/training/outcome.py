"""What one step of a training gave."""

from __future__ import annotations

import math
from typing import NamedTuple


class Outcome(NamedTuple):
    """What a step gave.

    Attributes:
        losses: by name, weighted; "total" is what the networks were moved by.
        gradient_norm: before clipping.
    """

    losses: dict[str, float]
    gradient_norm: float

    @property
    def is_finite(self) -> bool:
        """Whether all went well; if not, the networks whose loss it was were not changed."""
        return math.isfinite(self.gradient_norm) and all(map(math.isfinite, self.losses.values()))
