"""Adversarial refinement of a model that has learned: its decoders against a discriminator of patches.

A loss of differences is smallest for a mean of all that could be there, and a mean is soft. Here a
discriminator learns to tell filmed skin, eyes and lips from made ones, and the decoder learns to pass, with a
small weight beside the old loss (as faceswap-GAN and DeepFaceLab do once the plain model has converged).

The purpose is picture quality: sharper faces at the same size. The discriminator is made anew for each
refinement and thrown away; nothing is tuned against detectors of forgeries, and every output stays marked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Adam

from likeness.errors import UsageError
from likeness.nn.patch import (
    PatchJudge,
    deceive_loss,
    judge_loss,
    matching_loss,
    mean_score,
    total_variation,
)
from likeness.training.swap.batches import Half
from likeness.training.swap.learner import SwapLearner
from likeness.training.swap.losses import face_losses

BETAS = (0.5, 0.999)
"""Of Adam; as usual against a discriminator (Radford, Metz, Chintala 2016)."""
LAST_RATE = 0.05
"""What the learning rate falls to within a round."""


@dataclass(frozen=True, slots=True)
class RefineSettings:
    """How a model is refined.

    Attributes:
        adversarial: weight of being taken for filmed, beside the plain loss with weight 1.
        matching: weight of feature matching.
        variation: weight of total variation, against single bright dots.
        ssim: weight of SSIM in the plain loss, in place of the training's own. It holds what the
            discriminator adds to where there is such detail: with a tenth of it, SSIM falls below that of an
            unsharp mask, and with this it rises.
        learning_rate, judge_rate: of the decoder and of the discriminator. The decoder's falls to a twentieth
            within each round, so that what is measured has come to rest.
        judge_first: the discriminator learns alone for so many steps of a refinement.
        batch_size: faces in a step.
        warp: as in `Augmentation`: what the encoder and the discriminator are given is bent by so much.
        ssim_tolerance, identity_tolerance: a round after which SSIM has fallen, or the identity's distance
            grown, by more than this since before the refinement is rolled back.
        ssim_slip: after the first round SSIM may not fall by more than this from one kept round to the next:
            few faces are learned by heart by then, and become sharp in the wrong places.
        least_gain: by so much sharpness has to come closer to 1, or the gradient distance fall, for a round
            to count as a help.
        enough: it ends when sharpness has come nearer to that of real faces by this share of what it lacked.
            The rest would be detail that is made up, and likeness pays for it.
    """

    adversarial: float = 0.05
    matching: float = 0.05
    variation: float = 0.002
    ssim: float = 2.0
    learning_rate: float = 1e-3
    judge_rate: float = 1e-3
    judge_first: int = 50
    batch_size: int = 8
    warp: float = 0.005
    ssim_tolerance: float = 0.015
    identity_tolerance: float = 0.03
    ssim_slip: float = 0.002
    least_gain: float = 0.01
    enough: float = 0.75

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if not 0 <= value <= 1024:
                raise UsageError(f"The refinement's {name} is {value}.", "Give a number from 0 up.")


class Adversary:
    """Decoders of a learner, and a discriminator for each of them.

    The encoder stays as it is: what it makes of a face is pose, expression and light. Sharpness is the
    decoders' affair, and a decoder that is not refined goes on fitting the encoder.

    Args:
        sides: whose decoders are refined: "a", "b", or both.
    """

    def __init__(self, learner: SwapLearner, sides: tuple[str, ...], settings: RefineSettings) -> None:
        self.learner, self.sides, self.settings = learner, sides, settings
        self.weight = settings.adversarial
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(learner.settings.seed + 1)
            self.judges = nn.ModuleDict({side: PatchJudge(learner.config.size_px) for side in sides})
        self.judges.to(learner.device)
        self.decoders = nn.ModuleDict({side: learner.net.decoders[side] for side in sides})
        self.optimizer = Adam(self.decoders.parameters(), settings.learning_rate, BETAS)
        self.judge_optimizer = Adam(self.judges.parameters(), settings.judge_rate, BETAS)
        self.steps = 0

    def step(self, share: float = 0.0) -> dict[str, float]:
        """Learn from the next batch; returns the losses by name. Where they are not finite, nothing moved.

        Args:
            share: of the round that is done, 0 … 1: the learning rate goes by it.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.learning_rate * (1 - (1 - LAST_RATE) * share)
        told: dict[str, float] = {}
        for side in self.sides:
            half = self.learner.batches.half(side, self.learner.steps + self.steps)
            told |= self._step_side(side, half.to(self.learner.device))
        self.steps += 1
        return told

    def _step_side(self, side: str, half: Half) -> dict[str, float]:
        net, judge = self.learner.net, self.judges[side]
        with torch.no_grad():
            code = net.encoder(half.seen)
        made = net.decoders[side](code)
        pasted = made.rgb * half.mask + half.target * (1 - half.mask)
        loss = judge_loss(judge(pasted.detach(), half.seen), judge(half.target, half.seen), half.mask)
        told = {f"judge_{side}": loss.item()}
        if not _move(self.judge_optimizer, loss, self.learner.settings.clip_norm):
            return told | {f"judge_{side}": math.nan}
        if self.steps < self.settings.judge_first:
            return told
        for parameter in judge.parameters():
            parameter.requires_grad_(False)
        losses = face_losses(made, half, self.learner.settings.weights, self.learner.features)
        losses |= self._adversarial(judge, pasted, half)
        told |= {f"{name}_{side}": value.item() for name, value in losses.items()}
        total = torch.stack(list(losses.values())).sum()
        fine = _move(self.optimizer, total, self.learner.settings.clip_norm)
        for parameter in judge.parameters():
            parameter.requires_grad_(True)
        return told if fine else told | {f"total_{side}": math.nan}

    def _adversarial(self, judge: nn.Module, pasted: Tensor, half: Half) -> dict[str, Tensor]:
        verdict = judge(pasted, half.seen)
        with torch.no_grad():
            real = judge(half.target, half.seen)
        share = self.weight / self.settings.adversarial if self.settings.adversarial else 1.0
        return {
            "adversarial": self.weight * deceive_loss(verdict, half.mask),
            "matching": share * self.settings.matching * matching_loss(verdict, real),
            "variation": self.settings.variation * total_variation(pasted, half.mask),
        }

    def accuracy(self, side: str, made: Tensor, real: Tensor, mask: Tensor) -> float:
        """Share of these pictures that the discriminator knows for what they are; 0.5 = it sees nothing."""
        device = self.learner.device
        made, real, mask = made.to(device), real.to(device), mask.to(device)
        pasted = made * mask + real * (1 - mask)
        with torch.no_grad():
            takes_real = mean_score(self.judges[side](real, real), mask) > 0.5
            takes_made = mean_score(self.judges[side](pasted, real), mask) > 0.5
        return float(torch.cat([takes_real, ~takes_made]).float().mean())

    def state(self) -> dict[str, dict[str, Tensor]]:
        """Decoders and discriminators, to go back to."""
        nets = {"decoders": self.decoders, "judges": self.judges}
        return {name: {k: v.clone() for k, v in net.state_dict().items()} for name, net in nets.items()}

    def restore(self, state: dict[str, dict[str, Tensor]]) -> None:
        """Back to a `state`; the optimisers forget what led away from it."""
        self.decoders.load_state_dict(state["decoders"])
        self.judges.load_state_dict(state["judges"])
        settings = self.settings
        self.optimizer = Adam(self.decoders.parameters(), settings.learning_rate, BETAS)
        self.judge_optimizer = Adam(self.judges.parameters(), settings.judge_rate, BETAS)


def _move(optimizer: Adam, loss: Tensor, clip_norm: float) -> bool:
    """A step down the loss; False, and no step, where numbers end."""
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    norm = nn.utils.clip_grad_norm_(parameters, clip_norm)
    if not bool(torch.isfinite(norm)):
        return False
    optimizer.step()
    return True
