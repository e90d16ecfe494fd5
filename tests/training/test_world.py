"""Several processes train one model."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from likeness.training.journal import read_journal
from likeness.training.world import World

# Each process tells a sum of all its weights, the mean of both losses, and a part of its own.
SCRIPT = """
import sys, torch
import torch.distributed as dist
from likeness.training.settings import read_plan
from likeness.training.trainer import FommTrainer
from likeness.training.pairs import Batch
from likeness.training.world import join_world
torch.set_num_threads(1)
with join_world(torch.device("cpu")) as world:
    trainer = FommTrainer(read_plan(__import__("pathlib").Path(sys.argv[1])), world=world)
    for step in range(3):
        draw = torch.Generator().manual_seed(10 * step + world.rank)
        outcome = trainer.step(Batch(*torch.rand(2, 2, 3, 32, 32, generator=draw)), step)
    total = sum(p.double().abs().sum() for net in trainer.networks.values() for p in net.parameters())
    found = [None, None]
    dist.all_gather_object(found, (float(total), outcome.losses["total"], outcome.losses["perceptual"]))
    if world.is_first:
        print("FOUND", found)
"""


def torchrun(*words: str) -> subprocess.CompletedProcess[str]:
    start = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    where = ["--master-addr", "127.0.0.1", "--master-port", "0", "--rdzv-backend", "c10d"]
    local = ["--rdzv-endpoint", "127.0.0.1:0", "--local-addr", "127.0.0.1"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    return subprocess.run(
        [*start, *where, *local, *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


def test_alone_nothing_is_averaged() -> None:
    weight = nn.Parameter(torch.ones(2))
    weight.grad = torch.tensor([1.0, 2.0])
    assert World().average(torch.tensor(3.0, requires_grad=True), [weight]) == 3
    assert weight.grad.tolist() == [1, 2]


@pytest.mark.full
@pytest.mark.skipif(sys.platform != "linux", reason="the loopback interface has another name")
def test_two_processes_stay_one_model(config_path: Path, tmp_path: Path) -> None:
    script = tmp_path / "two.py"
    script.write_text(SCRIPT)
    done = torchrun(str(script), str(config_path))
    assert done.returncode == 0, done.stderr[-3000:]
    [line] = [line for line in done.stdout.splitlines() if line.startswith("FOUND")]
    first, second = eval(line.removeprefix("FOUND "))
    assert first[:2] == second[:2]  # the same weights, the same mean loss
    assert first[2] != second[2]  # from different pairs


@pytest.mark.full
@pytest.mark.skipif(sys.platform != "linux", reason="the loopback interface has another name")
def test_two_processes_go_on_where_they_stopped(config_path: Path, clips_path: Path, tmp_path: Path) -> None:
    def train(out: str, steps: int) -> list[dict[str, float]]:
        done = torchrun(
            "-m", "likeness", "train", "fomm", "--config", str(config_path), "--data", str(clips_path),
            "--out", str(tmp_path / out), "--no-crop", "--steps", str(steps), "--save-every", "2",
            "--report-every", "1", "--preview-every", "0",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        assert done.stdout.count("best score") == 1, "one of them tells, not both"
        stored = torch.load(tmp_path / out / "best.pth.tar", weights_only=True)["training"]
        scores[out] = stored["best"]
        return read_journal(tmp_path / out / "losses.jsonl")

    scores: dict[str, float] = {}
    straight = train("straight", 4)
    train("twice", 2)
    twice = train("twice", 4)
    assert [line["step"] for line in twice] == [0, 1, 2, 3]
    for one, other in zip(straight, twice, strict=True):
        assert one == pytest.approx(other, abs=1e-5)
    assert scores["straight"] == pytest.approx(scores["twice"], abs=1e-5)
    first = sum(line["perceptual"] for line in straight[:2]) / 2
    second = sum(line["perceptual"] for line in straight[2:]) / 2
    assert scores["straight"] not in (first, second), "the other process's losses count too"
