"""A discriminator of patches, for refining a face swap: is this piece of skin, eye or lip filmed or made?

Isola et al. 2017 ("Image-to-image translation with conditional adversarial networks", section 3.2.2): it
judges patches and not faces, and it is conditional: beside the picture it sees what the networks were given,
so that a sharp face with the wrong expression does not pass. It is also shown the fine detail by itself: on
its own it needs hundreds of steps to find that this is where filmed and made faces differ, and with it sixty.
There is no norm in it; spectral norm made it blind to just that. It serves picture quality only, and nothing
of it is needed to swap.

Convention: pictures (batch, 3, size, size), 0 … 1.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from likeness.nn.ssim import blur

WIDTHS = (32, 64, 128)
SLOPE = 0.2
DETAIL_GAIN = 8.0
"""Detail is about an eighth as strong as the picture."""


class Verdict(NamedTuple):
    """What the discriminator says.

    Attributes:
        score: (batch, 1, h, w), one for each patch: 1 = filmed, 0 = made.
        features: of each layer, for feature matching.
    """

    score: Tensor
    features: tuple[Tensor, ...]


class PatchJudge(nn.Module):
    """Each halving sees twice as far: with three of them a patch is 38 px wide, the distance of the eyes at
    64 px. From 128 px on there is one halving more for each doubling."""

    def __init__(self, size_px: int) -> None:
        super().__init__()
        widths = [9, *WIDTHS]
        while size_px > 64:
            widths.append(min(256, 2 * widths[-1]))
            size_px //= 2
        layers = [nn.Conv2d(a, b, 4, 2, 1) for a, b in pairwise(widths)]
        for layer in layers:
            nn.init.kaiming_normal_(layer.weight, a=SLOPE)
        self.layers = nn.ModuleList(layers)
        self.score = nn.Conv2d(widths[-1], 1, 3, 1, 1)

    def forward(self, picture: Tensor, seen: Tensor) -> Verdict:
        """
        Args:
            picture: a face, filmed or made.
            seen: the warped face that it goes with.
        """
        detail = DETAIL_GAIN * (picture - blur(picture))
        x = torch.cat([2 * picture - 1, 2 * seen - 1, detail], 1)
        features = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), SLOPE)
            features.append(x)
        return Verdict(self.score(x), tuple(features))


def judge_loss(made: Verdict, real: Verdict, mask: Tensor) -> Tensor:
    """What the discriminator makes small: least squares (Mao et al. 2017), a scalar.

    Args:
        mask: (batch, 1, size, size), where the face is. Patches count as far as they show it: outside,
            filmed and made pictures are the same.
    """
    return (_inside((1 - real.score) ** 2, mask) + _inside(made.score**2, mask)) / 2


def deceive_loss(made: Verdict, mask: Tensor) -> Tensor:
    """What the decoder makes small: what it makes should be taken for filmed; a scalar."""
    return _inside((1 - made.score) ** 2, mask)


def mean_score(verdict: Verdict, mask: Tensor) -> Tensor:
    """What is said of each face as a whole, (batch,)."""
    share = _shrink(mask, verdict.score)
    return (verdict.score * share).sum((1, 2, 3)) / share.sum((1, 2, 3)).clamp(min=1e-6)


def _shrink(mask: Tensor, like: Tensor) -> Tensor:
    height, width = like.shape[-2:]
    return F.adaptive_avg_pool2d(mask, (height, width))


def _inside(values: Tensor, mask: Tensor) -> Tensor:
    share = _shrink(mask, values)
    return (values * share).sum() / share.sum().clamp(min=1e-6)


def matching_loss(made: Verdict, real: Verdict) -> Tensor:
    """Mean difference of the features (Wang et al. 2018, section 3.2), a scalar."""
    pairs = zip(made.features, real.features, strict=True)
    return torch.stack([(a - b.detach()).abs().mean() for a, b in pairs]).mean()


def total_variation(picture: Tensor, weight: Tensor) -> Tensor:
    """How much neighbours differ where `weight` (batch, 1, h, w) is 1: it keeps single dots from shining."""
    across = (picture[..., :, 1:] - picture[..., :, :-1]).abs() * weight[..., :, 1:]
    down = (picture[..., 1:, :] - picture[..., :-1, :]).abs() * weight[..., 1:, :]
    return across.mean() + down.mean()
