"""What lies above 8 kHz, where no voice is known: nothing, or the source's own, as loud as it should be."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import tee
from typing import TypeAlias

import numpy as np

from likeness.engines.voice.analysis import frame_energy
from likeness.engines.voice.envelope import HOP, RATE_HZ
from likeness.media.resampling import resample_stream
from likeness.types import Floats

Convert: TypeAlias = Callable[[Iterable[Floats]], Iterator[Floats]]
_FOLLOW = 0.3  # of the way to the wanted gain, from frame to frame
_QUIETER, _LOUDER = -1.5, 0.5  # nepers: how much of that it may become
_QUIET = -9.0  # nepers: below, there is nothing to compare


def add_top(blocks: Iterable[Floats], rate_hz: int, convert: Convert, *, keep_top: bool) -> Iterator[Floats]:
    """Convert sound of any rate by something that knows 16 kHz.

    Args:
        blocks: (n,) float32 at `rate_hz`.
        rate_hz: 16000 or more.
        convert: gives as many samples as it takes, at 16 kHz, later or at once.
        keep_top: what lies above 8 kHz in the source goes over it, as much louder or quieter, at every
            moment, as the highest of the new sound is than that of the old.

    Yields:
        (m,) float32 at `rate_hz`, in all as many as came.
    """
    if rate_hz == RATE_HZ:
        yield from convert(blocks)
        return
    originals, lows = _Tape(), _Tape()
    low = lows.record(resample_stream(originals.record(blocks), rate_hz, RATE_HZ))
    if not keep_top:
        for new in resample_stream(convert(low), RATE_HZ, rate_hz):
            yield new[: len(originals.take(len(new)))]
    else:
        rows = tee(_with_gain(convert(low), lows), 3)
        columns = (_column(row, number, rate_hz) for number, row in enumerate(rows))
        for new, old, gain in zip(*columns, strict=True):
            original = originals.take(len(new))
            kept = slice(len(original))
            yield new[kept] + gain[kept] * (original - old[kept])
    if originals.length:  # lost to rounding on the way there and back
        yield np.zeros(originals.length, np.float32)


def _column(rows: Iterable[tuple[Floats, ...]], number: int, rate_hz: int) -> Iterator[Floats]:
    return resample_stream((row[number] for row in rows), RATE_HZ, rate_hz)


def _with_gain(made: Iterable[Floats], lows: _Tape) -> Iterator[tuple[Floats, Floats, Floats]]:
    """New sound, the old of the same moments, and the gain for what lies above both."""
    gain = 0.0
    for new in made:
        old = lows.take(len(new))
        count = -(-len(new) // HOP)
        energies = [frame_energy(np.diff(sound, 2, prepend=[0, 0]), count) for sound in (new, old)]
        wanted = np.where(np.minimum(*energies) > _QUIET, energies[0] - energies[1], 0)
        course = [gain]
        for value in np.clip(wanted, _QUIETER, _LOUDER).tolist():
            gain += _FOLLOW * (value - gain)
            course.append(gain)
        places = np.arange(len(new)) / HOP
        yield new, old, np.exp(np.interp(places, np.arange(count + 1), course)).astype(np.float32)


class _Tape:
    """Keeps what went by until it is asked for; `length` samples of it."""

    def __init__(self) -> None:
        self._kept: deque[Floats] = deque()
        self.length = 0

    def record(self, blocks: Iterable[Floats]) -> Iterator[Floats]:
        """The same blocks."""
        for block in blocks:
            self._kept.append(block)
            self.length += len(block)
            yield block

    def take(self, count: int) -> Floats:
        """The first of it, as many as there are, and forget them."""
        found = [np.zeros(0, np.float32)]
        wanted = min(count, self.length)
        self.length -= wanted
        while wanted:
            block = self._kept.popleft()
            if len(block) > wanted:
                self._kept.appendleft(block[wanted:])
            found.append(block[:wanted])
            wanted -= len(found[-1])
        return np.concatenate(found)
