"""A target's own sounds, chosen piece by piece to say what somebody else said.

Unit selection (Hunt and Black, "Unit selection in a concatenative speech synthesis system using a large
speech database", ICASSP 1996): every 20 ms of the target's recordings is a unit. One row of units is sought
that costs least in all, where it costs to sound unlike what is wanted, and to join units that were not
neighbours. Pitch-synchronous overlap and add gives the row the wanted pitch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from likeness.compiled import compiled
from likeness.engines.voice.analysis import Features
from likeness.engines.voice.envelope import RATE_HZ
from likeness.engines.voice.psola import PitchMarks, lay_grains, mark_pitch
from likeness.types import Floats

UNIT = RATE_HZ // 50
"""Samples of a unit."""
_BLOCK = 8192  # units that are compared at once
_GROUP = 16  # neighbours

Units = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Costs:
    """What counts how much when units are chosen; distances of content are 1 − cosine.

    Attributes:
        candidates: how many of the most alike units are looked at for each 20 ms; as many again follow on
            from those of the 20 ms before.
        voicing: for being voiced where it should not be, or the other way round.
        pitch: for each unit of log f0 between a unit and what is wanted.
        envelope: for each neper of difference to the wanted envelope, its level left out.
        join: for any two units that were not neighbours, and the more for each neper between their
            envelopes and each unit of log f0.
        join_envelope, join_pitch: see `join`.
    """

    candidates: int = 40
    voicing: float = 0.5
    pitch: float = 0.25
    envelope: float = 0.1
    join: float = 0.03
    join_envelope: float = 0.06
    join_pitch: float = 0.1


DEFAULT: Final = Costs()


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """What is to be said, 50 times a second.

    Attributes:
        content: (t, 144) float32.
        f0_hz: (t,) float32 > 0.
        voiced: (t,) float32, 0…1.
        envelope: (t, bands) float32, nepers.
    """

    content: Floats
    f0_hz: Floats
    voiced: Floats
    envelope: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Grains:
    """The recordings of one target, as units.

    Attributes:
        samples: (about m · UNIT,) float32 at 16 kHz.
        centres: (m,) int64: the sample in the middle of each unit.
        content: (m, 144) float32 of length 1.
        log_f0: (m,) float32.
        voiced: (m,) float32, 0…1.
        energy: (m,) float32, nepers, as in `Features`.
        envelope: (m, bands) float32, nepers around 0: at the middle of each unit.
        heads, nexts: (m, bands) float32: as it begins, and as what follows it in its recording begins.
        goes_on: (m,) bool: whether the unit after it is of the same recording.
        marks: pitch marks of all samples.
    """

    samples: Floats
    centres: Units
    content: Floats
    log_f0: Floats
    voiced: Floats
    energy: Floats
    envelope: Floats
    heads: Floats
    nexts: Floats
    goes_on: NDArray[np.bool_]
    marks: PitchMarks

    @classmethod
    def cut(cls, recordings: Sequence[Features]) -> Grains:
        """Cut a target's recordings into units; those shorter than one unit are passed over."""
        pieces = [_cut_one(recording) for recording in recordings if len(recording.content)]
        starts = np.cumsum([0, *(len(piece.samples) for piece in pieces)])
        marks = [piece.marks for piece in pieces]
        together = {
            name: np.concatenate([getattr(piece, name) for piece in pieces])
            for name in cls.__slots__
            if name != "marks"
        }
        sizes = [len(piece.centres) for piece in pieces]
        together["centres"] += np.repeat(starts[:-1], sizes)
        places = np.concatenate([mark.places + start for mark, start in zip(marks, starts, strict=False)])
        periods = np.concatenate([mark.periods for mark in marks])
        return cls(**together, marks=PitchMarks(places, periods))

    def choose(self, wanted: Wanted, costs: Costs = DEFAULT) -> Units:
        """The cheapest row of units, (t,) int64, by Viterbi's search."""
        content = _unit_rows(wanted.content)
        near = self._nearest(content, costs.candidates)
        after = np.minimum(np.roll(near, 1, axis=0) + 1, len(self.content) - 1)
        candidates = np.concatenate((near, after), axis=1)
        own = self._target_costs(candidates, wanted, content, costs)
        weights = np.array([costs.join, costs.join_envelope, costs.join_pitch], np.float32)
        return _cheapest(
            candidates, own, self.heads, self.nexts, self.log_f0, self.voiced, self.goes_on, weights
        )

    def say(self, units: Units, wanted: PitchMarks, count: int) -> Floats:
        """The units one after another, at the wanted pitch.

        Args:
            units: (t,) int64, each for 20 ms; the first one is centred on the first sample.
            wanted: as `psola.place_marks` makes them.
            count: how many samples are wanted.

        Returns:
            (count,) float32.
        """
        number = np.clip(np.rint(wanted.places / UNIT).astype(np.int64), 0, len(units) - 1)
        origins = self.centres[units[number]] + wanted.places - number * UNIT
        return lay_grains(self.samples, self.marks, wanted, origins, count, RATE_HZ)

    def _nearest(self, content: Floats, most: int) -> Units:
        """(t, k): the units with the most similar content, in no order."""
        k = min(most, len(self.content))
        best, scores = np.zeros((len(content), 0), np.int64), np.zeros((len(content), 0), np.float32)
        for begin in range(0, len(self.content), _BLOCK):
            alike = content @ self.content[begin : begin + _BLOCK].T
            numbers = _highest(alike, k)
            best = np.hstack((best, numbers + begin))
            scores = np.hstack((scores, np.take_along_axis(alike, numbers, 1)))
        kept = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(best, kept, 1)

    def _target_costs(self, candidates: Units, wanted: Wanted, content: Floats, costs: Costs) -> Floats:
        unlike = 1 - np.einsum("tkc,tc->tk", self.content[candidates], content)
        voicing = np.abs(self.voiced[candidates] - wanted.voiced[:, None])
        sung = np.minimum(self.voiced[candidates], wanted.voiced[:, None])
        pitch = np.abs(self.log_f0[candidates] - np.log(wanted.f0_hz)[:, None]) * sung
        level = wanted.envelope - wanted.envelope.mean(1, keepdims=True)
        shape = np.sqrt(np.square(self.envelope[candidates] - level[:, None]).mean(2))
        total = unlike + costs.voicing * voicing + costs.pitch * pitch + costs.envelope * shape
        return np.asarray(total, np.float32)


