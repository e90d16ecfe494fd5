"""Learning to mend bent faces of one person, from arrays: the counterpart of `SwapLearner`.

Consent is not asked for here, and nothing is written. What comes out are bare arrays, **not sealed**.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.optim import Adam

from likeness.nn.swap import Face
from likeness.nn.swap_warp import WarpConfig, WarpNet
from likeness.training.swap.batches import Half
from likeness.training.swap.faces import Faces
from likeness.training.swap.learner import Outcome
from likeness.training.swap.losses import face_losses
from likeness.training.swap.settings import Augmentation, SwapSettings
from likeness.training.swap.warp_batches import WarpBatches
from likeness.training.world import World

BETAS = (0.9, 0.99)
WARP_AUGMENTATION = Augmentation(warp=0, turn_deg=5, scale=0.04, shift=0.02, flip=0.5, light=0.05, slope=0)
WARP_SETTINGS = SwapSettings(
    batch_size=8, learning_rate=1e-3, warm_up=20, final=0.4, augmentation=WARP_AUGMENTATION
)


class WarpLearner:
    """The network, its optimiser, and where they stand.

    Args:
        faces: of the person who is shown; nobody else's are needed.
        config: the model's dimensions.
        plan_steps, share_of: as in `SwapLearner`.
    """

    def __init__(
        self,
        faces: Faces,
        config: WarpConfig,
        settings: SwapSettings | None = None,
        *,
        plan_steps: int = 1000,
        share_of: Callable[[int], float] | None = None,
        features: nn.Module | None = None,
        device: torch.device | str = "cpu",
        world: World | None = None,
    ) -> None:
        self.config, self.settings = config, settings or WARP_SETTINGS
        self.device, self.world = torch.device(device), world or World()
        self.share_of = share_of or (lambda step: step / max(1, plan_steps))
        self.features = None if features is None else features.to(self.device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.settings.seed)
            self.net = WarpNet(config).to(self.device)
        self.net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = Adam(self.net.parameters(), self.settings.learning_rate, BETAS)
        self.steps, self.slow_down = 0, 1.0
        self.batches = WarpBatches.of(
            faces,
            config.size_px,
            self.settings.batch_size,
            self.settings.seed,
            self.settings.augmentation,
            self.world.rank,
            self.world.size,
        )
        self._stream: Iterator[tuple[Tensor, Half]] | None = None

    def step(self, count: int = 1) -> Outcome:
        """Learn from the next `count` batches; stops at once where numbers end."""
        for _ in range(count):
            if self._stream is None:
                self._stream = self.batches.stream(self.steps)
            outcome = self._step(*next(self._stream))
            if not outcome.is_finite:
                break
            self.steps += 1
        return outcome

    def _step(self, bent: Tensor, half: Half) -> Outcome:
        rate = self.settings.rate(self.steps, self.share_of(self.steps)) * self.slow_down
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        losses = self.losses(bent.to(self.device), half.to(self.device))
        self.optimizer.zero_grad(set_to_none=True)
        total = torch.stack(list(losses.values())).sum()
        total.backward()  # type: ignore[no-untyped-call]
        parameters = list(self.net.parameters())
        mean = self.world.average(total, parameters)
        norm = nn.utils.clip_grad_norm_(parameters, self.settings.clip_norm)
        told = torch.stack([mean, norm, *(loss.detach() for loss in losses.values())]).tolist()
        outcome = Outcome(dict(zip(("total", *losses), [told[0], *told[2:]], strict=True)), told[1])
        if math.isfinite(told[0]) and math.isfinite(told[1]):
            self.optimizer.step()
        return outcome

    def losses(self, bent: Tensor, half: Half) -> dict[str, Tensor]:
        """All parts of the loss, by name."""
        made = bent[:, :3] + self.net(bent.contiguous(memory_format=torch.channels_last))
        weights = replace(self.settings.weights, mask=0.0, background=0.0)
        return face_losses(Face(made, half.mask), half, weights, self.features)
