"""3 × 3 convolutions with a fraction of the multiplications (Lavin, Gray, "Fast Algorithms for Convolutional
Neural Networks", CVPR 2016).

Each tile of 4 × 4 results needs 36 multiplications a channel instead of 144. Results differ from a direct
convolution by rounding alone (about 1e-5 of their size).

For inference on a processor: features are (batch, channels, h, w) float32, best in `channels_last` memory.
"""

from __future__ import annotations

import math
import threading

import torch
from torch import Tensor, nn

STRIP = 1 << 20
"""About so many numbers are worked on at once, which stay in the processor's cache."""
OUT = 4
"""Side of the square of results that is computed at once."""

# Along one side: results = RESULT · ((WEIGHT · weights) × (INPUT · pixels)), "×" being number by number; a
# tile begins one pixel early. These are F(4, 3) by the points 0, ±3/4, ±3/2 and infinity, whose rounding
# errors are half those of the usual 0, ±1, ±2, as measured (why points matter: Barabasz et al., "Error
# analysis and improving the accuracy of Winograd convolution", 2020).
_A, _B = 0.75, 1.5
_BOTH, _SUM = _A**2 * _B**2, _A**2 + _B**2
_AT_A, _AT_B = 1 / (2 * _A**2 * (_A**2 - _B**2)), 1 / (2 * _B**2 * (_B**2 - _A**2))
INPUT = (
    (_BOTH, 0, -_SUM, 0, 1, 0),
    (0, -_A * _B**2, -(_B**2), _A, 1, 0),
    (0, _A * _B**2, -(_B**2), -_A, 1, 0),
    (0, -(_A**2) * _B, -(_A**2), _B, 1, 0),
    (0, _A**2 * _B, -(_A**2), -_B, 1, 0),
    (0, _BOTH, 0, -_SUM, 0, 1),
)
WEIGHT = (
    (1 / _BOTH, 0, 0),
    (_AT_A, _AT_A * _A, _AT_A * _A**2),
    (_AT_A, -_AT_A * _A, _AT_A * _A**2),
    (_AT_B, _AT_B * _B, _AT_B * _B**2),
    (_AT_B, -_AT_B * _B, _AT_B * _B**2),
    (0, 0, 1),
)
RESULT = (
    (1, 1, 1, 1, 1, 0),
    (0, _A, -_A, _B, -_B, 0),
    (0, _A**2, _A**2, _B**2, _B**2, 0),
    (0, _A**3, -(_A**3), _B**3, -(_B**3), 1),
)

# The same for pixels that were repeated: a tile a b b c c d has four different ones. Even and odd results are
# two convolutions with two weights each, F(2, 2), which need nothing but sums and differences.
INPUT_REPEATED = ((1, -1, 0, 0), (0, 1, 0, 0), (0, 1, -1, 0), (0, 1, -1, 0), (0, 0, 1, 0), (0, 0, 1, -1))
WEIGHT_REPEATED = ((1, 0, 0), (1, 1, 1), (0, 1, 1), (1, 1, 0), (1, 1, 1), (0, 0, 1))
RESULT_REPEATED = ((1, 1, 0, 0, 0, 0), (0, 0, 0, 1, 1, 0), (0, 1, -1, 0, 0, 0), (0, 0, 0, 0, 1, -1))


class Scratch(threading.local):
    """Memory that parts of one network work in, one after the other.

    Asking for it anew takes longer, and leaves holes between what others ask for meanwhile: over a long
    video, memory grew by half. Each thread has its own.
    """

    def __init__(self) -> None:
        self._kept: dict[str, Tensor] = {}

    def take(self, name: str, shape: tuple[int, ...], like: Tensor) -> Tensor:
        """A tensor of this shape with anything in it, valid until the name is asked for again."""
        count = math.prod(shape)
        kept = self._kept.get(name)
        if kept is None or kept.numel() < count:
            kept = self._kept[name] = like.new_empty(count)
        return kept[:count].view(shape)


