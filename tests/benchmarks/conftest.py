from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from likeness.media import VideoReader
from likeness.types import Picture


@pytest.fixture(scope="session")
def hopper(hopper_path: Path) -> Picture:
    """The demo's portrait."""
    with Image.open(hopper_path) as picture:
        return np.asarray(picture.convert("RGB"))


@pytest.fixture(scope="session")
def demo_clip(carphone_path: Path) -> list[Picture]:
    """The demo's driving video."""
    with VideoReader(carphone_path) as reader:
        return [frame.image for frame in reader]
