"""Finding the mark in sound again, after codecs, cuts, and changes of speed or tempo."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.disclosure.watermark.audio_tile import BANDS, CHIP_S, ROWS, band_edges_hz, flatten, layout
from likeness.disclosure.watermark.code import Decoded, decode
from likeness.types import Floats

MIN_PRESENCE_Z = 7.5
_RATE_HZ = 8000
_WINDOW, _HOP, _FFT = 256, 40, 512
_LOW_HZ, _HIGH_HZ = 270.0, 3850.0
_STEPS = 4  # places tried per chip
_PHASES = ROWS * _STEPS


class Warp(NamedTuple):
    speed: float
    tempo: float


@dataclass(frozen=True, slots=True)
class FoundSound:
    payload: int | None
    confidence: float
    z: float
    speed: float
    tempo: float
    at_s: float


class _Fit(NamedTuple):
    score: float
    warp: Warp
    phase: int
    folded: Floats


def features(sound: Floats, power=1.0, floor=0.2) -> Floats:
    """whitened log spectrogram, (frames, bins)"""
    pad = np.pad(sound, _WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(pad, _WINDOW)[::_HOP]
    lo, hi = (math.ceil(hz * _FFT / _RATE_HZ) for hz in (_LOW_HZ, _HIGH_HZ))
    window = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)
    spectra = np.fft.rfft(frames * window, _FFT)[:, lo:hi]
    p = (spectra.real**2 + spectra.imag**2).astype(np.float32)
    level = 10 * np.log10(p + p.mean() * 10**-4.2 + 1e-14)

    v, _ = flatten(level, _HOP / _RATE_HZ, _RATE_HZ / _FFT)
    t, f = v.shape
    tt, ff = cv2.getOptimalDFTSize(t), cv2.getOptimalDFTSize(f)
    fr = np.fft.rfft2(v, (tt, ff))
    psd = cv2.GaussianBlur((np.abs(fr) ** 2).astype(np.float32), (0, 0), 3, borderType=cv2.BORDER_REFLECT)
    amp = np.sqrt(psd)
    return np.fft.irfft2(fr / (amp + amp.max() * floor) ** power, (tt, ff))[:t, :f].astype(np.float32)


@cache
def band_sums(speed: float) -> Floats:
    """(bins, 40)"""
    lo, hi = (math.ceil(hz * _FFT / _RATE_HZ) for hz in (_LOW_HZ, _HIGH_HZ))
    hz = np.arange(lo, hi)[:, None] * (_RATE_HZ / _FFT)
    half = _RATE_HZ / _FFT / 2
    edges = band_edges_hz() * speed
    share = np.clip(np.minimum(hz + half, edges[1:]) - np.maximum(hz - half, edges[:-1]), 0, None)
    return (share / np.sqrt((share**2).sum(0) + 1e-9)).astype(np.float32)


@cache
def pilot_spectrum() -> Any:
    return np.conj(np.fft.rfft(np.repeat(layout().pilot, _STEPS, axis=0), axis=0))


class Plane:
    def __init__(self, sound: Floats, **kw) -> None:
        self.v = features(sound, **kw)
        self.q: dict[float, Floats] = {}

    def fold(self, warp: Warp) -> Floats:
        if warp.speed not in self.q:
            self.q[warp.speed] = self.v @ band_sums(warp.speed)
        q = self.q[warp.speed]
        place = (np.arange(len(q)) * (_HOP / _RATE_HZ / CHIP_S * _STEPS) * warp.tempo).astype(int)
        starts = np.flatnonzero(np.diff(place, prepend=-1))
        rounds = -(-(place[-1] + 1) // _PHASES)
        full = np.zeros((rounds * _PHASES, BANDS), np.float32)
        full[place[starts]] = np.add.reduceat(q, starts, axis=0)
        return full.reshape(rounds, _PHASES, BANDS).sum(0)

    def correlate(self, warp: Warp):
        folded = self.fold(warp)
        return folded, np.fft.irfft((np.fft.rfft(folded, axis=0) * pilot_spectrum()).sum(1), _PHASES)


DELTAS = np.round(np.arange(-0.036, 0.0361, 0.003), 4)


def search(sound: Floats, tries=4, **kw):
    plane = Plane(sound, **kw)
    warps = [Warp(1.0, 1.0)]
    warps += [Warp(1 + d, 1 + d) for d in DELTAS if d]
    warps += [Warp(1.0, 1 + d) for d in DELTAS if d]
    fits = []
    scores = []
    for w in warps:
        folded, c = plane.correlate(w)
        scores.append(c)
        fits.append([float(c.max()), w, int(c.argmax()), folded])
    sd = 1.4826 * np.median(np.abs(np.concatenate(scores)))
    fits.sort(key=lambda f: -f[0])
    best = None
    for f in fits[:tries]:
        score, w, phase, folded = f
        for st in (0.0015, 0.00075):
            for sg in (-1, 1):
                w2 = Warp(1.0 if (w.speed == 1 and w.tempo != 1) else w.speed + sg * st, w.tempo + sg * st)
                fo2, c = plane.correlate(w2)
                if c.max() > score:
                    score, w, phase, folded = float(c.max()), w2, int(c.argmax()), fo2
        chips = np.roll(folded, -phase, 0).reshape(ROWS, _STEPS, BANDS).sum(1)
        d = decode(layout().soft_bits(chips))
        r = (d, score / sd, w, phase)
        if best is None or (d.crc_ok, d.confidence) > (best[0].crc_ok, best[0].confidence):
            best = r
        if d.is_found:
            break
    return best, fits[0][0] / sd