class WinogradConv(nn.Module):
    """A 3 × 3 convolution with padding 1, before which every pixel may be repeated 2 × 2.

    Its result lies in the scratch memory, and is lost with the next convolution that shares it.

    Args:
        weight: (out, in, 3, 3).
        bias: (out,).
        repeat: the result has twice the size of the input.
        relu: what is below 0 becomes 0.
        scratch: may be shared by whatever runs one after the other.
    """

    weight: Tensor
    bias: Tensor
    into: Tensor
    back: Tensor

    def __init__(
        self,
        weight: Tensor,
        bias: Tensor,
        *,
        repeat: bool = False,
        relu: bool = False,
        scratch: Scratch | None = None,
    ) -> None:
        super().__init__()
        self._scratch = scratch or Scratch()
        matrices = (INPUT_REPEATED, WEIGHT_REPEATED, RESULT_REPEATED) if repeat else (INPUT, WEIGHT, RESULT)
        into, turn, back = (torch.tensor(rows, dtype=torch.float64) for rows in matrices)
        self.repeat, self.relu = repeat, relu
        self.tile, self.step = into.shape[1], OUT // 2 if repeat else OUT
        out, channels, _, _ = weight.shape
        flat = weight.permute(2, 3, 1, 0).reshape(9, -1).double()
        turned = (torch.kron(turn, turn) @ flat).float()
        self.register_buffer("weight", turned.view(-1, channels, out))
        self.register_buffer("bias", bias.detach().clone())
        # Both ways at once: a matrix over the tile's pixels, row after row.
        self.register_buffer("into", torch.kron(into, into).float())
        self.register_buffer("back", torch.kron(back, back).float())

    def forward(self, x: Tensor) -> Tensor:
        """(batch, in, h, w) to (batch, out, h, w), or (batch, out, 2 h, 2 w)."""
        batch, channels, height, width = x.shape
        rows, columns = -(-height // self.step), -(-width // self.step)
        tiles = self._cut(x, rows, columns)  # a copy: x itself may lie where the result will
        out = self._scratch.take("out", (batch, rows, OUT, columns, OUT, self.weight.shape[2]), x)
        strip = max(1, STRIP // (len(self.into) * columns * max(channels, out.shape[-1])))
        take, products, results = self._scratch.take, len(self.into), out.shape[-1]
        for image in range(batch):
            for top in range(0, rows, strip):
                part = tiles[:, :, image, top : top + strip]
                count = part.shape[2] * columns
                gathered = take("gathered", tuple(part.shape), x).copy_(part)
                inside = take("inside", (products, count * channels), x)
                torch.mm(self.into, gathered.view(self.tile**2, -1), out=inside)
                product = take("product", (products, count, results), x)
                torch.bmm(inside.view(products, count, channels), self.weight, out=product)
                back = take("back", (OUT * OUT, count * results), x)
                torch.mm(self.back, product.view(products, -1), out=back)
                result = back.view(OUT, OUT, part.shape[2], columns, results)
                torch.add(result.permute(2, 0, 3, 1, 4), self.bias, out=out[image, top : top + strip])
                if self.relu:  # now, while it is in the cache
                    out[image, top : top + strip].relu_()
        joined = out.view(batch, rows * OUT, columns * OUT, -1)
        size = 2 if self.repeat else 1
        # A view that torch knows as channels_last: the numbers already lie so.
        return joined[:, : height * size, : width * size].permute(0, 3, 1, 2)

    def _cut(self, x: Tensor, rows: int, columns: int) -> Tensor:
        """Overlapping tiles, (tile, tile, batch, rows, columns, channels); a view."""
        batch, channels, height, width = x.shape
        below = (rows - 1) * self.step + self.tile - 1 - height
        right = (columns - 1) * self.step + self.tile - 1 - width
        padded = self._scratch.take("padded", (batch, 1 + height + below, 1 + width + right, channels), x)
        for edge in (padded[:, 0], padded[:, 1 + height :], padded[:, :, 0], padded[:, :, 1 + width :]):
            edge.zero_()
        padded[:, 1 : 1 + height, 1 : 1 + width].copy_(x.permute(0, 2, 3, 1))
        image, row, column, _ = padded.stride()
        shape = (self.tile, self.tile, batch, rows, columns, channels)
        return padded.as_strided(shape, (row, column, image, row * self.step, column * self.step, 1))
