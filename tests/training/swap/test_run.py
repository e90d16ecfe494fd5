"""Training from face sets: exact resume, what is written, and what goes wrong."""

from __future__ import annotations

import errno
import json
import math
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from likeness import verify
from likeness.consent import ConsentKey
from likeness.engines.swap.model import FILE_NAME, PREVIOUS_NAME, SwapModel
from likeness.errors import (
    ConsentExpired,
    ConsentMissing,
    DiskFull,
    MediaNotFound,
    ModelFormat,
    NotWritable,
    TrainingDiverged,
    UsageError,
)
from likeness.media.files import Pending
from likeness.progress import Progress
from likeness.training.journal import read_journal
from likeness.training.swap import learner as learning
from likeness.training.swap import run as module
from likeness.training.swap.budget import Budget
from likeness.training.swap.run import Rhythm, TrainedSwap, train_swap
from likeness.training.swap.settings import SwapSettings
from likeness.training.swap.state import FILE_NAME as TRAINING
from likeness.training.swap.state import PREVIOUS_NAME as TRAINING_BEFORE
from likeness.training.swap.state import Standing, read_training
from likeness.training.world import World

from ...swap_people import make_faces, make_record, write_set
from ..test_world import torchrun
from .conftest import QUICK

# Each process tells a sum of all its weights, and how many steps it took.
TOGETHER = """
import json, sys
import torch, torch.distributed as dist
torch.set_num_threads(1)
from likeness.nn import swap as nets
from likeness.training.swap import Rhythm, SwapSettings, run
nets.MODELS["slim64"] = nets.SwapConfig(32, (8, 12, 16), 12, 16, 8, (8,), (1,))
go = run.SwapRun.go
def told(self, on_progress):
    losses = go(self, on_progress)
    found = [None, None]
    total = sum(p.double().abs().sum().item() for p in self.learner.net.parameters())
    dist.all_gather_object(found, (total, self.learner.steps))
    if self.is_first:
        print("SUMS", json.dumps(found))
    return losses
run.SwapRun.go = told
how = {"consent": sys.argv[3], "settings": SwapSettings(batch_size=2), "device": "cpu"}
how["rhythm"] = Rhythm(2, 1, 0)
how |= {"steps": 3} if sys.argv[5] == "steps" else {"minutes": 0.05}
run.train_swap(sys.argv[1], sys.argv[2], sys.argv[4], model="slim64", **how)
"""
EVERY = Rhythm(save=4, report=1, preview=0)
Train = Callable[..., TrainedSwap]


@pytest.fixture
def train(sets: tuple[Path, Path], corpus: Path, tmp_path: Path) -> Train:
    def run(name: str = "run", **more: object) -> TrainedSwap:
        said = {"model": "slim64", "consent": corpus, "settings": QUICK, "rhythm": EVERY, "device": "cpu"}
        return train_swap(*sets, tmp_path / name, **{**said, **more})  # type: ignore[arg-type]

    return run


def losses(folder: Path) -> list[dict[str, float]]:
    return read_journal(folder / "losses.jsonl")


def test_it_goes_on_exactly_where_it_stopped(train: Train, tmp_path: Path) -> None:
    def stop(progress: Progress) -> None:
        if progress.done == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train("cut", steps=10, on_progress=stop)
    assert train("cut", steps=10).resumed_at == 4
    train("whole", steps=10)
    one, other = losses(tmp_path / "whole"), losses(tmp_path / "cut")
    assert [line["step"] for line in other] == list(range(10))
    assert {"total", "l1_a", "l1_b", "ssim_a", "mask_b", "gradient_norm", "learning_rate"} < one[0].keys()
    for a, b in zip(one, other, strict=True):
        assert b == pytest.approx(a, rel=1e-5)
    weights = [load_file(tmp_path / name / FILE_NAME) for name in ("whole", "cut")]
    assert all(torch.allclose(weights[0][name], weights[1][name], atol=1e-6) for name in weights[0])


