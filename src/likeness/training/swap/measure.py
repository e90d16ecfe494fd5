"""How good a model is, on faces that a refinement did not learn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, max_pool2d

from likeness.errors import ModelError
from likeness.faces import identity
from likeness.nn.ssim import blur, ssim
from likeness.training.swap.faces import Faces, draw_mask, to_cut
from likeness.types import Face, Floats, Picture

SCALES = 3
IDENTITY_FACES = 8
_CORE = 5
"""Px: so much of the mask's edge is left out where sharpness is measured, since the edge is no detail."""


@dataclass(frozen=True, slots=True)
class Quality:
    """One side's figures.

    Attributes:
        ssim: inside the mask, 1 = the same.
        gradient_distance: mean difference of how pictures change from pixel to pixel, at three scales, over
            that of the real one: 0 = the same, about 1 = flat. It stands for what people see as detail.
        sharpness: energy of fine detail inside the mask, over that of the real faces; 1 is as sharp.
        identity: median distance of the swapped face to the person's; None where it was not measured.
        judged: share of held-out pictures, real and made, that the discriminator knows for what they are;
            0.5 means that it sees nothing any more. None where there is no discriminator.
    """

    ssim: float
    gradient_distance: float
    sharpness: float
    identity: float | None = None
    judged: float | None = None


class Swaps(Protocol):
    """What is measured: `SwapLearner` is one."""

    def swap(self, pictures: Picture, to: str) -> tuple[Floats, Floats]: ...


def compare_faces(made: Tensor, real: Tensor, mask: Tensor) -> Quality:
    """Made and real faces, (n, 3, size, size), 0 … 1, inside the masks (n, 1, size, size)."""
    inside = -max_pool2d(-mask, _CORE, 1, _CORE // 2)
    pasted = made * mask + real * (1 - mask)
    return Quality(
        float(ssim(pasted, real, mask).mean()),
        gradient_distance(pasted, real, mask),
        sharpness(made, inside) / max(sharpness(real, inside), 1e-9),
    )


def gradient_distance(made: Tensor, real: Tensor, mask: Tensor) -> float:
    """Mean |∇made - ∇real| over mean |∇real| inside the mask, at several scales, and their mean."""
    found = []
    for _ in range(SCALES):
        apart = size = 0.0
        for axis in (-1, -2):
            a, b = torch.diff(made, dim=axis), torch.diff(real, dim=axis)
            weight = mask[..., : a.shape[-2], : a.shape[-1]]
            apart += float(((a - b).abs() * weight).sum())
            size += float((b.abs() * weight).sum())
        found.append(apart / max(size, 1e-9))
        made, real, mask = (avg_pool2d(one, 2) for one in (made, real, mask))
    return float(np.mean(found))


def sharpness(picture: Tensor, weight: Tensor) -> float:
    """Energy of what a Gaussian (σ = 1.5 px) takes away, where `weight` is 1."""
    detail = (picture - blur(picture)) ** 2
    return float((detail.mean(1, keepdim=True) * weight).sum() / weight.sum().clamp(min=1))


def measure_side(
    model: Swaps, faces: Faces, side: str, size_px: int
) -> tuple[Quality, Tensor, Tensor, Tensor]:
    """How one person's faces are given back; and made, real and mask as tensors."""
    squares = faces.squares(size_px)
    made = _as_tensor(model.swap(squares, side)[0])
    real = _as_tensor(squares.astype(np.float32) / np.float32(255))
    masks = np.stack([draw_mask(points, size_px) for points in faces.square_points(size_px)])
    mask = torch.from_numpy(masks.astype(np.float32) / 255)[:, None]
    return compare_faces(made, real, mask), made, real, mask


def measure_identity(
    model: Swaps, others: Faces, to: str, person: Floats | None, size_px: int
) -> float | None:
    """Median distance of others' faces, swapped and pasted into their pictures, to a person's embedding.

    None where the person's embedding is not known, or the network that measures it not at hand.
    """
    if person is None:
        return None
    chosen = np.unique(np.linspace(0, len(others) - 1, IDENTITY_FACES).round().astype(int))
    colours, masks = model.swap(others.squares(size_px, chosen.tolist()), to)
    unused = np.zeros(52, np.float32)
    looks = []
    for i, rgb, mask in zip(chosen, colours, masks, strict=True):
        points = np.zeros((478, 3), np.float32)
        points[:, :2] = others.points[i, :, :2]
        looks.append((paste(others.pictures[i], rgb, mask, others.zoom), Face(points, unused, 1.0)))
    try:
        found = identity.embed_faces(looks)
    except ModelError:
        return None
    return float(np.median([identity.distance(one, person) for one in found]))


def paste(cut: Picture, rgb: Floats, mask: Floats, zoom: float) -> Picture:
    """A made square in the cut that it was made of, without any finish; for measuring, **not sealed**."""
    side = cut.shape[0]
    matrix = to_cut(rgb.shape[0], side, zoom)
    shown = cv2.warpAffine(rgb, matrix, (side, side), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    share = np.clip(cv2.warpAffine(mask, matrix, (side, side), flags=cv2.INTER_LINEAR), 0, 1)[..., None]
    mixed = 255 * shown * share + cut * (1 - share)
    return np.asarray(np.clip(np.rint(mixed), 0, 255), np.uint8)


def _as_tensor(faces: Floats) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(faces)).permute(0, 3, 1, 2)
