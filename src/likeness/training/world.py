"""Several processes that train one model: `torchrun --nproc-per-node 2 -m likeness train fomm …`.

Every process computes the gradients of its own pairs; they are averaged, and all take the same step. That is
what `DistributedDataParallel` does, which does not fit here: a step calls the detector several times and two
optimisers in turn.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

PATIENCE = dt.timedelta(days=2)
"""The others wait so long while the first process prepares the clips."""


@dataclass(frozen=True, slots=True)
class World:
    """This process's number, and how many there are."""

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def wait(self) -> None:
        """Until all processes are here."""
        if self.size > 1:
            dist.barrier()

    def largest(self, value: float) -> float:
        """The largest of what the processes give here, for decisions that all have to make alike."""
        if self.size == 1:
            return value
        found: list[float | None] = [None] * self.size
        dist.all_gather_object(found, value)
        return max(one for one in found if one is not None)

    def average(self, loss: Tensor, parameters: Iterable[nn.Parameter]) -> Tensor:
        """Replace all gradients by their mean over the processes; returns the mean of `loss`.

        They travel as one vector: with many small tensors, the time goes into sending each.
        """
        loss = loss.detach()
        if self.size == 1:
            return loss
        gradients = [p.grad for p in parameters if p.grad is not None]
        joined = torch.cat([loss.reshape(1), *(g.reshape(-1) for g in gradients)])
        dist.all_reduce(joined)
        joined /= self.size
        means = torch.split(joined[1:], [gradient.numel() for gradient in gradients])
        for gradient, mean in zip(gradients, means, strict=True):
            gradient.copy_(mean.view_as(gradient))
        return joined[0]


@contextmanager
def join_world(device: torch.device) -> Iterator[World]:
    """The processes that `torchrun` started, or this one alone."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield World()
        return
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
    try:
        yield World(dist.get_rank(), dist.get_world_size())
        dist.barrier()  # one that leaves while another still talks to it can bring that one down
    finally:
        dist.destroy_process_group()
