"""What is said, and how high, to the mean and spread of a latent: the text encoder of VITS.

Kim, Kong and Son, "Conditional Variational Autoencoder with Adversarial Learning for End-to-End
Text-to-Speech", ICML 2021, with attention after Shaw, Uszkoreit and Vaswani, "Self-Attention with Relative
Position Representations", NAACL 2018. Where VITS embeds phonemes, RVC takes frames of a content model.

Convention: (batch, channels, frames). Module names are those of the published checkpoints.
"""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from likeness.nn.rvc_config import RvcConfig

WINDOW = 10
"""So many frames before and after its own a frame knows the distance of."""

_SLOPE = 0.1


class Prior(NamedTuple):
    """Of each frame's latent, (batch, inter_channels, frames): its mean, and the log of its deviation."""

    mean: Tensor
    log_scale: Tensor


class TextEncoder(nn.Module):
    """Frames of content, and their pitches, to a latent that names no speaker."""

    def __init__(self, config: RvcConfig) -> None:
        super().__init__()
        self.scale = sqrt(config.hidden_channels)
        self.emb_phone = nn.Linear(config.content_channels, config.hidden_channels)
        self.emb_pitch = Table(256, config.hidden_channels) if config.has_pitch else None
        self.encoder = AttentionStack(config)
        self.proj = nn.Conv1d(config.hidden_channels, 2 * config.inter_channels, 1)

    def forward(self, content: Tensor, pitch: Tensor | None) -> Prior:
        """(batch, frames, content_channels), and coarse pitches (batch, frames) int64, 1 … 255."""
        x = self.emb_phone(content)
        if self.emb_pitch is not None:
            x = x + self.emb_pitch(pitch)
        x = F.leaky_relu(x * self.scale, _SLOPE).transpose(1, 2)
        mean, log_scale = self.proj(self.encoder(x)).chunk(2, 1)
        return Prior(mean, log_scale)


class AttentionStack(nn.Module):
    """Layers of attention and of convolutions, each added to what it saw and normalised after that."""

    def __init__(self, config: RvcConfig) -> None:
        super().__init__()
        width, layers = config.hidden_channels, range(config.layers)
        self.attn_layers = nn.ModuleList(RelativeAttention(width, config.heads) for _ in layers)
        self.norm_layers_1 = nn.ModuleList(ChannelNorm(width) for _ in layers)
        self.ffn_layers = nn.ModuleList(
            FeedForward(width, config.filter_channels, config.kernel_size) for _ in layers
        )
        self.norm_layers_2 = nn.ModuleList(ChannelNorm(width) for _ in layers)

    def forward(self, x: Tensor) -> Tensor:
        layers = zip(self.attn_layers, self.norm_layers_1, self.ffn_layers, self.norm_layers_2, strict=True)
        for attention, first_norm, feed_forward, second_norm in layers:
            x = first_norm(x + attention(x))
            x = second_norm(x + feed_forward(x))
        return x


class RelativeAttention(nn.Module):
    """Self-attention in which keys and values know how many frames away they are, up to `WINDOW`.

    The vectors of the distances are shared by the heads; beyond the window there are none.
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        size = channels // heads
        self.conv_q, self.conv_k, self.conv_v, self.conv_o = (
            nn.Conv1d(channels, channels, 1) for _ in "qkvo"
        )
        self.emb_rel_k, self.emb_rel_v = (
            nn.Parameter(_uniform(1, 2 * WINDOW + 1, size, bound=sqrt(3 / size))) for _ in "kv"
        )

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (self._split(conv(x)) for conv in (self.conv_q, self.conv_k, self.conv_v))
        query = query / sqrt(query.shape[-1])
        frames = x.shape[-1]
        reach = min(WINDOW, frames - 1)
        offsets = range(-reach, reach + 1)
        scores = query @ key.transpose(-1, -2)
        by_distance = query @ self.emb_rel_k.transpose(-1, -2)
        for offset in offsets:
            rows = _rows(offset, frames)
            scores.diagonal(offset, -2, -1).add_(by_distance[..., rows, offset + WINDOW])
        weights = F.softmax(scores, -1)
        of_distance = torch.zeros_like(by_distance)
        for offset in offsets:
            of_distance[..., _rows(offset, frames), offset + WINDOW] = weights.diagonal(offset, -2, -1)
        seen = weights @ value + of_distance @ self.emb_rel_v
        out: Tensor = self.conv_o(seen.transpose(-1, -2).reshape(x.shape))
        return out

    def _split(self, x: Tensor) -> Tensor:
        """(batch, channels, frames) to (batch, heads, frames, size)."""
        batch, channels, frames = x.shape
        return x.view(batch, self.heads, channels // self.heads, frames).transpose(-1, -2)


class Table(nn.Embedding):
    """An embedding that starts uniform: normal numbers on the device "meta" make torch load its compiler."""

    def reset_parameters(self) -> None:
        nn.init.uniform_(self.weight, -sqrt(3), sqrt(3))


def _uniform(*shape: int, bound: float) -> Tensor:
    return torch.empty(shape).uniform_(-bound, bound)


def _rows(offset: int, frames: int) -> slice:
    """The queries i whose key i + offset exists."""
    return slice(max(0, -offset), frames - max(0, offset))


class FeedForward(nn.Module):
    """Two convolutions, which keep the number of frames."""

    def __init__(self, channels: int, filter_channels: int, kernel_size: int) -> None:
        super().__init__()
        self.padding = ((kernel_size - 1) // 2, kernel_size // 2)
        self.conv_1 = nn.Conv1d(channels, filter_channels, kernel_size)
        self.conv_2 = nn.Conv1d(filter_channels, channels, kernel_size)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv_1(F.pad(x, self.padding)))
        out: Tensor = self.conv_2(F.pad(x, self.padding))
        return out


class ChannelNorm(nn.Module):
    """Layer normalisation of each frame over its channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(channels))
        self.beta = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        normal = F.layer_norm(x.transpose(1, 2), self.gamma.shape, self.gamma, self.beta, 1e-5)
        return normal.transpose(1, 2)
