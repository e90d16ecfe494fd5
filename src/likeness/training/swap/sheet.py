"""How far the model is, to look at: a sheet of faces and swaps, and a film of all sheets so far.

Both show synthetic pictures of people, so they leave through the seal, labelled, as everything does.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from likeness.consent import Permission
from likeness.disclosure.seal import Sealed, SealedVideo, seal_image
from likeness.errors import MediaError
from likeness.media import temporary_beside
from likeness.media.files import write_error
from likeness.media.image import read_image
from likeness.types import Floats, Making, Picture

FOLDER, NEWEST, FILM = "previews", "preview.jpg", "time-lapse.mp4"
ROWS = 4
TILE_PX = 128
GAP_PX = 4
BAND_SHARE, BAND_PX = 0.075, 44
"""Below the tiles, in widths of the sheet or px at least, so that the label covers none of them."""
FILM_RATE = Fraction(8)
MOST_FRAMES = 240
"""Of the film; of more sheets, some are left out."""


def draw_columns(columns: Sequence[Floats]) -> Picture:
    """Faces beside each other, (h, w, 3) uint8.

    Args:
        columns: each (rows, size, size, 3) float32, 0 … 1.
    """
    rows = [np.hstack([_tile(column[i]) for column in columns]) for i in range(len(columns[0]))]
    sheet = np.vstack(rows)
    band_px = max(BAND_PX, round(BAND_SHARE * sheet.shape[1]))
    return np.pad(sheet, ((0, band_px), (0, 0), (0, 0)), constant_values=255)


def save_sheet(sheet: Picture, folder: Path, step: int, making: Making) -> Sealed:
    """Seal a sheet as `previews/step-….jpg`, and once more as `preview.jpg`.

    Raises:
        OutputError, DisclosureError
    """
    path = folder / FOLDER / f"step-{step:07}.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    sealed = seal_image(sheet, path, making, overwrite=True)
    newest = folder / NEWEST
    try:
        with temporary_beside(newest) as pending:
            pending.path.write_bytes(path.read_bytes())
            pending.commit()
    except OSError as error:
        raise write_error(newest, error) from error
    return sealed


def save_film(folder: Path, making: Making) -> Sealed | None:
    """A film of the sheets in `previews`, sealed again; None where there are fewer than two.

    Raises:
        OutputError, DisclosureError
    """
    paths = sorted((folder / FOLDER).glob("step-*.jpg"))
    if len(paths) > MOST_FRAMES:
        paths = [paths[i] for i in np.linspace(0, len(paths) - 1, MOST_FRAMES).round().astype(int)]
    if len(paths) < 2:
        return None
    first = read_image(paths[-1]).image
    height, width = (side // 2 * 2 for side in first.shape[:2])
    out = folder / FILM
    with SealedVideo(out, making, width=width, height=height, rate=FILM_RATE, overwrite=True) as film:
        for path in paths:
            # Somebody may have put other pictures there, or taken some away.
            with suppress(MediaError):
                frame = read_image(path).image
                if frame.shape == first.shape:
                    film.write(np.ascontiguousarray(frame[:height, :width]))
    return film.sealed


def making_of(name: str, step: int, permission: Permission) -> Making:
    """What the credentials say of a sheet or film."""
    return Making(
        act="swap",
        engine=f"swap {name}",
        engine_version="1",
        ingredients=(),
        parameters={"step": step, "shows": "progress of a training"},
        consent=permission.describe(),
    )


def _tile(face: Floats) -> Picture:
    image = np.rint(np.clip(face, 0, 1) * 255).astype(np.uint8)
    if image.shape[0] < TILE_PX:
        image = cv2.resize(image, (TILE_PX, TILE_PX), interpolation=cv2.INTER_CUBIC)
    return np.pad(image, ((GAP_PX, GAP_PX), (GAP_PX, GAP_PX), (0, 0)), constant_values=255)
