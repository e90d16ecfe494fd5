"""What the detector looks at: a spectrogram at 8 kHz from which nearly all of the sound itself is taken out.

The mark is a pattern of small gains, so it adds to the level in decibels, whatever the sound is. The sound's
own changes of level are the noise. They are slow, wide and regular where the pattern is none of this: what
can be predicted from the neighbourhood is taken away, and what is left is whitened.
"""

from __future__ import annotations

import math
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.disclosure.watermark.audio_tile import band_edges_hz
from likeness.types import Floats

VIEW_RATE_HZ = 8000
FRAME_S = 0.005

_HOP = round(FRAME_S * VIEW_RATE_HZ)
_WINDOW, _FFT = 384, 512
_BIN_HZ = VIEW_RATE_HZ / _FFT
_BINS = slice(math.ceil(270 / _BIN_HZ), math.ceil(3850 / _BIN_HZ))
DEEPEST = 10**-4.6  # of the mean power: what lies deeper is as good as silent
_SEGMENT = 64  # frames that are whitened together
_FFT_BINS = 240  # a little more than there are: 229 is a prime, which takes three times as long
_BLUR_BINS, _LEAST_AMPLITUDE = 1.5, 0.1
_ROOM = np.float32(10**-4.0)  # of the mean power, in each bin
_PAUSES, _OVER_NOISE = 0.1, 2.0  # the softest tenth is about half as strong as noise is on average


def to_view_rate(sound: Floats, rate_hz: int) -> Floats:
    """One channel, (n,) float32, at 8 kHz; through the spectrum, so that the ends should not matter."""
    if rate_hz == VIEW_RATE_HZ:
        return sound
    unit = rate_hz // math.gcd(rate_hz, VIEW_RATE_HZ)
    length = -(-len(sound) // unit) * unit
    wanted = length // unit * (VIEW_RATE_HZ * unit // rate_hz)
    spectrum = np.fft.rfft(sound, length)[: wanted // 2 + 1]
    slower = np.fft.irfft(spectrum, wanted) * (wanted / length)
    return slower[: len(sound) * VIEW_RATE_HZ // rate_hz].astype(np.float32)


def view(sound: Floats, floor: float = DEEPEST) -> Floats:
    """The pattern and what is left of the sound.

    Args:
        sound: (n,) float32 at 8 kHz, any level.
        floor: of the mean power; what lies deeper counts as silent.

    Returns:
        (frames, 229) float32, about 1 in size; frame k is centred on sample 40 k, bins are 15.6 Hz apart.
    """
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(sound, _WINDOW // 2), _WINDOW)[::_HOP]
    window = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)
    spectra = np.fft.rfft(frames * window, _FFT)[:, _BINS]
    power = (spectra.real**2 + spectra.imag**2).astype(np.float32)
    level_db = 10 * np.log10(power + power.mean() * np.float32(floor) + np.float32(1e-14))
    flat = level_db - _mean(level_db, 35, 1)
    flat = flat - _mean(flat, 1, 31)
    flat = np.clip(flat / np.sqrt(_mean(flat * flat, 41, 21) + 4), -2, 2)
    return _whiten(flat) * _share_of_sound(power)[:, None]


@cache
def band_weights(speed: float) -> Floats:
    """(229, 40) float32: which bins make up which band, of a sound played so many times too fast."""
    bins_hz = np.arange(_BINS.start, _BINS.stop)[:, None] * _BIN_HZ
    edges = band_edges_hz() * speed
    low, high = bins_hz - _BIN_HZ / 2, bins_hz + _BIN_HZ / 2
    shares = np.clip(np.minimum(high, edges[1:]) - np.maximum(low, edges[:-1]), 0, None)
    weights = np.asarray(shares / np.sqrt((shares**2).sum(0)), np.float32)
    weights.flags.writeable = False
    return weights


def sum_rows(bands: Floats, rows: NDArray[np.intp], count: int) -> Floats:
    """(count, 40): the frames added up by the row they belong to; `rows` never decreases."""
    starts = np.flatnonzero(np.diff(rows, prepend=-1))
    sums = np.zeros((count, bands.shape[1]), np.float32)
    sums[rows[starts]] = np.add.reduceat(bands, starts, axis=0)
    return sums


def _mean(values: Floats, frames: int, bins: int) -> Floats:
    return np.asarray(cv2.blur(values, (bins, frames), borderType=cv2.BORDER_REPLICATE), np.float32)


def _share_of_sound(power: Floats) -> Floats:
    """(n,) how much of each frame, 0…1, is more than steady noise, from (n, bins).

    Noise that was added later has no mark in it, but whitening makes the pauses that it fills as strong as
    what is said between them. In each bin the noise is taken to be what is left in the softest tenth of the
    time (after Martin, "Noise power spectral density estimation based on optimal smoothing and minimum
    statistics", IEEE Trans. Speech and Audio Processing 9, 2001), and the share is that of a Wiener filter.
    What is as soft as the noise of a room was in the recording when that was marked, and does count.
    """
    smooth = _mean(power, 5, 5)
    pauses = int(_PAUSES * len(smooth))
    noise = np.maximum(np.partition(smooth, pauses, axis=0)[pauses] - power.mean() * _ROOM, 0)
    shares = np.clip(1 - _OVER_NOISE * noise / (smooth + np.float32(1e-20)), 0, 1)
    return np.asarray(shares.mean(axis=1), np.float32)


def _whiten(flat: Floats) -> Floats:
    """Make all ripples equally strong, slow and fast, wide and narrow: segment by segment of 0.32 s, since
    the ripples of voices, their harmonics, change with pitch."""
    half = _SEGMENT // 2
    count = -(-len(flat) // half) + 1
    padded = np.zeros(((count + 1) * half, flat.shape[1]), np.float32)
    padded[half : half + len(flat)] = flat
    fade = np.sqrt(np.hanning(_SEGMENT + 1)[:-1]).astype(np.float32)[:, None]
    whitened = np.zeros_like(padded)
    for start in range(0, count * half, half):
        ripples = np.fft.rfft2(padded[start : start + _SEGMENT] * fade, (_SEGMENT, _FFT_BINS))
        power = (ripples.real**2 + ripples.imag**2).astype(np.float32)
        amplitude = np.sqrt(cv2.GaussianBlur(power, (0, 0), _BLUR_BINS, borderType=cv2.BORDER_REFLECT))
        ripples /= amplitude + (amplitude.max() * _LEAST_AMPLITUDE + 1e-9)
        flattened = np.fft.irfft2(ripples, (_SEGMENT, _FFT_BINS))[:, : flat.shape[1]]
        whitened[start : start + _SEGMENT] += flattened * fade
    return whitened[half : half + len(flat)]
