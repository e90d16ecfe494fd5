"""Looking for the watermark in a file: in its picture first, then in its sound.

Of a long file only pieces are looked at, spread over its length, so that the time it takes is bounded. A mark
stands still. Where the camera moves, codecs drag it along with what is shown, and after strong compression
only key frames still have it in its place: they are looked at by themselves, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Literal, TypeAlias

import av
import numpy as np

from likeness.disclosure.watermark.audio_search import find_in_sound
from likeness.disclosure.watermark.audio_view import VIEW_RATE_HZ
from likeness.disclosure.watermark.picture import MIN_SIDE_PX, find_in_frames
from likeness.errors import NoFrames, NoVideo
from likeness.media.audio import AudioReader
from likeness.media.containers import audio_stream, open_container
from likeness.media.image import read_image
from likeness.media.keyframes import read_keyframes
from likeness.media.video import VideoReader, probe
from likeness.types import Picture

Where: TypeAlias = Literal["picture", "sound"]

_PIECE_S = 12
_MOST_PIECES = 5
_FIRST_PICTURES = 16
_BORDER_LEVELS = 24  # by so much compression lets a plain row or column vary
_FULL = 0.97  # what leaves less than this of the picture is a border


@dataclass(frozen=True, slots=True)
class Mark:
    """A watermark that was found.

    Attributes:
        payload: 0…2³² − 1; None where there is a mark in the sound that cannot be read any more.
        confidence: 0…1, cosine between what was read and what was written.
        where: in the picture, or in the sound.
        at_s: where the piece begins in which it was found.
    """

    payload: int | None
    confidence: float
    where: Where
    at_s: float = 0.0


def find_mark(path: Path, kind: str) -> Mark | None:
    """The watermark in a file, or None.

    Args:
        path: a picture, video or sound.
        kind: its media type, from `containers.sniff`.

    Raises:
        MediaError: it cannot be read, or is too large.
    """
    marks: Iterator[Mark] = chain(_in_picture(path, kind), _in_sound(path, kind))
    best: Mark | None = None
    for mark in marks:
        if mark.payload is not None:
            return mark
        best = best or mark
    return best


def _in_picture(path: Path, kind: str) -> Iterator[Mark]:
    if kind.startswith("audio/"):
        return
    if kind.startswith("image/") and kind != "image/gif":
        still = read_image(path).image
        yield from _search(lambda: (picture for picture in (still,)))
        return
    try:
        duration_s = probe(path).duration_s or 0.0
    except NoVideo:
        return  # a sound file whose container could hold pictures too
    for at_s in _starts_s(duration_s):
        try:
            yield from _search(partial(_read_pictures, path, at_s), at_s)
        except NoFrames:
            if not at_s:
                raise  # else it is shorter than it says
    yield from _search(partial(read_keyframes, path))


def _read_pictures(path: Path, at_s: float) -> Generator[Picture]:
    with VideoReader(path, at_s, at_s + _PIECE_S) as reader:
        for frame in reader:
            yield frame.image


def _search(read: Callable[[], Generator[Picture]], at_s: float = 0.0) -> Iterator[Mark]:
    """The mark in pictures, which may lie in a border, such as the bars beside an upright video.

    Args:
        read: gives the pictures from the first one on; called again where they have a border.
        at_s: where they begin.
    """
    with closing(read()) as first:  # most marks are seen at once
        found = find_in_frames(islice(first, _FIRST_PICTURES), thorough=False)
    if found is None:
        found = find_in_frames(read())
    if found is None and (inside := find_inside(next(read(), None))):
        found = find_in_frames(picture[inside] for picture in read())
    if found:
        yield Mark(found.payload, found.confidence, "picture", at_s)


def find_inside(picture: Picture | None) -> tuple[slice, slice] | None:
    """Rows and columns within a border of one colour, or None where there is none (or nothing within)."""
    if picture is None or min(picture.shape[:2]) < MIN_SIDE_PX:
        return None
    sides = []
    for axis in (1, 0):  # rows, then columns
        plain = (np.ptp(picture, axis=axis) <= _BORDER_LEVELS).all(1)
        busy = np.flatnonzero(~plain)
        if len(busy) < MIN_SIDE_PX:
            return None
        sides.append(slice(int(busy[0]), int(busy[-1]) + 1))
    rows, columns = sides
    inside = (rows.stop - rows.start) * (columns.stop - columns.start)
    return (rows, columns) if inside < _FULL * picture.shape[0] * picture.shape[1] else None


def _in_sound(path: Path, kind: str) -> Iterator[Mark]:
    if kind.startswith("image/"):
        return
    with open_container(path) as container:
        stream = audio_stream(container)
        if stream is None:
            return
        duration_s = (container.duration or 0) / av.time_base
        rate_hz = max(stream.codec_context.sample_rate, VIEW_RATE_HZ)
    for at_s in _starts_s(duration_s):
        with AudioReader(path, start_s=at_s, duration_s=_PIECE_S, rate_hz=rate_hz) as reader:
            samples = np.concatenate([np.zeros((reader.channels, 0), np.float32), *reader], axis=1)
        if found := find_in_sound(samples, rate_hz):
            yield Mark(found.payload, found.confidence, "sound", at_s + found.at_s)


def _starts_s(duration_s: float) -> list[float]:
    """Where the pieces to look at begin: at the start, at the end, and evenly between."""
    pieces = min(max(math.ceil(duration_s / _PIECE_S), 1), _MOST_PIECES)
    last_s = max(duration_s - _PIECE_S, 0.0)
    return [float(at_s) for at_s in np.linspace(0, last_s, pieces)]
