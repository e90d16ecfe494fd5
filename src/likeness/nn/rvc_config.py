"""The dimensions of a voice model of RVC."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod


@dataclass(frozen=True, slots=True)
class RvcConfig:
    """Dimensions; the order in the file is `engines.rvc.configuration`'s affair.

    Attributes:
        content_channels: numbers that tell what is said in a frame: 256 (version 1) or 768 (version 2).
        has_pitch: the model takes a pitch for each frame, and sings it with a sine source.
        inter_channels: of the latent that the flow turns into another voice.
        hidden_channels, filter_channels, heads, layers, kernel_size: of the text encoder.
        resblock_kernel_sizes, resblock_dilations: of the decoder's residual blocks, one of each per block.
        upsample_rates, upsample_kernel_sizes: of the decoder's stages.
        upsample_initial_channels: of the decoder before its first stage; each stage halves them.
        speakers: how many the model knows.
        speaker_channels: numbers that tell who speaks.
        sample_rate_hz: of the wave.
    """

    content_channels: int
    has_pitch: bool
    inter_channels: int
    hidden_channels: int
    filter_channels: int
    heads: int
    layers: int
    kernel_size: int
    resblock_kernel_sizes: tuple[int, ...]
    resblock_dilations: tuple[tuple[int, ...], ...]
    upsample_rates: tuple[int, ...]
    upsample_initial_channels: int
    upsample_kernel_sizes: tuple[int, ...]
    speakers: int
    speaker_channels: int
    sample_rate_hz: int

    @property
    def samples_per_frame(self) -> int:
        """A frame is 10 ms."""
        return prod(self.upsample_rates)
