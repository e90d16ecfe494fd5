"""Refinement: measured rounds, kept or taken back."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from likeness import verify
from likeness.engines.swap.model import FILE_NAME, SwapModel
from likeness.errors import MediaNotFound, ModelFormat, TooFewFaces, UsageError
from likeness.nn.patch import PatchJudge, deceive_loss, judge_loss, matching_loss, mean_score, total_variation
from likeness.training.swap import refine as module
from likeness.training.swap.adversary import Adversary, RefineSettings
from likeness.training.swap.learner import SwapLearner
from likeness.training.swap.measure import Quality, compare_faces, measure_identity, paste
from likeness.training.swap.refine import Refiner, hold_out, refine_swap, settings_for
from likeness.training.swap.refined import REPORT
from likeness.training.swap.run import Rhythm, train_swap
from likeness.training.swap.state import FILE_NAME as TRAINING
from likeness.training.swap.state import read_training

from ...swap_people import TINY, make_faces, write_set
from .conftest import QUICK

FAST = RefineSettings(judge_first=1, batch_size=2)
A, B = make_faces(1, 40), make_faces(2, 40)
SHARP = Quality(0.9, 0.3, 0.8)


@pytest.fixture
def refiner(monkeypatch: pytest.MonkeyPatch) -> Refiner:
    monkeypatch.setattr(module, "measure_identity", lambda *_: None)
    (a, held_a), (b, held_b) = hold_out(A), hold_out(B)
    learner = SwapLearner(a, b, TINY, settings_for(QUICK, FAST))
    return Refiner(learner, held_a, held_b, settings=FAST)


def weights(refiner: Refiner) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in refiner.learner.net.state_dict().items()}


def test_only_the_decoder_that_is_asked_for_moves(refiner: Refiner) -> None:
    before = weights(refiner)
    losses = [refiner.adversary.step() for _ in range(3)]
    assert losses[0].keys() == {"judge_b"}  # the discriminator begins alone
    assert {"judge_b", "l1_b", "adversarial_b", "matching_b", "variation_b"} <= losses[1].keys()
    moved = {name for name, value in weights(refiner).items() if not torch.equal(value, before[name])}
    assert moved
    assert all(name.startswith("decoders.b.") for name in moved)


def test_a_discriminator_learns_what_is_made() -> None:
    learner = SwapLearner(A, B, TINY, settings_for(QUICK, FAST))
    adversary = Adversary(learner, ("b",), replace(FAST, judge_first=1000, judge_rate=2e-3))
    losses = [adversary.step()["judge_b"] for _ in range(60)]
    assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:5])
    real = torch.from_numpy(B.squares(32, range(8))).permute(0, 3, 1, 2).float() / 255
    made = torch.from_numpy(learner.swap(B.squares(32, range(8)), "b")[0]).permute(0, 3, 1, 2)
    assert adversary.accuracy("b", made, real, torch.ones(8, 1, 32, 32)) > 0.9


def rigged(refiner: Refiner, monkeypatch: pytest.MonkeyPatch, *after: Quality) -> None:
    """Measuring gives these, one after another."""
    answers = iter(after)
    refiner.start = refiner.best = {"B": SHARP}
    monkeypatch.setattr(refiner, "measure", lambda: {"B": next(answers)})


def test_a_round_that_helps_is_kept(refiner: Refiner, monkeypatch: pytest.MonkeyPatch) -> None:
    rigged(refiner, monkeypatch, replace(SHARP, sharpness=0.9), replace(SHARP, sharpness=0.9))
    before = weights(refiner)
    first = refiner.round(3)
    assert (first.outcome, first.number, first.before["B"]) == ("kept", 1, SHARP)
    assert refiner.best["B"].sharpness == 0.9
    assert any(not torch.equal(value, before[name]) for name, value in weights(refiner).items())
    assert not refiner.is_over
    assert refiner.round(2).outcome == "no help"
    assert refiner.is_over


def test_it_ends_where_faces_are_sharp_enough(refiner: Refiner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what was lacking, 0.2, half is not enough, and four fifths are."""
    rigged(refiner, monkeypatch, *(replace(SHARP, sharpness=value) for value in (0.85, 0.9, 0.96)))
    over = []
    for _ in range(3):
        assert refiner.round(1).outcome == "kept"
        over.append(refiner.is_over)
    assert over == [False, False, True]


def test_steps_become_smaller_within_a_round(refiner: Refiner, monkeypatch: pytest.MonkeyPatch) -> None:
    rates: list[float] = []
    optimizer = refiner.adversary.optimizer
    monkeypatch.setattr(optimizer, "step", lambda: rates.append(optimizer.param_groups[0]["lr"]))
    refiner.round(5)
    assert rates == sorted(rates, reverse=True) and len(rates) == 4  # the discriminator was first
    assert rates[0] == pytest.approx(0.81 * FAST.learning_rate)
    assert rates[-1] == pytest.approx(0.24 * FAST.learning_rate)
    refiner.round(2)
    assert rates[4] == FAST.learning_rate


