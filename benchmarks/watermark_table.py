"""Prints what the two watermark benchmarks have found: `watermark.py` (pictures) and `watermark_audio.py`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Report = dict[str, Any]
_PICTURE_PARTS = ("video", "upright", "harder", "stills", "harder stills")


def print_files(paths: list[Path]) -> None:
    """Print every report of a watermark among these files; the others are passed over."""
    for path in paths:
        report = json.loads(path.read_text(encoding="utf-8"))
        if "least_confidence" in report:
            print_pictures(report)
        elif "table" in report.get("robustness", {}):
            print_sound(report)


def print_pictures(report: Report) -> None:
    """The whole table of the picture watermark, failures included."""
    print("PICTURE WATERMARK: payload recovered from one second of video, or from one still")
    parts = [part for part in _PICTURE_PARTS if part in report]
    for part in [*parts, *(f"{part}, below 256 px" for part in parts)]:
        if part in report:
            _print_survival(part, report[part])
    if "promised" in report:
        print("\nof which promised, from 256 px on")
        for part, total in report["promised"].items():
            clips = f"over {total['clips']} seconds or stills of {total['files']} files"
            print(f"  {part:22} {total['recovered']:4}/{total['trials']:<5} {total['share']:7.2%}  {clips}")
    if "unmarked" in report:
        _print_unmarked(report["unmarked"])
    if "cost" in report:
        print("\ncost, CPU: adding to a frame; looking through 10 s that are not marked (without decoding)")
        for row in report["cost"]:
            size = row["name"].split(" | ")[-1]
            print(f"  {size:22} {row['add_ms']:5.2f} ms  {row['search_10_s']:5.2f} s")


def _print_survival(part: str, conditions: Report) -> None:
    print(f"\n{part}")
    for name, row in conditions.items():
        line = (
            f"  {name:22} {row['recovered']:4}/{row['trials']:<5} {row['share']:7.1%}"
            f"  confidence {row['confidence_mean']:.2f}"
            f"  PSNR {row['psnr_db_mean']:.1f} (min {row['psnr_db_min']:.1f}) dB"
            f"  searched for {row['search_cpu_s_max']:.2f} s at most"
        )
        if row["wrong_payload"]:
            line += f"  {row['wrong_payload']} WRONG"
        if missed := row["missed"]:
            more = f" and {len(missed) - 2} more" if len(missed) > 2 else ""
            line += f"  missed: {', '.join(missed[:2])}{more}"
        print(line)
        if missed and len(row.get("by_shorter_side", {})) > 1:
            sizes = (f"{px} {right}/{tried}" for px, (right, tried) in row["by_shorter_side"].items())
            print(" " * 25 + ", ".join(sizes))


def _print_unmarked(row: Report) -> None:
    kinds = ", ".join(f"{count} {kind}" for kind, count in row["pictures"].items())
    print(f"\nunmarked: {sum(row['pictures'].values())} pictures ({kinds})")
    for kind, words in row["kinds"].items():
        print(f"  {kind:22}{words}")
    print(f"  found in              {row['false_positives']}")
    thorough = row["searched_thoroughly"]
    print(f"  decoded               {row['decodes']} times; {thorough} pictures by a full search")
    print(f"  fitting checksums     {row['crc_fits']}, and {row['crc_expected']} expected by chance")
    print(
        f"  confidence            {row['confidence_mean']:.3f} ± {row['confidence_std']:.3f}, "
        f"at most {row['confidence_max']:.3f}; {row['above_least_confidence']} times above the least"
    )
    print(f"  rate per picture      below {row['rate_bound_per_picture']:.1e} (95 %)")


def print_sound(report: Report) -> None:
    """The whole table of the sound watermark."""
    robustness = report["robustness"]
    clips = robustness.get("trials_each") or robustness.get("clips")
    print(f"\n\nSOUND WATERMARK: {clips} clips; mark seen, and payload recovered, in the first seconds")
    for name, lengths in robustness["table"].items():
        cells = (
            f"{length}: {row['present']:3} {row['payload']:3}"
            + (f" {row['wrong']} WRONG" if row["wrong"] else "")
            for length, row in lengths.items()
        )
        print(f"  {name:22} " + "   ".join(cells))
    for part in (key for key in report if key != "robustness"):
        print(f"\n{part}")
        print(json.dumps(report[part], indent=1, ensure_ascii=False))
