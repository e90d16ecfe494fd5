"""The pictures and networks that the tests of faces share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from likeness.faces.detect import FaceDetector
from likeness.faces.landmarks import FaceLandmarker
from likeness.models import fetch
from likeness.types import Picture


@pytest.fixture(scope="session")
def bundle(home: Path) -> Path:
    return fetch("face-landmarker")


@pytest.fixture(scope="session")
def detector(bundle: Path) -> FaceDetector:
    return FaceDetector(bundle, threads=2)


@pytest.fixture(scope="session")
def landmarker(bundle: Path) -> FaceLandmarker:
    return FaceLandmarker(bundle, threads=2)


@pytest.fixture(scope="session")
def hopper(hopper_path: Path) -> Picture:
    """One face, about 190 by 200 px, in 600 by 512."""
    with Image.open(hopper_path) as picture:
        return np.asarray(picture.convert("RGB"))


@pytest.fixture(scope="session")
def carphone(carphone_path: Path) -> list[Picture]:
    """120 frames of one talking head, 144 by 176."""
    with av.open(str(carphone_path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


@pytest.fixture(scope="session")
def on_canvas() -> Callable[..., Picture]:
    """Pastes pictures onto a grey gradient: `on_canvas(height, width, (picture, left, top), ...)`."""
    return paste_on_canvas


def paste_on_canvas(height: int, width: int, *placed: tuple[Picture, int, int]) -> Picture:
    canvas = np.empty((height, width, 3), np.uint8)
    canvas[:] = np.linspace(60, 180, width, dtype=np.uint8)[None, :, None]
    for picture, left, top in placed:
        canvas[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return canvas
