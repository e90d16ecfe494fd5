"""Evaluation, on models whose scores are known beforehand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import yaml
from torch import Tensor, nn

from likeness.cli.main import run
from likeness.engines.fomm.checkpoint import Pair
from likeness.engines.fomm.library import import_model, path_of
from likeness.errors import NoFrames, UsageError
from likeness.media import VideoReader
from likeness.nn.blocks import grid_of
from likeness.nn.fomm import FommConfig, Keypoints
from likeness.training import Rhythm, evaluate_fomm, train_fomm
from likeness.training.outcome import Outcome
from likeness.training.pairs import Batch
from likeness.training.settings import read_plan
from likeness.training.trainer import FommTrainer


class Looker(nn.Module):
    """Its "point" is the picture itself, or the middle of what differs from the ground."""

    def __init__(self, whole: bool) -> None:
        super().__init__()
        self.whole = whole

    def forward(self, picture: Tensor) -> Keypoints:
        if self.whole:
            return Keypoints(picture, None)
        weight = (picture - picture[..., :1, :1]).abs().sum(1)
        grid = grid_of(*weight.shape[1:], weight)
        middle = torch.einsum("bhw,hwc->bc", weight, grid) / weight.sum((1, 2))[:, None]
        return Keypoints(middle[:, None], None)


class Painter(nn.Module):
    """Makes the driving picture, the source, or a plain ground."""

    def __init__(self, config: FommConfig, what: str) -> None:
        super().__init__()
        self.config, self.what = config, what

    def forward(self, source: Tensor, source_points: Keypoints, driving_points: Keypoints) -> Tensor:
        if self.what == "driver":
            return driving_points.value
        return source if self.what == "source" else torch.full_like(source, 0.5)


@pytest.fixture
def make_pair(config_path: Path) -> Callable[..., Pair]:
    model = read_plan(config_path).model
    return lambda what, whole=True: Pair(Painter(model, what), Looker(whole))  # type: ignore[arg-type]


@pytest.fixture
def talking(carphone_path: Path, tmp_path: Path) -> Path:
    """Six frames of the demo's driver, one second apart."""
    folder = tmp_path / "faces" / "carphone"
    folder.mkdir(parents=True)
    with VideoReader(carphone_path) as reader:
        for frame in reader:
            if frame.index % 15 == 0:
                cv2.imwrite(str(folder / f"{frame.index:03}.png"), frame.image[..., ::-1])
            if frame.index == 75:
                break
    return folder.parent


def test_a_perfect_model_of_faces(make_pair: Callable[..., Pair], talking: Path) -> None:
    scores = evaluate_fomm(make_pair("driver"), talking, size_px=128)
    assert (scores.clips, scores.frames) == (1, 5)
    assert scores.l1 == 0
    assert scores.l1_static > 0.01
    assert (scores.akd_px, scores.mkr) == (0, 0)
    assert scores.aed in (0, None)  # None where the identity network is not at hand


def test_a_model_that_moves_nothing_is_the_static_baseline(
    make_pair: Callable[..., Pair], talking: Path
) -> None:
    scores = evaluate_fomm(make_pair("source"), talking, size_px=128)
    assert scores.l1 == scores.l1_static > 0.01
    assert scores.akd_px is not None
    assert scores.akd_px > 2
    assert scores.mkr == 0
    assert scores.aed is None or 0 < scores.aed < 0.6


def test_a_model_that_makes_no_face_misses_all(make_pair: Callable[..., Pair], talking: Path) -> None:
    scores = evaluate_fomm(make_pair("ground"), talking, size_px=128)
    assert (scores.akd_px, scores.mkr, scores.aed) == (None, 1, None)
    assert set(scores.measured_with) == {"l1", "akd_px", "mkr", "aed"}


