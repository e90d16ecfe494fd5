"""Mel spectrogram, as `librosa.feature.melspectrogram` computes it (Slaney's scale and normalisation)."""

from __future__ import annotations

from functools import cache

import numpy as np

from likeness.types import Floats

_LINEAR_HZ, _LINEAR_PER_HZ, _OCTAVES_PER_MEL = 1000.0, 3 / 200, np.log(6.4) / 27


def mel_power(samples: Floats, rate_hz: int, *, window: int, hop: int, bands: int) -> Floats:
    """Power in bands that are even to the ear, not its logarithm.

    Args:
        samples: (n,) float32.
        rate_hz: their sampling rate.
        window, hop: length of the Hann window and distance of the frames, samples.
        bands: how many, from 0 Hz to half the rate.

    Returns:
        (1 + n // hop, bands) float32; frame k is centred on sample k · hop, silence beyond the ends.
    """
    padded = np.pad(samples, window // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    hann = np.hanning(window + 1)[:-1].astype(np.float32)
    spectrum = np.fft.rfft(frames * hann, axis=1).astype(np.complex64)
    return np.asarray((spectrum.real**2 + spectrum.imag**2) @ _filters(rate_hz, window, bands), np.float32)


@cache
def _filters(rate_hz: int, window: int, bands: int) -> Floats:
    """(window // 2 + 1, bands): triangles of equal area, Slaney, "Auditory Toolbox", 1998."""
    edges_hz = _to_hz(np.linspace(0.0, _to_mel(rate_hz / 2), bands + 2))
    bins_hz = np.arange(window // 2 + 1)[:, None] * (rate_hz / window)
    low, centre, high = edges_hz[:-2], edges_hz[1:-1], edges_hz[2:]
    rising, falling = (bins_hz - low) / (centre - low), (high - bins_hz) / (high - centre)
    return np.asarray(np.maximum(0, np.minimum(rising, falling)) * 2 / (high - low), np.float32)


def _to_mel(hz: float) -> float:
    if hz < _LINEAR_HZ:
        return hz * _LINEAR_PER_HZ
    return float(_LINEAR_HZ * _LINEAR_PER_HZ + np.log(hz / _LINEAR_HZ) / _OCTAVES_PER_MEL)


def _to_hz(mel: np.ndarray[tuple[int], np.dtype[np.float64]]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    bend = _LINEAR_HZ * _LINEAR_PER_HZ
    above = _LINEAR_HZ * np.exp(_OCTAVES_PER_MEL * (np.maximum(mel, bend) - bend))
    return np.where(mel < bend, mel / _LINEAR_PER_HZ, above)
