"""The synthesiser of RVC, "Retrieval-based Voice Conversion": VITS without its text, with a pitch.

What is said, and how high, becomes a wave in another's voice in three steps:

    TextEncoder   frames of content and pitch → mean and spread of a latent that names no speaker
    Flow          that latent → the latent of a speaker
    Decoder       the speaker's latent, and a sine of the pitch → the wave

Convention: frames are 10 ms. Module names are those of the published checkpoints.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from likeness.nn.rvc_config import RvcConfig
from likeness.nn.rvc_decoder import Decoder
from likeness.nn.rvc_encoder import Prior, Table, TextEncoder
from likeness.nn.rvc_flow import REACH, Flow

SPREAD = 0.66666
"""How much of the latent's deviation is used: less than all sounds cleaner."""


class RvcNet(nn.Module):
    """A voice model without its encoder of recordings, which only training needs."""

    def __init__(self, config: RvcConfig) -> None:
        super().__init__()
        self.config = config
        self.enc_p = TextEncoder(config)
        self.flow = Flow(config)
        self.dec = Decoder(config)
        self.emb_g = Table(config.speakers, config.speaker_channels)

    def forward(
        self,
        content: Tensor,
        pitch: Tensor | None,
        pitch_hz: Tensor | None,
        speaker: Tensor,
        *,
        latent_noise: Tensor | None = None,
        source_noise: Tensor | None = None,
        head: int = 0,
        length: int | None = None,
        phase: float = 0.0,
    ) -> Tensor:
        """The wave (batch, samples) of `length` frames from `head` on, -1 … 1.

        The frames before and after those are context: listened to, and not made into sound.

        Args:
            content: (batch, frames, content_channels).
            pitch: (batch, frames) int64, 1 … 255; None for models that take none, as is `pitch_hz`.
            pitch_hz: (batch, frames); 0 = unvoiced. Its sine begins at `head`.
            speaker: (batch,) int64.
            latent_noise: (batch, inter_channels, frames), of the normal distribution; None = none.
            source_noise: (batch, frames * samples_per_frame); as above.
            phase: of the sine at its beginning, cycles.
        """
        end = content.shape[1] if length is None else head + length
        who = self.emb_g(speaker)[..., None]
        prior = self.enc_p(content, pitch)
        latent = self.flow_from(prior, who, latent_noise, head)[..., : end - head]
        excitation = None
        if self.dec.m_source is not None and pitch_hz is not None:
            step = self.config.samples_per_frame
            noise = None if source_noise is None else source_noise[:, head * step : end * step]
            excitation = self.dec.m_source(pitch_hz[:, head:end], noise, phase)
        wave: Tensor = self.dec.decode(latent, who, excitation)[:, 0]
        return wave

    def flow_from(self, prior: Prior, who: Tensor, noise: Tensor | None, head: int = 0) -> Tensor:
        """The speaker's latent (batch, inter_channels, frames - head), from frame `head` on.

        Frames that are too early to be felt at `head` are not computed.
        """
        latent = prior.mean
        if noise is not None:
            latent = latent + torch.exp(prior.log_scale) * noise * SPREAD
        first = max(head - REACH, 0)
        out: Tensor = self.flow(latent[..., first:], who)
        return out[..., head - first :]
