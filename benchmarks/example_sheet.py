"""Draws docs/swap.jpg: the examples' Ben, the same with Anna's face, and Anna; sealed.

    python benchmarks/example_sheet.py swapped.mp4 people.consent.json [--out docs/swap.jpg]

Both are made by the commands in the README, under "Swap a face".
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from likeness import consent
from likeness.disclosure.seal import seal_image
from likeness.media import VideoReader
from likeness.types import Ingredient, Making, Picture

ROOT = Path(__file__).resolve().parents[1]
CLIPS = tuple(ROOT / "examples" / "synthetic-people" / f"{name}.mp4" for name in ("ben", "anna"))
FRAMES = (17, 137)
LEFT, TOP, RIGHT, BOTTOM = 22, 8, 258, 244
TILE_PX, GAP_PX, BAND_PX = 300, 3, 66


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw the README's picture of a face swap.")
    parser.add_argument("swapped", type=Path)
    parser.add_argument("record", type=Path)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "swap.jpg")
    given = parser.parse_args()
    columns = [read_tiles(path) for path in (CLIPS[0], given.swapped, CLIPS[1])]
    rows = [np.hstack(row) for row in zip(*columns, strict=True)]
    # A band for the label, so that it covers none of them.
    sheet = np.pad(np.vstack(rows), ((0, BAND_PX), (0, 0), (0, 0)), constant_values=255)
    making = Making(
        act="swap",
        engine="swap",
        engine_version="1",
        ingredients=tuple(Ingredient(path, "source") for path in (*CLIPS, given.swapped)),
        consent=consent.check(given.record, act="swap").describe(),
    )
    seal_image(sheet, given.out, making, overwrite=True)


def read_tiles(path: Path) -> list[Picture]:
    """The chosen frames' heads, enlarged, with a white rim."""
    with VideoReader(path) as reader:
        heads = [frame.image[TOP:BOTTOM, LEFT:RIGHT] for frame in reader if frame.index in FRAMES]
    return [
        np.pad(
            cv2.resize(head, (TILE_PX, TILE_PX), interpolation=cv2.INTER_CUBIC),
            ((GAP_PX, GAP_PX), (GAP_PX, GAP_PX), (0, 0)),
            constant_values=255,
        )
        for head in heads
    ]


if __name__ == "__main__":
    main()
