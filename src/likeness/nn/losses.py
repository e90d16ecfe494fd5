"""What the First Order Motion Model is trained to make small (Siarohin et al. 2019, section 3.3).

Every function gives a scalar: means over batch, channels and places, weighted and added up.

Convention: pictures (batch, 3, h, w), 0 … 1; a pyramid is such a picture by scale: {1: …, 0.5: …}.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from likeness.nn.blocks import shrink_or_not
from likeness.nn.discriminator import Judgement
from likeness.nn.fomm import Keypoints
from likeness.nn.thin_plate import ThinPlate


class Pyramid(nn.Module):
    """A picture at several scales, each shrunk from the full size without aliasing."""

    def __init__(self, scales: Sequence[float], channels: int = 3) -> None:
        super().__init__()
        self.scales = tuple(scales)
        self.shrinks = nn.ModuleList(shrink_or_not(channels, scale) for scale in self.scales)

    def forward(self, picture: Tensor) -> dict[float, Tensor]:
        return {scale: shrink(picture) for scale, shrink in zip(self.scales, self.shrinks, strict=True)}


class Features(Protocol):
    """What a perceptual loss compares: several maps of one picture."""

    def __call__(self, picture: Tensor) -> list[Tensor]: ...


def perceptual_loss(
    features: Features, made: dict[float, Tensor], real: dict[float, Tensor], weights: Sequence[float]
) -> Tensor:
    """Σ over scales and maps of weight · mean |features(made) - features(real)| (Johnson et al. 2016)."""
    total = made[max(made)].new_zeros(())
    for scale in made:
        with torch.no_grad():
            wanted = features(real[scale])
        for weight, a, b in zip(weights, features(made[scale]), wanted, strict=False):
            if weight:
                total = total + weight * (a - b).abs().mean()
    return total


class PlainFeatures(nn.Module):
    """Maps that need no trained weights: the picture itself, and how it changes to the right and downwards.

    The first keeps colours, the second keeps edges, which a mean of colours blurs (the gradient difference
    loss of Mathieu, Couprie, LeCun 2016). Together with a pyramid this is a multi-scale loss.
    """

    def forward(self, picture: Tensor) -> list[Tensor]:
        right = picture[..., :, 1:] - picture[..., :, :-1]
        down = picture[..., 1:, :] - picture[..., :-1, :]
        return [picture, right, down]


def equivariance_value_loss(points: Tensor, deformed: Tensor, transform: ThinPlate) -> Tensor:
    """mean |p - T(p')|: points (batch, k, 2) of a picture, and of what `transform.warp` made of it.

    The deformed picture shows at p' what the picture shows at T(p'), so a point found at p' belongs to T(p').
    """
    return (points - transform.move(deformed)).abs().mean()


def equivariance_jacobian_loss(keypoints: Keypoints, deformed: Keypoints, transform: ThinPlate) -> Tensor:
    """mean |1 - J⁻¹ T'(p') J'|, for the Jacobians J of the picture's and J' of the deformed one's points.

    Both sides should be equal; dividing by one of them keeps both from shrinking to zero.
    """
    assert keypoints.jacobian is not None
    assert deformed.jacobian is not None
    carried = transform.jacobian(deformed.value) @ deformed.jacobian
    product = torch.linalg.inv(keypoints.jacobian) @ carried
    loss: Tensor = (torch.eye(2, dtype=product.dtype, device=product.device) - product).abs().mean()
    return loss


def feature_matching_loss(
    made: Sequence[Judgement], real: Sequence[Judgement], weights: Sequence[float]
) -> Tensor:
    """Σ weight · mean |features of made - of real| in the discriminator's blocks (Wang et al. 2018)."""
    total = made[0].score.new_zeros(())
    for a, b in zip(made, real, strict=True):
        for weight, x, y in zip(weights, a.features, b.features, strict=False):
            if weight:
                total = total + weight * (x - y.detach()).abs().mean()
    return total


def generator_gan_loss(made: Sequence[Judgement]) -> Tensor:
    """Σ mean (1 - score)²: what is made should be taken for real (least squares, Mao et al. 2017)."""
    return torch.stack([((1 - judgement.score) ** 2).mean() for judgement in made]).sum()


def discriminator_gan_loss(made: Sequence[Judgement], real: Sequence[Judgement]) -> Tensor:
    """Σ mean (1 - score of real)² + (score of made)²."""
    parts = [((1 - b.score) ** 2).mean() + (a.score**2).mean() for a, b in zip(made, real, strict=True)]
    return torch.stack(parts).sum()
