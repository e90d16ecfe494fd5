"""Does training learn? A small First Order Motion Model, from nothing, on moving heads of nobody.

    python benchmarks/fomm_learning.py [--steps 1000] [--out benchmarks/results/fomm_learning]

The heads are rendered here (`synthetic_heads.py`); those that it is judged by have never been trained on.
The measure is self-reenactment: the first frame of a clip is moved by the later ones, and compared with them;
L1 is the mean absolute difference, 0 … 1, over all pixels of all frames. The static baseline leaves the first
frame as it is. One thread; about 12 minutes of CPU time.

Writes OUT.json (the curve), OUT.svg (the same, drawn; needs matplotlib) and OUT.jpg (a sheet of these heads).
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import torch
import yaml

from likeness.engines.fomm.checkpoint import Pair, load_pair
from likeness.engines.fomm.configuration import read_configuration
from likeness.training import Rhythm, train_fomm
from synthetic_heads import Head, move, render

SIDE_PX = 64
TRAIN_HEADS, TRAIN_FRAMES = 240, 16
TEST_HEADS, TEST_FRAMES = 24, 13
FIRST_TEST_SEED = 1_000_000
CONFIG = {
    "dataset_params": {"frame_shape": [SIDE_PX, SIDE_PX, 3]},
    "model_params": {
        "common_params": {"num_kp": 8, "num_channels": 3, "estimate_jacobian": True},
        "kp_detector_params": {
            "temperature": 0.1, "block_expansion": 16, "max_features": 64, "num_blocks": 3,
            "scale_factor": 0.5,
        },
        "generator_params": {
            "block_expansion": 24, "max_features": 48, "num_down_blocks": 1, "num_bottleneck_blocks": 2,
            "estimate_occlusion_map": True,
            "dense_motion_params": {
                "block_expansion": 16, "max_features": 64, "num_blocks": 3, "scale_factor": 0.5
            },
        },
        "discriminator_params": {"scales": [1], "block_expansion": 8, "max_features": 32, "num_blocks": 3},
    },
    "train_params": {
        "num_epochs": 1000, "num_repeats": 1, "batch_size": 8, "scales": [1, 0.5, 0.25, 0.125],
        "epoch_milestones": [26],
        "lr_generator": 1.0e-3, "lr_kp_detector": 1.0e-3, "lr_discriminator": 1.0e-3,
        # No discriminator: a few minutes are too short for it to help.
        "loss_weights": {"generator_gan": 0, "perceptual": [10, 10, 10]},
    },
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "fomm_learning")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), options.steps, options.out)


def measure(folder: Path, steps: int, out: Path) -> None:
    """Train in legs, which go on from one another, and judge between them."""
    config, run = folder / "config.yaml", folder / "run"
    config.write_text(yaml.safe_dump(CONFIG))
    for seed in range(TRAIN_HEADS):
        write_clip(folder / "clips" / f"{seed:04}", seed, TRAIN_FRAMES)
    held_out = np.stack([clip(FIRST_TEST_SEED + i, TEST_FRAMES) for i in range(TEST_HEADS)])
    static = float(np.abs(held_out[:, 1:] - held_out[:, :1]).mean())
    curve, spent_s = [], 0.0
    rhythm = Rhythm(save=0, report=10, preview=0)
    for leg in legs(steps):
        began = time.process_time()
        train_fomm(config, folder / "clips", run, crop=False, steps=leg, rhythm=rhythm, device="cpu")
        spent_s += time.process_time() - began
        pair = load_pair(read_configuration(config), run / "last.pth.tar")
        made = np.stack([reenact(pair, frames) for frames in held_out])
        error = float(np.abs(made - held_out[:, 1:]).mean())
        curve.append({"step": leg, "l1": round(error, 5), "cpu_s": round(spent_s, 1)})
        print(f"step {leg:5}  L1 {error:.4f}  static {static:.4f}  {spent_s:.0f} CPU-s", flush=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    report = {
        "what": "self-reenactment of synthetic heads never trained on; L1, mean over all pixels, 0..1",
        "heads": TEST_HEADS, "frames": TEST_FRAMES - 1, "side_px": SIDE_PX, "static_l1": round(static, 5),
        "parameters": sum(p.numel() for net in pair for p in net.parameters()),
        "torch": torch.__version__.split("+")[0], "threads": 1, "curve": curve, "config": CONFIG,
    }  # fmt: skip
    out.with_suffix(".json").write_text(json.dumps(report, indent=1) + "\n")
    cv2.imwrite(
        str(out.with_suffix(".jpg")), sheet(held_out, made)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88]
    )
    plot(report, out.with_suffix(".svg"))


def legs(steps: int) -> list[int]:
    """Where it is judged: closer together at the beginning."""
    return sorted({round(steps * share) for share in (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 1.0)})


def clip(seed: int, frames: int) -> np.ndarray:
    """(frames, side, side, 3) float32, 0 … 1."""
    chance = np.random.default_rng(seed)
    head = Head.draw(chance)
    return np.stack([render(head, pose, SIDE_PX) for pose in move(chance, frames)]).astype(np.float32) / 255


def write_clip(folder: Path, seed: int, frames: int) -> None:
    folder.mkdir(parents=True)
    for number, image in enumerate(clip(seed, frames)):
        cv2.imwrite(str(folder / f"{number:03}.png"), np.rint(image[..., ::-1] * 255).astype(np.uint8))


def reenact(pair: Pair, frames: np.ndarray) -> np.ndarray:
    """The first frame moved by each later one, (frames - 1, side, side, 3)."""
    pictures = torch.from_numpy(frames).permute(0, 3, 1, 2)
    driving = pictures[1:]
    source = pictures[:1].expand_as(driving)
    with torch.inference_mode():
        made = pair.generator(source, pair.kp_detector(source), pair.kp_detector(driving))
    return made.permute(0, 2, 3, 1).numpy()


def sheet(held_out: np.ndarray, made: np.ndarray, rows: int = 6) -> np.ndarray:
    """One row for each head: source, then twice a driving frame and what was made of the source for it."""
    shown = []
    for frames, results in zip(held_out[:rows], made[:rows], strict=True):
        tiles = [frames[0], *(tile for i in (3, 7, 11) for tile in (frames[i], results[i - 1]))]
        shown.append(np.hstack([np.pad(tile, ((1, 1), (1, 1), (0, 0)), constant_values=1) for tile in tiles]))
    whole = np.rint(np.vstack(shown) * 255).astype(np.uint8)
    return cv2.resize(whole, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)


def plot(report: dict, path: Path) -> None:
    try:
        from matplotlib import pyplot as plt
    except ImportError:
        print("no matplotlib: the curve was not drawn")
        return
    plt.rcParams["svg.hashsalt"] = "likeness"
    figure, axes = plt.subplots(figsize=(6, 3.2), layout="constrained")
    curve = report["curve"]
    axes.plot([p["cpu_s"] / 60 for p in curve], [p["l1"] for p in curve], "o-", label="trained")
    axes.axhline(report["static_l1"], color="grey", ls="--", label="static: the first frame left as it is")
    axes.set(xlabel="CPU minutes, one thread", ylabel="L1, heads never seen", ylim=(0, None))
    axes.legend()
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
