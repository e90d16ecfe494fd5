"""Taking steps, whatever is learned: gradients, the learning rate, and a state to go on from."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.optim import Adam

from likeness.errors import UsageError
from likeness.training.outcome import Outcome
from likeness.training.swap.settings import SwapSettings
from likeness.training.world import World

BETAS = (0.5, 0.99)
"""Of Adam, as DeepFaceLab and its like take it: faces of a batch differ much, so a short memory serves."""
B = TypeVar("B")
"""What a step learns from."""
N = TypeVar("N", bound=nn.Module)


class Learner(ABC, Generic[N, B]):
    """A network, its optimiser, and where they stand.

    Args:
        make: makes the network; called once, with the seed of the settings set.
        share_of: what share of the training is done at a step, 0 … 1.
        features: VGG19's first layers for the perceptual loss, or None.

    Attributes:
        steps: how many are done.
        slow_down: what learning rates are multiplied with.
    """

    def __init__(
        self,
        make: Callable[[], N],
        settings: SwapSettings,
        share_of: Callable[[int], float],
        features: nn.Module | None,
        device: torch.device | str,
        world: World | None,
    ) -> None:
        self.settings, self.share_of = settings, share_of
        self.device, self.world = torch.device(device), world or World()
        self.features = None if features is None else features.to(self.device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.net = make().to(self.device)
        # Channels last in memory: an eighth faster on processors, and what graphics cards like, too.
        self.net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = Adam(self.net.parameters(), settings.learning_rate, BETAS, fused=_fuses(self.device))
        self.steps, self.slow_down = 0, 1.0
        self._stream: Iterator[B] | None = None

    @abstractmethod
    def losses(self, batch: B) -> dict[str, Tensor]:
        """All parts of the loss, weighted, by name; nothing is learned by asking."""

    @abstractmethod
    def stream(self) -> Iterator[B]:
        """Batches from the next step on, without end."""

    def step(self, count: int = 1) -> Outcome:
        """Learn from the next `count` batches; stops at once where numbers end.

        Returns:
            What the last of them gave.
        """
        if count < 1:
            raise UsageError(f"{count} steps cannot be taken.", "Take at least one.")
        for _ in range(count):
            if self._stream is None:
                self._stream = self.stream()
            outcome = self._step(next(self._stream))
            if not outcome.is_finite:
                break
            self.steps += 1
        return outcome

    def _step(self, batch: B) -> Outcome:
        rate = self.settings.rate(self.steps, self.share_of(self.steps)) * self.slow_down
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        losses = self.losses(batch)
        self.optimizer.zero_grad(set_to_none=True)
        total = torch.stack(list(losses.values())).sum()
        torch.autograd.backward(total)
        parameters = list(self.net.parameters())
        mean = self.world.average(total, parameters)
        norm = nn.utils.clip_grad_norm_(parameters, self.settings.clip_norm)
        told = torch.stack([mean, norm, *(loss.detach() for loss in losses.values())]).tolist()
        outcome = Outcome(dict(zip(("total", *losses), [told[0], *told[2:]], strict=True)), told[1])
        # All processes come to the same answer: the norm and the mean are the same in all of them.
        if math.isfinite(told[0]) and math.isfinite(told[1]):
            self.optimizer.step()
        return outcome

    def precision(self) -> torch.autocast:
        """Half precision where it pays: on cards that know bfloat16, which needs no scaling of losses."""
        pays = self.settings.mixed and self.device.type == "cuda" and torch.cuda.is_bf16_supported()
        return torch.autocast(self.device.type, torch.bfloat16, enabled=pays)

    def state(self) -> dict[str, Tensor]:
        """Weights and what the optimiser remembers, by name; `restore` takes it back."""
        found = {f"net.{name}": value for name, value in self.net.state_dict().items()}
        names = [name for name, _ in self.net.named_parameters()]
        for index, kept in self.optimizer.state_dict()["state"].items():
            found |= {f"adam.{names[index]}.{key}": value for key, value in kept.items()}
        return found

    def restore(self, tensors: dict[str, Tensor], steps: int) -> None:
        """Back to a `state`, after so many steps.

        Raises:
            KeyError, RuntimeError, ValueError: it is another model's.
        """
        self.net.load_state_dict(_below(tensors, "net."))
        kept: dict[int, dict[str, Any]] = {}
        for index, (name, parameter) in enumerate(self.net.named_parameters()):
            found = _below(tensors, f"adam.{name}.")
            if found:
                # The fused optimiser takes it for granted that this lies in memory as the weight does.
                kept[index] = {
                    key: torch.empty_like(parameter).copy_(value) if value.ndim else value.clone()
                    for key, value in found.items()
                }
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": kept})
        self.steps, self._stream = steps, None


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _fuses(device: torch.device) -> bool:
    return device.type in ("cpu", "cuda")
