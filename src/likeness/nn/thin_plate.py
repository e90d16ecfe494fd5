"""Random smooth deformations of the plane, known exactly: what equivariance is trained with.

A thin-plate spline (Bookstein 1989, "Principal warps"): T(p) = A p + b + Σ wᵢ U(|p - cᵢ|), U(r) = r² log r,
with control points cᵢ on a grid. Siarohin et al. 2019, section 3.1, train the keypoint detector to find the
same points in a picture and in its deformation.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from likeness.nn.blocks import grid_of


@dataclass(frozen=True, slots=True)
class ThinPlateConfig:
    """How strong the deformations are.

    Attributes:
        sigma_affine: standard deviation of every number of A (from the identity) and of b.
        sigma_tps: of every wᵢ.
        points_tps: control points along each side.
    """

    sigma_affine: float = 0.05
    sigma_tps: float = 0.005
    points_tps: int = 5


@dataclass(frozen=True, slots=True)
class ThinPlate:
    """One deformation for each picture of a batch; coordinates (x, y), -1 … 1.

    Attributes:
        affine: (batch, 2, 3), A and b.
        weights: (batch, n, 2).
        control: (n, 2).
    """

    affine: Tensor
    weights: Tensor
    control: Tensor

    @classmethod
    def draw(
        cls, config: ThinPlateConfig, batch: int, *, generator: torch.Generator, like: Tensor
    ) -> ThinPlate:
        """A random one; all randomness comes from `generator` (of the processor)."""
        count = config.points_tps**2
        noise = torch.randn(batch, 2, 3, generator=generator) * config.sigma_affine
        weights = torch.randn(batch, count, 2, generator=generator) * config.sigma_tps
        control = grid_of(config.points_tps, config.points_tps, like).reshape(count, 2)
        return cls((torch.eye(2, 3) + noise).to(like), weights.to(like), control)

    def move(self, points: Tensor) -> Tensor:
        """T of points (batch, n, 2)."""
        offset = points[:, :, None] - self.control
        square = (offset**2).sum(-1)
        bend = _bend(square) @ self.weights
        return points @ self.affine[:, :, :2].mT + self.affine[:, None, :, 2] + bend

    def jacobian(self, points: Tensor) -> Tensor:
        """∂T/∂p at points (batch, n, 2): (batch, n, 2, 2), row = what moves, column = along which axis.

        The gradient of r² log r = ½ r² log r² is (log r² + 1) (p - c).
        """
        offset = points[:, :, None] - self.control
        square = (offset**2).sum(-1).clamp_min(1e-12)
        slope = (torch.log(square) + 1)[..., None] * offset
        bend = torch.einsum("bni,bpnj->bpij", self.weights, slope)
        return self.affine[:, None, :, :2] + bend

    def warp(self, pictures: Tensor) -> Tensor:
        """Pictures (batch, c, h, w) deformed: the result shows at p what the picture shows at T(p).

        What lies outside repeats the picture in a mirror, so that no border tells the detector anything.
        """
        height, width = pictures.shape[-2:]
        grid = grid_of(height, width, pictures).reshape(1, -1, 2).expand(len(pictures), -1, -1)
        field = self.move(grid).view(-1, height, width, 2)
        return F.grid_sample(pictures, field, padding_mode="reflection", align_corners=True)


def _bend(square: Tensor) -> Tensor:
    """r² log r from r²; 0 at 0."""
    return 0.5 * square * torch.log(square.clamp_min(1e-12))
