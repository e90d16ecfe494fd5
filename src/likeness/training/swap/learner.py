"""Learning a face swap from arrays, without files: what the loop drives, and what benchmarks measure.

::

    learner = SwapLearner(faces_a, faces_b, MODELS["slim64"], plan_steps=2000)
    learner.step(100)
    rgb, mask = learner.swap(faces_a.squares(64), to="b")

Consent is not asked for here, and nothing is written: `train_swap` does both. What comes out are bare arrays,
**not sealed**.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn

from likeness.nn.swap import SIDES, SwapConfig, SwapNet
from likeness.training.swap.batches import Batch, Batches, Prepared
from likeness.training.swap.faces import Faces
from likeness.training.swap.learning import Learner
from likeness.training.swap.losses import face_losses
from likeness.training.swap.settings import SwapSettings
from likeness.training.world import World
from likeness.types import Floats, Picture

_AT_ONCE = 32


class SwapLearner(Learner[SwapNet, Batch]):
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
        super().__init__(
            lambda: SwapNet(config),
            settings or SwapSettings(),
            share_of or (lambda step: step / max(1, plan_steps)),
            features,
            device,
            world,
        )
        self.config = config
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

    def stream(self) -> Iterator[Batch]:
        """Batches from the next step on, without end."""
        batches = self.batches.stream(self.steps, lambda step: self.settings.is_final(self.share_of(step)))
        return (batch for _, batch in batches)

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
