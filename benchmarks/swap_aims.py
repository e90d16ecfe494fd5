"""Which of the aims of issue 6 the figures meet."""

from __future__ import annotations

from typing import Any

from likeness.faces.identity import MATCH

MINUTES = {"slim64": 5.0, "warp128": 20.0, "slim128": 20.0}
"""Of two cores, in which a swap has to become recognisable."""
MOVING = 0.5
TIMES_FASTER = 10.0
MOST_FLICKER = 1.15
LEAST_FRAMES_S = 15.0
MOST_GROWTH = 1.1
"""Of memory, for a clip six times as long."""
CORES = 2

Found = dict[str, dict[str, Any]]
"""By part, then by pair."""


def judge_aims(found: Found) -> dict[str, Any]:
    """Each aim with the figures that it is judged by; parts that were not measured are left out."""
    aims: dict[str, Any] = {}
    for model, most in MINUTES.items():
        curves = {pair: row["curve"] for pair, row in found[model].items()}
        times = {pair: recognisable_minutes(curve) for pair, curve in curves.items()}
        if times:
            held = all(time is not None and time <= most for time in times.values())
            aims[f"recognisable, {model}"] = {
                "minutes": times,
                "minutes until it moves, too": {
                    p: recognisable_minutes(c, moving=True) for p, c in curves.items()
                },
                "at most": most,
                "held": held,
            }
    for model in ("lightweight", "original"):
        ratios = {
            pair: times_faster(row["curve"], found["tenth"][pair]["curve"])
            for pair, row in found[model].items()
            if pair in found["tenth"]
        }
        if ratios:
            held = all(row["at least"] >= TIMES_FASTER for row in ratios.values())
            aims[f"faster than {model}"] = {"times": ratios, "at least": TIMES_FASTER, "held": held}
    for model in ("slim64", "warp128"):
        ratio = {pair: row["final"]["flicker_ratio"] for pair, row in found[model].items()}
        if ratio:
            held = max(ratio.values()) <= MOST_FLICKER
            aims[f"flicker, {model}"] = {"ratio": ratio, "at most": MOST_FLICKER, "held": held}
    if found.get("refine"):
        rows = {pair: judge_refine(row) for pair, row in found["refine"].items()}
        aims["refine"] = {"pairs": rows, "held": all(all(row.values()) for row in rows.values())}
    for row in found["convert"].values():
        held = row["frames_s"] >= LEAST_FRAMES_S
        aims["convert"] = {"frames_s": row["frames_s"], "at least": LEAST_FRAMES_S, "held": held}
        aims["memory"] = {
            "growth": row["growth"],
            "at most": MOST_GROWTH,
            "held": row["growth"] <= MOST_GROWTH,
        }
    return aims


def recognisable_minutes(curve: list[dict[str, float]], *, moving: bool = False) -> float | None:
    """Minutes of two cores from which on each look finds B rather than A; None: not in this training.

    A still and blurred mean of B's faces may be taken for B. With `moving`, the face has to do what A does,
    too: at most `MOVING` of the expression's error that a still face has.
    """
    first = None
    for row in curve:
        does_move = row.get("expression_error", 0) <= MOVING * row.get("expression_static", 1)
        if row["to_b"] < MATCH and row["to_b"] < row["to_a"] and (does_move or not moving):
            first = row["cpu_s"] / CORES / 60 if first is None else first
        else:
            first = None
    return first


def times_faster(slow: list[dict[str, float]], quick: list[dict[str, float]]) -> dict[str, float]:
    """How much less CPU time one takes than another to the best held-out L1 of the other.

    Looks are some time apart: "at least" goes by the first look of the quicker one from which on it is there
    and stays there.
    """
    best = min(slow, key=lambda row: row["l1"])
    there = None
    for row in reversed(quick):
        if row["l1"] > best["l1"]:
            break
        there = row
    if there is None:
        return {"l1": best["l1"], "slow_s": best["cpu_s"], "at least": 0.0}
    return {
        "l1": best["l1"],
        "slow_s": best["cpu_s"],
        "quick_s": there["cpu_s"],
        "at least": best["cpu_s"] / there["cpu_s"],
    }


def judge_refine(row: dict[str, Any]) -> dict[str, bool]:
    """What adversarial rounds did for one pair."""
    before, after, unsharp = row["before"], row["after"], row["unsharp"]
    gap = abs(1 - before["sharpness"])
    return {
        "gap halved": abs(1 - after["sharpness"]) <= gap / 2,
        "identity no worse": after["to_b"] <= before["to_b"] + 0.01,
        "SSIM above unsharp": after["ssim"] > unsharp["ssim"],
        "GMSD below unsharp": after["gmsd"] < unsharp["gmsd"],
    }
