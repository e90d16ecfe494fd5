"""A long sound in pieces that a network can take, each with what lies around it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from likeness.types import Floats

FRAME = 160
"""Samples: 10 ms at 16 kHz."""
CONTEXT = 104
"""Frames that are listened to before and after a piece."""
LONGEST = 1000
"""Frames of a piece without its context; for each second a HuBERT of the base size takes some 14 MB."""

_SEARCH = 300  # frames at the end of that, in which the quietest place is looked for
# Pieces begin at whole steps of what listens to them: content 2 frames, pitch 1.6.
_STEP = 8


class Piece(NamedTuple):
    """Some of the sound.

    Attributes:
        sound: (n,) float32: `CONTEXT` frames, the piece, and `CONTEXT` frames or more; beyond the ends of all
            sound it is mirrored. All but the last are equally long: torch keeps something for every length.
        start: the first frame behind the context, counted from the beginning of all sound.
        frames: without context.
        is_last: nothing follows.
    """

    sound: Floats
    start: int
    frames: int
    is_last: bool


def cut(blocks: Iterable[Floats]) -> Iterator[Piece]:
    """Cuts a sound where it is quiet; memory does not grow with its length.

    Args:
        blocks: (n,) float32 at 16 kHz; n varies.
    """
    held, count, start, before = [np.zeros(0, np.float32)], 0, 0, 0
    for block in blocks:
        held.append(block)
        count += len(block)
        while count > (before + LONGEST + CONTEXT) * FRAME:
            sound = np.concatenate(held)
            frames = _quietest(sound[before * FRAME :][: LONGEST * FRAME])
            end = before + frames
            heard = sound[: (before + LONGEST + CONTEXT) * FRAME]
            yield Piece(_mirror(heard, before, CONTEXT), start, frames, False)
            start, before = start + frames, CONTEXT
            held = [sound[(end - before) * FRAME :]]
            count = len(held[0])
    if count:
        sound = np.concatenate(held)
        sound = np.pad(sound, (0, -len(sound) % FRAME))
        yield Piece(_mirror(sound, before, 0), start, len(sound) // FRAME - before, True)


def _quietest(sound: Floats) -> int:
    """Where in the last part of it the least is heard, in frames."""
    power = np.square(sound.reshape(-1, _STEP * FRAME), dtype=np.float64).sum(1)
    first = (LONGEST - _SEARCH) // _STEP
    return (first + int(np.argmin(power[first - 1 : -1] + power[first:]))) * _STEP


def _mirror(sound: Floats, before: int, after: int) -> Floats:
    """With whole contexts, of which so many frames are there."""
    missing = ((CONTEXT - before) * FRAME, (CONTEXT - after) * FRAME)
    return np.pad(sound, missing, mode="reflect" if len(sound) > 1 else "edge")
