"""What is learned from at each step: faces of both people, varied, and the same faces warped.

As in `training.pairs`, a batch is a function of the seed, the step and the process, and of nothing else, so
that a training that is taken up again sees the very faces it would have seen. Which face of A comes with
which face of B does not matter: nothing compares them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from likeness.training.swap.faces import Faces, draw_eyes, draw_mask, draw_mouth, finer, to_cut
from likeness.training.swap.settings import Augmentation
from likeness.types import Picture

AHEAD = 3
"""Batches that are made while the networks work."""
NODES = 5
"""Of the grid that warps, each way."""
_INVERSE = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP


class Half(NamedTuple):
    """One person's faces of a batch.

    Attributes:
        seen: (n, 3, size, size) float32, 0 … 1: warped, what the encoder gets.
        target: the same, not warped.
        mask: (n, 1, size, size) float32, 0 … 1: where the face is.
        eyes, mouth: (n, 1, size, size) float32, 0 … 1.
    """

    seen: Tensor
    target: Tensor
    mask: Tensor
    eyes: Tensor
    mouth: Tensor

    def to(self, device: torch.device) -> Half:
        """On another device."""
        return self if device.type == "cpu" else Half(*(one.to(device, non_blocking=True) for one in self))


class Batch(NamedTuple):
    """Faces of both."""

    a: Half
    b: Half


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Faces in the size that batches are sampled from, with their maps.

    Attributes:
        canvas: (n, side, side, 4) uint8: RGB, and the mask of the face.
        parts: (n, side, side, 2) uint8: eyes, mouth.
        size_px: of the networks' pictures.
        over: targets are sampled so many times as finely, and averaged.
        zoom: how much more than the networks see the canvas shows.
    """

    canvas: NDArray[np.uint8]
    parts: NDArray[np.uint8]
    size_px: int
    over: int
    zoom: float

    @classmethod
    def of(cls, faces: Faces, size_px: int) -> Prepared:
        """Twice as many pixels as the networks see, where the cuts have them."""
        there = faces.pictures.shape[1]
        over = 2 if there >= 2 * size_px * faces.zoom - 1 else 1
        side = min(there, round(over * size_px * faces.zoom))
        canvas = np.empty((len(faces), side, side, 4), np.uint8)
        parts = np.empty((len(faces), side, side, 2), np.uint8)
        for i, (image, points) in enumerate(zip(faces.pictures, faces.points, strict=True)):
            moved = ((points[:, :2] + 0.5) * (side / there) - 0.5).astype(np.float32)
            canvas[i, ..., :3] = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
            canvas[i, ..., 3] = draw_mask(moved, side)
            parts[i, ..., 0], parts[i, ..., 1] = draw_eyes(moved, side), draw_mouth(moved, side)
        return cls(canvas, parts, size_px, over, faces.zoom)

    def __len__(self) -> int:
        return len(self.canvas)


@dataclass(frozen=True, slots=True, eq=False)
class Batches:
    """All batches of a training.

    Attributes:
        a, b: what they are taken from.
        batch_size: faces of each person.
        seed: two trainings with the same seed see the same.
        plain, final: the augmentation, and that of the last phase.
        rank, world: the number of this process, and of all of them.
    """

    a: Prepared
    b: Prepared
    batch_size: int
    seed: int
    plain: Augmentation
    final: Augmentation
    rank: int = 0
    world: int = 1

    def batch(self, step: int, *, is_final: bool = False) -> Batch:
        """The batch of a step, counted from 0."""
        draw = np.random.default_rng([self.seed, 2, step, self.rank])
        ways = self.final if is_final else self.plain
        flips = draw.random(self.batch_size) < ways.flip
        return Batch(
            _make(self.a, self._numbers(len(self.a), step, 3), flips, ways, draw),
            _make(self.b, self._numbers(len(self.b), step, 4), flips, ways, draw),
        )

    def half(self, side: str, step: int) -> Half:
        """One person's faces alone, "a" or "b"; not those that `batch` takes, but as good."""
        draw = np.random.default_rng([self.seed, 5, step, self.rank])
        faces, which = (self.a, 3) if side == "a" else (self.b, 4)
        flips = draw.random(self.batch_size) < self.plain.flip
        return _make(faces, self._numbers(len(faces), step, which), flips, self.plain, draw)

    def _numbers(self, count: int, step: int, which: int) -> list[int]:
        """Which faces come: each once, in a new order every time all of them came."""
        first = (step * self.world + self.rank) * self.batch_size
        orders: dict[int, NDArray[np.int64]] = {}
        found = []
        for at in range(first, first + self.batch_size):
            epoch, within = divmod(at, count)
            if epoch not in orders:
                orders[epoch] = np.random.default_rng([self.seed, which, epoch]).permutation(count)
            found.append(int(orders[epoch][within]))
        return found

    def stream(self, first: int, is_final: Callable[[int], bool]) -> Iterator[tuple[int, Batch]]:
        """Steps and batches from `first` on without end, made ahead in a thread."""
        with ThreadPoolExecutor(1, thread_name_prefix="likeness-faces") as pool:
            waiting: deque[Future[Batch]] = deque()
            step = first
            while True:
                while len(waiting) <= AHEAD:
                    number = step + len(waiting)
                    waiting.append(pool.submit(self.batch, number, is_final=is_final(number)))
                yield step, waiting.popleft().result()
                step += 1


