"""Looking for the watermark in a file: in its picture first, then in its sound.

Of a long file only pieces are looked at, spread over its length, so that the time it takes is bounded. A mark
stands still. Where the camera moves, codecs drag it along with what is shown, and after strong compression
only key frames still have it in its place: they are looked at by themselves, too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Literal, TypeAlias

import av
import numpy as np

from likeness.disclosure.watermark.audio_search import find_in_sound
from likeness.disclosure.watermark.audio_view import VIEW_RATE_HZ
from likeness.disclosure.watermark.picture import find_in_frames, find_in_picture
from likeness.errors import NoFrames, NoVideo
from likeness.media.audio import AudioReader
from likeness.media.containers import audio_stream, open_container
from likeness.media.image import read_image
from likeness.media.keyframes import read_keyframes
from likeness.media.video import VideoReader, probe

Where: TypeAlias = Literal["picture", "sound"]

_PIECE_S = 12
_MOST_PIECES = 5


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
    if kind.startswith("image/") and kind != "image/gif":
        found = find_in_picture(read_image(path).image)
        return Mark(found.payload, found.confidence, "picture") if found else None
    marks: Iterator[Mark] = chain(() if kind.startswith("audio/") else _in_video(path), _in_sound(path))
    best: Mark | None = None
    for mark in marks:
        if mark.payload is not None:
            return mark
        best = best or mark
    return best


def _in_video(path: Path) -> Iterator[Mark]:
    try:
        duration_s = probe(path).duration_s or 0.0
    except NoVideo:
        return  # a sound file whose container could hold pictures too
    for at_s in _starts_s(duration_s):
        try:
            with VideoReader(path, at_s, at_s + _PIECE_S) as reader:
                found = find_in_frames(frame.image for frame in reader)
        except NoFrames:
            if at_s:
                continue  # shorter than it says
            raise
        if found:
            yield Mark(found.payload, found.confidence, "picture", at_s)
    if found := find_in_frames(read_keyframes(path)):
        yield Mark(found.payload, found.confidence, "picture")


def _in_sound(path: Path) -> Iterator[Mark]:
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