def test_what_is_learned_swaps(train: Train, sets: tuple[Path, Path]) -> None:
    done = train(steps=3)
    model = SwapModel.load(done.folder)
    assert model.sides == ("A", "B")
    assert model.card["steps"] == 3
    assert model.card["faces"] == {"A": 52, "B": 52}
    assert np.linalg.norm(np.array(model.card["identity"]["B"]) - make_faces(2).embeddings[0]) < 0.2
    rgb, mask = model.swap(make_faces(1, 2).squares(32), "B")
    assert np.isfinite(rgb).all() and mask.shape == (2, 32, 32)


def test_a_file_where_the_folder_should_be(tmp_path: Path, corpus: Path) -> None:
    """Noticed before any face is read."""
    place = tmp_path / "run"
    place.write_bytes(b"mine")
    with pytest.raises(NotWritable, match="is a file"):
        train_swap(tmp_path / "nowhere", tmp_path / "neither", place, consent=corpus)
    assert place.read_bytes() == b"mine"


def test_consent_comes_first_of_all(tmp_path: Path, key: ConsentKey) -> None:
    """Before faces are even looked for."""
    import datetime as dt

    nowhere = tmp_path / "nowhere", tmp_path / "neither", tmp_path / "run"
    with pytest.raises(ConsentMissing):
        train_swap(*nowhere)
    day = dt.date(2026, 1, 1)
    with pytest.raises(ConsentExpired):
        train_swap(*nowhere, consent=make_record(2, key, valid_from=day, valid_until=day))
    with pytest.raises(MediaNotFound):
        train_swap(*nowhere, consent=make_record(2, key))
    assert not (tmp_path / "run").exists()


def test_only_who_agreed_is_in_the_model(train: Train, of_b: Path, tmp_path: Path) -> None:
    train(steps=2, consent=of_b)
    assert SwapModel.load(tmp_path / "run").sides == ("B",)
    # The training file holds both, and loads as no model.
    with pytest.raises(ModelFormat, match="something else") as told:
        SwapModel.load(tmp_path / "run" / TRAINING)
    assert FILE_NAME in told.value.hint


def test_another_configuration_does_not_go_on(
    train: Train, sets: tuple[Path, Path], corpus: Path, tmp_path: Path
) -> None:
    train(steps=2)
    for changes, what in (
        ({"settings": replace(QUICK, seed=1)}, r"settings.seed: 0 then, 1 now"),
        ({"settings": replace(QUICK, batch_size=3)}, "batch_size"),
        ({"model": "slim128"}, r"\(the model: slim64 then, slim128 now\)"),
        ({"model": "warp64", "settings": SwapSettings.of("warp64")}, "the model: slim64 then, warp64 now"),
    ):
        with pytest.raises(UsageError, match=what):
            train(steps=4, **changes)
    other = write_set(make_faces(3), tmp_path / "C")
    with pytest.raises(UsageError, match="the faces of B"):
        train_swap(
            sets[0],
            other,
            tmp_path / "run",
            model="slim64",
            consent=corpus,
            settings=QUICK,
            steps=4,
            device="cpu",
        )
    assert train(steps=4).resumed_at == 2


def test_a_damaged_save_falls_back_to_the_one_before(train: Train, tmp_path: Path) -> None:
    train(steps=8)
    run = tmp_path / "run"
    assert read_training(run / TRAINING_BEFORE)[1].steps == 4
    shutil.copytree(run, tmp_path / "copy")
    (run / TRAINING).write_bytes((run / TRAINING).read_bytes()[:-50])
    done = train(steps=9)
    assert done.resumed_at == 4
    assert any("damaged" in note for note in done.notes)
    for name in (TRAINING, TRAINING_BEFORE):
        (tmp_path / "copy" / name).write_bytes(b"nothing")
    with pytest.raises(ModelFormat, match="is damaged"):
        train("copy", steps=9)


