"""Another pitch for a voice, cut from the very waveform: pitch-synchronous overlap and add (PSOLA).

Moulines and Charpentier, "Pitch-synchronous waveform processing techniques for text-to-speech synthesis
using diphones", Speech Communication 9, 1990. Two periods around a pitch mark make a grain; grains are laid
out anew at the distance of the wanted pitch. What has no pitch is copied as it is.

All positions are in samples and fractional: a grain that could only be moved by whole samples would make
the pitch shiver by ten cents and more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.compiled import compiled
from likeness.types import Floats

FRAMES_PER_S = 100
VOICED = 0.5
UNVOICED_HOP_S = 0.005
_SMOOTHING_S = 0.040  # of the fundamental's phase; four periods of a low voice's 100 Hz
_PHASE_HOP_S = 0.005
_PHASES = 32
# Longer than its own period a grain holds the neighbouring pulses, and both pitches would be heard; much
# shorter, and the valleys between formants fill up.
_MIN_STRETCH, _MAX_STRETCH = 0.7, 1.2
_TAPS = 16
_NEVER_CLOSER = 0.6  # periods between two marks
_FLOOR = 0.5  # where grains lie so far apart that their windows do not add up to this, it may get quieter

Places = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class PitchMarks:
    """Where the periods of a voice are.

    Attributes:
        places: (k,) float64, samples, ascending; about where each period is loudest.
        periods: (k,) float64, samples: how long the period around each of them is.
    """

    places: Places
    periods: Places

    def nearest(self, places: Places) -> NDArray[np.int64]:
        """The number of the mark that lies nearest to each place; needs at least one mark."""
        after = np.clip(np.searchsorted(self.places, places), 1, max(1, len(self.places) - 1))
        if len(self.places) == 1:
            return np.zeros(len(places), np.int64)
        left, right = self.places[after - 1], self.places[after]
        return np.asarray(after - (places - left < right - places), np.int64)


def at_samples(track: Floats, count: int, rate_hz: int) -> Places:
    """A course of 100 values a second, at every one of `count` samples; frame k lies at k / 100 s."""
    frames = np.arange(count) * (FRAMES_PER_S / rate_hz)
    return np.asarray(np.interp(frames, np.arange(len(track)), track))


def follow_cycles(samples: Floats, f0_hz: Floats, voiced: Floats, rate_hz: int) -> Places:
    """How many periods have passed at every sample: (n,) float64 that never falls.

    The sound is turned back by the known pitch; what turns no more is the fundamental, and its slow phase
    corrects the known pitch. Whole numbers lie where the periods of the recording are loudest.

    Args:
        samples: (n,) float32.
        f0_hz: (frames,) float32 > 0, `FRAMES_PER_S` a second, sensible also where nothing is voiced.
        voiced: (frames,) float32, 0…1.
        rate_hz: of the samples.
    """
    if not len(samples):
        return np.zeros(0)
    known = np.cumsum(at_samples(f0_hz, len(samples), rate_hz)) * (2 * np.pi / rate_hz)
    phase = known + _lag(samples, known, rate_hz)
    cycles = (phase - _loudest_phase(samples, phase, voiced, rate_hz)) / (2 * np.pi)
    return np.asarray(np.maximum.accumulate(cycles))


def mark_pitch(samples: Floats, f0_hz: Floats, voiced: Floats, rate_hz: int) -> PitchMarks:
    """Mark every period; all marks lie at one phase, so grains from anywhere in the recording fit together.

    Args:
        samples, f0_hz, voiced, rate_hz: as for `follow_cycles`.
    """
    places = _crossings(follow_cycles(samples, f0_hz, voiced, rate_hz))
    if not len(places):
        return PitchMarks(places, places)
    periods = rate_hz / at_samples(f0_hz, len(samples), rate_hz)[places.astype(np.int64)]
    apart = np.diff(places, prepend=-np.inf) > _NEVER_CLOSER * periods
    return PitchMarks(places[apart], periods[apart])


def lay_marks(f0_hz: Floats, voiced: Floats, count: int, rate_hz: int, *, turned: float = 0.0) -> PitchMarks:
    """Where grains are wanted: once a period where it is voiced, else every 5 ms.

    Args:
        f0_hz, voiced: as for `follow_cycles`.
        count: how many samples are wanted.
        turned: how far the first period has got before the first sample, in periods.

    Returns:
        Marks; `periods` is 0 for those that are not voiced.
    """
    return place_marks(turned + np.cumsum(at_samples(f0_hz, count, rate_hz)) / rate_hz, voiced, rate_hz)


def place_marks(cycles: Places, voiced: Floats, rate_hz: int) -> PitchMarks:
    """As `lay_marks`, for a pitch that is known as (n,) periods that have passed at every sample."""
    count = len(cycles)
    loud = at_samples(voiced, count, rate_hz) >= VOICED
    pitched = _crossings(cycles)
    periods = np.diff(pitched, append=np.nan)
    periods[-1:] = periods[-2:-1] if len(periods) > 1 else UNVOICED_HOP_S * rate_hz
    heard = loud[pitched.astype(np.int64)]
    hop = UNVOICED_HOP_S * rate_hz
    even = np.arange(0, count, hop)
    even = even[~loud[even.astype(np.int64)]]
    places = np.concatenate((pitched[heard], even))
    order = np.argsort(places, kind="stable")
    return PitchMarks(places[order], np.concatenate((periods[heard], np.zeros(len(even))))[order])


def lay_grains(
    samples: Floats, marks: PitchMarks, wanted: PitchMarks, origins: Places, count: int, rate_hz: int
) -> Floats:
    """Put grains of a recording where they are wanted.

    Args:
        samples: (n,) float32, what the grains are cut from.
        marks: its pitch marks.
        wanted: as `lay_marks` makes them.
        origins: (len(wanted),) float64: which place in `samples` each of them should sound like.
        count: how many samples are wanted.
        rate_hz: of both.

    Returns:
        (count,) float32.
    """
    sources, halves = origins.copy(), np.full(len(origins), UNVOICED_HOP_S * rate_hz)
    pitched = wanted.periods > 0
    if pitched.any() and len(marks.places):
        chosen = marks.nearest(origins[pitched])
        own = marks.periods[chosen]
        sources[pitched] = marks.places[chosen]
        halves[pitched] = own * np.clip(wanted.periods[pitched] / own, _MIN_STRETCH, _MAX_STRETCH)
    return _overlap_add(np.asarray(samples, np.float32), wanted.places, sources, halves, count, _sinc_table())


def shift_pitch(
    samples: Floats, f0_hz: Floats, wanted_hz: Floats, voiced: Floats, rate_hz: int, *, turned: float = 0.0
) -> Floats:
    """The same recording at another pitch.

    Args:
        samples: (n,) float32.
        f0_hz, wanted_hz: (frames,) float32 > 0: the pitch it has, and the one that it should have.
        voiced: (frames,) float32, 0…1.
        rate_hz: of the samples.
        turned: as for `lay_marks`.

    Returns:
        (n,) float32.
    """
    marks = mark_pitch(samples, f0_hz, voiced, rate_hz)
    wanted = lay_marks(wanted_hz, voiced, len(samples), rate_hz, turned=turned)
    return lay_grains(samples, marks, wanted, wanted.places, len(samples), rate_hz)


def _lag(samples: Floats, known: Places, rate_hz: int) -> Places:
    """(n,) radians, unwrapped: how far the fundamental's phase is ahead of the known one."""
    hop, width = int(_PHASE_HOP_S * rate_hz), int(_SMOOTHING_S * rate_hz)
    turned = np.pad(samples * np.exp(-1j * known).astype(np.complex64), width // 2)
    window = np.hanning(width + 1).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(turned, width + 1)[::hop] @ window
    lag = np.unwrap(np.angle(frames + 1e-12))
    return np.asarray(np.interp(np.arange(len(samples)), np.arange(len(lag)) * hop, lag))


def _loudest_phase(samples: Floats, phase: Places, voiced: Floats, rate_hz: int) -> float:
    """Radians: around which phase of the period the energy lies, over all voiced samples."""
    weights = np.square(samples) * (at_samples(voiced, len(samples), rate_hz) >= VOICED)
    return float(np.angle(np.sum(weights * np.exp(1j * phase)) + 1e-20))


def _crossings(cycles: Places) -> Places:
    """Where a course that never falls passes a whole number, between two samples."""
    if len(cycles) < 2:
        return np.zeros(0)
    whole = np.floor(cycles)
    before = np.flatnonzero(whole[1:] > whole[:-1])
    rise = cycles[before + 1] - cycles[before]
    return np.asarray(before + (whole[before + 1] - cycles[before]) / np.maximum(rise, 1e-9))


def _sinc_table() -> NDArray[np.float32]:
    """(257, taps) float32: interpolation between samples in steps of 1/256, by a windowed sinc."""
    ahead = np.arange(257)[:, None] / 256 - (np.arange(_TAPS) - _TAPS // 2 + 1)
    table = np.sinc(ahead) * np.cos(np.pi * ahead / (_TAPS + 2)) ** 2
    return np.asarray(table / table.sum(1, keepdims=True), np.float32)


@compiled
def _overlap_add(
    samples: Floats, places: Places, sources: Places, halves: Places, count: int, table: NDArray[np.float32]
) -> Floats:
    total, weight = np.zeros(count, np.float32), np.zeros(count, np.float32)
    taps = table.shape[1]
    for grain in range(len(places)):
        place, half = places[grain], halves[grain]
        move = sources[grain] - place
        whole = int(np.floor(move))
        kernel = table[int((move - whole) * 256 + 0.5)]
        for at in range(max(0, int(np.ceil(place - half))), min(count, int(place + half) + 1)):
            share = np.float32(0.5 + 0.5 * np.cos(np.pi * (at - place) / half))
            first = at + whole - taps // 2 + 1
            value = np.float32(0)
            if first >= 0 and first + taps <= len(samples):
                for tap in range(taps):
                    value += kernel[tap] * samples[first + tap]
            total[at] += share * value
            weight[at] += share
    for at in range(count):
        total[at] /= max(weight[at], np.float32(_FLOOR))
    return total
