"""The First Order Motion Model (Siarohin et al., "First Order Motion Model for Image Animation", 2019).

A driver moves a source in four steps, one class each:

    KeypointDetector   a picture → a few points, and how the picture is stretched around each (a Jacobian)
    DenseMotion        source, points of source and driver → where each pixel comes from, and what is hidden
    Generator          source features, warped so and with the hidden parts painted anew → the frame

Convention: coordinates are (x, y), -1 … 1; pictures (batch, 3, h, w), 0 … 1. Module names are those of the
published checkpoints.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from likeness.nn.blocks import (
    ConvBlock,
    DownBlock,
    Hourglass,
    ResidualBlock,
    UpBlock,
    grid_of,
    resize,
    shrink_or_not,
    widths_of,
)


@dataclass(frozen=True, slots=True)
class HourglassConfig:
    """Width of the first level, the most that any has, and how many halvings."""

    block_expansion: int
    max_features: int
    num_blocks: int


@dataclass(frozen=True, slots=True)
class FommConfig:
    """The dimensions of a model, under the names that its configuration file gives them."""

    num_kp: int
    num_channels: int
    estimate_jacobian: bool
    keypoints: HourglassConfig
    keypoint_scale: float
    temperature: float
    single_jacobian_map: bool
    pad: int
    block_expansion: int
    max_features: int
    num_down_blocks: int
    num_bottleneck_blocks: int
    estimate_occlusion_map: bool
    motion: HourglassConfig
    motion_scale: float
    kp_variance: float


class Keypoints(NamedTuple):
    """Points (batch, k, 2), and the Jacobian at each (batch, k, 2, 2), or None."""

    value: Tensor
    jacobian: Tensor | None


class Motion(NamedTuple):
    """What a driver's points say of every pixel.

    Attributes:
        field: (batch, h, w, 2): from where in the source each pixel comes, -1 … 1.
        occlusion: (batch, 1, h, w), 0 = hidden in the source, 1 = seen; or None.
        mask: (batch, k + 1, h, w): how much each point's motion counts; the first is the background's.
        warped: (batch, k + 1, 3, h, w): the source moved as each point says.
    """

    field: Tensor
    occlusion: Tensor | None
    mask: Tensor
    warped: Tensor


class KeypointDetector(nn.Module):
    """A picture to its points (section 3.1): the mean of a heat map each, and of a Jacobian map."""

    def __init__(self, config: FommConfig) -> None:
        super().__init__()
        self.config = config
        shape = config.keypoints
        self.predictor = Hourglass(
            shape.block_expansion, config.num_channels, shape.num_blocks, shape.max_features
        )
        channels = shape.block_expansion + config.num_channels
        self.kp = nn.Conv2d(channels, config.num_kp, 7, padding=config.pad)
        self.jacobian: nn.Conv2d | None = None
        if config.estimate_jacobian:
            maps = 1 if config.single_jacobian_map else config.num_kp
            self.jacobian = nn.Conv2d(channels, 4 * maps, 7, padding=config.pad)
            # Training begins with "nothing is stretched".
            nn.init.zeros_(self.jacobian.weight)
            with torch.no_grad():
                assert self.jacobian.bias is not None
                self.jacobian.bias.copy_(torch.tensor([1.0, 0.0, 0.0, 1.0] * maps))
        self.down = shrink_or_not(config.num_channels, config.keypoint_scale)

    def forward(self, picture: Tensor) -> Keypoints:
        """(batch, 3, h, w) to the points in it."""
        features = self.predictor(self.down(picture))
        logits = self.kp(features)
        batch, count, height, width = logits.shape
        heat = F.softmax(logits.flatten(2) / self.config.temperature, 2).view_as(logits)
        value = torch.einsum("bkhw,hwc->bkc", heat, grid_of(height, width, heat))
        if self.jacobian is None:
            return Keypoints(value, None)
        maps = self.jacobian(features).view(batch, -1, 4, height, width)
        jacobian = torch.einsum("bkhw,bkjhw->bkj", heat, maps.expand(-1, count, -1, -1, -1))
        return Keypoints(value, jacobian.view(batch, count, 2, 2))


class DenseMotion(nn.Module):
    """From sparse points to a motion of every pixel, and an occlusion map (section 3.2)."""

    def __init__(self, config: FommConfig, align_corners: bool) -> None:
        super().__init__()
        self.config, self.align_corners = config, align_corners
        shape, groups = config.motion, config.num_kp + 1
        channels_in = groups * (config.num_channels + 1)
        self.hourglass = Hourglass(shape.block_expansion, channels_in, shape.num_blocks, shape.max_features)
        channels = shape.block_expansion + channels_in
        self.mask = nn.Conv2d(channels, groups, 7, padding=3)
        self.occlusion: nn.Module | None = None
        if config.estimate_occlusion_map:
            self.occlusion = nn.Conv2d(channels, 1, 7, padding=3)
        self.down = shrink_or_not(config.num_channels, config.motion_scale)

    def shrink(self, source: Tensor) -> Tensor:
        """The source at the size at which motion is estimated; the same for all frames."""
        small: Tensor = self.down(source)
        return small

    def forward(self, small_source: Tensor, source: Keypoints, driving: Keypoints) -> Motion:
        """Args: (batch, 3, h, w) from `shrink`, and both pictures' points."""
        batch, channels, height, width = small_source.shape
        grid = grid_of(height, width, small_source)
        warps = _warps(grid, source, driving)
        groups = warps.shape[1]
        repeated = small_source[:, None].expand(-1, groups, -1, -1, -1).reshape(-1, channels, height, width)
        warped = F.grid_sample(repeated, warps.flatten(0, 1), align_corners=self.align_corners)
        warped = warped.view(batch, groups, channels, height, width)
        heat = self._heat(grid, driving.value) - self._heat(grid, source.value)
        heat = torch.cat([torch.zeros_like(heat[:, :1]), heat], 1)
        features = self.hourglass(torch.cat([heat[:, :, None], warped], 2).flatten(1, 2))
        mask = F.softmax(self.mask(features), 1)
        field = torch.einsum("bkhw,bkhwc->bhwc", mask, warps)
        occlusion = None if self.occlusion is None else torch.sigmoid(self.occlusion(features))
        return Motion(field, occlusion, mask, warped)

    def _heat(self, grid: Tensor, points: Tensor) -> Tensor:
        """(batch, k, h, w): a Gaussian at each point."""
        square = ((grid - points[:, :, None, None]) ** 2).sum(-1)
        return torch.exp(-square / (2 * self.config.kp_variance))


