"""How close does an animated picture come to the real clip? Self-reenactment, judged by another tracker.

The first frame of each clip is the source, the clip itself the driver, and every rendered frame is compared
with the real one, in memory, before label and encoding. "static" is the first frame shown all the time: what
an engine must beat. The judge (`judge.py`) is an older face mesh that takes no part in driving.

    python benchmarks/animate_quality.py [CLIP …] [--out FILE.json] [--sheets DIR]

Without clips, all of ../shared/media/driving. Contact sheets show people from those clips: keep them out of
the repository.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from judge import Judge
from likeness.config import AnimateConfig
from likeness.engines.base import Source
from likeness.faces.pose import euler_deg, eye_openness, fit_similarity, head_pose, mouth_openness
from likeness.faces.topology import EYES, LIPS, canonical_mesh
from likeness.media.video import VideoReader
from likeness.motion.calibrate import calibrate
from likeness.motion.frame import DriverInfo
from likeness.motion.record import Recorder
from likeness.motion.steady import steady
from likeness.pipelines.animate import LOOK_AHEAD_S
from likeness.registry import get_engine
from likeness.types import Floats, Picture

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("LIKENESS_SHARED", REPOSITORY.parent / "shared"))
EYE_POINTS = sorted({point for eye in EYES for point in eye.outline})
FRONTAL_DEG, STILL_DEG, BLINKING = 25.0, 15.0, 0.1
SPEECH = "grid__"
"""Clips whose name begins so are of people who speak."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", nargs="*", type=Path)
    parser.add_argument("--engine", default="mesh")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--sheets", type=Path)
    parser.add_argument("--max-frames", type=int, default=10_000)
    options = parser.parse_args()
    clips = options.clips or sorted((SHARED / "media" / "driving").iterdir())
    judge = Judge()
    rows: dict[str, Any] = {}
    for clip in clips:
        frames, rendered, info = reenact(clip, options.engine, options.max_frames)
        rows[clip.name] = evaluate(frames, rendered, judge) | info
        print(line(clip.name, rows[clip.name]), flush=True)
        if options.sheets:
            options.sheets.mkdir(parents=True, exist_ok=True)
            write_sheet(options.sheets / f"{clip.stem}.png", frames, rendered)
    report = summarise(rows)
    print(json.dumps(report["summary"], indent=1))
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(report, indent=1) + "\n")


def reenact(clip: Path, engine: str, limit: int) -> tuple[list[Picture], list[Picture], dict[str, Any]]:
    """The clip's frames, the same frames rendered from the first one, and what happened."""
    config = AnimateConfig(best_frame="first")
    renderer = get_engine(engine)()
    recorder = Recorder(needs=renderer.needs)
    with VideoReader(clip) as reader:
        driver = DriverInfo(reader.info.rate, reader.info.width, reader.info.height)
        pictures = [frame for frame, _ in zip(reader, range(limit), strict=False)]
    motion = list(steady(recorder.record(pictures)))
    frames = [frame.image for frame in pictures]
    calibration = calibrate(
        motion[: int(LOOK_AHEAD_S * driver.rate)], motion[0].face, canonical_mesh(), driver, "first"
    )
    performer = renderer.prepare(Source(frames[0], motion[0].face), config)
    performer.begin(calibration)
    rendered = [performer.render(frame) for frame in motion]
    return frames, rendered, {"frames": len(frames), "held": recorder.held, "warnings": performer.warnings()}


def evaluate(frames: Sequence[Picture], rendered: Sequence[Picture], judge: Judge) -> dict[str, Any]:
    """All figures of one clip: the engine's, the static picture's, and what the clip is like."""
    real = [judge.landmarks(frame) for frame in frames]
    made = [judge.landmarks(frame) for frame in rendered]
    mesh = canonical_mesh()
    seen = [points for points in real if points is not None]
    yaw_deg = np.array([euler_deg(head_pose(points, mesh).rotation)[1] for points in seen])
    first = head_pose(seen[0], mesh).rotation
    turns = [angle_deg(first, head_pose(points, mesh).rotation) for points in seen]
    openness = np.array([blink(points) for points in seen])
    return {
        "first_yaw_deg": float(yaw_deg[0]),
        "turn_deg": float(np.percentile(turns, 98)),
        "eye_opening_range": float(np.ptp(openness)),
        "judged": sum(a is not None and b is not None for a, b in zip(real, made, strict=True)),
        "engine": compare(frames, rendered, real, made),
        "static": compare(frames, [frames[0]] * len(frames), real, [real[0]] * len(frames)),
    }


