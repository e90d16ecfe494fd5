"""VGG19's first layers, whose features compare pictures more like people do (Johnson et al. 2016).

Simonyan, Zisserman 2015, configuration E. No weights are shipped: whoever trains supplies the tensors, under
the names that are customary for them: `features.0.weight` … `features.28.bias`.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

STAGES = ((64, 64), (128, 128), (256,) * 4, (512,) * 4, (512,))
"""Channels of the convolutions, a pooling between stages; no layer after the first of the fifth is used."""
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet, which customary weights were trained with."""


class VggFeatures(nn.Module):
    """A picture (batch, 3, h, w), 0 … 1, to five maps: after the first convolution of each stage.

    Of a picture smaller than 16 px there are fewer.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.ModuleDict()
        self.register_buffer("mean", torch.tensor(MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("spread", torch.tensor(SPREAD).view(3, 1, 1), persistent=False)
        widths = [3, *(width for stage in STAGES for width in stage)]
        for name, (before, after) in zip(layer_numbers(), pairwise(widths), strict=True):
            self.features[name] = nn.Conv2d(before, after, 3, padding=1)

    def forward(self, picture: Tensor) -> list[Tensor]:
        x = (picture - self.mean) / self.spread
        layers = iter(self.features.values())
        found = []
        for i, stage in enumerate(STAGES):
            if i:
                if min(x.shape[-2:]) < 2:
                    break  # a small picture of a pyramid has no fifth map
                x = F.max_pool2d(x, 2)
            for j in range(len(stage)):
                x = F.relu(next(layers)(x))
                if j == 0:
                    found.append(x)
        return found


def layer_numbers() -> list[str]:
    """Where the convolutions stand when ReLUs and poolings are counted too: 0, 2, 5, 7, 10 …"""
    numbers, position = [], 0
    for stage in STAGES:
        for _ in stage:
            numbers.append(str(position))
            position += 2
        position += 1
    return numbers


def build_vgg(tensors: Mapping[str, Tensor]) -> VggFeatures:
    """The layers from the tensors of a whole VGG19; what is not needed of them is left out.

    Raises:
        KeyError: a tensor is missing.
        RuntimeError: one has another shape.
    """
    net = VggFeatures()
    wanted = net.state_dict()
    net.load_state_dict({name: tensors[name].float() for name in wanted})
    return net.requires_grad_(False).eval()
