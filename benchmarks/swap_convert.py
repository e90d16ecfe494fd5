"""Frames a second and memory of `convert`, measured in processes of their own.

python benchmarks/swap_convert.py MODEL CLIP OUT        converts, and prints figures as JSON
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from likeness.engines.swap.model import save_model
from likeness.engines.swap.model_file import Header
from swap_learning import recall
from swap_media import Media, film_wide
from swap_sheets import allow

SHORT_FRAMES, LONGER = 125, 6


def measure_convert(media: Media, work: Path, threads: int) -> dict[str, Any]:
    """Of the pair's slim64, which has to be learned already; at 720p."""
    done = work / "done"
    steps = json.loads((done / f"slim64-{media.pair.name}.json").read_text())["steps"]
    learner = recall("slim64", media, done / f"slim64-{media.pair.name}.safetensors", steps)
    model = work / "convert.safetensors"
    permission = allow(media, work)
    data = {"A": media.a.faces(media.a.trained).digest, "B": media.b.faces(media.b.trained).digest}
    header = Header("slim64", learner.config, permissions={"B": permission}, data=data, card={})
    save_model(model, header, learner.net)
    rows = {}
    clips = film_wide(work, int(media.pair.a), SHORT_FRAMES, LONGER)
    for name, clip in zip(("short", "long"), clips, strict=True):
        rows[name] = _run(model, clip, work / f"convert-{name}.mp4", threads)
    short, long = rows["short"], rows["long"]
    return {
        "width": 1280,
        "height": 720,
        "threads": threads,
        **rows,
        # What starting takes is in both.
        "frames_s": (long["frames"] - short["frames"]) / (long["wall_s"] - short["wall_s"]),
        "frames_s_with_start": long["frames"] / long["wall_s"],
        "growth": long["peak_mb"] / short["peak_mb"],
    }


def _run(model: Path, clip: Path, out: Path, threads: int) -> dict[str, float]:
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "PASSIVE"}
    command = [sys.executable, str(Path(__file__)), str(model), str(clip), str(out)]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    from likeness.pipelines.swap import convert

    model, clip, out = sys.argv[1:]
    start = time.perf_counter()
    made = convert(clip, model=model, out=out, overwrite=True)
    wall_s = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_SELF)
    figures = {
        "frames": made.frames,
        "swapped": made.swapped_frames,
        "wall_s": wall_s,
        "cpu_s": used.ru_utime + used.ru_stime,
        "peak_mb": peak_mb(),
    }
    print(json.dumps(figures))


def peak_mb() -> float:
    """The most memory that this process had at once.

    Linux counts into `ru_maxrss` what the process that started this one had.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1 << (20 if sys.platform == "darwin" else 10)
    )


if __name__ == "__main__":
    main()
