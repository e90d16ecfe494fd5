"""Finding the mark in sound again, after codecs, cuts, and changes of speed or tempo."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from likeness.disclosure.watermark.audio_tile import BANDS, CHIP_S, ROWS, layout
from likeness.disclosure.watermark.audio_view import (
    FRAME_S,
    VIEW_RATE_HZ,
    band_weights,
    to_view_rate,
    view,
)
from likeness.disclosure.watermark.code import Decoded, decode
from likeness.errors import UsageError
from likeness.types import Floats

# Exceeded in an unmarked window of 10 s less than once in a million times (`benchmarks/watermark_audio.py`).
MIN_PRESENCE_Z = 8.0
MIN_LENGTH_S = 2.0
_WINDOW_S, _WINDOW_STEP_S = 12.0, 6.0
_STEPS = 4  # places tried per chip
_PHASES = ROWS * _STEPS
_WARPS = tuple(round(0.003 * step, 4) for step in range(-12, 13) if step)
_REFINEMENTS = (0.0015, 0.00075)
CANDIDATES = 4
LIKELY_Z, LIKELY_CONFIDENCE = 6.0, 0.45
"""Enough for a payload with a fitting checksum, which one unmarked window in 65,536 has by chance."""


@dataclass(frozen=True, slots=True)
class FoundSound:
    """A mark that was found in sound.

    Attributes:
        payload: 0…2³² − 1, or None where a mark is there but its payload cannot be read.
        confidence: cosine between what was measured and the code word, −1…1.
        z: how far the pilot stands out, in standard deviations of what other places give.
        speed: how many times too fast the sound is played, with pitch.
        tempo: how many times too fast it goes; differs from `speed` where the pitch was kept.
        at_s: where the part begins in which the mark was found, s.
    """

    payload: int | None
    confidence: float
    z: float
    speed: float
    tempo: float
    at_s: float


class Warp(NamedTuple):
    """How the sound was changed: pitch, and time."""

    speed: float
    tempo: float


class Match(NamedTuple):
    """How well the pilot fits at the best place, for one warp."""

    score: float
    warp: Warp
    phase: int


class Search:
    """The search for a mark in one window.

    Args:
        sound: (n,) float32 at 8 kHz, of 2 to 12 s.
    """

    def __init__(self, sound: Floats) -> None:
        self._view = view(sound)
        self._sums: dict[float, NDArray[np.float64]] = {}
        coarse = [self._correlate(warp) for warp in _coarse_warps()]
        self._deviation = 1.4826 * float(np.median(np.abs([scores for scores, _ in coarse]))) + 1e-9
        self.matches = sorted((match for _, match in coarse), reverse=True)
        self._attempts: list[tuple[Match, Decoded]] = []

    def z(self, match: Match) -> float:
        return match.score / self._deviation

    def refine(self, match: Match) -> Match:
        for step in _REFINEMENTS:
            speed, tempo = match.warp
            for change in (-step, step):
                same_pitch = speed == 1.0 and tempo != 1.0
                warp = Warp(1.0 if same_pitch else speed + change, tempo + change)
                match = max(match, self._correlate(warp)[1])
        return match

    def read(self, match: Match) -> Decoded:
        folded = np.roll(self._fold(match.warp), -match.phase, axis=0)
        return decode(layout().soft_bits(folded.reshape(ROWS, _STEPS, BANDS).sum(1)))

    def attempts(self) -> Iterator[tuple[Match, Decoded]]:
        """The most promising places, looked at closely, each with what can be read there."""
        for number, rough in enumerate(self.matches[:CANDIDATES]):
            if number == len(self._attempts):
                match = self.refine(rough)
                self._attempts.append((match, self.read(match)))
            yield self._attempts[number]

    def find(self, at_s: float) -> FoundSound | None:
        """The mark in this window, which begins at `at_s`."""
        best: tuple[float, Match, Decoded] | None = None
        for match, decoded in self.attempts():
            z = self.z(match)
            sure = z > LIKELY_Z and decoded.crc_ok and decoded.confidence > LIKELY_CONFIDENCE
            if decoded.is_found or sure:
                return FoundSound(decoded.payload, decoded.confidence, z, *match.warp, at_s)
            if best is None or z > best[0]:
                best = z, match, decoded
        if best is None or best[0] < MIN_PRESENCE_Z:
            return None
        z, match, decoded = best
        return FoundSound(None, decoded.confidence, z, *match.warp, at_s)

    def _fold(self, warp: Warp) -> Floats:
        """(256, 40): all tiles laid over each other, four places per chip."""
        if warp.speed not in self._sums:
            bands = self._view @ band_weights(warp.speed)
            self._sums[warp.speed] = np.cumsum(np.pad(bands, ((1, 0), (0, 0))), axis=0, dtype=np.float64)
        sums = self._sums[warp.speed]
        per_place = CHIP_S / (FRAME_S * _STEPS * warp.tempo)  # frames
        tiles = math.ceil((len(sums) - 1) / (per_place * _PHASES))
        begins = np.ceil(np.arange(tiles * _PHASES + 1) * per_place - 1e-9).astype(np.intp)
        rows = np.diff(sums[np.minimum(begins, len(sums) - 1)], axis=0)
        return np.asarray(rows.reshape(tiles, _PHASES, BANDS).sum(0), np.float32)

    def _correlate(self, warp: Warp) -> tuple[Floats, Match]:
        spectrum = (np.fft.rfft(self._fold(warp), axis=0) * _pilot_spectrum()).sum(1)
        scores = np.fft.irfft(spectrum, _PHASES).astype(np.float32)
        phase = int(scores.argmax())
        return scores, Match(float(scores[phase]), warp, phase)


@cache
def _pilot_spectrum() -> Any:
    return np.conj(np.fft.rfft(np.repeat(layout().pilot, _STEPS, axis=0), axis=0))


def _coarse_warps() -> Iterable[Warp]:
    yield Warp(1.0, 1.0)
    yield from (Warp(1 + change, 1 + change) for change in _WARPS)
    yield from (Warp(1.0, 1 + change) for change in _WARPS)


def find_in_sound(samples: Floats, rate_hz: int) -> FoundSound | None:
    """Look for a mark.

    Args:
        samples: (channels, n) float32; long sounds are searched in overlapping windows of 12 s, until a
            payload is found.
        rate_hz: their sampling rate.

    Returns:
        What was found, or None; always None for less than 2 s.

    Raises:
        UsageError: not an array of (channels, n), or a sampling rate below 8000.
    """
    if samples.ndim != 2 or rate_hz < VIEW_RATE_HZ:
        raise UsageError(
            f"Sound of shape {samples.shape} at {rate_hz} Hz cannot be searched for a mark.",
            f"Give (channels, samples) at {VIEW_RATE_HZ} Hz or more.",
        )
    window, step = int(_WINDOW_S * rate_hz), int(_WINDOW_STEP_S * rate_hz)
    best: FoundSound | None = None
    for start in range(0, max(samples.shape[1] - window + step, 1), step):
        piece = samples[:, start : start + window]
        if piece.shape[1] < MIN_LENGTH_S * rate_hz:
            break
        for begin_s, search in look(to_view_rate(piece.mean(0), rate_hz)):
            found = search.find(start / rate_hz + begin_s)
            if found and found.payload is not None:
                return found
            if found and (best is None or found.z > best.z):
                best = found
    return best


def look(sound: Floats) -> Iterator[tuple[float, Search]]:
    """Searches in one window, (n,) float32 at 8 kHz, each with the time where it begins, s.

    First all of it, then the first and the last two thirds: where something was cut out in between, the mark
    is in two different places before and after, and what is in one of them is noise to the other.
    """
    third = len(sound) // 3
    for begin, end in ((0, len(sound)), (0, 2 * third), (third, len(sound))):
        if end - begin >= MIN_LENGTH_S * VIEW_RATE_HZ:
            yield begin / VIEW_RATE_HZ, Search(sound[begin:end])
