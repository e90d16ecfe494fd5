"""Shaping a sound: its spectral envelope and its loudness, frame by frame, made those that are wanted.

A short-time Fourier transform is weighted and turned back (Allen and Rabiner, "A unified approach to
short-time Fourier analysis and synthesis", Proc. IEEE 65, 1977). What comes out has not quite the envelope
that was asked for, since neighbouring frames overlap; so it is measured and corrected once more.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from likeness.engines.voice.analysis import frame_energy
from likeness.engines.voice.envelope import BANDS, HOP, spectral_envelope
from likeness.nn.mel import mel_weights
from likeness.types import Floats

PASSES = 2
MAX_GAIN = 3.0
"""Nepers, 26 dB; further off than that a frame is of another sound, and would only be noise made loud."""
_MAX_LEVEL = 3.0  # nepers: how much louder or quieter a frame may become
_SILENT, _HEARD = -9.0, -7.0  # nepers of energy, where speech has −2.8: below the one nothing is shaped
_WINDOW = 4 * HOP


def shape(
    samples: Floats,
    wanted: Floats,
    f0_hz: Floats,
    voiced: Floats,
    energy: Floats,
    *,
    amount: Floats | float = 1.0,
    passes: int = PASSES,
) -> Floats:
    """Give a sound the wanted envelope, whatever its level, and the wanted energy.

    What is so quiet that it is no speech keeps its envelope.

    Args:
        samples: (n,) float32 at 16 kHz.
        wanted: (frames, bands) float32, nepers, as `envelope.spectral_envelope` gives it.
        f0_hz, voiced: (frames,) float32 of the sound.
        energy: (frames,) float32, nepers, as `analysis.frame_energy` gives it.
        amount: how much of the way to the wanted envelope is gone, 0…1; one number, or one for each frame.
        passes: how often it is measured and corrected.

    Returns:
        (n,) float32.
    """
    share = np.asarray(amount * np.clip((energy - _SILENT) / (_HEARD - _SILENT), 0, 1), np.float32)[:, None]
    gain, shaped = np.zeros_like(wanted), samples
    for _ in range(passes):
        missing = wanted - smooth(spectral_envelope(shaped, f0_hz, voiced), 0.7)
        gain = np.clip(gain + missing - missing.mean(1, keepdims=True), -MAX_GAIN, MAX_GAIN)
        shaped = match_energy(weigh_bands(samples, gain * share), energy)
    return shaped


def weigh_bands(samples: Floats, gains: Floats) -> Floats:
    """Amplify bands, frame by frame.

    Args:
        samples: (n,) float32 at 16 kHz.
        gains: (frames, bands) float32, nepers.

    Returns:
        (n,) float32.
    """
    return weigh_bins(samples, np.exp(gains @ mel_weights(BANDS, _WINDOW // 2 + 1)), _WINDOW)


def weigh_bins(samples: Floats, weights: Floats, window: int) -> Floats:
    """Weigh the short-time spectrum; one frame every quarter of a window, the first around sample 0.

    Args:
        samples: (n,) float32.
        weights: (frames, window // 2 + 1) float32; the last frame counts for what comes after it, too.
        window: length, samples; four hops.

    Returns:
        (n,) float32.
    """
    hop = window // 4
    # Every sample lies under four windows; those of the first begin three hops before it.
    frames = -(-len(samples) // hop) + 3
    hann = np.hanning(window + 1)[:-1].astype(np.float32)
    padded = np.pad(samples, (3 * hop, window))
    pieces = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop][:frames] * hann
    known = weights[np.clip(np.arange(frames) - 1, 0, len(weights) - 1)]
    shaped = np.fft.irfft(np.fft.rfft(pieces, axis=1) * known, window, axis=1).astype(np.float32) * hann
    total = np.zeros((frames + 3, hop), np.float32)
    for part in range(4):
        total[part : part + frames] += shaped[:, part * hop : (part + 1) * hop]
    # Four squared Hann windows add up to 3/2.
    return np.asarray(total.ravel()[3 * hop : 3 * hop + len(samples)] / 1.5, np.float32)


def match_energy(samples: Floats, energy: Floats) -> Floats:
    """Make a sound as loud as wanted, frame by frame, smoothly and within 26 dB.

    Args:
        samples: (n,) float32 at 16 kHz.
        energy: (frames,) float32, nepers, as `analysis.frame_energy` gives it.
    """
    gain = smooth(energy - frame_energy(samples, len(energy)), 2.0)
    gain = np.clip(gain, -_MAX_LEVEL, _MAX_LEVEL)
    return np.asarray(samples * np.exp(along(gain, len(samples))), np.float32)


def along(track: Floats, count: int, hop: int = HOP) -> NDArray[np.float64]:
    """A course of one value every `hop` samples, at each of `count` samples."""
    return np.asarray(np.interp(np.arange(count) / hop, np.arange(len(track)), track))


def smooth(rows: Floats, sigma: float) -> Floats:
    """Frames, smoothed along time by a Gaussian of `sigma` frames; the first and last go on for ever."""
    reach = max(1, int(3 * sigma + 0.5))
    kernel = np.exp(-0.5 * np.square(np.arange(-reach, reach + 1) / sigma))
    kernel /= kernel.sum()
    padded = np.pad(rows, [(reach, reach)] + [(0, 0)] * (rows.ndim - 1), mode="edge")
    total = np.zeros(rows.shape, np.float32)
    for place, share in enumerate(kernel):
        total += np.float32(share) * padded[place : place + len(rows)]
    return total
