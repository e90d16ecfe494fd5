"""Marking sound, as a stream: gains of about a decibel, chip by chip, that listeners do not notice.

The sound is cut into overlapping frames of 32 ms (short-time Fourier transform with square-root Hann windows),
each band's bins are multiplied by the chip's gain, and the difference is added to the sound. So silence stays
silence, and what lies outside of 300…3700 Hz is untouched.

Ears forgive a change of 1.4 dB in noise and in speech, which vary by more than that all the time, but hear a
tone tremble that is held. So the gain follows how steady the band is by itself (`_strength`).

To the detector the sound itself is noise. But that noise is known here: what it will do to each coded bit is
computed tile by tile, and bits that it happens to hide get more gain than those that it happens to show
(informed embedding: Cox, Miller and McKellips, "Watermarking as communications with side information", Proc.
IEEE 87, 1999).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from likeness.disclosure.watermark.audio_tile import (
    BANDS,
    CHIP_S,
    ROWS,
    TILE_S,
    band_edges_hz,
    flatten,
    layout,
)
from likeness.disclosure.watermark.code import CODED_BITS, signs
from likeness.errors import UsageError
from likeness.types import Floats

MIN_RATE_HZ, MAX_RATE_HZ = 8000, 192_000

_GAIN_DB = 1.2
_LEAST, _MOST = 0.3, 2.0  # times that gain, by what the bit needs
_MEMORY = 0.5
_WANT = 1.0
_PUSH = 1.0
_SLOPE = 0.6
_FRAME_S = 0.032
_REACH = 12  # frames before and after, of 8 ms
_STEADY_DB, _RESTLESS_DB, _WEAKEST = 0.5, 2.0, 0.2
_GLIDE = 0.3  # of a chip: how long one gain takes to become the next
_FLOOR = 10**-4.2
_PILOT=1.3


class AudioMark:
    """Marks a stream of sound; memory does not grow with its length.

    What comes out is late by some three seconds, but in total exactly as long as what went in, and the same
    however the stream is cut into blocks.

    Args:
        rate_hz: sampling rate, 8000 and more.
        channels: how many channels each block has; all get the same gains.
        payload: 0…2³² − 1.

    Raises:
        UsageError: one of them is out of its range.
    """

    def __init__(self, rate_hz: int, channels: int, payload: int) -> None:
        if not (MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ and channels >= 1):
            raise UsageError(
                f"Sound with {channels} channels at {rate_hz} Hz cannot be marked.",
                f"Use a sampling rate of {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz and one channel or more.",
            )
        self._channels = channels
        self._hop = round(rate_hz * _FRAME_S / 4)
        self._hop_s = self._hop / rate_hz
        self._window = np.sqrt(np.hanning(4 * self._hop + 1)[:-1] / 2).astype(np.float32)
        bins_hz = np.arange(2 * self._hop + 1) * rate_hz / (4 * self._hop)
        self._bin_hz = float(bins_hz[1])
        edges = np.searchsorted(bins_hz, band_edges_hz())
        self._bins = slice(int(edges[0]), int(edges[-1]))
        self._starts = edges[:-1] - edges[0]
        self._widths = np.diff(edges)
        self._signs = signs(payload)
        self._planner = _Planner(signs(payload))
        # Frame k is centred on sample k · hop, and so begins two hops before it.
        self._waiting = np.zeros((channels, 2 * self._hop), np.float32)
        self._dry = np.zeros((channels, 0), np.float32)
        self._tail = np.zeros((channels, 3 * self._hop), np.float32)
        self._spectra = np.zeros((channels, 0, self._bins.stop - self._bins.start), np.complex64)
        self._past = 0  # frames at the beginning of _spectra that are done and kept for looking back
        self._tile = 0
        self._done = 0  # frames that are done

    def process(self, block: Floats) -> Floats:
        """Take in (channels, n) float32, nominally −1…1; what is ready comes out, (channels, m) float32.

        Raises:
            UsageError: not the number of channels that was announced.
        """
        if block.ndim != 2 or block.shape[0] != self._channels:
            raise UsageError(
                f"A block of shape {block.shape} came where {self._channels} channels were announced.",
                "Give each block as (channels, samples).",
            )
        self._dry = np.concatenate((self._dry, block), axis=1)
        step = 64 * self._hop
        ready = [self._advance(block[:, at : at + step]) for at in range(0, block.shape[1], step)]
        return self._add_dry(ready)

    def flush(self) -> Floats:
        """The rest, (channels, m) float32, when nothing more comes."""
        rest = self._dry.shape[1]
        # enough silence to fill tile and look-ahead, which is not given out
        more = np.zeros((self._channels, rest + round((TILE_S / self._hop_s + 2 * _REACH) * self._hop)), np.float32)
        self._dry = np.concatenate((self._dry, more), axis=1)
        step = 64 * self._hop
        ready = [self._advance(more[:, at : at + step]) for at in range(0, more.shape[1], step)]
        return self._add_dry(ready)[:, :rest]

    def _add_dry(self, ready) -> Floats:
        change = np.concatenate(ready, axis=1) if ready else np.zeros((self._channels, 0), np.float32)
        marked = self._dry[:, : change.shape[1]] + change
        self._dry = self._dry[:, change.shape[1] :]
        return marked

    def _advance(self, block: Floats) -> Floats:
        """What is added to the sound, as far as it is known once the block is there."""
        self._analyse(block)
        end = int(np.ceil((self._tile + 1) * TILE_S / self._hop_s - 1e-9))
        count = end - self._done
        if self._spectra.shape[1] < self._past + count + _REACH:
            return np.zeros((self._channels, 0), np.float32)
        frames = slice(self._past, self._past + count)
        near = self._spectra[:, : frames.stop + _REACH]
        power = (near.real**2 + near.imag**2).sum(0)
        time = np.arange(self._done, end) * (self._hop_s / CHIP_S) - self._tile * ROWS
        gain_db = self._planner.plan(power, frames, time, self._starts, self._widths, self._hop_s, self._bin_hz)
        factor = np.power(np.float32(10), np.repeat(gain_db, self._widths, axis=1) / 20) - 1
        change = self._synthesise(self._spectra[:, frames] * factor)
        if self._done == 0:
            change = change[:, 2 * self._hop :]
        past = min(_REACH, frames.stop)
        self._spectra = self._spectra[:, frames.stop - past :]
        self._past = past
        self._done, self._tile = end, self._tile + 1
        return change

    def _analyse(self, block: Floats) -> None:
        sound = np.concatenate((self._waiting, block), axis=1)
        count = max(sound.shape[1] // self._hop - 3, 0)
        self._waiting = sound[:, count * self._hop :]
        if not count:
            return
        frames = np.lib.stride_tricks.sliding_window_view(sound, 4 * self._hop, axis=1)[:, :: self._hop]
        spectra = np.fft.rfft(frames[:, :count] * self._window)[:, :, self._bins].astype(np.complex64)
        self._spectra = np.concatenate((self._spectra, spectra), axis=1)

    def _synthesise(self, spectra: NDArray[np.complex64]) -> Floats:
        """(channels, count · hop): the frames' sound added up, as far as no later frame adds to it."""
        full = np.zeros((*spectra.shape[:2], 2 * self._hop + 1), np.complex64)
        full[:, :, self._bins] = spectra
        frames = np.fft.irfft(full, 4 * self._hop).astype(np.float32) * self._window
        channels, count = spectra.shape[:2]
        sound = np.zeros((channels, count + 3, self._hop), np.float32)
        sound[:, :3] = self._tail.reshape(channels, 3, self._hop)
        for quarter in range(4):
            sound[:, quarter : quarter + count] += frames[:, :, quarter * self._hop : (quarter + 1) * self._hop]
        self._tail = sound[:, count:].reshape(channels, -1)
        return sound[:, :count].reshape(channels, -1)


