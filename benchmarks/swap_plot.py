"""Draw the curves of the swap benchmark: needs matplotlib.

python benchmarks/swap_plot.py [benchmarks/results/swap.json]       writes swap.svg beside it
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")

import matplotlib.pyplot as plt

from swap_media import REPOSITORY

MODELS = ("slim64", "tenth", "slim128", "warp128", "lightweight", "original")
ROWS = (
    ("identity: distance to B", "to_b"),
    ("held-out B, L1", "l1"),
    ("held-out B, SSIM", "ssim"),
    ("expression error, %", "expression_error"),
)


def draw(report: dict[str, Any], path: Path) -> None:
    """A column for each pair, a row for each measure, a line for each model."""
    parts = report["parts"]
    pairs = sorted({pair for model in MODELS for pair in parts[model]})
    size = (3.4 * len(pairs), 9)
    figure, axes = plt.subplots(len(ROWS), len(pairs), figsize=size, sharex=True, squeeze=False)
    for column, pair in enumerate(pairs):
        for number, (title, key) in enumerate(ROWS):
            axis = axes[number][column]
            for model in MODELS:
                # What warping gives without a network, at no time, has no place on this axis.
                curve = [row for row in parts[model].get(pair, {}).get("curve", []) if row["cpu_s"]]
                axis.plot(
                    [row["cpu_s"] for row in curve], [row[key] for row in curve], ".-", label=model, lw=1
                )
            axis.set_xscale("log")
            axis.minorticks_off()
            axis.grid(alpha=0.3)
            if key == "to_b":
                axis.axhline(report["same_person_below"], color="black", lw=0.8, ls=":")
                axis.set_title(pair)
            if column == 0:
                axis.set_ylabel(title, fontsize=8)
            if number == len(ROWS) - 1:
                axis.set_xlabel("CPU time of training, s")
    axes[0][0].legend(fontsize=7)
    figure.tight_layout()
    plt.rcParams["svg.hashsalt"] = "likeness"
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    default = REPOSITORY / "benchmarks" / "results" / "swap.json"
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    draw(json.loads(source.read_text()), source.with_suffix(".svg"))


if __name__ == "__main__":
    main()