def _make(
    faces: Prepared,
    numbers: list[int],
    flips: NDArray[np.bool_],
    ways: Augmentation,
    draw: np.random.Generator,
) -> Half:
    size = faces.size_px
    seen = np.empty((len(numbers), size, size, 3), np.uint8)
    target = np.empty((len(numbers), size, size, 4), np.uint8)
    parts = np.empty((len(numbers), size, size, 2), np.uint8)
    for i, (number, flip) in enumerate(zip(numbers, flips, strict=True)):
        matrix = _place(faces, bool(flip), ways, draw)
        target[i] = _sample(faces.canvas[number], matrix, size, faces.over)
        parts[i] = _sample(faces.parts[number], matrix, size, 1)
        seen[i] = _warp(_recolour(target[i, ..., :3], ways.light, draw), ways.warp, draw)
    light = _slopes(len(numbers), size, ways.slope, draw)
    values = _as_tensor(target)
    maps = _as_tensor(parts)
    return Half(
        (_as_tensor(seen) * light).clamp_(max=1),
        (values[:, :3] * light).clamp_(max=1),
        values[:, 3:].contiguous(),
        maps[:, :1].contiguous(),
        maps[:, 1:].contiguous(),
    )


def _place(faces: Prepared, flip: bool, ways: Augmentation, draw: np.random.Generator) -> NDArray[np.float64]:
    """(2, 3): indices of the networks' picture to indices of the canvas, turned, resized, moved, mirrored."""
    turn = np.radians(draw.uniform(-ways.turn_deg, ways.turn_deg))
    grow = 1 + draw.uniform(-ways.scale, ways.scale)
    dx, dy = draw.uniform(-ways.shift, ways.shift, 2) * faces.size_px
    cos, sin = grow * np.cos(turn), grow * np.sin(turn)
    linear = np.array([[cos, -sin], [sin, cos]]) @ np.diag([-1.0 if flip else 1.0, 1.0])
    middle = (faces.size_px - 1) / 2
    shift = np.array([middle + dx, middle + dy]) - linear @ [middle, middle]
    base = to_cut(faces.size_px, faces.canvas.shape[1], faces.zoom)
    return np.column_stack([base[:, :2] @ linear, base[:, :2] @ shift + base[:, 2]])


def _sample(image: NDArray[np.uint8], matrix: NDArray[np.float64], size: int, over: int) -> NDArray[np.uint8]:
    fine = finer(matrix, over)
    cut = cv2.warpAffine(image, fine, (size * over,) * 2, flags=_INVERSE, borderMode=cv2.BORDER_REFLECT_101)
    if over == 1:
        return np.asarray(cut, np.uint8)
    return np.asarray(cv2.resize(cut, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


def _warp(image: Picture, strength: float, draw: np.random.Generator) -> Picture:
    """The picture as through uneven glass: a coarse grid of random shifts, smoothly between."""
    if not strength:
        return image
    size = image.shape[0]
    nodes = draw.normal(0, strength * size, (NODES, NODES, 2)).astype(np.float32)
    shifts = cv2.resize(nodes, (size, size), interpolation=cv2.INTER_CUBIC)
    at = np.arange(size, dtype=np.float32)
    columns, rows = shifts[..., 0] + at, shifts[..., 1] + at[:, None]
    return np.asarray(
        cv2.remap(image, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101), np.uint8
    )


def _recolour(image: NDArray[np.uint8], amount: float, draw: np.random.Generator) -> NDArray[np.uint8]:
    """Another exposure and white balance: gamma of all colours, contrast and brightness of each."""
    if not amount:
        return np.ascontiguousarray(image)
    levels = np.linspace(0, 1, 256)[:, None] ** np.exp(draw.uniform(-amount, amount))
    common, own = draw.uniform(-amount, amount), draw.uniform(-amount, amount, 3) / 3
    levels = levels * (1 + common + own) + draw.uniform(-amount, amount, 3) / 6
    table = np.rint(np.clip(levels, 0, 1) * 255).astype(np.uint8)
    return np.asarray(cv2.LUT(np.ascontiguousarray(image), table[None]), np.uint8)


def _slopes(count: int, size: int, amount: float, draw: np.random.Generator) -> Tensor:
    """(count, 1, size, size): factors that fall off in a random direction."""
    tilt = torch.from_numpy(draw.uniform(-amount, amount, (count, 2)).astype(np.float32))
    at = torch.linspace(-1, 1, size)
    across, down = tilt[:, 0, None, None] * at, tilt[:, 1, None, None] * at[:, None]
    return (1 + across + down)[:, None]


def _as_tensor(pictures: NDArray[np.uint8]) -> Tensor:
    """(n, h, w, c) uint8 to (n, c, h, w) float32, 0 … 1; channels stay last in memory."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float().mul_(1 / 255)
