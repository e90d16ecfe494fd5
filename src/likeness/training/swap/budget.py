"""How long a training is."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

from likeness.errors import UsageError
from likeness.training.swap.kinds import STEPS
from likeness.training.world import World


@dataclass(slots=True)
class Budget:
    """How long a training is: in steps, or by the clock.

    Attributes:
        steps: in all, or None.
        seconds: in all, or None.
        spent: seconds before `started`.
        started: on the monotonic clock.
        agreed: what share of the time all processes last said was over; learning rates follow from it, and
            have to be the same in all of them.
    """

    steps: int | None
    seconds: float | None
    spent: float = 0.0
    started: float = field(default_factory=time.monotonic)
    agreed: float | None = None

    @classmethod
    def of(cls, model: str, steps: int | None, minutes: float | None) -> Budget:
        """From what was asked for.

        Raises:
            UsageError: both were, or a number makes no sense.
        """
        if steps is not None and minutes is not None:
            raise UsageError("Both steps and minutes were given.", "Give one of them.")
        if steps is not None and not (1 <= steps < math.inf and float(steps).is_integer()):
            raise UsageError(f"{steps} steps cannot be taken.", "Give a whole number from 1 up.")
        if minutes is not None and not 0 < minutes < math.inf:
            raise UsageError(f"Nobody can train for {minutes} minutes.", "Give a number above 0.")
        if minutes is not None:
            return cls(None, 60 * minutes)
        return cls(steps or STEPS[model], None)

    def start(self) -> None:
        """The clock runs from now on: preparing does not count."""
        self.started = time.monotonic()

    def elapsed(self) -> float:
        """Seconds in all."""
        return self.spent + time.monotonic() - self.started

    def share(self, step: int) -> float:
        """What share of the training is done before this step."""
        if self.seconds is not None:
            return self._clock() if self.agreed is None else self.agreed
        assert self.steps is not None
        return step / self.steps

    def is_over(self, step: int, world: World) -> bool:
        """Whether this step is not to be taken any more; all processes come to the same answer."""
        if self.steps is not None:
            return step >= self.steps
        self.agreed = world.largest(self._clock())
        return self.agreed >= 1

    def _clock(self) -> float:
        assert self.seconds is not None
        return min(1.0, self.elapsed() / self.seconds)
