"""Structural similarity, at one scale and at several.

Wang, Bovik, Sheikh, Simoncelli 2004 ("Image quality assessment: from error visibility to structural
similarity") and Wang, Simoncelli, Bovik 2003 ("Multiscale structural similarity").
The window is the Gaussian of 11 px, σ = 1.5 px, of both papers, cut down where a picture is smaller.

Convention: pictures (batch, channels, h, w) float, 0 … 1; weights (batch, 1, h, w), 0 or more.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

WINDOW_PX, SIGMA_PX = 11, 1.5
C1, C2 = 0.01**2, 0.03**2
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Of MS-SSIM's five scales (2003, section 3.2), the finest first."""


def ssim_map(a: Tensor, b: Tensor, window_px: int = WINDOW_PX) -> tuple[Tensor, Tensor]:
    """SSIM at every place, and its part without luminance ("contrast and structure"); both (batch, c, h, w).

    Places at the border see the picture mirrored beyond it.
    """
    count = len(a)
    mean_a, aa, ab = torch.split(blur(torch.cat([a, a * a, a * b]), window_px), count)
    mean_b, bb = torch.split(blur(torch.cat([b, b * b]), window_px), count)
    cross, squares = mean_a * mean_b, mean_a * mean_a + mean_b * mean_b
    contrast = (2 * (ab - cross) + C2) / (aa + bb - squares + C2)
    return (2 * cross + C1) / (squares + C1) * contrast, contrast


def ssim(a: Tensor, b: Tensor, weight: Tensor | None = None, window_px: int = WINDOW_PX) -> Tensor:
    """Mean SSIM of each pair, (batch,); with `weight`, the weighted mean over places."""
    return _mean(ssim_map(a, b, window_px)[0], weight)


def ms_ssim(a: Tensor, b: Tensor, weight: Tensor | None = None) -> Tensor:
    """MS-SSIM of each pair, (batch,).

    As many of the five scales are used as a picture has room for (its smaller side stays at least 8 px);
    their weights are scaled to sum to 1.
    """
    levels = 1
    while levels < len(SCALE_WEIGHTS) and min(a.shape[-2:]) >> levels >= 8:
        levels += 1
    exponents = torch.tensor(SCALE_WEIGHTS[:levels], dtype=a.dtype, device=a.device)
    exponents = exponents / exponents.sum()
    whole = torch.ones(len(a), dtype=a.dtype, device=a.device)
    for level in range(levels):
        full, contrast = ssim_map(a, b)
        value = _mean(full if level == levels - 1 else contrast, weight)
        # A negative value has no real power; the customary way is to cut it off.
        whole = whole * value.clamp(min=1e-4) ** exponents[level]
        if level < levels - 1:
            a, b = F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)
            weight = None if weight is None else F.avg_pool2d(weight, 2)
    return whole


def _mean(values: Tensor, weight: Tensor | None) -> Tensor:
    if weight is None:
        return values.mean((1, 2, 3))
    total = weight.sum((1, 2, 3)).clamp(min=1e-6)
    return (values.mean(1, keepdim=True) * weight).sum((1, 2, 3)) / total


def blur(x: Tensor, window_px: int = WINDOW_PX) -> Tensor:
    """Every channel blurred by the Gaussian, mirrored at the border.

    Rows and columns are multiplied by a matrix that holds the window in each of its lines: for small pictures
    that is several times faster than a convolution channel by channel, and its gradient is as well.
    """
    down, across = (_bands(side, window_px, x) for side in x.shape[-2:])
    return down @ x @ across.T


def _bands(side: int, window_px: int, like: Tensor) -> Tensor:
    """(side, side): what each place of a line takes from every place of it."""
    half = min(window_px // 2, side - 1)
    reach = torch.arange(-half, half + 1, device=like.device)
    bell = torch.exp(-(reach.to(like.dtype) ** 2) / (2 * SIGMA_PX**2))
    at = (torch.arange(side, device=like.device)[:, None] + reach).abs()
    at = (side - 1) - ((side - 1) - at).abs()  # mirrored at the far end
    bands = torch.zeros(side, side, dtype=like.dtype, device=like.device)
    return bands.scatter_add_(1, at, (bell / bell.sum()).expand(side, -1).contiguous())
