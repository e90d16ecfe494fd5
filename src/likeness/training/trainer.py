"""One step of training a First Order Motion Model: losses, gradients, and two optimisers in turn.

Siarohin et al. 2019, section 3.3: a driving frame is made from another frame of the same clip and compared
with the true one; the detector is also asked to find the same points in a deformed driving frame.
"""

from __future__ import annotations

import math
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Adam

from likeness.nn.discriminator import Discriminator
from likeness.nn.fomm import Generator, KeypointDetector, Keypoints
from likeness.nn.losses import (
    Features,
    PlainFeatures,
    Pyramid,
    discriminator_gan_loss,
    equivariance_jacobian_loss,
    equivariance_value_loss,
    feature_matching_loss,
    generator_gan_loss,
    perceptual_loss,
)
from likeness.nn.thin_plate import ThinPlate
from likeness.training.outcome import Outcome
from likeness.training.pairs import Batch
from likeness.training.settings import Plan
from likeness.training.world import World

BETAS = (0.5, 0.999)
"""Of Adam; as usual against a discriminator (Radford, Metz, Chintala 2016)."""
DECAY = 0.1
"""What learning rates are multiplied with at a milestone."""


class FommTrainer:
    """The networks and their optimisers.

    Args:
        plan: from the configuration file; the same plan gives the same first weights.
        features: what the perceptual loss compares; None takes the weight-free maps.
        device: where it runs.
        world: the processes that train together.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        features: nn.Module | None = None,
        device: torch.device | str = "cpu",
        world: World | None = None,
    ) -> None:
        settings = plan.training
        self.plan, self.device, self.world = plan, torch.device(device), world or World()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            # The corner rule that `load_checkpoints` takes when it is told nothing.
            self.generator = Generator(plan.model, align_corners=True).to(self.device)
            self.kp_detector = KeypointDetector(plan.model).to(self.device)
            self.discriminator = Discriminator(plan.discriminator).to(self.device)
        self.features: Features = (features or PlainFeatures()).to(self.device)
        scales = sorted({*settings.scales, *plan.discriminator.scales}, reverse=True)
        self.pyramid = Pyramid(scales, plan.model.num_channels).to(self.device)
        self.optimizers = {
            "generator": Adam(self.generator.parameters(), settings.lr_generator, BETAS),
            "kp_detector": Adam(self.kp_detector.parameters(), settings.lr_kp_detector, BETAS),
            "discriminator": Adam(self.discriminator.parameters(), settings.lr_discriminator, BETAS),
        }
        self.uses_discriminator = bool(settings.weights.generator_gan)

    @property
    def networks(self) -> dict[str, nn.Module]:
        """By the names that they have in a checkpoint."""
        return {
            "generator": self.generator,
            "kp_detector": self.kp_detector,
            "discriminator": self.discriminator,
        }

    def set_epoch(self, epoch: int) -> None:
        """Set the learning rates of an epoch, counted from 0."""
        settings = self.plan.training
        factor = DECAY ** sum(epoch >= at for at in settings.epoch_milestones)
        for name, optimizer in self.optimizers.items():
            for group in optimizer.param_groups:
                group["lr"] = getattr(settings, f"lr_{name}") * factor

    def step(self, batch: Batch, number: int) -> Outcome:
        """Learn from one batch; `number` is the step's, from which its deformation is drawn.

        Where a loss or gradient is not finite, the networks that it would move stay as they are, and the
        outcome says so.
        """
        for network in self.networks.values():
            network.train()
        source, driving = batch.source.to(self.device), batch.driving.to(self.device)
        losses, made, points = self._generator_losses(source, driving, number)
        first = self._move(("generator", "kp_detector"), losses)
        if not (self.uses_discriminator and first.is_finite):
            return first
        second = self._move(("discriminator",), self._discriminator_losses(made.detach(), driving, points))
        return Outcome(
            first.losses | {"discriminator": second.losses["total"]},
            first.gradient_norm if second.is_finite else second.gradient_norm,
        )

    def _generator_losses(
        self, source: Tensor, driving: Tensor, number: int
    ) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        weights, settings = self.plan.training.weights, self.plan.training
        source_points, points = self.kp_detector(source), self.kp_detector(driving)
        made = self.generator(source, source_points, points)
        made_pyramid, real_pyramid = self.pyramid(made), self.pyramid(driving)
        losses = {
            "perceptual": perceptual_loss(
                self.features,
                {scale: made_pyramid[scale] for scale in settings.scales},
                {scale: real_pyramid[scale] for scale in settings.scales},
                weights.perceptual,
            )
        }
        seen = points.value.detach()
        if self.uses_discriminator:
            judged = self.discriminator(made_pyramid, seen)
            losses["generator_gan"] = weights.generator_gan * generator_gan_loss(judged)
            if any(weights.feature_matching):
                with torch.no_grad():
                    real = self.discriminator(real_pyramid, seen)
                losses["feature_matching"] = feature_matching_loss(judged, real, weights.feature_matching)
        losses |= self._equivariance(driving, points, number)
        return losses, made, seen

    def _equivariance(self, driving: Tensor, points: Keypoints, number: int) -> dict[str, Tensor]:
        weights, settings = self.plan.training.weights, self.plan.training
        if not (weights.equivariance_value or weights.equivariance_jacobian):
            return {}
        # One generator for each step and process: nothing has to be kept to go on where a training stopped.
        seed = (settings.seed * 1_000_003 + number) * 1009 + self.world.rank
        chance = torch.Generator().manual_seed(seed % 2**63)
        transform = ThinPlate.draw(settings.transform, len(driving), generator=chance, like=driving)
        deformed = self.kp_detector(transform.warp(driving))
        losses = {}
        if weights.equivariance_value:
            loss = equivariance_value_loss(points.value, deformed.value, transform)
            losses["equivariance_value"] = weights.equivariance_value * loss
        if weights.equivariance_jacobian and points.jacobian is not None:
            loss = equivariance_jacobian_loss(points, deformed, transform)
            losses["equivariance_jacobian"] = weights.equivariance_jacobian * loss
        return losses

    def _discriminator_losses(self, made: Tensor, driving: Tensor, points: Tensor) -> dict[str, Tensor]:
        judged = self.discriminator(self.pyramid(made), points)
        real = self.discriminator(self.pyramid(driving), points)
        weight = self.plan.training.weights.discriminator_gan
        return {"discriminator_gan": weight * discriminator_gan_loss(judged, real)}

    def _move(self, names: tuple[str, ...], losses: dict[str, Tensor]) -> Outcome:
        """Let these networks take a step down the sum of the losses."""
        for optimizer in self.optimizers.values():
            optimizer.zero_grad(set_to_none=True)
        total = torch.stack(list(losses.values())).sum()
        total.backward()  # type: ignore[no-untyped-call]
        parameters = list(chain.from_iterable(self.networks[name].parameters() for name in names))
        mean = self.world.average(total, parameters)
        limit = self.plan.training.clip_norm or math.inf
        norm = nn.utils.clip_grad_norm_(parameters, limit)
        told = {name: float(loss.detach()) for name, loss in losses.items()} | {"total": float(mean)}
        outcome = Outcome(told, float(norm))
        # All processes come to the same answer: the norm and the mean are the same in all of them.
        if math.isfinite(outcome.gradient_norm) and math.isfinite(told["total"]):
            for name in names:
                self.optimizers[name].step()
        return outcome

    def state(self) -> dict[str, Any]:
        """Everything that is learned, in the layout of the published checkpoints."""
        networks = {name: network.state_dict() for name, network in self.networks.items()}
        return networks | {f"optimizer_{name}": opt.state_dict() for name, opt in self.optimizers.items()}

    def restore(self, state: dict[str, Any]) -> None:
        """The reverse of `state`.

        Raises:
            KeyError, RuntimeError, ValueError: it is another model's.
        """
        for name, network in self.networks.items():
            network.load_state_dict(state[name])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state[f"optimizer_{name}"])

    def make(self, source: Tensor, driving: Tensor) -> Tensor:
        """The source moved as the driver is, both (batch, 3, h, w); nothing is learned from it."""
        self.generator.eval()
        self.kp_detector.eval()
        with torch.no_grad():
            source, driving = source.to(self.device), driving.to(self.device)
            made: Tensor = self.generator(source, self.kp_detector(source), self.kp_detector(driving))
        return made.cpu()
