"""Whether all that was kept is one person's voice, and where it is not.

Every second and a half of speech gets an embedding (`speech.speaker`). Means of three neighbours are parted
in two by spherical k-means; the two halves of one person's speech stay alike, those of two people do not.

Measured on LibriSpeech (train-clean-100, 90 speakers, some 14 windows each): of single recordings 1 in 70 is
taken for two people; of pairs of recordings of two people, one after the other, 12 in 100 are taken for one,
and so are 10 in 100 where six windows of a stranger were spliced into a minute of somebody else's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from likeness.errors import NoSpeech
from likeness.speech import speaker
from likeness.types import Floats
from likeness.voices.screening import Screened

TWO_VOICES: Final = 0.78
"""Below this similarity the two halves are two people's."""
PERHAPS_TWO: Final = 0.84
LEAST_WINDOWS: Final = 3
"""So many neighbours make a second voice; fewer are a cough or a laugh."""
_NEIGHBOURS, _ROUNDS = 3, 20
_WINDOW_S = 1.6


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """The windows of a file.

    Attributes:
        file: its name.
        vectors: (k, 256) float32, of length 1.
        centres_s: (k,) where the middle of each window of 1.6 s is in the file.
    """

    file: str
    vectors: Floats
    centres_s: Floats

    @property
    def mean(self) -> Floats:
        """(256,) float32 of length 1: the voice of the whole file."""
        return _unit(self.vectors.mean(0))


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a file, s."""

    file: str
    begin_s: float
    end_s: float

    def __str__(self) -> str:
        return f"{self.file} from {_clock(self.begin_s)} to {_clock(self.end_s)}"


@dataclass(frozen=True, slots=True)
class Split:
    """How all that was heard falls into two.

    Attributes:
        similarity: of the two halves, 0…1.
        others: where the smaller half is heard.
    """

    similarity: float
    others: tuple[Part, ...]


def embed(screened: Screened, *, offline: bool | None = None) -> Embedded | None:
    """The windows of what was kept of a file; None where that is shorter than one window.

    Raises:
        ModelMissing, ChecksumMismatch
    """
    speech = [one.samples for one in screened.stretches]
    if sum(map(len, speech)) < speaker.MIN_SPEECH_S * speaker.RATE_HZ:
        return None
    try:
        vectors, starts = speaker.embed_speech(np.concatenate(speech), offline=offline)
    except NoSpeech:
        return None
    places = np.concatenate(
        [one.begin_s + np.arange(len(one.samples)) / speaker.RATE_HZ for one in screened.stretches]
    )
    middles = np.minimum(np.array(starts) + int(_WINDOW_S / 2 * speaker.RATE_HZ), len(places) - 1)
    return Embedded(screened.path.name, vectors, places[middles].astype(np.float32))


def split(files: Sequence[Embedded]) -> Split:
    """Part what was heard in two; of one voice both halves are alike."""
    smooth = [_smooth(one.vectors) for one in files]
    points = np.concatenate(smooth)
    first, similarity = _part(points)
    smaller = first if 2 * first.sum() <= len(first) else ~first
    if smaller.sum() < LEAST_WINDOWS:
        return Split(1.0, ())
    parts: list[Part] = []
    at = 0
    for one, rows in zip(files, smooth, strict=True):
        parts += _parts(one, smaller[at : at + len(rows)])
        at += len(rows)
    return Split(similarity, tuple(parts))


def _smooth(vectors: Floats) -> Floats:
    length = min(_NEIGHBOURS, len(vectors))
    return _unit(np.lib.stride_tricks.sliding_window_view(vectors, length, axis=0).mean(-1))


def _part(points: Floats) -> tuple[NDArray[np.bool_], float]:
    """Which (k,) points are in the first half, and how alike the halves are; begun with two far points."""
    centre = _unit(points.mean(0))
    one = points[(points @ centre).argmin()]
    other = points[(points @ one).argmin()]
    first = np.ones(len(points), bool)
    for _ in range(_ROUNDS):
        before, first = first, points @ one >= points @ other
        if first.all() or not first.any():
            return first, 1.0
        one, other = _unit(points[first].mean(0)), _unit(points[~first].mean(0))
        if (before == first).all():
            break
    return first, float(one @ other)


def _parts(file: Embedded, chosen: NDArray[np.bool_]) -> list[Part]:
    """The times of neighbours that were chosen, joined."""
    parts: list[Part] = []
    middle = (min(_NEIGHBOURS, len(file.vectors)) - 1) // 2
    last = -2
    for row in np.flatnonzero(chosen):
        centre_s = float(file.centres_s[row + middle])
        part = Part(file.file, max(0.0, centre_s - _WINDOW_S / 2), centre_s + _WINDOW_S / 2)
        if row == last + 1:
            part = Part(file.file, parts.pop().begin_s, part.end_s)
        parts.append(part)
        last = int(row)
    return parts


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32)


def _clock(time_s: float) -> str:
    """ "12.5 s", or "3:07" from two minutes on."""
    return f"{time_s:.1f} s" if time_s < 120 else f"{int(time_s // 60)}:{int(time_s % 60):02}"
