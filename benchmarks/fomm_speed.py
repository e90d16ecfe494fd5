"""How fast is the First Order Motion Model here? The same network and weights, against the plain loop.

The plain loop does per frame what the paper's demo does: find the driver's points, encode the source again,
estimate the motion, decode. Ours encodes the source once and uses the faster copies of `likeness.nn.quick`.
Both run the published dimensions (vox-256: 45.6 and 14.2 million parameters) with random, seeded weights, on
the same 20 frames of 256 × 256, in turn, several times; medians are compared. The largest and the mean
difference of their frames are reported too, and how far each is from the same loop in double precision.

With --memory, the whole road from a video to a sealed file is also run for drivers of 3, 18 and 60 seconds
(the demo's, repeated), each in a process of its own, for their peak memory. With --rounds 0 nothing else is
measured, and what FILE.json says of speed stays.

    python benchmarks/fomm_speed.py [--rounds 5] [--frames 20] [--memory] [--out FILE.json]

Run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import av
import numpy as np
import torch
import yaml
from numpy.typing import NDArray

from likeness.engines.fomm.animator import Animator, Settings, as_tensor, render_all
from likeness.engines.fomm.checkpoint import PARTS, Pair
from likeness.engines.fomm.configuration import parse_configuration
from likeness.engines.fomm.transfer import transfer
from likeness.models import fetch
from likeness.nn.fomm import Generator, KeypointDetector

Frames = list[NDArray[np.float32]]

YAML = {
    "model_params": {
        "common_params": {"num_kp": 10, "num_channels": 3, "estimate_jacobian": True},
        "kp_detector_params": {
            "temperature": 0.1,
            "block_expansion": 32,
            "max_features": 1024,
            "scale_factor": 0.25,
            "num_blocks": 5,
        },
        "generator_params": {
            "block_expansion": 64,
            "max_features": 512,
            "num_down_blocks": 2,
            "num_bottleneck_blocks": 6,
            "estimate_occlusion_map": True,
            "dense_motion_params": {
                "block_expansion": 64,
                "max_features": 1024,
                "num_blocks": 5,
                "scale_factor": 0.25,
            },
        },
    },
}
VOX = parse_configuration(YAML, "vox-256")
"""The published dimensions."""
UPSTREAM_S = {1: 1.14, 2: 0.63}
"""What the original takes a frame on this class of machine (shared notes): the loop must be near it."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--frames", type=int, default=20)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    pair, source, driving = prepare(options.frames)
    report: dict[str, object] = {
        "machine": platform.processor() or platform.machine(),
        "torch": torch.__version__,
        "frames": options.frames,
        "rounds": options.rounds,
        "parameters": [sum(p.numel() for p in net.parameters()) for net in pair],
    }
    if options.memory:
        # First, since a process is said to have taken at least what the one that started it had by then.
        report["peak memory"] = measure_memory(pair)
        print(json.dumps(report["peak memory"]), flush=True)
    for threads in (1, 2) if options.rounds else ():
        torch.set_num_threads(threads)
        report[f"{threads} threads"] = compare(pair, source, driving, options.rounds, UPSTREAM_S[threads])
        print(threads, json.dumps(report[f"{threads} threads"], indent=1), flush=True)
    if options.rounds:
        report["from double precision"] = compare_with_double(pair, source, driving)
        print(json.dumps(report["from double precision"], indent=1), flush=True)
    elif options.out and options.out.exists():
        report = json.loads(options.out.read_text()) | {"peak memory": report["peak memory"]}
    if options.out:
        options.out.write_text(json.dumps(report, indent=1) + "\n")


def prepare(frames: int) -> tuple[Pair, NDArray[np.float32], Frames]:
    """Networks with lively weights, and pictures with something in them: waves that wander."""
    draw = torch.Generator().manual_seed(0)
    torch.manual_seed(0)  # for the biases
    pair = Pair(Generator(VOX, True), KeypointDetector(VOX))
    for net in pair:
        for name, tensor in net.state_dict().items():
            if tensor.ndim == 4 and not name.endswith("down.weight"):
                bound = (3 / tensor[0].numel()) ** 0.5
                # Sharper heat maps (8 times) let rounding alone move frames by 3e-4, in the plain loop too.
                lively = 2 if name == "kp.weight" else 1.4
                tensor.copy_((2 * torch.rand(tensor.shape, generator=draw) - 1) * bound * lively)
        net.requires_grad_(False).eval()
    # Near "nothing is stretched", as in a trained model: a random Jacobian can hardly be inverted.
    jacobian = pair.kp_detector.jacobian
    assert jacobian is not None and jacobian.bias is not None
    jacobian.weight.mul_(0.2)
    jacobian.bias.copy_(torch.tensor([1.0, 0, 0, 1.0] * VOX.num_kp))
    y, x = np.mgrid[0:256, 0:256].astype(np.float32) / 40

    def picture(n: float) -> NDArray[np.float32]:
        waves = [np.sin(x * (1 + k / 3) + n / 4) * np.cos(y * (1.5 - k / 3) - n / 5) for k in range(3)]
        return np.asarray(np.stack(waves, -1) / 2 + 0.5, np.float32)

    return pair, picture(-3), [picture(n) for n in range(frames)]