def compare(
    frames: Sequence[Picture],
    rendered: Sequence[Picture],
    real: Sequence[Floats | None],
    made: Sequence[Floats | None],
) -> dict[str, float]:
    """Means over all frames but the first, which is the source itself."""
    rows: list[dict[str, float]] = []
    pairs: list[tuple[Floats, Floats]] = []
    for frame, picture, true, found in list(zip(frames, rendered, real, made, strict=True))[1:]:
        if true is None:
            continue
        rows.append(compare_pictures(frame, picture, true))
        if found is not None:
            rows[-1] |= compare_points(true, found, max(frame.shape[:2]))
            pairs.append((true, found))
    keys = {key for row in rows for key in row}
    result = {key: float(np.mean([row[key] for row in rows if key in row])) for key in sorted(keys)}
    result["blink_r"] = correlate(pairs, blink)
    result["mouth_r"] = correlate(pairs, mouth_openness)
    return result


def compare_pictures(frame: Picture, picture: Picture, points: Floats) -> dict[str, float]:
    difference = frame.astype(np.float32) - picture
    similar = ssim(frame, picture)
    face = region(points, range(468), 0.05, frame.shape)
    return {
        "l1": float(np.abs(difference).mean() / 255),
        "psnr": psnr(difference),
        "psnr_face": psnr(difference[face]),
        "ssim": float(similar.mean()),
        "ssim_face": float(similar[face].mean()),
        "ssim_eyes": float(similar[region(points, EYE_POINTS, 0.15, frame.shape)].mean()),
        "ssim_mouth": float(similar[region(points, LIPS, 0.15, frame.shape)].mean()),
    }


def compare_points(real: Floats, made: Floats, side_px: int) -> dict[str, float]:
    """Distances before and after the faces are laid over each other by a similarity in the plane."""
    flat_real = np.column_stack([real[:, :2], np.zeros(len(real))])
    flat_made = np.column_stack([made[:, :2], np.zeros(len(made))])
    aligned = fit_similarity(flat_made, flat_real, np.ones(len(real)))(flat_made)
    error_px = np.linalg.norm(aligned - flat_real, axis=1)
    eyes_px = float(np.linalg.norm(iris_middle(real, 0) - iris_middle(real, 1)))
    to_256, to_percent = 256 / side_px, 100 / eyes_px
    mesh = canonical_mesh()
    return {
        "akd": float(error_px.mean()) * to_256,
        "akd_lips": float(error_px[list(LIPS)].mean()) * to_256,
        "akd_eyes": float(error_px[EYE_POINTS].mean()) * to_256,
        "akd_in_frame": float(np.linalg.norm((made - real)[:, :2], axis=1).mean()) * to_256,
        "landmarks_percent": float(error_px.mean()) * to_percent,
        "lips_percent": float(error_px[list(LIPS)].mean()) * to_percent,
        "pose_deg": angle_deg(head_pose(real, mesh).rotation, head_pose(made, mesh).rotation),
    }


def iris_middle(points: Floats, number: int) -> NDArray[np.float32]:
    """The judge knows no irises: the middle of the lids."""
    return np.asarray(points[list(EYES[number].outline), :2].mean(0), np.float32)


def blink(points: Floats) -> float:
    return float(np.mean([eye_openness(points, eye) for eye in EYES]))


def correlate(pairs: Sequence[tuple[Floats, Floats]], measure: Callable[[Floats], float]) -> float:
    real = np.array([measure(a) for a, _ in pairs])
    made = np.array([measure(b) for _, b in pairs])
    if len(pairs) < 3 or min(real.std(), made.std()) < 1e-6:
        return 0.0
    return float(np.corrcoef(real, made)[0, 1])


def angle_deg(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(np.degrees(np.arccos(np.clip((np.trace(a.T @ b) - 1) / 2, -1, 1))))


def psnr(difference: NDArray[np.float32]) -> float:
    return float(10 * np.log10(255**2 / max(float((difference**2).mean()), 1e-6)))


def ssim(a: Picture, b: Picture) -> NDArray[np.float32]:
    """Structural similarity of luminance for every pixel (Wang et al., IEEE TIP 2004, eq. 13; σ = 1.5)."""
    x, y = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) for picture in (a, b))

    def mean(array: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.GaussianBlur(array, (11, 11), 1.5), np.float32)

    mx, my = mean(x), mean(y)
    vx, vy, cov = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return np.asarray(
        (2 * mx * my + c1) * (2 * cov + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2)), np.float32
    )


