"""How far the model is, to look at: rows of source, driver and what was made of them.

What is made is a synthetic picture of a person: it leaves through the seal, labelled, as everything does.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from torch import Tensor

from likeness.disclosure.seal import Sealed, seal_image
from likeness.types import Making, Picture

SMALLEST_TILE_PX = 128
GAP_PX = 4
BAND_PX = 40
"""Below the grid, so that the label covers none of it."""


def draw_grid(source: Tensor, driving: Tensor, made: Tensor) -> Picture:
    """One row for each pair: source, driver, result; (h, w, 3) uint8.

    Args:
        source, driving, made: (rows, 3, h, w), 0 … 1.
    """
    rows = []
    for row in zip(source, driving, made, strict=True):
        tiles = [_enlarge((tile.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()) for tile in row]
        rows.append(np.hstack([_frame(tile) for tile in tiles]))
    return np.pad(np.vstack(rows), ((0, BAND_PX), (0, 0), (0, 0)), constant_values=255)


def save_preview(grid: Picture, path: Path, step: int) -> Sealed:
    """Seal the grid and write it; an older one of the same step is replaced.

    Raises:
        OutputError, DisclosureError: see `seal_image`.
    """
    making = Making(
        act="animate",
        engine="fomm",
        engine_version="1",
        ingredients=(),
        parameters={"step": step, "columns": "source, driver, result"},
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    return seal_image(grid, path, making, overwrite=True)


def _enlarge(tile: Picture) -> Picture:
    factor = -(-SMALLEST_TILE_PX // min(tile.shape[:2]))
    if factor <= 1:
        return tile
    return np.asarray(cv2.resize(tile, None, fx=factor, fy=factor, interpolation=cv2.INTER_NEAREST), np.uint8)


def _frame(tile: Picture) -> Picture:
    return np.pad(tile, ((GAP_PX, GAP_PX), (GAP_PX, GAP_PX), (0, 0)), constant_values=255)
