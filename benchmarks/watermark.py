"""What does the picture watermark survive, how often is it seen where there is none, what does it cost?

    python benchmarks/watermark.py FOLDER… --work WORK [--out benchmarks/results/watermark.json] [--quick]
    python benchmarks/watermark.py --print benchmarks/results/*.json

The second form runs nothing: it prints the committed tables of this benchmark and of its sister for sound,
`watermark_audio.py`, which together are the whole table.

FOLDER…: unmarked videos and pictures (those that carry a mark are left out). One second of video is marked,
changed as `watermark_changes` says, and searched for the mark. A trial counts only if the very payload comes
back. Every trial is written to WORK at once, so a run can be broken off and taken up again, and several can
share the work: `--shard 0/2` and `--shard 1/2`. The report is of all that is in WORK.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import re
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from likeness.disclosure.watermark import search
from likeness.disclosure.watermark.picture import PictureMark, mark_still
from likeness.types import Picture
from watermark_changes import HARDER, HARDER_STILLS, STILLS, UPRIGHT, VIDEO, Change
from watermark_media import KINDS, Clip, clips_in, stills_in, unmarked, widescreen
from watermark_table import print_files, print_pictures

UNMARKED = 24_000
SMALLEST_PX = 256
SIZES_PX = (256, 400, 600)
"""What a mark survives depends on the size of the picture above all: results are also given from each of
these shorter sides to the next."""
ORDER = tuple(dict.fromkeys((*VIDEO, *UPRIGHT, *HARDER, *STILLS, *HARDER_STILLS)))
Trial = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--print", nargs="+", type=Path, metavar="JSON", help="print these reports only")
    parser.add_argument("--work", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--parts", default="video,upright,harder,stills,unmarked,cost")
    parser.add_argument("--shard", default="0/1")
    parser.add_argument("--seconds-per-file", type=int, default=2)
    parser.add_argument("--unmarked", type=int, default=UNMARKED, help="how many unmarked pictures")
    parser.add_argument("--thorough-every", type=int, default=10, help="search so many of them in full")
    parser.add_argument("--quick", action="store_true", help="one second of each file, 600 unmarked pictures")
    options = parser.parse_args()
    if options.print:
        print_files(options.print)
        return
    if not options.work or (options.parts and not options.folders):
        parser.error("give folders to work on, and --work")
    cv2.setNumThreads(1)
    options.work.mkdir(parents=True, exist_ok=True)
    if options.parts:
        shard, shards = map(int, options.shard.split("/"))
        run(options, set(options.parts.split(",")), shard, shards)
    report = summarize(list(all_trials(options.work)))
    print_pictures(report)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")


def run(options: argparse.Namespace, parts: set[str], shard: int, shards: int) -> None:
    """Do this shard's trials that are not done yet, each written as soon as it is."""
    done = {trial["name"] for trial in all_trials(options.work)}
    clips = clips_in(options.folders, 1 if options.quick else options.seconds_per_file)
    count = 600 if options.quick else options.unmarked
    works: dict[str, Callable[[], Iterator[Trial]]] = {
        "video": lambda: video_trials("video", VIDEO, clips[shard::shards], done),
        "upright": lambda: video_trials("upright", UPRIGHT, clips[shard::shards], done),
        "harder": lambda: video_trials("harder", HARDER, clips[shard::shards], done),
        "stills": lambda: still_trials(list(stills_in(options.folders, clips))[shard::shards], done),
        "unmarked": lambda: unmarked_trials(range(shard, count, shards), options, done),
        "cost": lambda: cost_trials(clips[0], done) if shard == 0 else iter(()),
    }
    with (options.work / f"trials-{shard}-of-{shards}-{time.time_ns()}.jsonl").open("w") as file:
        for part in [part for part in works if part in parts]:
            for trial in works[part]():
                file.write(json.dumps(trial) + "\n")
                file.flush()


def all_trials(work: Path) -> Iterator[Trial]:
    """What earlier runs and other shards have written; a line that was cut off is left out."""
    for path in sorted(work.glob("trials-*.jsonl")):
        for line in path.read_text().splitlines():
            if line.endswith("}"):
                yield json.loads(line)


