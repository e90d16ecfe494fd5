"""Training: it learns, goes on exactly, and stops where numbers end."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from likeness import consent, verify
from likeness.engines.fomm.checkpoint import load_pair
from likeness.engines.fomm.configuration import read_configuration
from likeness.engines.fomm.library import import_model, open_model, path_of
from likeness.errors import ConsentScope, DiskFull, ModelFormat, TrainingDiverged, UsageError
from likeness.training import Rhythm, Trained, train_fomm, trainer
from likeness.training.journal import read_journal
from likeness.training.outcome import Outcome
from likeness.training.pairs import Batch
from likeness.training.settings import read_plan
from likeness.training.trainer import FommTrainer

from .conftest import tiny, write_config

EVERY = Rhythm(save=3, report=1, preview=0)
Config = Callable[..., Path]


def train(
    config: Path, clips: Path, out: Path, steps: int, rhythm: Rhythm = EVERY, **more: object
) -> Trained:
    return train_fomm(config, clips, out, crop=False, steps=steps, rhythm=rhythm, device="cpu", **more)  # type: ignore[arg-type]


def load(path: Path) -> dict:
    return torch.load(path, weights_only=True)


def equal(a: object, b: object) -> bool:
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)  # type: ignore[arg-type]
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)  # type: ignore[attr-defined, index]
    if isinstance(a, list):
        return len(a) == len(b) and all(map(equal, a, b))  # type: ignore[arg-type]
    return a == b


def test_it_goes_on_exactly_where_it_stopped(config_path: Path, clips_path: Path, tmp_path: Path) -> None:
    straight = train(config_path, clips_path, tmp_path / "straight", 9)
    first = train(config_path, clips_path, tmp_path / "twice", 3)
    second = train(config_path, clips_path, tmp_path / "twice", 9)
    assert (first.steps, second.resumed_at, second.steps) == (3, 3, 9)
    one, other = (read_journal(tmp_path / name / "losses.jsonl") for name in ("straight", "twice"))
    assert [line["step"] for line in other] == list(range(9))
    assert one == other
    assert {"perceptual", "generator_gan", "feature_matching", "equivariance_value", "equivariance_jacobian",
            "discriminator", "total"} <= one[0].keys()  # fmt: skip
    assert equal(load(tmp_path / "straight" / "last.pth.tar"), load(tmp_path / "twice" / "last.pth.tar"))
    assert straight.score == second.score


def test_steps_after_the_last_save_are_done_again(
    config_path: Path, clips_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(self: FommTrainer, batch: Batch, number: int) -> Outcome:
        if number == 5:
            raise KeyboardInterrupt
        return step(self, batch, number)

    step = FommTrainer.step
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(FommTrainer, "step", cut_off)
        train(config_path, clips_path, tmp_path / "run", 9)
    assert [line["step"] for line in read_journal(tmp_path / "run" / "losses.jsonl")] == [0, 1, 2, 3, 4]
    assert train(config_path, clips_path, tmp_path / "run", 7).resumed_at == 3
    train(config_path, clips_path, tmp_path / "straight", 7)
    one, other = (read_journal(tmp_path / name / "losses.jsonl") for name in ("straight", "run"))
    assert one == other


def test_it_learns(make_config: Config, clips_path: Path, tmp_path: Path) -> None:
    config = make_config(loss_weights={"generator_gan": 0}, epoch_milestones=[])
    train(config, clips_path, tmp_path / "run", 60, Rhythm(save=0, report=1, preview=0))
    losses = [line["perceptual"] for line in read_journal(tmp_path / "run" / "losses.jsonl")]
    assert sum(losses[-10:]) < 0.7 * sum(losses[:10])
    assert "discriminator" not in read_journal(tmp_path / "run" / "losses.jsonl")[0]


def test_what_is_learned_is_a_checkpoint_like_any(
    config_path: Path, clips_path: Path, tmp_path: Path
) -> None:
    train(config_path, clips_path, tmp_path / "run", 3)
    stored = load(tmp_path / "run" / "last.pth.tar")
    names = ("generator", "kp_detector", "discriminator")
    assert {*names, *(f"optimizer_{name}" for name in names), "epoch"} < stored.keys()
    config = read_configuration(tmp_path / "run" / "config.yaml")
    pair = load_pair(config, tmp_path / "run" / "last.pth.tar")
    assert pair.generator.align_corners
    first = FommTrainer(read_plan(config_path)).generator.state_dict()
    assert any(not torch.equal(first[key], value) for key, value in pair.generator.state_dict().items())


def test_it_stops_where_numbers_end(
    config_path: Path, clips_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = iter(range(100))

    def spoil(*args: object) -> torch.Tensor:
        loss = right(*args)  # type: ignore[arg-type]
        return loss * math.nan if next(calls) == 4 else loss

    right = trainer.perceptual_loss
    train(config_path, clips_path, tmp_path / "whole", 4, Rhythm(save=4, report=1, preview=0))
    monkeypatch.setattr(trainer, "perceptual_loss", spoil)
    with pytest.raises(TrainingDiverged, match="step 4"):
        train(config_path, clips_path, tmp_path / "run", 9)
    assert load(tmp_path / "run" / "last.pth.tar")["training"]["step"] == 3
    snapshot = load(tmp_path / "run" / "diverged.pth.tar")
    assert snapshot["training"]["step"] == 4
    # The step that failed moved no weight.
    before = load(tmp_path / "whole" / "last.pth.tar")
    weights = [key for key in before["generator"] if "running" not in key and "tracked" not in key]
    assert all(torch.equal(before["generator"][key], snapshot["generator"][key]) for key in weights)
    assert equal(before["optimizer_generator"]["state"], snapshot["optimizer_generator"]["state"])
    assert len(read_journal(tmp_path / "run" / "losses.jsonl")) == 4


def test_gradients_are_cut_down(make_config: Config, clips_path: Path) -> None:
    plan = read_plan(make_config(loss_weights={"generator_gan": 0}, clip_norm=0.01))
    learner = FommTrainer(plan)
    outcome = learner.step(Batch(torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32)), 0)
    gradients = [
        p.grad.norm() for net in (learner.generator, learner.kp_detector) for p in net.parameters()
        if p.grad is not None
    ]  # fmt: skip
    assert outcome.gradient_norm > 0.1
    assert torch.stack(gradients).norm().item() == pytest.approx(0.01, rel=1e-3)


def test_learning_rates_fall_at_milestones(config_path: Path) -> None:
    learner = FommTrainer(read_plan(config_path))
    rates = []
    for epoch in (0, 1, 2, 5):
        learner.set_epoch(epoch)
        rates.append(learner.optimizers["generator"].param_groups[0]["lr"])
    assert rates == pytest.approx([2e-3, 2e-3, 2e-4, 2e-4])


def test_the_best_state_is_kept(config_path: Path, clips_path: Path, tmp_path: Path) -> None:
    """By clips that nothing is learned from: the score is what the stored state gives on them."""
    trained = train(config_path, clips_path, tmp_path / "run", 9, validation=clips_path)
    best = load(tmp_path / "run" / "best.pth.tar")
    assert best["training"]["best"] == trained.score
    assert 0 < trained.score < 1
    again = train(
        config_path, clips_path, tmp_path / "again", best["training"]["step"], validation=clips_path
    )
    assert again.score == trained.score


def test_previews_are_sealed(config_path: Path, clips_path: Path, tmp_path: Path) -> None:
    train(config_path, clips_path, tmp_path / "run", 1, Rhythm(save=0, report=0, preview=1))
    [path] = (tmp_path / "run" / "previews").iterdir()
    assert path.name == "step-0000001.png"
    found = verify(path)
    assert (found.state, found.act, found.engine) == ("valid", "animate", "likeness fomm 1")
    assert found.label != "none"
    assert found.watermark is not None


def test_tensorboard_gets_the_numbers(config_path: Path, clips_path: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train(config_path, clips_path, tmp_path / "run", 3)
    train(config_path, clips_path, tmp_path / "run", 5)
    events = EventAccumulator(str(tmp_path / "run" / "tensorboard")).Reload()
    assert events.Tags()["images"] == []
    told = {event.step: event.value for event in events.Scalars("perceptual")}
    lines = read_journal(tmp_path / "run" / "losses.jsonl")
    assert told == {line["step"]: pytest.approx(line["perceptual"]) for line in lines}


def test_another_seed_or_model_does_not_go_on(
    config_path: Path, make_config: Config, clips_path: Path, tmp_path: Path
) -> None:
    train(config_path, clips_path, tmp_path / "run", 3)
    with pytest.raises(UsageError, match="seed 0, not 1"):
        train(make_config(seed=1), clips_path, tmp_path / "run", 6)
    with pytest.raises(UsageError, match="batch_size"):
        train(make_config(batch_size=4), clips_path, tmp_path / "run", 6)
    wider = tiny()
    wider["model_params"]["common_params"]["num_kp"] = 4
    with pytest.raises(ModelFormat, match="another model's"):
        train(write_config(tmp_path / "wider.yaml", wider), clips_path, tmp_path / "run", 6)
    kept = tmp_path / "run" / "config.yaml"
    assert kept.read_bytes() == config_path.read_bytes(), "it still describes the checkpoints beside it"
    (tmp_path / "run" / "last.pth.tar").write_bytes(b"nothing")
    with pytest.raises(ModelFormat):
        train(config_path, clips_path, tmp_path / "run", 6)


@pytest.mark.parametrize(
    "wrong",
    [{"batch_size": 0}, {"lr_generator": "fast"}, {"scales": [0.3]}, {"transform_params": 3},
     {"loss_weights": {"perceptual": 10}}, {"clip_norm": -1}, {"epoch_milestones": [float("nan")]}],
)  # fmt: skip
def test_values_that_make_no_sense_are_refused(make_config: Config, wrong: dict) -> None:
    with pytest.raises(ModelFormat):
        read_plan(make_config(**wrong))


def test_published_configurations_are_read(make_config: Config) -> None:
    plan = read_plan(make_config(lr_generator="2.0e-4", transform_params={"sigma_affine": 0.07}))
    assert plan.training.lr_generator == 2e-4
    assert plan.training.transform.sigma_affine == 0.07
    assert plan.training.transform.points_tps == 5
    assert plan.discriminator.use_kp
    assert plan.training.augmentation.hue == 0.1


@pytest.mark.parametrize("place", [".", "0/run", "run"])
def test_results_do_not_go_where_they_would_be_taken_for_clips(
    config_path: Path, clips_path: Path, tmp_path: Path, place: str
) -> None:
    with pytest.raises(UsageError, match="taken for clips"):
        train(config_path, clips_path, clips_path / place, 1)
    with pytest.raises(UsageError, match="taken for clips"):
        train(config_path, tmp_path / "others", clips_path / place, 1, validation=clips_path)
    assert sorted(path.name for path in clips_path.iterdir()) == ["0", "1", "2", "3"]


def test_a_full_disk_is_called_one(config_path: Path, clips_path: Path, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))  # the clips' frames are smaller
    try:
        with pytest.raises(DiskFull):
            train(config_path, clips_path, tmp_path / "run", 1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list((tmp_path / "run").glob("*.tar"))
    assert not list((tmp_path / "run").glob(".*")), "nothing half written stays"


@pytest.mark.parametrize("spoilt", [b"[1]", b"\xff\xfe", b'{"loss": 1}', b'{"step": "1"}', b"\0\0"])
def test_a_spoilt_journal_is_kept_up_to_there(
    config_path: Path, clips_path: Path, tmp_path: Path, spoilt: bytes
) -> None:
    train(config_path, clips_path, tmp_path / "run", 3)
    path = tmp_path / "run" / "losses.jsonl"
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([*lines[:2], spoilt, lines[2]]))
    assert [line["step"] for line in read_journal(path)] == [0, 1]
    train(config_path, clips_path, tmp_path / "run", 4)
    assert [line["step"] for line in read_journal(path)] == [0, 1, 3]


def test_the_model_names_the_records_of_consent(
    config_path: Path, clips_path: Path, tmp_path: Path, home: Path
) -> None:
    key = consent.create_key(tmp_path / "key.pem")
    anna, bert, spoken = (
        consent.sign(consent.draft(subject=name, requester="Studio", acts=[act], purposes=["a model"]), key)
        for name, act in (("Anna", "animate"), ("Bert", "animate"), ("Carl", "voice"))
    )
    with pytest.raises(ConsentScope):
        train(config_path, tmp_path / "nothing", tmp_path / "run", 1, consent=[anna, spoken])
    assert not (tmp_path / "run").exists()
    train(config_path, clips_path, tmp_path / "run", 1, consent=anna)
    train(config_path, clips_path, tmp_path / "run", 2, consent=[bert])
    train(config_path, clips_path, tmp_path / "run", 3)
    wanted = sorted([anna.sha256, bert.sha256])
    assert list(load(tmp_path / "run" / "last.pth.tar")["training"]["consent"]) == wanted
    import_model(tmp_path / "run" / "last.pth.tar", config_path, "consented")
    assert sorted(open_model("consented").consent) == wanted
    path_of("consented").unlink()
