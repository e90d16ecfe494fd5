"""Small generated media, and how an output was made from them."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from likeness.types import Ingredient, Making, ModelRef, Picture

MakeMaking = Callable[..., Making]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder for outputs, so that whatever else turns up in it can be seen."""
    path = tmp_path / "out"
    path.mkdir()
    return path


@pytest.fixture
def portrait(tmp_path: Path) -> Path:
    """A picture without credentials."""
    path = tmp_path / "portrait.png"
    Image.fromarray(moving_picture(0)).save(path)
    return path


@pytest.fixture
def driver(tmp_path: Path) -> Path:
    """The beginning of an MPEG program stream, a format that C2PA does not know."""
    path = tmp_path / "driver.mpg"
    path.write_bytes(b"\x00\x00\x01\xba" + bytes(range(256)) * 8)
    return path


@pytest.fixture
def making(portrait: Path, driver: Path) -> MakeMaking:
    """Makes a `Making`; fields can be given."""

    def make(**fields: object) -> Making:
        given: dict[str, object] = {
            "act": "animate",
            "engine": "mesh",
            "engine_version": "1.2.3",
            "ingredients": (Ingredient(portrait, "source"), Ingredient(driver, "driver")),
            "models": (ModelRef("face-mesh", "ab" * 32),),
            "parameters": {"smooth": 0.5},
        }
        return Making(**{**given, **fields})  # type: ignore[arg-type]

    return make


RATE = Fraction(25)


def moving_picture(index: int, width: int = 96, height: int = 80) -> Picture:
    """Gradients that move; (height, width, 3) uint8."""
    y, x = np.mgrid[:height, :width]
    return np.stack([(x * 2 + index * 5) % 256, (y * 3) % 256, (x + y) % 256], axis=2).astype(np.uint8)