def payload_of(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")


def psnr_db(one: Picture, other: Picture) -> float:
    difference = one.astype(np.float32) - other
    return 10 * math.log10(255**2 / max(float(np.mean(difference * difference)), 1e-9))


def video_trials(part: str, changes: dict[str, Change], clips: list[Clip], done: set[str]) -> Iterator[Trial]:
    for clip in clips:
        names = {change: f"{part} | {change} | {clip.name}" for change in changes}
        if done.issuperset(names.values()):
            continue
        frames = clip.frames()
        if part == "upright":
            if frames[0].shape[1] < 480:
                continue
            if not 1.7 < frames[0].shape[1] / frames[0].shape[0] < 1.8:
                frames = widescreen(frames)
        payload = payload_of(clip.name)
        height, width = frames[0].shape[:2]
        mark = PictureMark(width, height, payload, host=frames[0])
        marked = [image.copy() for image in frames]
        for image in marked:
            mark.add(image)
        quality_db = statistics.fmean(map(psnr_db, frames, marked))
        for change, name in names.items():
            if name not in done:
                yield trial_of(name, changes[change](marked), payload, quality_db, (width, height))


def still_trials(stills: list[tuple[str, Picture]], done: set[str]) -> Iterator[Trial]:
    changes = {**{("stills", name): change for name, change in STILLS.items()}}
    changes |= {("harder stills", name): change for name, change in HARDER_STILLS.items()}
    for title, image in stills:
        names = {key: f"{key[0]} | {key[1]} | {title}" for key in changes}
        if done.issuperset(names.values()):
            continue
        payload = payload_of(title)
        marked = mark_still(image, payload)
        quality_db = psnr_db(image, marked)
        for key, name in names.items():
            if name not in done:
                yield trial_of(name, changes[key]([marked]), payload, quality_db, image.shape[1::-1])


def trial_of(
    name: str, frames: list[Picture], payload: int, quality_db: float, size: tuple[int, ...]
) -> Trial:
    begin_s = time.process_time()
    found = search.find_in_frames(frames)
    return {
        "name": name,
        "found": found is not None,
        "right": found is not None and found.payload == payload,
        "confidence": round(found.confidence, 3) if found else 0.0,
        "search_cpu_s": round(time.process_time() - begin_s, 3),
        "psnr_db": round(quality_db, 2),
        "size": list(size),
    }


def unmarked_trials(indices: range, options: argparse.Namespace, done: set[str]) -> Iterator[Trial]:
    for index in indices:
        name = f"unmarked | {index}"
        if name in done:
            continue
        kind, image = unmarked(index, options.folders)
        flat = search.whitened(search.residual(image))
        thorough = index % options.thorough_every == 0
        decoded = [result for _, result in search.attempts(flat, thorough=thorough)]
        yield {
            "name": name,
            "kind": kind,
            "thorough": thorough,
            "false": any(map(search.is_mark, decoded)),
            "crc": sum(result.crc_ok for result in decoded),
            "confidences": [round(result.confidence, 3) for result in decoded],
        }


def cost_trials(clip: Clip, done: set[str]) -> Iterator[Trial]:
    """CPU time of marking, and of looking through ten seconds that are not marked, which takes longest."""
    frame = clip.frames()[0]
    for width, height in ((512, 512), (1280, 720), (1920, 1080)):
        name = f"cost | {width} × {height}"
        if name in done:
            continue
        image = np.asarray(cv2.resize(frame, (width, height)))
        mark = PictureMark(width, height, 1)
        copies = [image.copy() for _ in range(41)]
        mark.add(copies.pop())
        begin_s = time.process_time()
        for copy in copies:
            mark.add(copy)
        add_ms = (time.process_time() - begin_s) / len(copies) * 1000
        begin_s = time.process_time()
        search.find_in_frames(image for _ in range(250))
        yield {
            "name": name,
            "add_ms": round(add_ms, 2),
            "search_10_s": round(time.process_time() - begin_s, 2),
        }


def summarize(trials: list[Trial]) -> dict[str, Any]:
    groups: dict[str, dict[str, list[Trial]]] = defaultdict(lambda: defaultdict(list))
    for trial in {trial["name"]: trial for trial in trials}.values():
        part, *rest = trial["name"].split(" | ")
        if "size" in trial and min(trial["size"]) < SMALLEST_PX:
            part = f"{part}, below {SMALLEST_PX} px"
        groups[part][rest[0]].append(trial)
    report: dict[str, Any] = {"least_confidence": search.MIN_CONFIDENCE}
    for part, conditions in sorted(groups.items()):
        if part == "unmarked":
            report[part] = summarize_unmarked([trial for trials in conditions.values() for trial in trials])
        elif part == "cost":
            report[part] = [trial for trials in conditions.values() for trial in trials]
        else:
            report[part] = {
                name: summarize_condition(conditions[name]) for name in ORDER if name in conditions
            }
    report["promised"] = {
        part: summarize_promise([trial for trials in groups[part].values() for trial in trials])
        for part in ("video", "upright", "stills")
        if part in groups
    }
    return report


def summarize_promise(trials: list[Trial]) -> dict[str, Any]:
    right = sum(trial["right"] for trial in trials)
    clips = {trial["name"].split(" | ")[-1] for trial in trials}
    return {
        "trials": len(trials),
        "clips": len(clips),  # of one second, or stills
        "files": len({re.sub(r" \d+ s$", "", clip) for clip in clips}),
        "recovered": right,
        "share": round(right / len(trials), 4),
        "wrong_payload": sum(trial["found"] and not trial["right"] for trial in trials),
        "psnr_db_min": min(trial["psnr_db"] for trial in trials),
    }


def summarize_condition(trials: list[Trial]) -> dict[str, Any]:
    right = [trial for trial in trials if trial["right"]]
    qualities_db = [trial["psnr_db"] for trial in trials]
    return {
        "trials": len(trials),
        "recovered": len(right),
        "share": round(len(right) / len(trials), 4),
        "wrong_payload": sum(trial["found"] and not trial["right"] for trial in trials),
        "confidence_mean": round(statistics.fmean(trial["confidence"] for trial in trials), 3),
        "psnr_db_mean": round(statistics.fmean(qualities_db), 2),
        "psnr_db_min": min(qualities_db),
        "search_cpu_s_median": statistics.median(trial["search_cpu_s"] for trial in trials),
        "search_cpu_s_max": max(trial["search_cpu_s"] for trial in trials),
        "by_shorter_side": by_shorter_side(trials),
        "missed": sorted(trial["name"].split(" | ")[-1] for trial in trials if not trial["right"]),
    }


def by_shorter_side(trials: list[Trial]) -> dict[str, list[int]]:
    """Recovered, and tried, by size of the marked picture."""
    groups: dict[str, list[int]] = {}
    for least in SIZES_PX:
        following = min((px for px in SIZES_PX if px > least), default=math.inf)
        inside = [trial for trial in trials if least <= min(trial["size"]) < following]
        if inside:
            groups[f"from {least} px"] = [sum(trial["right"] for trial in inside), len(inside)]
    return groups


def summarize_unmarked(trials: list[Trial]) -> dict[str, Any]:
    """False positives, counted, and as a product of the two tests' rates, which are independent."""
    values = np.array([value for trial in trials for value in trial["confidences"]])
    decodes = len(values)
    above = int((values > search.MIN_CONFIDENCE).sum())
    most_decodes = max(len(trial["confidences"]) for trial in trials)
    # The upper end of a 95 % interval, so that a tail without a sample does not count as zero.
    share_above = (above + 1.645 * math.sqrt(above) + 3) / decodes
    kinds = sorted({trial["kind"] for trial in trials})
    return {
        "pictures": {kind: sum(trial["kind"] == kind for trial in trials) for kind in kinds},
        "kinds": {kind: KINDS[kind] for kind in kinds},
        "searched_thoroughly": sum(trial["thorough"] for trial in trials),
        "decodes": decodes,
        "crc_fits": sum(trial["crc"] for trial in trials),
        "crc_expected": round(decodes / 65536, 2),
        "confidence_mean": round(float(values.mean()), 4),
        "confidence_std": round(float(values.std()), 4),
        "confidence_max": float(values.max()),
        "above_least_confidence": above,
        "false_positives": sum(trial["false"] for trial in trials),
        "rate_bound_per_picture": most_decodes * share_above / 65536,
    }


if __name__ == "__main__":
    main()
