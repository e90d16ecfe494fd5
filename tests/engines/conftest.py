"""A photo with its face, prepared sources, and the outlines of parts of a face."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from likeness.engines.base import Source
from likeness.faces import find_faces
from likeness.types import Picture


@pytest.fixture(scope="session")
def hopper(hopper_path: Path) -> Source:
    """The demo's portrait, 218 by 256 px."""
    with Image.open(hopper_path) as picture:
        small: Picture = np.asarray(picture.convert("RGB").resize((218, 256), Image.Resampling.LANCZOS))
    return Source(small, find_faces(small)[0])
