"""A tiny model, and clips of coloured dots that move."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

# Threads that wait must not keep the processor from those of the other test processes.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
torch = pytest.importorskip("torch")

SIDE_PX = 32


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def tiny(**train: Any) -> dict[str, Any]:
    """A configuration as published ones are, of a very small model; everything switched on."""
    hourglass = {"block_expansion": 4, "max_features": 8, "num_blocks": 2}
    return {
        "dataset_params": {
            "frame_shape": [SIDE_PX, SIDE_PX, 3],
            "augmentation_params": {
                "flip_param": {"horizontal_flip": True, "time_flip": True},
                "jitter_param": {"brightness": 0.1, "contrast": 0.1, "saturation": 0.1, "hue": 0.1},
            },
        },
        "model_params": {
            "common_params": {"num_kp": 2, "num_channels": 3, "estimate_jacobian": True},
            "kp_detector_params": {"temperature": 0.1, "scale_factor": 0.5, **hourglass},
            "generator_params": {
                "block_expansion": 4, "max_features": 8, "num_down_blocks": 1, "num_bottleneck_blocks": 1,
                "estimate_occlusion_map": True, "dense_motion_params": {"scale_factor": 0.5, **hourglass},
            },
            "discriminator_params": {
                "scales": [1], "block_expansion": 4, "max_features": 8, "num_blocks": 2, "sn": True,
                "use_kp": True,
            },
        },
        "train_params": {
            "num_epochs": 100, "num_repeats": 1, "batch_size": 2, "scales": [1, 0.5],
            "epoch_milestones": [2], "lr_generator": 2.0e-3, "lr_kp_detector": 2.0e-3,
            "lr_discriminator": 2.0e-3, **train,
        },
    }  # fmt: skip


@pytest.fixture
def config_path(tmp_path: Path) -> Path:
    return write_config(tmp_path / "tiny.yaml", tiny())


def write_config(path: Path, values: dict[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


def dots(seed: int, frames: int = 6) -> np.ndarray:
    """A dot that walks over a plain ground, (frames, side, side, 3) uint8."""
    chance = np.random.default_rng(seed)
    ground, colour = chance.integers(0, 256, (2, 3))
    x, y = np.meshgrid(np.arange(SIDE_PX), np.arange(SIDE_PX))
    path = np.linspace(*chance.uniform(8, SIDE_PX - 8, (2, 2)), frames)
    share = np.exp(-((x - path[:, 0, None, None]) ** 2 + (y - path[:, 1, None, None]) ** 2) / 18)[..., None]
    return np.rint(ground * (1 - share) + colour * share).astype(np.uint8)


def write_frames(folder: Path, frames: np.ndarray) -> Path:
    folder.mkdir(parents=True)
    for number, frame in enumerate(frames):
        cv2.imwrite(str(folder / f"{number:03}.png"), frame[..., ::-1])
    return folder


@pytest.fixture
def clips_path(tmp_path: Path) -> Path:
    """Four clips of six frames."""
    for seed in range(4):
        write_frames(tmp_path / "clips" / f"{seed}", dots(seed))
    return tmp_path / "clips"


@pytest.fixture
def make_config(tmp_path: Path) -> Callable[..., Path]:
    """A file with other values of `train_params`."""

    def make(name: str = "other.yaml", **train: Any) -> Path:
        return write_config(tmp_path / name, tiny(**train))

    return make