def test_other_things_are_measured_by_the_models_own_points(
    make_pair: Callable[..., Pair], tmp_path: Path
) -> None:
    """A bright square that steps 4 of 31 px to the right: 2 · 4/31 of the coordinate, 128 px each."""
    folder = tmp_path / "squares" / "clip"
    folder.mkdir(parents=True)
    for i in range(3):
        image = np.zeros((32, 32, 3), np.uint8)
        image[10:16, 6 + 4 * i : 12 + 4 * i] = 255
        cv2.imwrite(str(folder / f"{i}.png"), image)
    scores = evaluate_fomm(
        make_pair("source", whole=False), folder.parent, size_px=32, crop=False, faces=False
    )
    steps = np.array([4, 8])
    assert scores.akd_px == pytest.approx((2 * steps / 31 * 128).mean(), rel=1e-4)
    assert scores.l1 == pytest.approx((2 * 6 * np.minimum(steps, 6) / 32**2).mean(), rel=1e-6)
    assert scores.mkr is None
    assert scores.aed is None


def test_sizes_that_the_model_cannot_take_are_refused(make_pair: Callable[..., Pair], talking: Path) -> None:
    with pytest.raises(UsageError):
        evaluate_fomm(make_pair("source"), talking, size_px=50)


def test_train_and_evaluate_on_the_command_line(
    config_path: Path, clips_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, report = tmp_path / "run", tmp_path / "scores.json"
    common = ["--data", str(clips_path), "--no-crop", "--config", str(config_path)]
    assert run(["train", "fomm", *common, "--out", str(out), "--steps", "2", "--preview-every", "0"]) == 0
    assert "2 steps" in capsys.readouterr().out
    assert run(["train", "fomm", *common, "--out", str(out), "--steps", "2"]) == 0
    assert "there already" in capsys.readouterr().out
    files = ["--checkpoint", str(out / "last.pth.tar"), "--no-faces", "--json", str(report)]
    assert run(["evaluate", "fomm", *common, *files]) == 0
    told = capsys.readouterr().out
    assert "4 clips, 20 frames" in told
    scores = json.loads(report.read_text())
    assert f"L1   {scores['l1']:.4f}" in told
    assert scores["model"] == "last.pth.tar"


def test_a_model_of_whole_pictures_is_shown_such(
    config_path: Path, clips_path: Path, tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train_fomm(config_path, clips_path, tmp_path / "run", crop=False, steps=1, rhythm=Rhythm(preview=0))
    import_model(tmp_path / "run" / "last.pth.tar", config_path, "dots", whole_frame=True)
    assert run(["evaluate", "fomm:dots", "--data", str(clips_path)]) == 0
    assert "the model's own keypoints" in capsys.readouterr().out
    assert run(["evaluate", "fomm:dots", "--data", str(clips_path), "--crop"]) == NoFrames.exit_code
    path_of("dots").unlink()


def test_a_stop_is_no_loss_on_the_command_line(
    config_path: Path,
    clips_path: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def cut_off(self: FommTrainer, batch: Batch, number: int) -> Outcome:
        if number == stops[0]:
            raise KeyboardInterrupt
        return step(self, batch, number)

    step, stops = FommTrainer.step, [1, 3]
    monkeypatch.setattr("likeness.training.trainer.FommTrainer.step", cut_off)
    words = ["train", "fomm", "--config", str(config_path), "--data", str(clips_path), "--no-crop"]
    for says in ("before anything was saved", "goes on from what was last saved"):
        with pytest.raises(SystemExit, match="130"):
            run([*words, "--out", str(tmp_path / "run"), "--save-every", "2", "--preview-every", "0"])
        assert says in capsys.readouterr().err
        stops.pop(0)


def test_evaluate_wants_one_model(
    config_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["fomm"], ["mesh"], ["fomm:x", "--config", str(config_path), "--checkpoint", "x.pth"],
                  ["fomm", "--config", str(config_path)]):  # fmt: skip
        assert run(["evaluate", *words, "--data", str(tmp_path)]) == UsageError.exit_code
        assert "which model" in capsys.readouterr().err


def test_shapes_that_cannot_be_halved_are_refused(
    config_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = yaml.safe_load(config_path.read_text())
    values["dataset_params"]["frame_shape"] = [50, 50, 3]
    config_path.write_text(yaml.safe_dump(values))
    words = [
        "train",
        "fomm",
        "--config",
        str(config_path),
        "--data",
        str(tmp_path),
        "--out",
        str(tmp_path / "o"),
    ]
    assert run(words) == UsageError.exit_code
    assert "multiples of 8" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()
