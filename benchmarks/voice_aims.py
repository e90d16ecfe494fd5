"""Which of the aims of issue 7 the figures meet."""

from __future__ import annotations

from typing import Any

import numpy as np

from voice_listening import difference

LEAST_SIMILARITY = {"default": 0.86, "close": 0.89}
MOST_WORSE_POINTS = 10.0
LEAST_CORRELATION, MOST_VOICING_ERRORS = 0.95, 0.05
MOST_CENTS, MOST_BEYOND = 10.0, 0.05
MOST_ENROL_S, MOST_REAL_TIME = 60.0, 0.15
MOST_MEMORY_MIB, MOST_GROWTH = 1024.0, 1.05

Found = dict[str, dict[str, Any]]
"""By part, then by pair or target."""


def judge_aims(found: Found, systems: dict[str, Any]) -> dict[str, Any]:
    """Each aim with the figures that it is judged by; what was not measured is left out."""
    aims: dict[str, Any] = {}
    for system, least in LEAST_SIMILARITY.items():
        if row := systems.get(system):
            value = row["resemblyzer_to_target"]
            aims[f"similarity, {system}"] = _held(value, "at least", least, value >= least)
    converted = [name for name in ("clear", "default", "close") if name in systems]
    for judge in ("resemblyzer", "campplus"):
        if converted:
            counts = {name: systems[name][f"{judge}_nearer_to_source"] for name in converted}
            aims[f"never nearer to the source, {judge}"] = _held(
                counts, "at most", 0, not any(counts.values())
            )
    for name in converted:
        for listener, gap in worse_than_copy(found, name).items():
            fine = gap["points"] <= MOST_WORSE_POINTS
            aims[f"words, {name}, {listener}"] = _held(gap, "at most points", MOST_WORSE_POINTS, fine)
        correlation, errors = systems[name]["f0_correlation"], systems[name]["voicing_errors"]
        aims[f"f0, {name}"] = _held(
            correlation, "at least", LEAST_CORRELATION, correlation >= LEAST_CORRELATION
        )
        aims[f"voicing, {name}"] = _held(
            errors, "at most", MOST_VOICING_ERRORS, errors <= MOST_VOICING_ERRORS
        )
    return aims | _judge_songs(found) | _judge_costs(found)


def worse_than_copy(found: Found, system: str) -> dict[str, dict[str, float]]:
    """By listener: points of word error rate above copy synthesis, where both were heard."""
    whisper: list[list[dict[str, int]]] = [[], []]
    for pair in found.get(system, {}).keys() & found.get("copy", {}).keys():
        for side, name in zip(whisper, (system, "copy"), strict=True):
            side += [row["whisper"] for row in found[name][pair]["rows"]]
    listened = found.get("listened", {})
    sphinx = [listened.get(name, {}).get("rows", []) for name in (system, "copy")]
    sides = {"whisper": whisper, "sphinx": sphinx}
    return {name: difference(*both) for name, both in sides.items() if both[0] and both[1]}


def _judge_songs(found: Found) -> dict[str, Any]:
    rows = [row for target in found.get("sung", {}).values() for row in target["rows"]]
    if not rows:
        return {}
    cents = float(np.median([row["pitch"]["cents"] for row in rows]))
    beyond = float(np.median([row["pitch"]["beyond_50_cents"] for row in rows]))
    return {
        "sung, cents": _held(cents, "at most", MOST_CENTS, cents <= MOST_CENTS),
        "sung, beyond 50 cents": _held(beyond, "at most", MOST_BEYOND, beyond <= MOST_BEYOND),
    }


def _judge_costs(found: Found) -> dict[str, Any]:
    aims: dict[str, Any] = {}
    for row in found.get("speed", {}).values():
        wall_s, factor = row["enrol"]["wall_s"], row["convert"]["real_time_factor"]
        aims["enrolment of 60 s"] = _held(wall_s, "at most", MOST_ENROL_S, wall_s <= MOST_ENROL_S)
        aims["real-time factor"] = _held(factor, "at most", MOST_REAL_TIME, factor <= MOST_REAL_TIME)
    for kind, row in found.get("memory", {}).items():
        peaks = [one["peak_mib"] for one in row["lengths"]]
        fine, growth = max(peaks) <= MOST_MEMORY_MIB, peaks[-1] / peaks[0]
        aims[f"memory of an hour, {kind}"] = _held(peaks, "at most", MOST_MEMORY_MIB, fine)
        aims[f"memory is flat, {kind}"] = _held(growth, "at most", MOST_GROWTH, growth <= MOST_GROWTH)
    return aims


def _held(value: Any, bound: str, limit: float, held: bool) -> dict[str, Any]:
    return {"value": value, bound: limit, "held": bool(held)}
