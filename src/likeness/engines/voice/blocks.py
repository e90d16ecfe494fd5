"""A long sound cut into blocks that overlap, and joined again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from likeness.engines.voice.envelope import HOP
from likeness.types import Floats

BLOCK: Final = 1000
CONTEXT: Final = 100
"""Frames of 10 ms that are converted at once, and heard before and after them; both are even."""
_FADE: Final = 2 * HOP  # samples
_EVEN: Final = 2 * HOP


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A part of a sound, with context.

    Attributes:
        samples: (160 n,) float32, n even; silence fills up the last frames of the sound.
        begin: number of its first frame in the sound.
        before, after: how many of its frames are context, which other blocks convert.
        heard: how many of its frames were part of the block before.
        length: samples that are left once context and filling are cut off.
    """

    samples: Floats
    begin: int
    before: int
    after: int
    heard: int
    length: int


def cut_blocks(pieces: Iterable[Floats]) -> Iterator[Block]:
    """Blocks of 10 s with a second of context on either side, out of (n,) pieces of any length."""
    size, reach = BLOCK * HOP, CONTEXT * HOP
    buffer = np.zeros(0, np.float32)  # begins where the context of the next block does
    begin = before = heard = 0
    for piece in pieces:
        buffer = np.concatenate((buffer, piece))
        while len(buffer) >= before * HOP + size + 2 * reach:
            samples = buffer[: before * HOP + size + reach]
            yield Block(samples, begin, before, CONTEXT, heard, size)
            step = before * HOP + size - reach
            buffer, begin, before, heard = buffer[step:], begin + step // HOP, CONTEXT, 2 * CONTEXT
    length = len(buffer) - before * HOP
    if length > 0:
        filled = np.pad(buffer, (0, -len(buffer) % _EVEN)).astype(np.float32)
        yield Block(filled, begin, before, 0, heard, length)


def join_blocks(made: Iterable[tuple[Block, Floats]]) -> Iterator[Floats]:
    """The sound of blocks without their context, each faded into the next over 20 ms.

    Args:
        made: blocks, and (160 n,) samples that were made of all of each.
    """
    rising = np.linspace(0, 1, _FADE, endpoint=False, dtype=np.float32)
    tail = np.zeros(0, np.float32)
    for block, sound in made:
        first = block.before * HOP
        part = sound[first : first + block.length].copy()
        fade = min(len(tail), len(part))
        part[:fade] = tail[:fade] + rising[:fade] * (part[:fade] - tail[:fade])
        tail = sound[first + block.length :][:_FADE]
        yield part
