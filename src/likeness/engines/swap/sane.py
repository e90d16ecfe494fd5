"""What a model makes, before anything is made of it."""

from __future__ import annotations

import numpy as np

from likeness.errors import ModelFormat
from likeness.types import Floats


def check_numbers(*made: Floats) -> None:
    """Refuse what is no picture.

    Raises:
        ModelFormat: some of it is infinite or not a number.
    """
    if not all(np.isfinite(one).all() for one in made):
        raise ModelFormat(
            "The model makes no picture, but values that are no numbers.",
            "Its training went wrong: convert with an earlier snapshot, or train again from it.",
        )
