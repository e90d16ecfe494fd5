"""Sheets to look at: source, swap and target, side by side."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from likeness import consent
from likeness.consent import Permission
from likeness.disclosure.seal import seal_image
from likeness.pipelines.follow_face import Followed
from likeness.types import Ingredient, Making, Picture
from swap_media import Media, seen

COLUMNS, CELL_PX = 6, 176


def allow(media: Media, folder: Path) -> Permission:
    """The benchmark's own record: nobody is shown, or speakers of a corpus that is free to be used so."""
    key_file = folder / "evaluator.pem"
    key = consent.load_key(key_file) if key_file.exists() else consent.create_key(key_file)
    if media.pair.is_synthetic:
        request = consent.draft_corpus("Synthetic people", licence="CC0", evaluator="likeness benchmarks")
    else:
        request = consent.draft_corpus("GRID", licence="CC BY 4.0", evaluator="likeness benchmarks")
    return consent.check(consent.sign(request, key), act="swap")


def write_sheet(path: Path, media: Media, pictures: list[Picture]) -> None:
    """Seal a sheet of A's frames, of the same with the swap, and of the truth, or else of B.

    Args:
        pictures: all of A's held-out frames with the swap in them.
    """
    items = media.a.held_out
    chosen = np.linspace(0, len(items) - 1, COLUMNS).astype(int)
    truth = media.truth.followed if media.truth else None
    others = np.linspace(0, len(media.b.held_out) - 1, COLUMNS).astype(int)
    target = [truth[n] for n in chosen] if truth else [media.b.held_out[n] for n in others]
    rows = [
        [_cell(items[n].frame.image, items[n]) for n in chosen],
        [_cell(pictures[n], items[n]) for n in chosen],
        [_cell(item.frame.image, item) for item in target],
    ]
    making = Making(
        act="swap",
        engine="swap benchmark",
        engine_version="1",
        ingredients=(Ingredient(media.a.path, "source"), Ingredient(media.b.path, "source")),
        consent=allow(media, path.parent).describe(),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    seal_image(np.vstack([np.hstack(row) for row in rows]), path, making, overwrite=True)


def _cell(image: Picture, item: Followed) -> Picture:
    """The face with what is around it."""
    square = seen(item)[1]
    return np.asarray(
        cv2.resize(square.cut(image, 2 * CELL_PX, zoom=1.5), (CELL_PX, CELL_PX), interpolation=cv2.INTER_AREA)
    )
