"""Contact sheets: many faces at a glance. They show people as they were filmed, and nothing synthetic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from likeness.media.image import encode_jpeg, read_image
from likeness.types import Picture

SHEET_NAME: Final = "sheet.jpg"
PEOPLE_NAME: Final = "people.jpg"
MOST_TILES: Final = 480
"""On one sheet; of more faces, so many spread over their order."""

COLUMNS: Final = 12
_TILE_PX, _LABEL_PX, _TITLE_PX = 96, 14, 24
_PAPER, _INK = 250, (40, 40, 40)


@dataclass(frozen=True, slots=True)
class Tile:
    """A face on a sheet: its picture, and what is written below."""

    path: Path
    label: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A title, and the faces below it in reading order."""

    title: str
    tiles: Sequence[Tile]


def spread(count: int, most: int) -> list[int]:
    """At most `most` of the indices below `count`, evenly spread, the first and the last among them."""
    if count <= most:
        return list(range(count))
    return [round(step * (count - 1) / (most - 1)) for step in range(most)]


def draw_sheet(sections: Sequence[Section], *, zoom: float) -> Picture:
    """A sheet of small faces, (h, 1152, 3) uint8 RGB.

    Args:
        zoom: of the cuts, of which only the square of the face itself is shown.

    Raises:
        MediaError: one of the pictures cannot be read.
    """
    label_px = _LABEL_PX if any(tile.label for section in sections for tile in section.tiles) else 0
    row_px = _TILE_PX + label_px
    rows = [max(1, math.ceil(len(section.tiles) / COLUMNS)) for section in sections]
    height = sum(_TITLE_PX + count * row_px for count in rows)
    canvas = np.full((height, COLUMNS * _TILE_PX, 3), _PAPER, np.uint8)
    top = 0
    for section, count in zip(sections, rows, strict=True):
        _write(canvas, section.title, 6, top + 17, 0.5)
        top += _TITLE_PX
        for index, tile in enumerate(section.tiles):
            row, column = divmod(index, COLUMNS)
            y, x = top + row * row_px, column * _TILE_PX
            canvas[y : y + _TILE_PX, x : x + _TILE_PX] = _small(tile.path, zoom)
            _write(canvas, tile.label, x + 4, y + _TILE_PX + 11, 0.36)
        top += count * row_px
    return canvas


def sheet_bytes(title: str, tiles: Sequence[Tile], *, zoom: float) -> bytes:
    """A contact sheet as a JPEG file's bytes."""
    some = [tiles[index] for index in spread(len(tiles), MOST_TILES)]
    if len(some) < len(tiles):
        title += f"; {len(some)} of them are shown"
    return encode_jpeg(draw_sheet([Section(title, some)], zoom=zoom), 85)


def identity_sheet(faces: Sequence[tuple[Path, float | None]], distance_to: str, *, zoom: float) -> bytes:
    """The contact sheet of a face set as a JPEG file's bytes: pictures with their distances, nearest first.

    Args:
        distance_to: what the distances are measured from, as `Alignments.distance_to` says.
    """
    order = sorted(faces, key=lambda face: (face[1] is None, face[1] or 0.0))
    tiles = [Tile(path, "?" if distance is None else f"{distance:.2f}") for path, distance in order]
    what = "the reference" if distance_to == "keep" else "the median face"
    return sheet_bytes(
        f"{len(tiles)} face{'s'[: len(tiles) != 1]} by distance from {what}, nearest first", tiles, zoom=zoom
    )


def _small(path: Path, zoom: float) -> Picture:
    image = read_image(path).image
    side = image.shape[0]
    rim = round(side * (1 - 1 / zoom) / 2)
    face = image[rim : side - rim, rim : image.shape[1] - rim]
    return np.asarray(cv2.resize(face, (_TILE_PX, _TILE_PX), interpolation=cv2.INTER_AREA), np.uint8)


def _write(canvas: Picture, text: str, x: int, y: int, scale: float) -> None:
    # OpenCV's letters are ASCII.
    text = text.encode("ascii", "replace").decode()
    cv2.putText(canvas, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, scale, _INK, 1, cv2.LINE_AA)
