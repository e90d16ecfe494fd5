"""How loud: the course of the source's loudness given back to what was made of it, and no clipping."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from likeness.types import Floats

WINDOW = 100
"""Frames of 10 ms over which loudness is measured: a second, as RVC does."""

_PEAK = 0.99
_AROUND = 5  # frames
_MOST = 8.0  # times: more would only bring up what should be silent
_FLOOR = 1e-6


def follow_loudness(wave: Floats, source: Floats, mix: float) -> Floats:
    """The wave with the source's course of loudness, in part.

    Args:
        wave: (frames, samples) float32: what was made.
        source: (frames, other samples) float32: what it was made of, at any rate.
        mix: how much of the wave's own loudness stays: 1 = all of it, 0 = it is as loud as the source was.

    Returns:
        (frames, samples) float32.
    """
    if mix == 1:
        return wave
    wanted, has = _rms(source), np.maximum(_rms(wave), _FLOOR)
    gain = np.minimum((wanted / has) ** (1 - mix), _MOST)
    return (wave * _between_frames(gain, wave.shape[1])).astype(np.float32)


def limit(wave: Floats) -> Floats:
    """The wave (frames, samples) within −0.99…0.99: where it is louder, it is turned down for a moment."""
    peaks = np.abs(wave).max(1)
    if peaks.max(initial=0) <= _PEAK:
        return wave
    gain = np.pad(_PEAK / np.maximum(peaks, _PEAK), 2 * _AROUND + 1, "edge")
    # A frame further than it is smoothed, as the gain is on its way between the middles of frames.
    lowest = sliding_window_view(gain, 2 * _AROUND + 3).min(1)
    smooth = sliding_window_view(lowest, 2 * _AROUND + 1).mean(1)
    turned = wave * _between_frames(smooth, wave.shape[1])
    return np.clip(turned, -_PEAK, _PEAK).astype(np.float32)


def _rms(frames: Floats) -> NDArray[np.float64]:
    """Root of the mean square over a second around each frame; at the ends over what there is."""
    power = np.square(frames, dtype=np.float64).mean(1)
    total = np.concatenate(([0.0], np.cumsum(power)))
    at = np.arange(len(power))
    first, last = np.maximum(at - WINDOW // 2, 0), np.minimum(at + WINDOW // 2, len(power))
    return np.asarray(np.sqrt(np.maximum(total[last] - total[first], 0) / (last - first)))


def _between_frames(values: NDArray[np.float64], samples: int) -> NDArray[np.float64]:
    """(frames, samples): a value for each sample, on a line between the middles of frames."""
    frames = len(values)
    at = (np.arange(frames * samples) + 0.5) / samples - 0.5
    return np.interp(at, np.arange(frames), values).reshape(frames, samples)
