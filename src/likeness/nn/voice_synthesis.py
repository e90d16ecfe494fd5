"""A voice as a source and its filters: pulses and noise, each through an envelope that moves, in torch.

The source-filter model with a mixed excitation, every frame a minimum-phase filter, as in Liu, Chen and Yu,
"Neural Homomorphic Vocoder", Interspeech 2020. Differentiable, so that envelopes can be learned from sound.

Convention: (batch, frames, bands) and (batch, samples) at 16 kHz, 160 samples a frame; frame k is centred on
sample 160 k.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from likeness.nn.mel import mel_weights

HOP: Final = 160
HARMONIC_BANDS: Final = 80
NOISE_BANDS: Final = 48
_FFT = 640  # a window of two hops, and as much again for the filter to ring out
_BINS = _FFT // 2 + 1
_LOWEST, _HIGHEST = -14.0, 7.0


class Synthesis(nn.Module):
    """Excitations and envelopes to sound. Nothing in it is learned."""

    window: Tensor
    harmonic: Tensor
    harmonic_phase: Tensor
    noise: Tensor
    noise_phase: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(2 * HOP), persistent=False)
        for name, bands in (("harmonic", HARMONIC_BANDS), ("noise", NOISE_BANDS)):
            magnitude, phase = minimum_phase(bands)
            self.register_buffer(name, magnitude, persistent=False)
            self.register_buffer(f"{name}_phase", phase, persistent=False)

    def forward(self, harmonic: Tensor, noise: Tensor, pulses: Tensor, hiss: Tensor) -> Tensor:
        """The sound (batch, 160 · frames).

        Args:
            harmonic: (batch, frames, 80) natural logarithm of the amplitude of the pulses' filter, at places
                on the mel scale (`nn.mel`).
            noise: (batch, frames, 48) the same for the noise.
            pulses, hiss: (batch, 160 · frames) excitations of effective value 1.
        """
        voiced = self._spectra(pulses) * _filters(harmonic, self.harmonic, self.harmonic_phase)
        whispered = self._spectra(hiss) * _filters(noise, self.noise, self.noise_phase)
        pieces = torch.fft.irfft(voiced + whispered, n=_FFT)
        return _overlap(pieces)[:, HOP : HOP + pulses.shape[1]]

    def _spectra(self, excitation: Tensor) -> Tensor:
        """(batch, frames + 1, bins): windows of 20 ms around the beginning and end of every frame."""
        frames = F.pad(excitation, (HOP, HOP)).unfold(1, 2 * HOP, HOP)
        return torch.as_tensor(torch.fft.rfft(frames * self.window, n=_FFT))


def minimum_phase(bands: int) -> tuple[Tensor, Tensor]:
    """Two (bands, bins) matrices that lead from log amplitudes on the mel scale to log amplitude and phase.

    The phase of a minimum-phase filter is the Hilbert transform of its log amplitude (Oppenheim and Schafer,
    "Discrete-Time Signal Processing", section 12.3), which is linear; so it is done once, by the cepstrum.
    """
    magnitude = mel_weights(bands, _BINS).astype(np.float64)
    fold = np.zeros(_FFT)
    fold[[0, _FFT // 2]] = 1
    fold[1 : _FFT // 2] = 2
    phase = np.fft.rfft(np.fft.irfft(magnitude, axis=1) * fold, axis=1).imag
    return torch.tensor(magnitude, dtype=torch.float32), torch.tensor(phase, dtype=torch.float32)


def _filters(bands: Tensor, magnitude: Tensor, phase: Tensor) -> Tensor:
    """(batch, frames + 1, bins) complex; the last frame twice, since there is one window more than frames."""
    bands = torch.cat((bands, bands[:, -1:]), 1).clamp(_LOWEST, _HIGHEST)
    return torch.polar((bands @ magnitude).exp(), bands @ phase)


def _overlap(pieces: Tensor) -> Tensor:
    """(batch, 160 · (frames + 3)) sum of (batch, frames, 640) pieces, each 160 samples after the last."""
    batch, frames, length = pieces.shape
    parts = pieces.reshape(batch, frames, length // HOP, HOP).unbind(2)
    last = len(parts) - 1
    shifted = [F.pad(part, (0, 0, number, last - number)) for number, part in enumerate(parts)]
    return torch.stack(shifted).sum(0).reshape(batch, -1)