def _cut_one(recording: Features) -> Grains:
    # Content frame k and frame 2 k of all else are centred on the middle of unit k.
    count = min(len(recording.content), (len(recording.f0_hz) + 1) // 2)
    envelope = np.asarray(recording.envelope, np.float32)
    envelope = envelope - envelope.mean(1, keepdims=True)
    middles = 2 * np.arange(count)
    goes_on = np.ones(count, bool)
    goes_on[-1:] = False
    samples = np.asarray(recording.samples, np.float32)
    return Grains(
        samples=samples,
        centres=np.arange(count) * UNIT,
        content=_unit_rows(recording.content[:count]),
        log_f0=np.log(recording.f0_hz[middles]).astype(np.float32),
        voiced=np.asarray(recording.voiced[middles], np.float32),
        energy=np.asarray(recording.energy[middles], np.float32),
        envelope=envelope[middles],
        heads=envelope[np.maximum(middles - 1, 0)],
        nexts=envelope[np.minimum(middles + 1, len(envelope) - 1)],
        goes_on=goes_on,
        marks=mark_pitch(samples, recording.f0_hz, recording.voiced, RATE_HZ),
    )


def _highest(scores: Floats, k: int) -> Units:
    """(t, k or fewer): where each row's k highest scores are, in no order.

    The k highest lie in the k groups of neighbours whose best are highest, and few groups are sorted fast.
    """
    size = scores.shape[1]
    if size <= _GROUP * k:
        return np.argpartition(scores, max(0, size - k), axis=1)[:, max(0, size - k) :]
    groups = np.pad(scores, ((0, 0), (0, -size % _GROUP)), constant_values=-np.inf).reshape(
        len(scores), -1, _GROUP
    )
    best = groups.max(2)
    chosen = np.argpartition(best, best.shape[1] - k, axis=1)[:, -k:]
    numbers = (chosen[:, :, None] * _GROUP + np.arange(_GROUP)).reshape(len(scores), -1)
    within = np.take_along_axis(groups, chosen[:, :, None], 1).reshape(numbers.shape)
    order = np.argpartition(within, within.shape[1] - k, axis=1)[:, -k:]
    return np.asarray(np.take_along_axis(numbers, order, 1), np.int64)


def _unit_rows(rows: Floats) -> Floats:
    rows = np.asarray(rows, np.float32)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32)


@compiled
def _cheapest(
    candidates: Units,
    own: Floats,
    heads: Floats,
    nexts: Floats,
    log_f0: Floats,
    voiced: Floats,
    goes_on: NDArray[np.bool_],
    weights: Floats,
) -> Units:
    steps, k = candidates.shape
    bands = heads.shape[1]
    back = np.zeros((steps, k), np.int64)
    so_far = own[0].copy()
    for step in range(1, steps):
        now = np.empty(k, np.float32)
        for new in range(k):
            unit = candidates[step, new]
            least, via = np.float32(np.inf), 0
            for old in range(k):
                before = candidates[step - 1, old]
                cost = so_far[old]
                if not (goes_on[before] and unit == before + 1):
                    cost += weights[0]
                    if cost < least:
                        apart = np.float32(0)
                        for band in range(bands):
                            step_apart = nexts[before, band] - heads[unit, band]
                            apart += step_apart * step_apart
                        cost += weights[1] * np.sqrt(apart / bands)
                        both = min(voiced[before], voiced[unit])
                        cost += weights[2] * abs(log_f0[before] - log_f0[unit]) * both
                if cost < least:
                    least, via = cost, old
            now[new], back[step, new] = least + own[step, new], via
        so_far = now
    row = np.empty(steps, np.int64)
    at = int(so_far.argmin())
    for step in range(steps - 1, -1, -1):
        row[step] = candidates[step, at]
        at = back[step, at]
    return row
