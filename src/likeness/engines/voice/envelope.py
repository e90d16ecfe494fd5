"""The spectral envelope of a voice: what its harmonics are samples of.

Morise, "CheapTrick, a spectral envelope estimator for high-quality speech synthesis", Speech
Communication 67, 2015: a window of three periods, smoothing over two thirds of the pitch, and a
lifter that undoes the blur.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from likeness.nn.mel import mel_weights as mel_weights
from likeness.types import Floats

RATE_HZ: Final = 16_000
HOP: Final = 160
BANDS: Final = 48
"""Places on the mel scale, from 0 to 8000 Hz."""

_FFT = 1024
_BINS = _FFT // 2 + 1
_BIN_HZ = RATE_HZ / _FFT
_UNVOICED_HZ = 200.0  # decides the window where there is no pitch
_MIN_HZ, _MAX_HZ = 48.0, 1000.0  # three periods of a lower voice do not fit
_Q0, _Q1 = 1.18, -0.09  # of the lifter; equation 9
_FLOOR = 1e-10
_AT_ONCE = 512  # frames, so that memory stays flat


def spectral_envelope(samples: Floats, f0_hz: Floats, voiced: Floats) -> Floats:
    """The envelope in the middle of every frame of 10 ms.

    Args:
        samples: (160 n,) float32 at 16 kHz; frame k is centred on sample 160 k.
        f0_hz: (n,) float32 pitch.
        voiced: (n,) float32, 0…1; pitch counts from 0.5 on.

    Returns:
        (n, 48) float32: natural logarithm of the amplitude that white noise of level 1 would have as 0, at
        places of equal distance on the mel scale. `nn.mel.mel_weights` leads back to frequencies.
    """
    padded = np.pad(samples.astype(np.float64), _FFT // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::HOP][: len(f0_hz)]
    period_hz = np.clip(np.where(voiced >= 0.5, f0_hz, _UNVOICED_HZ), _MIN_HZ, _MAX_HZ).astype(np.float64)
    to_mel = _means()
    pieces = [
        (0.5 * _log_power(frames[at : at + _AT_ONCE], period_hz[at : at + _AT_ONCE, None])) @ to_mel
        for at in range(0, len(f0_hz), _AT_ONCE)
    ]
    return np.concatenate([np.zeros((0, BANDS)), *pieces]).astype(np.float32)


@cache
def _means() -> NDArray[np.float64]:
    """(bins, bands): a mean around each place of the mel scale."""
    weights = mel_weights(BANDS, _BINS).astype(np.float64)
    return np.asarray((weights / weights.sum(1, keepdims=True)).T)


def _log_power(frames: NDArray[np.float64], f0_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """(k, bins) log power density of (k, 1024) frames at (k, 1) Hz."""
    time_s = (np.arange(_FFT) - _FFT // 2) / RATE_HZ
    inside = np.abs(time_s) <= 1.5 / f0_hz
    window = np.where(inside, 0.5 + 0.5 * np.cos(2 * np.pi / 3 * time_s * f0_hz), 0)
    window /= np.sqrt(np.square(window).sum(1, keepdims=True))
    cut = frames * window
    cut -= window * (cut.sum(1, keepdims=True) / window.sum(1, keepdims=True))
    power = np.square(np.abs(np.fft.rfft(cut, axis=1)))
    smooth = _smooth(_fill_below(power, f0_hz), f0_hz * (2 / 3))
    return _lifter(np.log(np.maximum(smooth, _FLOOR)), f0_hz)


def _fill_below(power: NDArray[np.float64], f0_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Below the pitch, what lies above it is mirrored: there is no harmonic at 0 Hz."""
    bins = np.arange(_BINS)
    mirrored = np.clip(f0_hz / _BIN_HZ - bins, 0, _BINS - 1)
    return power + np.where(bins * _BIN_HZ < f0_hz, _at(power, mirrored), 0)


def _smooth(power: NDArray[np.float64], width_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean over so many Hz around every bin; the spectrum goes on as its own mirror image."""
    reach = 24  # bins: half of two thirds of 1000 Hz, and some
    padded = np.pad(power, ((0, 0), (reach, reach)), mode="reflect")
    total = np.pad(np.cumsum(0.5 * (padded[:, 1:] + padded[:, :-1]), axis=1), ((0, 0), (1, 0)))
    half = 0.5 * width_hz / _BIN_HZ
    bins = reach + np.arange(_BINS)
    return (_at(total, bins + half) - _at(total, bins - half)) / (2 * half)


def _lifter(log_power: NDArray[np.float64], f0_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Smoothing of the cepstrum below one period, and compensation (sections 2.3 and 2.4)."""
    cepstrum = np.fft.irfft(log_power, axis=1)[:, :_BINS]
    turns = f0_hz * np.arange(_BINS) / RATE_HZ
    cepstrum *= np.sinc(turns) * (_Q0 + 2 * _Q1 * np.cos(2 * np.pi * turns))
    whole = np.concatenate((cepstrum, cepstrum[:, -2:0:-1]), axis=1)
    return np.asarray(np.fft.rfft(whole, axis=1).real)


def _at(rows: NDArray[np.float64], place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each row at fractional places (k, bins), by straight lines."""
    place = np.broadcast_to(place, (len(rows), place.shape[-1]))
    below = np.minimum(place.astype(np.int64), rows.shape[1] - 2)
    low = np.take_along_axis(rows, below, 1)
    return np.asarray(low + (place - below) * (np.take_along_axis(rows, below + 1, 1) - low))
