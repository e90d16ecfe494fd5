"""What training a face swap makes small: both people's faces, given back unwarped by their own decoders."""

from __future__ import annotations

from torch import Tensor, nn

from likeness.nn.losses import perceptual_loss
from likeness.nn.ssim import ms_ssim, ssim
from likeness.nn.swap import Face
from likeness.training.swap.batches import Half
from likeness.training.swap.settings import LossWeights

MS_FROM_PX = 128
"""From this size on SSIM is taken at several scales."""
_VGG_MAPS = (1.0, 1.0, 1.0, 1.0, 1.0)


def face_losses(
    made: Face, half: Half, weights: LossWeights, features: nn.Module | None = None
) -> dict[str, Tensor]:
    """The weighted parts of one person's loss, by name; scalars.

    Args:
        features: VGG19's first layers, for the perceptual part; None leaves it out.
    """
    inside = half.mask * (1 + weights.eyes * half.eyes + weights.mouth * half.mouth)
    everywhere = inside + weights.background * (1 - half.mask)
    losses = {}
    if weights.l1:
        # A mean over pixels as they count, so that a large face and a small one weigh alike.
        difference = (made.rgb - half.target).abs().mean(1, keepdim=True) * everywhere
        losses["l1"] = weights.l1 * difference.sum() / everywhere.sum().clamp(min=1)
    if weights.ssim:
        compare = ms_ssim if half.target.shape[-1] >= MS_FROM_PX else ssim
        losses["ssim"] = weights.ssim * (1 - compare(made.rgb, half.target, inside)).mean() / 2
    if weights.mask:
        losses["mask"] = weights.mask * (made.mask - half.mask).abs().mean()
    if features is not None and weights.perceptual:
        pasted = made.rgb * half.mask + half.target * (1 - half.mask)
        scales = {1.0: pasted}, {1.0: half.target}
        losses["perceptual"] = weights.perceptual * perceptual_loss(features, *scales, _VGG_MAPS)
    return losses