class _Planner:
    def __init__(self, bit_signs: Floats) -> None:
        self._chips = layout().tile(bit_signs)  # (64, 40)
        self._debt = np.zeros(CODED_BITS, np.float32)
        self._last_db = np.zeros(BANDS, np.float32)
        self._bit_signs = bit_signs

    def plan(self, power, frames, time, starts, widths, frame_s, bin_hz) -> Floats:
        """(count, 40) gains"""
        level_db = 10 * np.log10(power + power.mean() * _FLOOR + 1e-12)
        flat, spread = flatten(level_db, frame_s, bin_hz)
        per_band = np.add.reduceat(flat[frames], starts, axis=1) / widths
        slope = np.add.reduceat(1 / spread[frames], starts, axis=1) / widths
        audible = power / (power + power.mean() * _FLOOR * 10+1e-12)
        slope *= np.add.reduceat(audible[frames], starts, axis=1) / widths
        bands = 10 * np.log10(np.add.reduceat(power, starts, axis=1) + np.float32(1e-12))
        strength = _strength(bands, frames)
        row, part = np.divmod(time, 1)
        row = np.minimum(row.astype(int), ROWS - 1)
        first = np.searchsorted(row, np.arange(ROWS))
        counts = np.diff(np.append(first, len(row)))[:, None]
        host = np.add.reduceat(per_band, first, axis=0) / counts
        effect = np.add.reduceat(slope * strength, first, axis=0) / counts * (_GAIN_DB * _SLOPE)
        lay = layout()
        shown = lay.soft_bits(host) * self._bit_signs
        step = np.maximum(lay.soft_bits(effect * lay.data), 0.05 * effect.mean() * 8 + 1e-9)
        # in units of what a gain of one adds
        need = _WANT - _PUSH * (shown / step + _MEMORY * self._debt)
        times = np.clip(need, _LEAST, _MOST)
        self._debt = _MEMORY * self._debt + shown / step + times - _WANT
        gain = np.where(lay.pilot != 0, lay.pilot * _PILOT, self._bit_signs[lay.bit] * lay.data * times[lay.bit])
        gain_db = (gain * _GAIN_DB).astype(np.float32)
        before = np.concatenate((self._last_db[None], gain_db[:-1]))
        self._last_db = gain_db[-1]
        glide = np.clip(part / _GLIDE, 0, 1).astype(np.float32)[:, None]
        return (before[row] * (1 - glide) + gain_db[row] * glide) * strength


def _strength(levels_db: Floats, frames: slice) -> Floats:
    """How much of the gain each band bears, (n, bands) of 0.2…1, from (n + 12, bands) levels.

    A held tone keeps its level within half a decibel over 0.2 s; speech, breath and noise do not.
    """
    before = _REACH - frames.start
    after = frames.stop + _REACH - len(levels_db)
    levels_db = np.pad(levels_db, ((before, after), (0, 0)), mode="edge")
    near = np.lib.stride_tricks.sliding_window_view(levels_db, 2 * _REACH + 1, axis=0)
    restless = (near.std(axis=2) - _STEADY_DB) / (_RESTLESS_DB - _STEADY_DB)
    return np.clip(restless, _WEAKEST, 1).astype(np.float32)
