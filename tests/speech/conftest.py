"""A voice that is made of sines, and the golden numbers of the original network."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from likeness.types import Floats

HERE = Path(__file__).parent


def load_voices() -> Any:
    """The neighbour `voices.py`, which `make_golden.py` uses too."""
    spec = importlib.util.spec_from_file_location("likeness_tests_voices", HERE / "voices.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def synthetic_voice() -> Callable[..., Floats]:
    """See `voices.synthetic_voice`."""
    function: Callable[..., Floats] = load_voices().synthetic_voice
    return function


@pytest.fixture(scope="session")
def golden() -> dict[str, Floats]:
    """What Resemblyzer answers (`make_golden.py`)."""
    with np.load(HERE / "golden" / "speaker.npz") as file:
        return dict(file)
