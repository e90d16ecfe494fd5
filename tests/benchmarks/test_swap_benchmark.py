"""The swap benchmark still fits the package: its parts run, on a tiny pair, and know a swap from none."""

from __future__ import annotations

import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import swap_media
from likeness.faces import find_faces
from likeness.faces.aligned import Alignment
from likeness.faces.topology import canonical_mesh
from likeness.models import find
from likeness.pipelines.follow_face import Followed
from likeness.types import Frame, Picture
from swap_baselines import SHAPES, Baseline, count_parameters
from swap_learning import Looker, begin
from swap_media import Clip, Media, Pair
from swap_quick import measure_quick

needs_networks = pytest.mark.skipif(
    find("face-mesh-468") is None or find("face-identity") is None,
    reason="needs face-mesh-468, face-identity",
)


@pytest.fixture(scope="module")
def media(hopper: Picture, demo_clip: list[Picture]) -> Media:
    """One person's clip, and another's picture, shown twenty times."""
    return Media(Pair("tiny", "a", "b"), clip("a", demo_clip[:40:2]), clip("b", [hopper] * 20), None)


def clip(name: str, pictures: list[Picture]) -> Clip:
    found = []
    for n, image in enumerate(pictures):
        (face,) = find_faces(image, limit=1)
        square = Alignment.of(face.points, canonical_mesh())
        found.append(Followed(Frame(image, n, Fraction(n, 25)), face, square, n == 0))
    return Clip(Path(name), found, 0)


@needs_networks
def test_a_swap_is_known_from_none(media: Media) -> None:
    looker = Looker(media, 64)
    person_b = media.b.faces(media.b.held_out).squares(64)[0]

    def nothing(squares: Picture) -> tuple[np.ndarray, np.ndarray]:
        return squares.astype(np.float32) / 255, np.ones(squares.shape[:3], np.float32)

    def always_b(squares: Picture) -> tuple[np.ndarray, np.ndarray]:
        return nothing(np.repeat(person_b[None], len(squares), 0))

    same, still = looker.wholly(nothing), looker.wholly(always_b)
    assert same["to_a"] < 0.35 < same["to_b"]
    assert still["to_b"] < still["to_a"]
    assert same["l1"] == 0
    assert same["expression"]["error"] < 0.7 * still["expression"]["error"]


@needs_networks
def test_the_quick_swap_is_judged(media: Media) -> None:
    found, pictures = measure_quick(media)
    assert found["to_b"] < found["to_a"]
    assert len(pictures) == len(media.a.held_out)


def test_a_training_goes_by_the_clock(media: Media) -> None:
    course, learner = begin("slim64", media, 1000.0)
    course.run_until(0.01)
    assert learner.steps == 1
    assert course.spent_s >= 0.01
    assert learner.share_of(learner.steps) == pytest.approx(course.spent_s / 1000)
    colours, masks = learner.swap(media.a.faces(media.a.held_out).squares(64), "b")
    assert colours.shape[1:] == (64, 64, 3)
    assert masks.shape == colours.shape[:3]


@pytest.mark.parametrize(("name", "millions"), [("original", 82.1), ("lightweight", 51.1)])
def test_the_older_networks_have_their_published_size(name: str, millions: float) -> None:
    mask_only = {"original": 2 * (64 * 25 + 1), "lightweight": 2 * (128 * 25 + 1)}[name]
    with torch.device("meta"):
        net = Baseline(SHAPES[name])
        a, b = net.learn(torch.empty(3, 3, 64, 64), torch.empty(2, 3, 64, 64))
    assert round((count_parameters(net) - mask_only) / 1e6, 1) == millions
    assert (a.rgb.shape, b.mask.shape) == ((3, 3, 64, 64), (2, 1, 64, 64))


def test_what_was_followed_is_recalled(media: Media, tmp_path: Path) -> None:
    items = [replace(item, square=None) if n == 3 else item for n, item in enumerate(media.a.followed[:6])]
    items[3] = Followed(items[3].frame)
    swap_media._keep(tmp_path / "kept.npz", items)
    with np.load(tmp_path / "kept.npz", allow_pickle=False) as known:
        recalled = swap_media._recall([item.frame for item in items], dict(known))
    assert recalled[3].face is None
    for old, new in zip(items[:3], recalled[:3], strict=True):
        assert old.face is not None
        assert new.face is not None
        assert np.array_equal(old.face.points, new.face.points)
        assert old.square == new.square
        assert old.starts == new.starts
