"""The first blocks of a small conformer that hears phonemes: what is said, before it is named.

Gulati et al., "Conformer: Convolution-augmented Transformer for Speech Recognition", Interspeech 2020, with
plain self-attention (no relative positions) and batch norm folded into the convolutions.

Convention: (batch, frames, channels).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from likeness.nn.threads import spare_a_core
from likeness.types import Floats

WIDTH: Final = 144
HOP: Final = 160  # samples at 16 kHz of a frame of the spectrogram
STRIDE: Final = 2  # frames of the spectrogram for one of the conformer
_WINDOW, _MELS, _HEADS, _INNER, _KERNEL = 400, 80, 4, 576, 31
_FLOOR = 1e-10


class ContentEncoder(nn.Module):
    """Sound to what is said in it, 50 frames a second.

    Args:
        blocks: how many blocks of the conformer are kept.
    """

    def __init__(self, blocks: int) -> None:
        super().__init__()
        bins = _WINDOW // 2 + 1
        self.cosines = nn.Conv1d(1, bins, _WINDOW, HOP, bias=False)
        self.sines = nn.Conv1d(1, bins, _WINDOW, HOP, bias=False)
        self.mel = nn.Linear(bins, _MELS, bias=False)
        self.stem = nn.Conv1d(_MELS, WIDTH, 3, STRIDE, padding=1)
        self.blocks = nn.ModuleList(ConformerBlock() for _ in range(blocks))

    @classmethod
    def of(cls, weights: Mapping[str, Floats], *, blocks: int) -> Self:
        """The network with these weights, by the names of its parameters.

        Raises:
            RuntimeError: they do not fit.
        """
        encoder = cls(blocks)
        encoder.load_state_dict({name: torch.tensor(array) for name, array in weights.items()})
        return encoder.eval()

    def listen(self, samples: Floats) -> Floats:
        """As `forward`, of one recording: (n // 320 + 1, 144) float32 from (n,) float32."""
        with torch.inference_mode(), spare_a_core():
            return np.asarray(self(torch.from_numpy(np.ascontiguousarray(samples))[None])[0].numpy())

    def forward(self, samples: Tensor) -> Tensor:
        """(batch, n // 320 + 1, 144) from (batch, n > 200) samples; frame k is centred on sample 320 k."""
        padded = F.pad(samples[:, None], (_WINDOW // 2, _WINDOW // 2), mode="reflect")
        power = self.cosines(padded).square() + self.sines(padded).square()
        mel = self.mel(power.transpose(1, 2)).clamp_min(_FLOOR).log()
        x = F.gelu(self.stem(mel.transpose(1, 2))).transpose(1, 2)
        for block in self.blocks:
            x = block(x)
        return torch.as_tensor(x)


class ConformerBlock(nn.Module):
    """Half a feed-forward step, attention, convolution, the other half; section 2 of the paper."""

    def __init__(self) -> None:
        super().__init__()
        self.before, self.after = _feed_forward(), _feed_forward()
        self.attention_norm = nn.LayerNorm(WIDTH)
        self.project_in = nn.Linear(WIDTH, 3 * WIDTH)
        self.project_out = nn.Linear(WIDTH, WIDTH)
        self.convolution_norm = nn.LayerNorm(WIDTH)
        self.widen = nn.Linear(WIDTH, 2 * WIDTH)
        self.depthwise = nn.Conv1d(WIDTH, WIDTH, _KERNEL, padding=_KERNEL // 2, groups=WIDTH)
        self.narrow = nn.Linear(WIDTH, WIDTH)
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, frames, 144) from the same."""
        x = x + 0.5 * self.before(x)
        x = x + self._attend(self.attention_norm(x))
        gated = F.glu(self.widen(self.convolution_norm(x)), -1)
        mixed = self.depthwise(gated.transpose(1, 2)).transpose(1, 2)
        x = x + self.narrow(F.silu(mixed))
        x = x + 0.5 * self.after(x)
        return torch.as_tensor(self.norm(x))

    def _attend(self, x: Tensor) -> Tensor:
        batch, frames, _ = x.shape
        heads = self.project_in(x).reshape(batch, frames, 3, _HEADS, WIDTH // _HEADS)
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(query, key, value)
        return torch.as_tensor(self.project_out(seen.transpose(1, 2).reshape(batch, frames, WIDTH)))


def _feed_forward() -> nn.Sequential:
    return nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, _INNER), nn.SiLU(), nn.Linear(_INNER, WIDTH))
