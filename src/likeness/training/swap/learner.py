"""Learning a face swap from arrays, without files: what the loop drives, and what benchmarks measure.

::

    learner = SwapLearner(faces_a, faces_b, MODELS["slim64"], plan_steps=2000)
    learner.step(100)
    rgb, mask = learner.swap(faces_a.squares(64), to="b")

Consent is not asked for here, and nothing is written: `train_swap` does both. What comes out are bare arrays,
**not sealed**.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Adam

from likeness.errors import UsageError
from likeness.nn.swap import SIDES, SwapConfig, SwapNet
from likeness.training.swap.batches import Batch, Batches, Prepared
from likeness.training.swap.faces import Faces
from likeness.training.swap.losses import face_losses
from likeness.training.swap.settings import SwapSettings
from likeness.training.world import World
from likeness.types import Floats, Picture

BETAS = (0.5, 0.99)
"""Of Adam, as DeepFaceLab and its like take it: faces of a batch differ much, so a short memory serves."""
_AT_ONCE = 32


class Outcome(NamedTuple):
    """What a step gave.

    Attributes:
        losses: by name ("l1_a" …), weighted; "total" is what the networks were moved by.
        gradient_norm: before clipping.
    """

    losses: dict[str, float]
    gradient_norm: float

    @property
    def is_finite(self) -> bool:
        """Whether all went well; if not, the networks were not changed."""
        return math.isfinite(self.gradient_norm) and all(map(math.isfinite, self.losses.values()))


class SwapLearner:
    """The networks, their optimiser, and where they stand.

    Args:
        a, b: faces of the person whose performance is seen, and of the one whose face is shown.
        config: the model's dimensions, such as `MODELS["slim64"]`.
        plan_steps: how long the training is meant to be: the last phase (`SwapSettings.final`) and the
            learning rate go by it. Further steps go on as the last one.
        share_of: instead of that, what share of the training is done at a step, 0 … 1.
        features: VGG19's first layers for the perceptual loss, or None.

    Attributes:
        steps: how many are done.
        slow_down: what learning rates are multiplied with.
    """

    def __init__(
        self,
        a: Faces,
        b: Faces,
        config: SwapConfig,
        settings: SwapSettings | None = None,
        *,
        plan_steps: int = 2000,
        share_of: Callable[[int], float] | None = None,
        features: nn.Module | None = None,
        device: torch.device | str = "cpu",
        world: World | None = None,
    ) -> None:
        self.config, self.settings = config, settings or SwapSettings()
        self.device, self.world = torch.device(device), world or World()
        self.share_of = share_of or (lambda step: step / max(1, plan_steps))
        self.features = None if features is None else features.to(self.device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.settings.seed)
            self.net = SwapNet(config).to(self.device)
        # Channels last in memory: an eighth faster on processors, and what graphics cards like, too.
        self.net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = Adam(
            self.net.parameters(), self.settings.learning_rate, BETAS, fused=_fuses(self.device)
        )
        self.steps, self.slow_down = 0, 1.0
        self.batches = Batches(
            Prepared.of(a, config.size_px),
            Prepared.of(b, config.size_px),
            self.settings.batch_size,
            self.settings.seed,
            self.settings.augmentation,
            self.settings.without_warp(),
            self.world.rank,
            self.world.size,
        )
        self._stream: Iterator[tuple[int, Batch]] | None = None

    def step(self, count: int = 1) -> Outcome:
        """Learn from the next `count` batches; stops at once where numbers end.

        Returns:
            What the last of them gave.
        """
        if count < 1:
            raise UsageError(f"{count} steps cannot be taken.", "Take at least one.")
        for _ in range(count):
            outcome = self._step(self._next())
            if not outcome.is_finite:
                break
            self.steps += 1
        return outcome

    def _next(self) -> Batch:
        if self._stream is None:
            self._stream = self.batches.stream(
                self.steps, lambda step: self.settings.is_final(self.share_of(step))
            )
        _, batch = next(self._stream)
        return batch

    def _step(self, batch: Batch) -> Outcome:
        rate = self.settings.rate(self.steps, self.share_of(self.steps)) * self.slow_down
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        losses = self.losses(batch)
        self.optimizer.zero_grad(set_to_none=True)
        total = torch.stack(list(losses.values())).sum()
        total.backward()  # type: ignore[no-untyped-call]
        parameters = list(self.net.parameters())
        mean = self.world.average(total, parameters)
        norm = nn.utils.clip_grad_norm_(parameters, self.settings.clip_norm)
        told = torch.stack([mean, norm, *(loss.detach() for loss in losses.values())]).tolist()
        outcome = Outcome(dict(zip(("total", *losses), [told[0], *told[2:]], strict=True)), told[1])
        # All processes come to the same answer: the norm and the mean are the same in all of them.
        if math.isfinite(told[0]) and math.isfinite(told[1]):
            self.optimizer.step()
        return outcome

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """All parts of the loss, by name and person; nothing is learned by asking."""
        halves = batch.a.to(self.device), batch.b.to(self.device)
        with self.precision():
            faces = self.net.learn(halves[0].seen, halves[1].seen)
        found = {}
        for side, made, half in zip(SIDES, faces, halves, strict=True):
            made = type(made)(made.rgb.float(), made.mask.float())
            for name, loss in face_losses(made, half, self.settings.weights, self.features).items():
                found[f"{name}_{side}"] = loss
        return found

    def precision(self) -> torch.autocast:
        """Half precision where it pays: on cards that know bfloat16, which needs no scaling of losses."""
        pays = self.settings.mixed and self.device.type == "cuda" and torch.cuda.is_bf16_supported()
        return torch.autocast(self.device.type, torch.bfloat16, enabled=pays)

    def swap(self, pictures: Picture, to: str) -> tuple[Floats, Floats]:
        """Faces shown as one person's; nothing is learned from it.

        Args:
            pictures: (n, size, size, 3) uint8.
            to: "a" or "b".

        Returns:
            (n, size, size, 3) and (n, size, size) float32, 0 … 1: colours and mask.
        """
        colours, masks = [], []
        with torch.inference_mode():
            for first in range(0, len(pictures), _AT_ONCE):
                part = torch.from_numpy(np.ascontiguousarray(pictures[first : first + _AT_ONCE]))
                made = self.net(part.to(self.device).permute(0, 3, 1, 2).float() / 255, to)
                colours.append(made.rgb.permute(0, 2, 3, 1).cpu().numpy())
                masks.append(made.mask[:, 0].cpu().numpy())
        size = self.config.size_px
        if not colours:
            return np.empty((0, size, size, 3), np.float32), np.empty((0, size, size), np.float32)
        return np.concatenate(colours), np.concatenate(masks)

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
