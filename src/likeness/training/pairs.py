"""Which pairs of frames are learned from, and in which order.

A batch is a function of the seed, the step and the process, and of nothing else: no generator is carried from
one step to the next. So a training that is taken up again sees the very pairs it would have seen.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from likeness.training.clips import Clip
from likeness.types import Floats

AHEAD = 3
"""Batches that are read while the networks work."""
# From RGB to brightness and two colour axes (NTSC's YIQ); hue is the angle of the latter.
_TO_YIQ = np.array([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How pairs are varied; both frames of a pair alike.

    Attributes:
        horizontal_flip: mirror half of them.
        time_flip: exchange source and driver in half of them.
        brightness, contrast, saturation: factors are drawn from 1 - this to 1 + this.
        hue: the colour circle is turned by up to this share of it, 0 … 0.5.
    """

    horizontal_flip: bool = False
    time_flip: bool = False
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0

    def apply(self, pair: Floats, draw: np.random.Generator) -> Floats:
        """A pair (2, h, w, 3), 0 … 1, varied."""
        if self.horizontal_flip and draw.random() < 0.5:
            pair = pair[:, :, ::-1]
        if self.time_flip and draw.random() < 0.5:
            pair = pair[::-1]
        if self.brightness:
            pair = pair * _factor(self.brightness, draw)
        if self.contrast:
            mean = pair.mean()
            pair = (pair - mean) * _factor(self.contrast, draw) + mean
        if self.saturation or self.hue:
            amount, angle = _factor(self.saturation, draw), 2 * np.pi * draw.uniform(-self.hue, self.hue)
            c, s = amount * np.cos(angle), amount * np.sin(angle)
            turn = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
            pair = pair @ (np.linalg.inv(_TO_YIQ) @ turn @ _TO_YIQ).T.astype(np.float32)
        return np.clip(pair, 0, 1)


class Batch(NamedTuple):
    """Source and driving frames, (batch, 3, h, w) float32, 0 … 1; row by row of one clip."""

    source: Tensor
    driving: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """All batches of a training.

    Attributes:
        clips: what they are taken from.
        batch_size: pairs in each.
        seed: two trainings with the same seed see the same pairs.
        rank, world: the number of this process, and of all of them. Each sees its own share of an epoch.
        repeats: how often each clip comes in an epoch.
    """

    clips: Sequence[Clip]
    batch_size: int
    seed: int
    augmentation: Augmentation = Augmentation()
    rank: int = 0
    world: int = 1
    repeats: int = 1

    @property
    def steps_per_epoch(self) -> int:
        """Batches in an epoch; the last pairs, too few for a batch, are left out."""
        return max(1, len(self.clips) * self.repeats // (self.batch_size * self.world))

    def batch(self, step: int) -> Batch:
        """The batch of a step, counted from 0 over all epochs."""
        epoch, within = divmod(step, self.steps_per_epoch)
        count = len(self.clips) * self.repeats
        order = np.random.default_rng([self.seed, 1, epoch]).permutation(count)
        first = (within * self.world + self.rank) * self.batch_size
        draw = np.random.default_rng([self.seed, 2, step, self.rank])
        numbers = [order[(first + i) % count] % len(self.clips) for i in range(self.batch_size)]
        pairs = np.stack([self._pair(self.clips[number], draw) for number in numbers])
        both = torch.from_numpy(np.ascontiguousarray(pairs.transpose(1, 0, 4, 2, 3), np.float32))
        return Batch(both[0], both[1])

    def _pair(self, clip: Clip, draw: np.random.Generator) -> Floats:
        """Two different frames of a clip, (2, h, w, 3)."""
        chosen = draw.choice(len(clip.frames), 2, replace=False)
        frames = clip.frames[np.sort(chosen)].astype(np.float32) / np.float32(255)
        return self.augmentation.apply(frames if chosen[0] < chosen[1] else frames[::-1], draw)

    def stream(self, first: int, end: int) -> Iterator[tuple[int, Batch]]:
        """Steps and batches from `first` to before `end`, read ahead in a thread."""
        with ThreadPoolExecutor(1, thread_name_prefix="likeness-pairs") as pool:
            waiting: deque[Future[Batch]] = deque()
            for step in range(first, end):
                while len(waiting) <= AHEAD and step + len(waiting) < end:
                    waiting.append(pool.submit(self.batch, step + len(waiting)))
                yield step, waiting.popleft().result()


def _factor(spread: float, draw: np.random.Generator) -> float:
    return float(draw.uniform(max(0.0, 1 - spread), 1 + spread))
