"""Marking sound, as a stream: gains of about a decibel, chip by chip, that listeners do not notice.

The sound is cut into overlapping frames of 32 ms (short-time Fourier transform, square-root Hann windows),
each band's bins are multiplied by the chip's gain, and the difference is added to the sound. So silence stays
silence, and what lies outside of 300…3700 Hz is untouched.

Ears forgive a change of 1.4 dB in noise and in speech, which vary by more than that all the time, but hear a
tone tremble that is held. So the gain follows how steady the band is by itself (`_strength`).

To the detector the sound itself is noise. But that noise is known here: what it will do to each coded bit is
measured tile by tile, with the detector's own eyes, and bits that it happens to hide get more gain than those
that it happens to show (informed embedding: Cox, Miller and McKellips, "Watermarking as communications with
side information", Proc. IEEE 87, 1999).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from likeness.disclosure.watermark.audio_search import FoundSound, find_in_sound
from likeness.disclosure.watermark.audio_tile import BANDS, CHIP_S, ROWS, TILE_S, band_edges_hz, layout
from likeness.disclosure.watermark.audio_view import (
    FRAME_S,
    band_weights,
    sum_rows,
    to_view_rate,
    view,
)
from likeness.disclosure.watermark.code import CODED_BITS, signs
from likeness.errors import UsageError
from likeness.types import Floats

__all__ = ["AudioMark", "FoundSound", "find_in_sound"]

MIN_RATE_HZ, MAX_RATE_HZ = 8000, 192_000

_GAIN_DB = 1.4
_USUAL_PILOT = 1.3  # times that gain
_LEAST_PILOT, _MOST_PILOT = 0.8, 2.6
_PILOT_Z = 10.0  # standard deviations by which the pilot shall stand out in each tile
_LEAST_BIT, _MOST_BIT = 0.3, 2.0  # times that gain, by what the bit needs
_BIT_SHOWN = 1.4  # what each bit shall show in each tile, in units of what the gain alone would
_MEMORY = 0.5  # how much of what earlier tiles lacked is still owed
_PLANNED_FLOOR = 10**-3.2  # of the mean power: plan as if codecs and noise had swallowed what lies deeper

_WINDOW_S = 0.032
_REACH = 12  # frames of 8 ms before and after, from which steadiness is judged
_STEADY_DB, _RESTLESS_DB, _WEAKEST = 0.5, 2.0, 0.1
_WANDER = 2  # bands to either side over which a tone may wander
_GLIDE = 0.3  # of a chip: how long one gain takes to become the next
_STEP_S = 0.5  # how much of a long block is taken in at once


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
        self._rate_hz, self._channels, self._signs = rate_hz, channels, signs(payload)
        self._hop = round(rate_hz * _WINDOW_S / 4)
        self._window = np.sqrt(np.hanning(4 * self._hop + 1)[:-1] / 2).astype(np.float32)
        edges = np.searchsorted(np.arange(2 * self._hop + 1) * rate_hz / (4 * self._hop), band_edges_hz())
        self._bins = slice(int(edges[0]), int(edges[-1]))
        self._starts, self._widths = edges[:-1] - edges[0], np.diff(edges)
        # Frame k is centred on sample k · hop. What is kept begins a margin before the next tile.
        self._margin = (_REACH + 2) * self._hop
        self._sound = np.zeros((channels, self._margin), np.float32)
        self._tail = np.zeros((channels, 4 * self._hop), np.float32)
        self._tile = 0
        self._last_gains = np.zeros(BANDS, np.float32)
        self._owed = np.zeros(CODED_BITS, np.float32)

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
        ready = [np.zeros((self._channels, 0), np.float32)]
        step = int(_STEP_S * self._rate_hz)
        for at in range(0, block.shape[1], step):
            self._sound = np.concatenate((self._sound, block[:, at : at + step]), axis=1, dtype=np.float32)
            while self._sound.shape[1] >= self._tile_length() + 2 * self._margin:
                ready.append(self._mark_tile())
        return np.concatenate(ready, axis=1)

    def flush(self) -> Floats:
        """The rest, (channels, m) float32, when nothing more comes."""
        late = 2 * self._hop if self._tile else 0
        rest = self._sound.shape[1] - self._margin + late
        silence = np.zeros((self._channels, self._tile_length() + 2 * self._margin), np.float32)
        return self.process(silence)[:, :rest]

    def _first_frame(self, tile: int) -> int:
        return math.ceil(tile * TILE_S * self._rate_hz / self._hop - 1e-9)

    def _tile_length(self) -> int:
        return (self._first_frame(self._tile + 1) - self._first_frame(self._tile)) * self._hop

    def _mark_tile(self) -> Floats:
        """The next tile marked, from two hops before its first frame to two hops before the one after."""
        length = self._tile_length()
        sound = self._sound[:, : length + 2 * self._margin]
        spectra = self._analyse(sound, length // self._hop + 2 * _REACH)
        strength = self._strength(spectra)
        spectra = spectra[:, _REACH:-_REACH]

        plain = layout().tile(_USUAL_PILOT, self._signs)
        planned = self._plan(sound, self._synthesise(spectra, strength, plain))
        change = self._synthesise(spectra, strength, planned)
        self._last_gains = planned[-1]
        self._tail = change[:, length:]
        begin = self._margin - 2 * self._hop
        marked = sound[:, begin : begin + length] + change[:, :length]
        self._sound = self._sound[:, length:]
        self._tile += 1
        return marked if self._tile > 1 else marked[:, 2 * self._hop :]

    def _analyse(self, sound: Floats, count: int) -> NDArray[np.complex64]:
        """(channels, count, bins): the spectra of the frames, one every hop, within the bands."""
        frames = np.lib.stride_tricks.sliding_window_view(sound, 4 * self._hop, axis=1)[:, :: self._hop]
        return np.fft.rfft(frames[:, :count] * self._window)[:, :, self._bins].astype(np.complex64)

    def _strength(self, spectra: NDArray[np.complex64]) -> Floats:
        """How much of the gain each band bears, (count − 24, 40) of 0.1…1, from (channels, count, bins).

        A held tone keeps its level within half a decibel over 0.2 s; speech, breath and noise do not.
        """
        power = (spectra.real**2 + spectra.imag**2).sum(0)
        bands = np.add.reduceat(power, self._starts, axis=1)
        # With vibrato a tone wanders through some bands, but is steady to the ear, as is their sum.
        around = np.pad(bands, ((0, 0), (_WANDER, _WANDER)), mode="edge")
        sums = np.lib.stride_tricks.sliding_window_view(around, 2 * _WANDER + 1, axis=1).sum(2)
        spread_db = np.minimum(_spread_db(bands), _spread_db(sums))
        restless = (spread_db - _STEADY_DB) / (_RESTLESS_DB - _STEADY_DB)
        return np.asarray(np.clip(restless, _WEAKEST, 1), np.float32)

    def _synthesise(self, spectra: NDArray[np.complex64], strength: Floats, gains: Floats) -> Floats:
        """(channels, (count + 4) · hop): what marking adds to the sound, with the frames' ends."""
        channels, count = spectra.shape[:2]
        frames = self._first_frame(self._tile) + np.arange(count)
        row, part = np.divmod(frames * (self._hop / (self._rate_hz * CHIP_S)) - self._tile * ROWS + 1e-9, 1)
        glide = np.clip(part / _GLIDE, 0, 1).astype(np.float32)[:, None]
        row = np.minimum(row.astype(int), ROWS - 1)
        before = np.concatenate((self._last_gains[None], gains[:-1]))
        gain_db = (before[row] * (1 - glide) + gains[row] * glide) * strength * np.float32(_GAIN_DB)
        factor = np.power(np.float32(10), gain_db / 20) - 1
        full = np.zeros((channels, count, 2 * self._hop + 1), np.complex64)
        full[:, :, self._bins] = spectra * np.repeat(factor, self._widths, axis=1)
        quarters = np.fft.irfft(full, 4 * self._hop).astype(np.float32) * self._window
        change = np.zeros((channels, count + 4, self._hop), np.float32)
        for quarter in range(4):
            part_of = slice(quarter * self._hop, (quarter + 1) * self._hop)
            change[:, quarter : quarter + count] += quarters[:, :, part_of]
        change[:, :4] += self._tail.reshape(channels, 4, -1)
        return np.asarray(change.reshape(channels, -1), np.float32)

    def _plan(self, sound: Floats, change: Floats) -> Floats:
        """(64, 40) the gain of each chip for what the detector has to be told about this tile.

        `change` is what the usual gains add to `sound`.
        """
        mono = sound.sum(0)
        begin = self._margin - 2 * self._hop
        marked = mono.copy()
        marked[begin : begin + change.shape[1]] += change.sum(0)
        host = self._measure(mono)
        added = self._measure(marked) - host
        return layout().tile(self._plan_pilot(host, added), self._plan_bits(host, added))

    def _plan_pilot(self, host: Floats, added: Floats) -> float:
        """The pilot's gain, from (64, 40) chips of the sound itself and what the usual gains add to them."""
        pilot = layout().pilot
        shown, effect = float((host * pilot).sum()), float((added * pilot).sum())
        wanted = _PILOT_Z * float(host.std()) * math.sqrt((pilot**2).sum())
        if effect <= 0:  # silence, or as good as
            return _USUAL_PILOT
        return min(max((wanted - shown) / effect * _USUAL_PILOT, _LEAST_PILOT), _MOST_PILOT)

    def _plan_bits(self, host: Floats, added: Floats) -> Floats:
        """(192,) the coded bits' gains, likewise; their sign is the bit."""
        shown, effect = (layout().soft_bits(chips) * self._signs for chips in (host, added))
        usual = float(effect.mean())
        if usual <= 0:
            return self._signs
        shown = shown / np.maximum(effect, 0.3 * usual)
        times = np.clip(_BIT_SHOWN - shown - _MEMORY * self._owed, _LEAST_BIT, _MOST_BIT)
        self._owed = (_MEMORY * self._owed + shown + times - _BIT_SHOWN).astype(np.float32)
        return np.asarray(self._signs * times, np.float32)

    def _measure(self, mono: Floats) -> Floats:
        """(64, 40): the chips of this tile, as the detector sees them."""
        bands = view(to_view_rate(mono, self._rate_hz), _PLANNED_FLOOR) @ band_weights(1.0)
        begin_s = (self._first_frame(self._tile) * self._hop - self._margin) / self._rate_hz
        rows = np.floor((begin_s + np.arange(len(bands)) * FRAME_S - self._tile * TILE_S) / CHIP_S + 1e-9)
        inside = (rows >= 0) & (rows < ROWS)
        return sum_rows(bands[inside], rows[inside].astype(np.intp), ROWS)


def _spread_db(power: Floats) -> Floats:
    """Standard deviation of the level over 25 frames, (n − 24, bands) from (n, bands)."""
    levels_db = 10 * np.log10(power + np.float32(1e-9))
    near = np.lib.stride_tricks.sliding_window_view(levels_db, 2 * _REACH + 1, axis=0)
    return np.asarray(near.std(axis=2), np.float32)
