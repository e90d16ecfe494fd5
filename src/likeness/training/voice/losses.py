"""How far made sound is from spoken sound.

Spectra of several resolutions (Yamamoto, Song and Kim, "Parallel WaveGAN", ICASSP 2020, section 2.2): the
difference of logarithms, which hears what is quiet, and spectral convergence, which hears what is loud. No
measure of who speaks is part of it.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

WINDOWS: Final = (256, 512, 1024, 2048)
"""Samples at 16 kHz; each resolution moves on by a third of its window."""
_FLOOR = 3e-4  # amplitude for a sound of level 1, below which nobody hears a difference
_CONVERGENCE = 0.5


def spectral_loss(made: Tensor, spoken: Tensor) -> Tensor:
    """A number, 0 for equal sound, from two (batch, samples).

    Phases do not count: those of a voice are not those of pulses through a filter.
    """
    total = made.new_zeros(())
    for window in WINDOWS:
        one, other = _amplitude(made, window), _amplitude(spoken, window)
        logs = ((one + _FLOOR).log() - (other + _FLOOR).log()).abs().mean()
        convergence = torch.linalg.vector_norm(one - other) / (torch.linalg.vector_norm(other) + _FLOOR)
        total = total + logs + _CONVERGENCE * convergence
    return total / len(WINDOWS)


def _amplitude(sound: Tensor, window: int) -> Tensor:
    """(batch, bins, frames); white noise of level 1 has an amplitude of about 1."""
    hann = torch.hann_window(window)
    spectrum = torch.stft(sound, window, window // 3, window=hann, return_complex=True)
    # The root of the square at 0 has no slope.
    amplitude = (spectrum.real.square() + spectrum.imag.square() + 1e-12).sqrt()
    return torch.as_tensor(amplitude / (0.375 * window) ** 0.5)