def _warps(grid: Tensor, source: Keypoints, driving: Keypoints) -> Tensor:
    """(batch, k + 1, h, w, 2): where pixels come from if all moves as the background, or as point k.

    Equation 4: p → Jₛ J_d⁻¹ (p - d) + s, the first order around each point; the background stands still.
    """
    offset = grid - driving.value[:, :, None, None]
    if source.jacobian is not None and driving.jacobian is not None:
        turn = source.jacobian @ torch.linalg.inv(driving.jacobian)
        offset = torch.einsum("bkij,bkhwj->bkhwi", turn, offset)
    moved = offset + source.value[:, :, None, None]
    return torch.cat([grid.expand(len(moved), 1, -1, -1, -1), moved], 1)


class Generator(nn.Module):
    """The frame: source features, warped, occluded and decoded (section 3.2)."""

    def __init__(self, config: FommConfig, align_corners: bool) -> None:
        super().__init__()
        self.config, self.align_corners = config, align_corners
        self.dense_motion_network = DenseMotion(config, align_corners)
        widths = widths_of(config.block_expansion, config.num_down_blocks, config.max_features)
        self.first: nn.Module = ConvBlock(config.num_channels, widths[0], 7)
        self.down_blocks = nn.ModuleList(DownBlock(a, b) for a, b in pairwise(widths))
        self.bottleneck = nn.Sequential()
        for i in range(config.num_bottleneck_blocks):
            self.bottleneck.add_module(f"r{i}", ResidualBlock(widths[-1]))
        back = widths[::-1]
        self.up_blocks = nn.ModuleList(UpBlock(a, b) for a, b in pairwise(back))
        self.final: nn.Module = nn.Conv2d(widths[0], config.num_channels, 7, padding=3)

    def encode(self, source: Tensor) -> Tensor:
        """(batch, 3, h, w) to its features; the same for all frames."""
        x: Tensor = self.first(source)
        for block in self.down_blocks:
            x = block(x)
        return x

    def decode(self, features: Tensor, motion: Motion) -> Tensor:
        """The frame (batch, 3, h, w) from the source's features and how they move."""
        height, width = features.shape[-2:]
        field = resize(motion.field.permute(0, 3, 1, 2), height, width).permute(0, 2, 3, 1)
        x = F.grid_sample(features, field, align_corners=self.align_corners)
        if motion.occlusion is not None:
            x = x * resize(motion.occlusion, height, width)
        x = self.bottleneck(x)
        for block in self.up_blocks:
            x = block(x)
        return torch.sigmoid(self.final(x))

    def forward(self, source: Tensor, source_points: Keypoints, driving_points: Keypoints) -> Tensor:
        """The source (batch, 3, h, w) moved from its points to the driver's."""
        small = self.dense_motion_network.shrink(source)
        motion = self.dense_motion_network(small, source_points, driving_points)
        return self.decode(self.encode(source), motion)