def region(
    points: Floats, index: Sequence[int] | range, margin: float, shape: tuple[int, ...]
) -> tuple[slice, slice]:
    """The box around some points, with a margin in shares of its longer side."""
    chosen = points[list(index), :2]
    low, high = chosen.min(0), chosen.max(0)
    pad = float((high - low).max()) * margin
    top, left = max(0, int(low[1] - pad)), max(0, int(low[0] - pad))
    return slice(top, max(top + 1, min(shape[0], int(high[1] + pad) + 1))), slice(
        left, max(left + 1, min(shape[1], int(high[0] + pad) + 1))
    )


def summarise(rows: dict[str, Any]) -> dict[str, Any]:
    """Medians over the clips that begin frontal, and which of the aims each clip misses."""
    frontal = {name: row for name, row in rows.items() if abs(row["first_yaw_deg"]) <= FRONTAL_DEG}
    for name, row in frontal.items():
        ours, still = row["engine"], row["static"]
        checks = {key: ours[key] > still[key] for key in ("ssim", "ssim_eyes", "ssim_mouth")}
        if row["turn_deg"] < STILL_DEG:
            checks["psnr_face"] = ours["psnr_face"] >= still["psnr_face"]
        if name.startswith(SPEECH):
            checks["mouth_r"] = ours["mouth_r"] >= 0.95
        if row["eye_opening_range"] > BLINKING:
            checks["blink_r"] = ours["blink_r"] >= 0.9
        row["misses"] = sorted(key for key, held in checks.items() if not held)
    keys = sorted(next(iter(rows.values()))["engine"]) if rows else []
    medians = {key: float(np.median([row["engine"][key] for row in frontal.values()])) for key in keys}
    static = {key: float(np.median([row["static"][key] for row in frontal.values()])) for key in keys}
    medians["mouth_r_speech"] = float(
        np.median([r["engine"]["mouth_r"] for n, r in frontal.items() if n.startswith(SPEECH)] or [0])
    )
    medians["blink_r_blinking"] = float(
        np.median(
            [r["engine"]["blink_r"] for r in frontal.values() if r["eye_opening_range"] > BLINKING] or [0]
        )
    )
    aims = {"landmarks_percent": 1.0, "lips_percent": 1.5, "akd": 1.5, "pose_deg": 1.2}
    return {
        "summary": {
            "clips": len(rows),
            "frontal_clips": len(frontal),
            "median": medians,
            "static_median": static,
            "aims_met": {key: medians[key] <= aim for key, aim in aims.items()},
            "misses": {name: row["misses"] for name, row in frontal.items() if row["misses"]},
        },
        "clips": rows,
    }


def line(name: str, row: dict[str, Any]) -> str:
    ours, still = row["engine"], row["static"]
    shown = [
        f"{key[5:] or 'all'} {ours[key]:.3f}/{still[key]:.3f}" for key in ("ssim", "ssim_eyes", "ssim_mouth")
    ]
    return (
        f"{name[:34]:34} ssim {' '.join(shown)} psnr face {ours['psnr_face']:.2f}/{still['psnr_face']:.2f} "
        f"lmk {ours['landmarks_percent']:.2f}% lips {ours['lips_percent']:.2f}% akd {ours['akd']:.2f} "
        f"pose {ours['pose_deg']:.2f} mouth r {ours['mouth_r']:.3f} blink r {ours['blink_r']:.3f} "
        f"(range {row['eye_opening_range']:.2f}) yaw {row['first_yaw_deg']:.0f} turn {row['turn_deg']:.0f}"
    )


def write_sheet(path: Path, frames: Sequence[Picture], rendered: Sequence[Picture], columns: int = 8) -> None:
    """Real frames above, rendered ones below, evenly over the clip."""
    chosen = np.linspace(0, len(frames) - 1, columns).astype(int)
    rows = [np.hstack([_fit(pictures[i]) for i in chosen]) for pictures in (frames, rendered)]
    cv2.imwrite(str(path), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))


def _fit(picture: Picture, height: int = 240) -> Picture:
    scale = height / picture.shape[0]
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


if __name__ == "__main__":
    main()
