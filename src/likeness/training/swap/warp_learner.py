"""Learning to mend bent faces of one person, from arrays: the counterpart of `SwapLearner`.

Consent is not asked for here, and nothing is written. What comes out are bare arrays, **not sealed**.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from likeness.nn.swap import Face
from likeness.nn.swap_warp import WarpConfig, WarpNet
from likeness.training.swap.batches import Half
from likeness.training.swap.faces import Faces
from likeness.training.swap.learning import Learner
from likeness.training.swap.losses import face_losses
from likeness.training.swap.settings import SwapSettings
from likeness.training.swap.warp_batches import WarpBatches
from likeness.training.world import World
from likeness.types import Floats

WARP_SETTINGS = SwapSettings.of("warp128")
Bent: TypeAlias = tuple[Tensor, Half]
"""Bent pictures with their maps, (n, 7, size, size), and what they should be."""


class WarpLearner(Learner[WarpNet, Bent]):
    """The network, its optimiser, and where they stand.

    Args:
        faces: of the person who is shown; nobody else's are needed.
        config: the model's dimensions, such as `WARP_MODELS["warp128"]`.
        plan_steps, share_of, features: as in `SwapLearner`.
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
        super().__init__(
            lambda: WarpNet(config),
            settings or WARP_SETTINGS,
            share_of or (lambda step: step / max(1, plan_steps)),
            features,
            device,
            world,
        )
        self.config = config
        self.batches = WarpBatches.of(
            faces,
            config.size_px,
            self.settings.batch_size,
            self.settings.seed,
            self.settings.augmentation,
            self.world.rank,
            self.world.size,
        )

    def stream(self) -> Iterator[Bent]:
        """Batches from the next step on, without end."""
        return self.batches.stream(self.steps)

    def losses(self, batch: Bent) -> dict[str, Tensor]:
        """All parts of the loss, by name; nothing is learned by asking."""
        bent, half = batch[0].to(self.device), batch[1].to(self.device)
        with self.precision():
            added = self.net(bent.contiguous(memory_format=torch.channels_last))
        weights = replace(self.settings.weights, mask=0.0, background=0.0)
        return face_losses(Face(bent[:, :3] + added.float(), half.mask), half, weights, self.features)

    def mend(self, bent: Tensor) -> Floats:
        """Bent pictures with their maps, (n, 7, size, size), mended: (n, size, size, 3) float32, 0 … 1."""
        with torch.inference_mode():
            made = bent[:, :3] + self.net(bent.to(self.device)).cpu()
        return np.asarray(made.clamp(0, 1).permute(0, 2, 3, 1).numpy(), np.float32)