@pytest.mark.parametrize(
    ("worse", "why"),
    [
        (replace(SHARP, sharpness=1.0, ssim=0.88), "SSIM"),
        (replace(SHARP, sharpness=1.0, identity=0.5), "identity"),
    ],
)
def test_a_round_that_harms_is_taken_back(
    refiner: Refiner, monkeypatch: pytest.MonkeyPatch, worse: Quality, why: str
) -> None:
    rigged(refiner, monkeypatch, worse, worse, worse)
    refiner.start = refiner.best = {"B": replace(SHARP, identity=0.4)}
    before = weights(refiner)
    found = refiner.round(3)
    assert found.outcome == "rolled back"
    assert why in found.why
    assert all(torch.equal(value, before[name]) for name, value in weights(refiner).items())
    assert refiner.adversary.weight == FAST.adversarial / 2
    assert not refiner.is_over
    refiner.round(2)
    assert refiner.is_over
    assert refiner.best == refiner.start


def test_harm_adds_up_from_the_start(refiner: Refiner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several rounds that each lose a little may not lose much together."""
    rigged(
        refiner, monkeypatch,
        replace(SHARP, ssim=0.89, sharpness=0.85), replace(SHARP, ssim=0.88, sharpness=0.9),
    )  # fmt: skip
    assert [refiner.round(2).outcome for _ in range(2)] == ["kept", "rolled back"]


def test_a_later_round_may_not_lose_what_the_first_one_kept(
    refiner: Refiner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first round may cost some SSIM; what follows has to keep it, also after a round was taken back."""
    rigged(
        refiner, monkeypatch,
        replace(SHARP, ssim=0.892, sharpness=0.85), replace(SHARP, ssim=0.889, sharpness=0.9),
        replace(SHARP, ssim=0.891, sharpness=0.9),
    )  # fmt: skip
    assert [refiner.round(2).outcome for _ in range(3)] == ["kept", "rolled back", "kept"]


def test_numbers_that_end_are_taken_back(refiner: Refiner, monkeypatch: pytest.MonkeyPatch) -> None:
    before = weights(refiner)
    monkeypatch.setattr(refiner.adversary, "step", lambda share: {"judge_b": math.nan})
    found = refiner.round(5)
    assert (found.outcome, found.why) == ("rolled back", "a loss was not finite")
    assert all(torch.equal(value, before[name]) for name, value in weights(refiner).items())


def test_figures_say_what_they_should() -> None:
    draw = torch.Generator().manual_seed(0)
    real = torch.rand(2, 3, 32, 32, generator=draw)
    mask = torch.zeros(2, 1, 32, 32)
    mask[..., 4:28, 4:28] = 1
    same = compare_faces(real, real, mask)
    assert (same.ssim, same.gradient_distance, same.sharpness) == pytest.approx((1, 0, 1), abs=1e-5)
    soft = torch.nn.functional.avg_pool2d(real, 3, 1, 1)
    blurred = compare_faces(soft, real, mask)
    assert blurred.sharpness < 0.4
    assert blurred.ssim < 0.9
    assert 0.3 < blurred.gradient_distance < 1.5
    noisy = compare_faces(real + 0.2 * torch.randn(real.shape, generator=draw), real, mask)
    assert noisy.sharpness > 1.2
    outside = real.clone()
    outside[..., :2, :] = 0
    assert compare_faces(outside, real, mask).ssim == pytest.approx(1, abs=1e-3)


def test_what_is_pasted_lies_in_its_place() -> None:
    faces = make_faces(1, 3)
    rgb = faces.squares(64).astype(np.float32) / 255
    again = paste(faces.pictures[0], rgb[0], np.ones((64, 64), np.float32), faces.zoom)
    assert np.abs(again.astype(int) - faces.pictures[0]).mean() < 4
    nothing = paste(faces.pictures[0], rgb[0], np.zeros((64, 64), np.float32), faces.zoom)
    assert np.array_equal(nothing, faces.pictures[0])
    assert measure_identity(SwapLearner(A, B, TINY, QUICK), faces, "b", None, 32) is None


def test_losses_of_the_discriminator() -> None:
    judge = PatchJudge(64)
    seen, real = torch.rand(2, 2, 3, 64, 64).unbind()
    verdict = judge(real, seen)
    assert verdict.score.shape == (2, 1, 8, 8)
    assert [feature.shape[-1] for feature in verdict.features] == [32, 16, 8]
    assert PatchJudge(128)(torch.rand(1, 3, 128, 128), torch.rand(1, 3, 128, 128)).score.shape[-1] == 8
    certain = verdict._replace(score=torch.ones_like(verdict.score))
    fooled = verdict._replace(score=torch.zeros_like(verdict.score))
    mask = torch.zeros(2, 1, 64, 64)
    mask[..., :32] = 1
    assert judge_loss(fooled, certain, mask) == 0 < judge_loss(certain, fooled, mask)
    assert deceive_loss(certain, mask) == 0 < deceive_loss(fooled, mask)
    half = fooled.score.clone()
    half[..., :4] = 1  # outside the face it does not matter
    assert deceive_loss(verdict._replace(score=half), mask) == 0
    assert mean_score(verdict._replace(score=half), mask).tolist() == [1, 1]
    assert matching_loss(verdict, verdict) == 0
    ramp = torch.arange(8.0).expand(1, 1, 8, 8) / 8
    assert total_variation(ramp, torch.ones(1, 1, 8, 8)) == pytest.approx(1 / 8)
    # It is conditional: the same picture beside another one is judged otherwise.
    assert not torch.allclose(judge(real, real).score, verdict.score)


def test_refining_a_run(sets: tuple[Path, Path], of_b: Path, tmp_path: Path) -> None:
    out, home = tmp_path / "run", tmp_path / "sets"
    moved = [Path(shutil.copytree(path, home / path.name)) for path in sets]
    train_swap(
        *moved,
        out,
        model="slim64",
        consent=of_b,
        steps=6,
        settings=QUICK,
        rhythm=Rhythm(preview=0),
        device="cpu",
    )
    before = load_file(out / FILE_NAME)
    never = replace(FAST, ssim_tolerance=1, identity_tolerance=9, least_gain=0)
    shutil.copytree(out, tmp_path / "copy")
    done = refine_swap(out, rounds=2, steps=3, settings=never, device="cpu")
    assert [one.outcome for one in done.rounds] == ["kept", "kept"]
    after = load_file(out / FILE_NAME)
    assert any(not torch.equal(before[name], after[name]) for name in before)
    assert SwapModel.load(out).card["refinement_rounds"] == 2
    assert read_training(out / TRAINING)[1].rounds == 2
    report = json.loads((out / REPORT).read_text())
    assert [one["outcome"] for one in report["rounds"]] == ["kept", "kept"]
    assert {"ssim", "gradient_distance", "sharpness", "identity", "judged"} == report["after"]["B"].keys()
    assert 0 <= report["after"]["B"]["judged"] <= 1
    assert verify(out / "preview.jpg").state == "valid"
    # What does harm leaves the model as it was.
    strict = replace(FAST, ssim_tolerance=0, learning_rate=10.0)
    done = refine_swap(tmp_path / "copy", rounds=5, steps=3, settings=strict, device="cpu")
    assert done.kept == 0 and len(done.rounds) <= 3
    same = load_file(tmp_path / "copy" / FILE_NAME)
    assert all(torch.equal(before[name], same[name]) for name in before)
    # Face sets that went away, or are others.
    home.rename(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="face set of A is not where it was"):
        refine_swap(out, rounds=1, steps=1)
    elsewhere = [tmp_path / "elsewhere" / path.name for path in sets]
    with pytest.raises(UsageError, match="the faces of B"):
        refine_swap(out, rounds=1, steps=1, faces_a=elsewhere[0], faces_b=elsewhere[0], device="cpu")


def test_what_cannot_be_refined(tmp_path: Path, sets: tuple[Path, Path]) -> None:
    with pytest.raises(UsageError):
        refine_swap(tmp_path, rounds=0)
    with pytest.raises(MediaNotFound, match="no trained model"):
        refine_swap(tmp_path / "nothing")
    with pytest.raises(TooFewFaces):
        hold_out(make_faces(1, 20))
    with pytest.raises(UsageError):
        RefineSettings(adversarial=math.nan)


def test_files_that_do_not_belong_together(
    sets: tuple[Path, Path], corpus: Path, of_b: Path, tmp_path: Path
) -> None:
    """The consent of one model would let the people be shown whom another training learned."""
    said = {"model": "slim64", "steps": 2, "settings": QUICK, "rhythm": Rhythm(preview=0), "device": "cpu"}
    third = write_set(make_faces(3), tmp_path / "C")
    train_swap(*sets, tmp_path / "run", consent=of_b, **said)
    train_swap(sets[1], third, tmp_path / "other", consent=corpus, **said)
    model, training = tmp_path / "run" / FILE_NAME, tmp_path / "run" / TRAINING
    own = model.read_bytes()
    shutil.copy(tmp_path / "other" / FILE_NAME, model)
    with pytest.raises(ModelFormat, match="different trainings"):
        refine_swap(tmp_path / "run", device="cpu")
    model.write_bytes(own)
    # A training whose weights are gone, under the header that it had.
    with safe_open(training, "pt") as file:
        header = file.metadata()
    save_file({"net.x": torch.zeros(1)}, training, header)
    with pytest.raises(ModelFormat, match="another model than it says"):
        refine_swap(tmp_path / "run", device="cpu")
    save_file({"net.x": torch.zeros(1)}, training, {"likeness": header["likeness"].replace('"slim64"', "[]")})
    with pytest.raises(ModelFormat, match="not a training of ours"):
        read_training(training)
