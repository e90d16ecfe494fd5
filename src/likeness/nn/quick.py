"""The First Order Motion Model, the same function, computed faster on a processor.

Batch norm is folded into the convolutions beside it, 3 × 3 convolutions of many channels on large maps use
fewer multiplications (`winograd.py`), those on small maps have their weights laid out once as oneDNN wants
them, and the last convolution, of three results only, becomes one matrix product. What does not change from
frame to frame (`Generator.encode`, `DenseMotion.shrink`) is for the caller to compute once. For inference
only.
"""

from __future__ import annotations

from copy import deepcopy
from itertools import chain, product
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from likeness.nn.blocks import ConvBlock, DownBlock, Hourglass, ResidualBlock, UpBlock
from likeness.nn.fomm import Generator, KeypointDetector
from likeness.nn.winograd import Scratch, WinogradConv

MANY_CHANNELS = 32
"""Convolutions from or to fewer channels gain nothing."""
LARGE_PX = 32
"""On maps of a smaller side, reading the larger weights costs more than is saved."""
STRIP_ROWS = 32
"""The last convolution works on so many rows at once, which stay in the processor's cache."""

_Net = TypeVar("_Net", bound=nn.Module)


def quicken_generator(generator: Generator, side_px: int) -> Generator:
    """The same generator, faster, for pictures of about this side; what it was made from stays as it is."""
    quick, config, scratch = _share(generator), generator.config, Scratch()
    motion = quick.dense_motion_network
    motion.hourglass = _quicken_hourglass(motion.hourglass, round(side_px * config.motion_scale), scratch)
    if isinstance(motion.occlusion, nn.Conv2d):
        motion.occlusion = FewChannels(motion.occlusion, scratch)
    quick.first = QuickBlock(generator.first, side_px, scratch)
    quick.down_blocks = nn.ModuleList(
        QuickBlock(block, side_px // 2**i, scratch) for i, block in enumerate(generator.down_blocks)
    )
    deep_px = side_px // 2**config.num_down_blocks
    quick.bottleneck = nn.Sequential(
        *(QuickResidual(block, deep_px, scratch) for block in generator.bottleneck)
    )
    quick.up_blocks = nn.ModuleList(
        QuickBlock(block, deep_px * 2 ** (i + 1), scratch) for i, block in enumerate(generator.up_blocks)
    )
    assert isinstance(generator.final, nn.Conv2d)
    quick.final = FewChannels(generator.final, scratch)
    return quick


def quicken_detector(detector: KeypointDetector, side_px: int) -> KeypointDetector:
    """The same for the keypoint detector."""
    quick = _share(detector)
    quick.predictor = _quicken_hourglass(
        quick.predictor, round(side_px * detector.config.keypoint_scale), Scratch()
    )
    return quick


def _share(net: _Net) -> _Net:
    """A copy whose parts can be replaced, with the very same tensors."""
    return deepcopy(net, {id(tensor): tensor for tensor in chain(net.parameters(), net.buffers())})


def _quicken_hourglass(hourglass: Hourglass, side_px: int, scratch: Scratch) -> Hourglass:
    down, up = hourglass.encoder.down_blocks, hourglass.decoder.up_blocks
    hourglass.encoder.down_blocks = nn.ModuleList(
        QuickBlock(block, side_px // 2**i, scratch) for i, block in enumerate(down)
    )
    hourglass.decoder.up_blocks = nn.ModuleList(
        QuickBlock(block, side_px // 2 ** (len(up) - 1 - i), scratch) for i, block in enumerate(up)
    )
    return hourglass


class QuickBlock(nn.Module):
    """A `ConvBlock`, `DownBlock` or `UpBlock` with its norm folded in.

    Args:
        side_px: of the map that its convolution makes.
    """

    def __init__(self, block: nn.Module, side_px: int, scratch: Scratch) -> None:
        super().__init__()
        assert isinstance(block, ConvBlock)
        self.halves, doubles = isinstance(block, DownBlock), isinstance(block, UpBlock)
        self.conv = _convolution(*fold(block.conv, block.norm), side_px, scratch, repeat=doubles, relu=True)
        self.doubles = doubles and not isinstance(self.conv, WinogradConv)

    def forward(self, x: Tensor) -> Tensor:
        if self.doubles:
            x = F.interpolate(x, scale_factor=2.0)
        x = self.conv(x)
        return F.avg_pool2d(x, 2) if self.halves else x


class QuickResidual(nn.Module):
    """A `ResidualBlock` whose second norm is folded into its first convolution; it overwrites its input."""

    scale: Tensor
    shift: Tensor

    def __init__(self, block: nn.Module, side_px: int, scratch: Scratch) -> None:
        super().__init__()
        assert isinstance(block, ResidualBlock)
        scale, shift = _line(block.norm1)
        self.register_buffer("scale", scale[:, None, None])
        self.register_buffer("shift", shift[:, None, None])
        self._scratch = scratch
        self.conv1 = _convolution(*fold(block.conv1, block.norm2), side_px, scratch, relu=True)
        self.conv2 = _convolution(block.conv2.weight, _bias(block.conv2), side_px, scratch)

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        y = self._scratch.take("normed", (batch, height, width, channels), x).permute(0, 3, 1, 2)
        torch.addcmul(self.shift, x, self.scale, out=y).relu_()
        return x.add_(self.conv2(self.conv1(y)))


class FewChannels(nn.Module):
    """A convolution with few results: all its taps in one matrix product, then added where they belong."""

    taps: Tensor
    bias: Tensor

    def __init__(self, conv: nn.Conv2d, scratch: Scratch) -> None:
        super().__init__()
        self._scratch = scratch
        self.kernel, self.out = conv.kernel_size[0], conv.out_channels
        # What a pixel gives to its neighbours is the mirror of what it takes from them. (out · k · k, in).
        self.register_buffer("taps", conv.weight.flip(2, 3).permute(0, 2, 3, 1).flatten(0, 2).contiguous())
        self.register_buffer("bias", _bias(conv)[:, None, None].clone())

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        reach = self.kernel // 2
        rows = x.permute(0, 2, 3, 1)
        out = x.new_zeros(batch, self.out, height + 2 * reach, width + 2 * reach)
        for image in range(batch):
            for top in range(0, height, STRIP_ROWS):
                strip = rows[image, top : top + STRIP_ROWS]
                given = self._scratch.take("given", (len(self.taps), len(strip) * width), x)
                torch.mm(self.taps, strip.reshape(-1, channels).T, out=given)
                taps = given.view(self.out, self.kernel, self.kernel, len(strip), width)
                for down, right in product(range(self.kernel), repeat=2):
                    first = top + down
                    out[image, :, first : first + len(strip), right : right + width] += taps[:, down, right]
        return out[:, :, reach : reach + height, reach : reach + width] + self.bias


class PackedConv(nn.Module):
    """A convolution that keeps the picture's size, its weights laid out as oneDNN wants them.

    A plain one lays them out anew for every frame, which for many channels on a small map takes longer than
    the multiplications; and it is spared a way of doing without that which is five times slower still. These
    are the operators that torch's own compiler uses for frozen networks; see `can_pack`.

    Args:
        weight: (out, in, k, k), k odd.
        bias: (out,).
        side_px: of the maps that it will see; others work, but slower.
        relu: what is below 0 becomes 0.
    """

    packed: Tensor
    bias: Tensor

    def __init__(self, weight: Tensor, bias: Tensor, side_px: int, *, relu: bool = False) -> None:
        super().__init__()
        self.after = "relu" if relu else "none"
        _, channels, kernel, _ = weight.shape
        self.padding = [kernel // 2] * 2
        size = [1, channels, side_px, side_px]
        packed = torch.ops.mkldnn._reorder_convolution_weight(
            weight.detach().contiguous(memory_format=torch.channels_last),
            self.padding, [1, 1], [1, 1], 1, size,
        )  # fmt: skip
        self.register_buffer("packed", packed)
        self.register_buffer("bias", bias.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        """(batch, in, h, w) to (batch, out, h, w)."""
        out: Tensor = torch.ops.mkldnn._convolution_pointwise(
            x, self.packed, self.bias, self.padding, [1, 1], [1, 1], 1, self.after, [], ""
        )
        return out


def can_pack() -> bool:
    """Whether this build of torch has what `PackedConv` needs."""
    needed = ("_reorder_convolution_weight", "_convolution_pointwise")
    there: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return there and all(hasattr(torch.ops.mkldnn, name) for name in needed)


def fold(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Weight and bias of the convolution that does what `conv` and then `norm` do."""
    scale, shift = _line(norm)
    return conv.weight * scale[:, None, None, None], _bias(conv) * scale + shift


def _line(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Scale and shift of each channel, (n,) each."""
    assert norm.running_mean is not None and norm.running_var is not None
    scale = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
    shift = norm.bias.double() - norm.running_mean.double() * scale
    return scale.float(), shift.float()


def _bias(conv: nn.Conv2d) -> Tensor:
    assert conv.bias is not None
    return conv.bias


def _convolution(
    weight: Tensor, bias: Tensor, side_px: int, scratch: Scratch, *, repeat: bool = False, relu: bool = False
) -> nn.Module:
    """The fastest way for a map of this side; all but `WinogradConv` leave the repeating to the caller."""
    out, into, kernel, _ = weight.shape
    if kernel == 3 and min(out, into) >= MANY_CHANNELS and side_px >= LARGE_PX:
        return WinogradConv(weight, bias, repeat=repeat, relu=relu, scratch=scratch)
    if can_pack():
        return PackedConv(weight, bias, side_px, relu=relu)
    with torch.device("meta"):
        conv = nn.Conv2d(into, out, kernel, padding=kernel // 2)
    conv.weight, conv.bias = nn.Parameter(weight, False), nn.Parameter(bias, False)
    conv.weight.data = weight.contiguous(memory_format=torch.channels_last)
    return nn.Sequential(conv, nn.ReLU(inplace=True)) if relu else conv
