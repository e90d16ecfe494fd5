"""What a warping swap learns from: one picture of B bent onto the points of another, and that other picture.

As in `training.swap.batches`, a batch is a function of the seed, the step and the process.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from likeness.engines.swap.bent import maps_of
from likeness.engines.swap.meshwarp import warp
from likeness.training.swap.batches import AHEAD, Half
from likeness.training.swap.faces import Faces, draw_eyes, draw_mask, draw_mouth, to_cut
from likeness.training.swap.settings import Augmentation
from likeness.types import Floats, Picture

NEAR = 2.5
"""Which picture is bent is drawn by how alike it is: the share of pictures more alike is a random number to
this power. So most have little to be bent, as when the model is used, and some have much."""
MIXED = 0.3
"""So often two pictures are bent and mixed, as when one is faded into the next."""
_INVERSE = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP


@dataclass(frozen=True, slots=True, eq=False)
class WarpBatches:
    """All batches of a training.

    Attributes:
        pictures: (n, side, side, 3) uint8, with a rim.
        points: (n, 478, 3) float32, px of these.
        zoom: how much more than the square they show.
        order: (n, n - 1), for each picture all others, the most alike first.
        size_px: of the network's pictures.
        seed: two trainings with the same seed see the same.
    """

    pictures: Picture
    points: Floats
    zoom: float
    order: NDArray[np.int64]
    size_px: int
    batch_size: int
    seed: int
    ways: Augmentation
    rank: int = 0
    world: int = 1

    @classmethod
    def of(
        cls, faces: Faces, size_px: int, batch_size: int, seed: int, ways: Augmentation, rank: int, world: int
    ) -> WarpBatches:
        """From cut faces, made as small as the network needs them."""
        there = faces.pictures.shape[1]
        side = min(there, round(size_px * faces.zoom))
        small = [cv2.resize(one, (side, side), interpolation=cv2.INTER_AREA) for one in faces.pictures]
        points = np.asarray(faces.points, np.float32).copy()
        points[..., :2] = (points[..., :2] + 0.5) * (side / there) - 0.5
        points[..., 2:] *= side / there
        return cls(
            np.stack(small),
            points,
            faces.zoom,
            rank_alike(points),
            size_px,
            batch_size,
            seed,
            ways,
            rank,
            world,
        )

    def batch(self, step: int) -> tuple[Tensor, Half]:
        """Bent pictures with their maps, (n, 7, size, size), and what they should be."""
        draw = np.random.default_rng([self.seed, 5, step, self.rank])
        rows = [self._one(number, draw) for number in self._numbers(step)]
        seen, target, maps = (torch.from_numpy(np.stack(part)) for part in zip(*rows, strict=True))
        seen, target, maps = (part.permute(0, 3, 1, 2).float() / 255 for part in (seen, target, maps))
        light = torch.from_numpy(
            1 + draw.uniform(-self.ways.light, self.ways.light, (len(rows), 3, 1, 1)).astype(np.float32)
        )
        target = (target * light).clamp(max=1)
        seen[:, :3] = (seen[:, :3] * light).clamp(max=1)
        return seen, Half(seen[:, :3], target, maps[:, :1], maps[:, 1:2], maps[:, 2:])

    def stream(self, first: int) -> Iterator[tuple[Tensor, Half]]:
        """Batches from the step `first` on without end, made ahead in a thread."""
        with ThreadPoolExecutor(1, thread_name_prefix="likeness-bends") as pool:
            waiting: deque[Future[tuple[Tensor, Half]]] = deque()
            step = first
            while True:
                while len(waiting) <= AHEAD:
                    waiting.append(pool.submit(self.batch, step + len(waiting)))
                yield waiting.popleft().result()
                step += 1

    def _numbers(self, step: int) -> list[int]:
        """Which faces come: each once, in a new order every time all of them came."""
        first = (step * self.world + self.rank) * self.batch_size
        found = []
        for at in range(first, first + self.batch_size):
            epoch, within = divmod(at, len(self.pictures))
            found.append(
                int(np.random.default_rng([self.seed, 6, epoch]).permutation(len(self.pictures))[within])
            )
        return found

    def _one(
        self, number: int, draw: np.random.Generator
    ) -> tuple[NDArray[np.uint8], Picture, NDArray[np.uint8]]:
        """(size, size, 7) bent and its maps, (size, size, 3) wanted, (size, size, 3) face, eyes, mouth."""
        size = self.size_px
        place = self._place(draw)
        wanted = cv2.warpAffine(
            self.pictures[number], place, (size, size), flags=_INVERSE, borderMode=cv2.BORDER_REFLECT_101
        )
        points = _undo(self.points[number], place)
        bent, seen = self._bend(number, points, draw)
        shown = np.dstack([bent, 255 * seen.astype(np.uint8), maps_of(points, size)])
        face = np.dstack([paint(points, size) for paint in (draw_mask, draw_eyes, draw_mouth)])
        # Along the rim of what was bent there is half a face: nothing to be learned, and cut off when used.
        face[:, :, 0] *= cv2.erode(seen.astype(np.uint8), np.ones((3, 3), np.uint8))
        if draw.random() < self.ways.flip:
            shown, wanted, face = shown[:, ::-1], wanted[:, ::-1], face[:, ::-1]
        return shown, np.asarray(wanted, np.uint8), face

    def _bend(
        self, number: int, points: Floats, draw: np.random.Generator
    ) -> tuple[Picture, NDArray[np.bool_]]:
        first, second = (self._other(number, draw) for _ in range(2))
        share = draw.random() if draw.random() < MIXED else 1.0
        bent, seen = warp(self.pictures[first], self.points[first], points, self.size_px)
        if share < 1:
            more, there = warp(self.pictures[second], self.points[second], points, self.size_px)
            bent = np.asarray(cv2.addWeighted(bent, share, more, 1 - share, 0), np.uint8)
            seen = seen & there
        return np.asarray(bent * seen[:, :, None], np.uint8), seen

    def _other(self, number: int, draw: np.random.Generator) -> int:
        order = self.order[number]
        return int(order[int(len(order) * draw.random() ** NEAR)])

    def _place(self, draw: np.random.Generator) -> NDArray[np.float64]:
        """(2, 3): indices of the network's picture to indices of the kept one, turned, resized, moved."""
        turn = np.radians(draw.uniform(-self.ways.turn_deg, self.ways.turn_deg))
        grow = 1 + draw.uniform(-self.ways.scale, self.ways.scale)
        linear = grow * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        middle = np.full(2, (self.size_px - 1) / 2)
        shift = middle + draw.uniform(-self.ways.shift, self.ways.shift, 2) * self.size_px - linear @ middle
        base = to_cut(self.size_px, self.pictures.shape[1], self.zoom)
        return np.column_stack([base[:, :2] @ linear, base[:, :2] @ shift + base[:, 2]])


def rank_alike(points: Floats) -> NDArray[np.int64]:
    """For each face all others, the most alike first, by where their points are; (n, n - 1)."""
    flat = (points[..., :2] - points[..., :2].mean(1, keepdims=True)).reshape(len(points), -1)
    squares = (flat**2).sum(1)
    away = squares[:, None] + squares - 2 * flat @ flat.T
    np.fill_diagonal(away, -np.inf)
    return np.asarray(np.argsort(away, axis=1, kind="stable")[:, 1:], np.int64)


def _undo(points: Floats, place: NDArray[np.float64]) -> Floats:
    """Points of the kept picture in the network's."""
    linear = np.linalg.inv(place[:, :2])
    moved = points.astype(np.float64).copy()
    moved[:, :2] = (moved[:, :2] - place[:, 2]) @ linear.T
    moved[:, 2] *= np.sqrt(abs(np.linalg.det(linear)))
    return moved.astype(np.float32)