def plain_loop(pair: Pair, source: NDArray[np.float32], driving: Frames) -> Frames:
    """As the paper's demo: everything again for every frame."""
    made = []
    with torch.inference_mode():
        kind = pair.generator.final.weight.dtype
        image = as_tensor(source).to(kind)
        seen = pair.kp_detector(image)
        initial = pair.kp_detector(as_tensor(driving[0]).to(kind))
        for frame in driving:
            points = pair.kp_detector(as_tensor(frame).to(kind))
            target = transfer(seen, points, initial, relative=True, adapt_scale=True)
            made.append(pair.generator(image, seen, target)[0].permute(1, 2, 0).numpy())
    return made


def ours(pair: Pair, source: NDArray[np.float32], driving: Frames) -> Frames:
    """As `likeness.fomm.make_animation`, preparation included."""
    return render_all(Animator(pair, source, Settings()), driving)


def compare_with_double(
    pair: Pair, source: NDArray[np.float32], driving: Frames
) -> dict[str, dict[str, float]]:
    """How far both ways are from the plain loop in 64 bits: what is rounding, and what is ours."""
    double = Pair(deepcopy(pair.generator).double(), deepcopy(pair.kp_detector).double())
    exact = np.stack(plain_loop(double, source, driving))
    found = {}
    for name, way in (("plain loop", plain_loop), ("ours", ours)):
        error = np.abs(np.stack(way(pair, source, driving)) - exact)
        found[name] = {"largest": float(error.max()), "mean": float(error.mean())}
    return found


def compare(
    pair: Pair, source: NDArray[np.float32], driving: Frames, rounds: int, upstream_s: float
) -> dict[str, object]:
    ways: dict[str, Callable[[Pair, NDArray[np.float32], Frames], Frames]] = {
        "plain loop": plain_loop,
        "ours": ours,
    }
    results = {name: np.stack(way(pair, source, driving)) for name, way in ways.items()}  # and warms up
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            way(pair, source, driving)
            seconds[name].append((time.perf_counter() - start) / len(driving))
    median = {name: statistics.median(values) for name, values in seconds.items()}
    ratios = [a / b for a, b in zip(seconds["plain loop"], seconds["ours"], strict=True)]
    difference = np.abs(results["plain loop"] - results["ours"])
    return {
        "seconds a frame, median": {name: round(value, 4) for name, value in median.items()},
        "seconds a frame, all": {name: [round(v, 4) for v in values] for name, values in seconds.items()},
        "ratio, median": round(statistics.median(ratios), 3),
        "ratio, least and most": [round(min(ratios), 3), round(max(ratios), 3)],
        "difference, largest": float(difference.max()),
        "difference, mean": float(difference.mean()),
        "plain loop against the original's time": round(median["plain loop"] / upstream_s, 3),
        "detail in the frames (standard deviation)": round(float(results["plain loop"].std()), 3),
    }


def measure_memory(pair: Pair) -> dict[str, float]:
    """Peak resident memory, MB, of animating 3, 18 and 60 seconds."""
    found = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        torch.save({part: net.state_dict() for part, net in zip(PARTS, pair, strict=True)}, folder / "k.pth")
        (folder / "c.yaml").write_text(yaml.safe_dump(YAML))
        for seconds in (3, 18, 60):
            driver = folder / f"{seconds}.mp4"
            repeat_clip(fetch("carphone"), driver, seconds)
            program = (
                "import resource, sys\nfrom pathlib import Path\nimport likeness\n"
                f"likeness.animate({str(fetch('grace-hopper'))!r}, {str(driver)!r}, engine='fomm',"
                f" out={str(folder / f'{seconds}-out.mp4')!r}, checkpoint=Path({str(folder / 'k.pth')!r}),"
                f" checkpoint_config=Path({str(folder / 'c.yaml')!r}))\n"
                "peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
                "print(peak / (2**20 if sys.platform == 'darwin' else 2**10))"
            )
            done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
            found[f"{seconds} s, MB"] = round(float(done.stdout.split()[-1]))
    return found


def repeat_clip(clip: Path, out: Path, seconds: int) -> None:
    """The clip's frames, there and back again, for so long."""
    with av.open(str(clip)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    around = frames + frames[-2:0:-1]
    with av.open(str(out), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "18"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for n in range(25 * seconds):
            picture = av.VideoFrame.from_ndarray(around[n % len(around)], format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


if __name__ == "__main__":
    main()
