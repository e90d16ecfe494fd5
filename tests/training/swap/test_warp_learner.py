"""Learning to mend bent faces: it learns, goes on exactly, and needs nobody but B."""

from __future__ import annotations

from itertools import repeat

import numpy as np
import pytest
import torch

from likeness.nn.swap_warp import INPUTS, WarpConfig
from likeness.training.swap.settings import Augmentation, SwapSettings
from likeness.training.swap.warp_batches import WarpBatches, rank_alike
from likeness.training.swap.warp_learner import WarpLearner

from ...swap_people import make_faces

FACES = make_faces(2, 16)
SMALL = WarpConfig(32, (8, 12, 16))
QUICK = SwapSettings(
    batch_size=4, warm_up=20, learning_rate=3e-3, augmentation=Augmentation(warp=0, light=0.1, slope=0)
)


def batches(seed: int = 0, rank: int = 0, world: int = 1) -> WarpBatches:
    return WarpBatches.of(FACES, 32, 4, seed, QUICK.augmentation, rank, world)


def test_it_learns_what_the_mesh_cannot_bend(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here all open mouths are dark inside, and what is bent shows them as skin."""
    learner = WarpLearner(FACES, SMALL, QUICK, plan_steps=150)
    bent, half = batches(seed=9).batch(0)
    opened = torch.zeros_like(half.mouth)
    opened[:, :, 18:24, 12:20] = 1
    bent[:, 5:6] = opened
    wanted = bent[:, :3] * (1 - 0.8 * opened)
    shown = bent, half._replace(target=wanted, mask=torch.ones_like(half.mask))
    monkeypatch.setattr(learner, "stream", lambda: repeat(shown))

    def away() -> float:
        made = torch.from_numpy(learner.mend(bent)).permute(0, 3, 1, 2)
        return float((made - wanted).abs().mean())

    first = away()
    learner.step(150)
    assert away() < 0.3 * first


def test_it_goes_on_exactly() -> None:
    one = WarpLearner(FACES, SMALL, QUICK, plan_steps=8)
    straight = [one.step().losses for _ in range(6)]
    two = WarpLearner(FACES, SMALL, QUICK, plan_steps=8)
    two.step(3)
    three = WarpLearner(FACES, SMALL, QUICK, plan_steps=8)
    three.restore({name: value.clone() for name, value in two.state().items()}, 3)
    assert [three.step().losses for _ in range(3)] == straight[3:]


def test_a_batch_follows_from_seed_step_and_process() -> None:
    first, again = batches().batch(5), batches().batch(5)
    assert torch.equal(first[0], again[0]) and torch.equal(first[1].target, again[1].target)
    others = batches().batch(6), batches(seed=1).batch(5), batches(rank=1, world=2).batch(5)
    assert not any(torch.equal(first[0], other[0]) for other in others)


def test_what_is_shown_and_what_is_wanted_fit() -> None:
    bent, half = batches().batch(0)
    assert bent.shape == (4, INPUTS, 32, 32) and half.target.shape == (4, 3, 32, 32)
    for part in (bent, half.target, half.mask, half.eyes, half.mouth):
        assert part.min() >= 0 and part.max() <= 1
    seen = bent[:, 3:4]
    assert (seen * half.mask).sum() > 0.9 * half.mask.sum()  # the mesh covers the face
    assert (bent[:, :3] * (1 - seen)).max() == 0  # and nothing else is shown
    inside = (seen * half.mask * (1 - half.mouth)).clamp(0, 1)
    away = ((bent[:, :3] - half.target).abs() * inside).sum() / inside.sum() / 3
    assert away < 0.04  # skin lies on skin: points and pictures were turned alike


def test_the_most_alike_come_first() -> None:
    points = np.zeros((4, 478, 3), np.float32)
    points[:, 0, 0] = [0, 10, 11, 30]
    assert rank_alike(points)[1].tolist() == [2, 0, 3]
    assert all(i not in row for i, row in enumerate(rank_alike(points)))
