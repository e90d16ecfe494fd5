"""Learning from arrays: it learns, goes on exactly, and stands still where numbers end."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from likeness.errors import UsageError
from likeness.training.swap import learner as module
from likeness.training.swap.learner import SwapLearner
from likeness.training.swap.settings import Augmentation, LossWeights, SwapSettings

from ...swap_people import TINY, make_faces
from .conftest import QUICK

A, B = make_faces(1, 12), make_faces(2, 16)


def test_it_learns_whose_face_is_whose() -> None:
    learner = SwapLearner(
        A, B, TINY, SwapSettings(batch_size=4, warm_up=2, learning_rate=3e-3), plan_steps=150
    )
    first = learner.step().losses
    last = learner.step(149).losses
    assert learner.steps == 150
    assert last["total"] < 0.5 * first["total"]
    colour = {}
    for side, faces in (("a", A), ("b", B)):
        rgb, mask = learner.swap(A.squares(32), side)
        assert (rgb.shape, mask.shape) == ((12, 32, 32, 3), (12, 32, 32))
        assert rgb.dtype == mask.dtype == np.float32
        assert mask[:, 16, 16].min() > 0.8 > 0.2 > mask[:, 0, 0].max()
        colour[side] = rgb[:, 12:20, 12:20].mean((0, 1, 2))
        wanted = faces.squares(32)[:, 12:20, 12:20].mean((0, 1, 2)) / 255
        assert (
            np.abs(colour[side] - wanted).max() < 0.08
        )  # A's performance in the colour of that person's skin
    assert np.abs(colour["a"] - colour["b"]).max() > 0.1


def test_it_goes_on_exactly() -> None:
    one = SwapLearner(A, B, TINY, QUICK, plan_steps=8)
    straight = [one.step().losses for _ in range(8)]
    two = SwapLearner(A, B, TINY, QUICK, plan_steps=8)
    two.step(5)
    state = {name: value.clone().contiguous() for name, value in two.state().items()}  # as files hold it
    two.step(2)
    three = SwapLearner(A, B, TINY, QUICK, plan_steps=8)
    three.restore(state, 5)
    assert [three.step().losses for _ in range(3)] == straight[5:]


def test_where_numbers_end_nothing_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    learner = SwapLearner(A, B, TINY, QUICK)
    learner.step(2)
    before = {name: value.clone() for name, value in learner.net.state_dict().items()}
    right = module.face_losses

    def spoil(*args: object) -> dict[str, torch.Tensor]:
        return {name: loss * math.nan for name, loss in right(*args).items()}  # type: ignore[arg-type]

    monkeypatch.setattr(module, "face_losses", spoil)
    outcome = learner.step(3)
    assert not outcome.is_finite
    assert learner.steps == 2
    assert all(torch.equal(value, before[name]) for name, value in learner.net.state_dict().items())


def test_gradients_are_cut_down() -> None:
    learner = SwapLearner(A, B, TINY, SwapSettings(batch_size=2, clip_norm=0.01))
    outcome = learner.step()
    norms = [p.grad.norm() for p in learner.net.parameters() if p.grad is not None]
    assert outcome.gradient_norm > 0.02
    assert float(torch.stack(norms).norm()) == pytest.approx(0.01, rel=1e-3)


def test_the_last_phase_is_without_warp_and_slower() -> None:
    settings = SwapSettings(learning_rate=1e-3, warm_up=4, final=0.25, last_rate=0.1)
    rates = [settings.rate(step, step / 100) for step in (0, 3, 50, 74, 75, 99, 100, 200)]
    assert rates == pytest.approx([2.5e-4, 1e-3, 1e-3, 1e-3, 1e-3, 1.36e-4, 1e-4, 1e-4])
    assert [settings.is_final(share) for share in (0, 0.74, 0.75, 1)] == [False, False, True, True]
    assert settings.without_warp().warp == 0 < settings.augmentation.warp
    quick = replace(QUICK, augmentation=replace(QUICK.augmentation, light=0.0))
    learner = SwapLearner(A, B, TINY, quick, plan_steps=4)
    learner.step(3)
    assert learner.optimizer.param_groups[0]["lr"] == pytest.approx(QUICK.learning_rate)
    learner.step(1)
    batch = learner.batches.batch(3, is_final=True)
    assert torch.equal(batch.a.seen, batch.a.target)


def test_every_part_of_the_loss_can_be_left_out() -> None:
    for name in ("l1", "ssim", "mask"):
        weights = LossWeights(**{**dict.fromkeys(("l1", "ssim", "mask"), 0.0), name: 1.0})
        losses = SwapLearner(A, B, TINY, SwapSettings(batch_size=2, weights=weights)).step().losses
        assert losses.keys() == {"total", f"{name}_a", f"{name}_b"}


def test_eyes_and_mouth_count_more() -> None:
    """An error in the mouth costs more than the same error on a cheek, and one in the background less."""
    from likeness.nn.swap import Face
    from likeness.training.swap.losses import face_losses

    learner = SwapLearner(A, B, TINY, SwapSettings(batch_size=2, augmentation=Augmentation(warp=0)))
    half = learner.batches.batch(0).a

    def cost(where: torch.Tensor) -> float:
        made = Face((half.target + 0.2 * where).clamp(0, 1), half.mask)
        return float(face_losses(made, half, LossWeights(ssim=0))["l1"]) / float(where.sum())

    mouth, eyes = (half.mouth > 0.99).float(), (half.eyes > 0.99).float()
    cheek = ((half.mask > 0.99) & (half.mouth == 0) & (half.eyes == 0)).float()
    outside = (half.mask == 0).float()
    assert min(cost(mouth), cost(eyes)) > 2 * cost(cheek) > 10 * cost(outside) > 0


@pytest.mark.parametrize(
    "wrong",
    [{"batch_size": 0}, {"learning_rate": math.nan}, {"final": 1.5}, {"seed": -1},
     {"augmentation": Augmentation(flip=2)}, {"weights": LossWeights(ssim=-1)}],
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused(wrong: dict) -> None:
    with pytest.raises(UsageError, match="has to be from"):
        SwapSettings(**wrong)


def test_settings_survive_json() -> None:
    settings = SwapSettings.of("df128", seed=4, flip=0.0)
    assert SwapSettings.from_json(settings.to_json()) == settings
    assert settings.learning_rate < SwapSettings.of("slim64").learning_rate
    with pytest.raises(UsageError):
        SwapLearner(A, B, TINY, QUICK).step(0)
