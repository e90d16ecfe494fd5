"""The judge lives with the benchmarks, but what it says of faces is tested here."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from likeness.faces import find_faces
from likeness.models import find
from likeness.types import Picture

pytestmark = pytest.mark.skipif(find("face-mesh-468") is None, reason="needs face-mesh-468")


@pytest.fixture(scope="module")
def judge(repository: Path) -> Any:
    spec = importlib.util.spec_from_file_location("judge", repository / "benchmarks" / "judge.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Judge()


def test_two_networks_see_the_same_face(judge: Any, hopper: Picture, carphone: list[Picture]) -> None:
    for picture in (hopper, *carphone[::20]):
        points, (face,) = judge.landmarks(picture), find_faces(picture)
        assert points.shape == (468, 3)
        assert points.dtype == np.float32
        between_eyes = np.linalg.norm(face.points[33] - face.points[263])
        apart = np.linalg.norm((points - face.points[:468])[:, :2], axis=1)
        assert 0.001 < apart.mean() / between_eyes < 0.07


def test_it_keeps_nothing_from_frame_to_frame(judge: Any, hopper: Picture, carphone: list[Picture]) -> None:
    alone = judge.landmarks(carphone[50])
    judge.landmarks(hopper)
    assert np.array_equal(judge.landmarks(carphone[50]), alone)


def test_no_face(judge: Any) -> None:
    assert judge.landmarks(np.zeros((50, 80, 3), np.uint8)) is None