@pytest.mark.parametrize("at", ["write", "commit"])
def test_an_interrupted_save_loses_nothing(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    train(steps=4)
    run = tmp_path / "run"

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        if at == "write":
            patch.setattr(Path, "write_bytes", full)
        else:
            patch.setattr(Pending, "commit", full)
        with pytest.raises(DiskFull):
            train(steps=8)
    assert not list(run.glob(".*"))
    assert SwapModel.load(run).card["steps"] == 4
    assert train(steps=8).resumed_at == 4
    assert (run / PREVIOUS_NAME).is_file()


def spoil_at(monkeypatch: pytest.MonkeyPatch, *calls: int) -> None:
    """The losses of these calls are not finite."""
    right, count = learning.face_losses, iter(range(10_000))

    def spoiled(*args: object) -> dict[str, torch.Tensor]:
        found = right(*args)  # type: ignore[arg-type]
        return {k: v * math.nan for k, v in found.items()} if next(count) // 2 in calls else found

    monkeypatch.setattr(learning, "face_losses", spoiled)


def test_where_numbers_end_it_goes_back(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil_at(monkeypatch, 6)
    done = train(steps=10)
    assert done.steps == 10
    assert any("went back to step 4 and on with half the learning rate" in note for note in done.notes)
    _, standing, _ = read_training(done.folder / TRAINING)
    assert (standing.slow_down, standing.recoveries) == (0.5, 1)
    lines = {line["step"]: line for line in losses(done.folder)}
    assert sorted(lines) == list(range(10))
    assert lines[4]["learning_rate"] == pytest.approx(QUICK.rate(4, 0.4) / 2)
    assert all(torch.isfinite(value).all() for value in load_file(done.model).values())


def test_numbers_that_end_again_and_again(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil_at(monkeypatch, *range(5, 100))
    with pytest.raises(TrainingDiverged, match="did not help 3 times"):
        train(steps=10)
    assert SwapModel.load(tmp_path / "run").card["steps"] == 4
    _, standing, tensors = read_training(tmp_path / "run" / TRAINING)
    assert standing == replace(standing, steps=4, slow_down=0.125, recoveries=3)
    assert all(torch.isfinite(value).all() for value in tensors.values())


def test_snapshots_are_models(train: Train, tmp_path: Path) -> None:
    train(steps=5, rhythm=Rhythm(save=0, report=0, preview=0, snapshot=2))
    found = sorted(path.name for path in (tmp_path / "run" / "snapshots").iterdir())
    assert found == ["step-0000002.safetensors", "step-0000004.safetensors"]
    assert SwapModel.load(tmp_path / "run" / "snapshots" / found[0]).card["steps"] == 2


def test_previews_and_their_film_are_sealed(train: Train, tmp_path: Path) -> None:
    train(steps=3, rhythm=Rhythm(save=0, report=0, preview=2))
    run = tmp_path / "run"
    assert sorted(path.name for path in (run / "previews").iterdir()) == [
        "step-0000002.jpg",
        "step-0000003.jpg",
    ]
    for name in ("preview.jpg", "previews/step-0000002.jpg", "time-lapse.mp4"):
        found = verify(run / name)
        assert (found.state, found.act, found.engine) == ("valid", "swap", "likeness swap slim64 1")
        assert found.label != "none"
        assert found.watermark is not None and found.watermark.found
    # It goes on: the film is of all sheets.
    before = (run / "time-lapse.mp4").stat().st_size
    train(steps=8, rhythm=Rhythm(save=0, report=0, preview=2))
    assert (run / "time-lapse.mp4").stat().st_size > before


def test_an_encoder_to_begin_with(train: Train, tmp_path: Path) -> None:
    first = train("first", steps=3)
    done = train("second", steps=1, encoder=first.model, settings=replace(QUICK, seed=5, learning_rate=1e-9))
    one, two = load_file(first.model), load_file(done.model)
    for name, value in one.items():
        assert torch.allclose(value, two[name], atol=1e-6) == name.startswith("encoder."), name
    with pytest.raises(MediaNotFound):
        train("third", steps=1, encoder=tmp_path / "nothing")
    (tmp_path / "bad.safetensors").write_bytes(b"bad")
    with pytest.raises(ModelFormat):
        train("third", steps=1, encoder=tmp_path / "bad.safetensors")
    with pytest.raises(UsageError, match="another size"):
        train("third", steps=1, encoder=first.model, model="slim128")
    assert any("not used" in note for note in train("second", steps=2, encoder=first.model,
               settings=replace(QUICK, seed=5, learning_rate=1e-9)).notes)  # fmt: skip


def test_budgets() -> None:
    world = World()
    assert Budget.of("slim64", None, None).steps == 3000
    by_steps = Budget.of("slim64", 8, None)
    assert (by_steps.share(4), by_steps.is_over(7, world), by_steps.is_over(8, world)) == (0.5, False, True)
    by_clock = Budget(None, 100.0, spent=50.0)
    assert 0.5 <= by_clock.share(10**6) < 0.6
    assert not by_clock.is_over(10**6, world)
    assert Budget(None, 100.0, spent=100.0).is_over(0, world)
    for steps, minutes in (
        (1, 1.0),
        (0, None),
        (2.5, None),
        (math.nan, None),
        (math.inf, None),
        (None, 0.0),
        (None, math.nan),
    ):
        with pytest.raises(UsageError):
            Budget.of("slim64", steps, minutes)


def test_by_the_clock(train: Train) -> None:
    done = train(minutes=0.02)
    assert done.steps > 0
    assert done.seconds >= 1.2
    assert train(minutes=0.02).steps == done.steps  # the time is over


def test_unknown_models_are_refused(train: Train) -> None:
    with pytest.raises(UsageError, match="no model 'huge'"):
        train(model="huge")
    assert Standing().slow_down == 1
    assert module.MOST_RECOVERIES == 3


@pytest.mark.full
@pytest.mark.parametrize("until", ["steps", "clock"])
def test_two_processes_learn_one_model(
    sets: tuple[Path, Path], corpus: Path, tmp_path: Path, until: str
) -> None:
    """Each has faces of its own; weights are the same, and so is the end, also by the clock."""
    script, out = tmp_path / "together.py", tmp_path / "run"
    script.write_text(TOGETHER, encoding="utf-8")
    done = torchrun(*map(str, (script, *sets, corpus, out, until)))
    assert done.returncode == 0, done.stderr[-2000:]
    [line] = [line for line in done.stdout.splitlines() if line.startswith("SUMS")]
    (one, steps), (other, steps_too) = json.loads(line.removeprefix("SUMS"))
    assert one == pytest.approx(other, rel=1e-6)  # the last digit follows from where memory lies
    assert steps == steps_too > 0
    if until == "steps":
        assert len(losses(out)) == steps == 3


def test_where_steps_take_long_it_is_saved_by_the_clock(
    train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(progress: Progress) -> None:
        if progress.done == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(module, "SAVE_S", -1.0)
    with pytest.raises(KeyboardInterrupt):
        train(steps=10, on_progress=stop, rhythm=Rhythm(save=1000, report=0, preview=0))
    assert train(steps=4).resumed_at == 3


def test_where_steps_take_long_a_sheet_is_drawn_by_the_clock(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SAVE_S", -1.0)
    train(steps=2, rhythm=Rhythm(save=0, report=0, preview=1000))
    found = sorted(path.name for path in (tmp_path / "run" / "previews").iterdir())
    assert found == ["step-0000001.jpg", "step-0000002.jpg"]


def test_ctrl_c_stops_after_a_whole_step_and_saves_it(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real signal, while the weights are being moved: none of what was learned is lost, nor half a step."""
    move, moved = torch.optim.Adam.step, iter(range(100))

    def interrupted(self: torch.optim.Adam) -> None:
        if next(moved) == 2:
            signal.raise_signal(signal.SIGINT)
        move(self)

    monkeypatch.setattr(torch.optim.Adam, "step", interrupted)
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train("cut", steps=6)
    assert signal.getsignal(signal.SIGINT) is handler
    cut = train("cut", steps=6)
    assert cut.resumed_at == 3
    weights = [load_file(done.model) for done in (train("whole", steps=6), cut)]
    assert all(torch.allclose(weights[0][name], weights[1][name], atol=1e-6) for name in weights[0])


def test_a_second_ctrl_c_stops_at_once(train: Train) -> None:
    def twice(progress: Progress) -> None:
        for _ in range(2):
            signal.raise_signal(signal.SIGINT)
        raise AssertionError("it went on")

    with pytest.raises(KeyboardInterrupt):
        train(steps=6, on_progress=twice)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
