"""Marking sound, as a stream: gains of about a decibel, chip by chip, that listeners do not notice.

The sound is cut into overlapping frames of 32 ms (short-time Fourier transform with square-root Hann windows,
which add up to one), each band's bins are multiplied by the chip's gain, and the difference is added to the
sound. So silence stays silence, and what lies outside of 300…3700 Hz is untouched.

Ears forgive a change of 1.4 dB in noise and in speech, which vary by more than that all the time, but hear a
tone tremble that is held. So the gain follows how steady the band is by itself (`_strength`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from likeness.disclosure.watermark.audio_tile import BANDS, CHIP_S, ROWS, band_edges_hz, layout
from likeness.disclosure.watermark.code import signs
from likeness.errors import UsageError
from likeness.types import Floats

MIN_RATE_HZ, MAX_RATE_HZ = 8000, 192_000

_GAIN_DB = 1.4
_FRAME_S = 0.032
_REACH = 6  # frames before and after, of 16 ms, from which steadiness is judged
_STEADY_DB, _RESTLESS_DB, _WEAKEST = 0.5, 2.0, 0.2
_GLIDE = 0.3  # of a chip: how long a gain takes to become the next one
_BATCH_FRAMES = 128


class AudioMark:
    """Marks a stream of sound; memory does not grow with its length.

    What comes out is late by some 0.15 s, but in total exactly as long as what went in, and the same however
    the stream is cut into blocks (to within rounding).

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
        self._rate_hz, self._channels = rate_hz, channels
        self._hop = round(rate_hz * _FRAME_S / 4) * 2
        self._window = np.sqrt(np.hanning(2 * self._hop + 1)[:-1]).astype(np.float32)
        bins_hz = np.arange(self._hop + 1) * rate_hz / (2 * self._hop)
        self._first, *_, end = np.searchsorted(bins_hz, band_edges_hz())
        self._bins = slice(int(self._first), int(end))
        self._band_of = np.searchsorted(band_edges_hz(), bins_hz[self._bins], side="right") - 1
        self._tile_db = layout().tile(signs(payload)) * np.float32(_GAIN_DB)
        # Frame k is centred on sample k · hop. Sound not yet cut into frames begins half a frame before that.
        self._waiting = np.zeros((channels, self._hop), np.float32)
        self._dry = np.zeros((channels, 0), np.float32)
        self._tail = np.zeros((channels, self._hop), np.float32)
        self._spectra = np.zeros((channels, 0, len(self._band_of)), np.complex64)
        self._levels_db = np.zeros((0, BANDS), np.float32)  # _REACH frames more than spectra, in the past
        self._next = 0  # the frame that self._spectra begins with

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
        step = _BATCH_FRAMES * self._hop
        pieces = [self._advance(block[:, at : at + step]) for at in range(0, block.shape[1], step)]
        return np.concatenate(pieces, axis=1) if pieces else np.zeros((self._channels, 0), np.float32)

    def flush(self) -> Floats:
        """The rest, (channels, m) float32, when nothing more comes."""
        rest = self._dry.shape[1]
        silence = np.zeros((self._channels, (_REACH + 3) * self._hop), np.float32)
        return self._advance(silence)[:, :rest]

    def _advance(self, block: Floats) -> Floats:
        self._dry = np.concatenate((self._dry, block), axis=1)
        self._analyse(block)
        count = self._spectra.shape[1] - _REACH
        if count <= 0:
            return np.zeros((self._channels, 0), np.float32)
        change = self._synthesise(self._spectra[:, :count] * self._gain_changes(count))
        self._spectra = self._spectra[:, count:]
        self._levels_db = self._levels_db[count:]
        ready = change.shape[1] if self._next else change.shape[1] - self._hop
        self._next += count
        marked = self._dry[:, :ready] + change[:, change.shape[1] - ready :]
        self._dry = self._dry[:, ready:]
        return marked

    def _analyse(self, block: Floats) -> None:
        """Cut what is there into frames; append their spectra and the levels of the bands."""
        sound = np.concatenate((self._waiting, block), axis=1)
        count = sound.shape[1] // self._hop - 1
        self._waiting = sound[:, max(count, 0) * self._hop :]
        if count <= 0:
            return
        frames = np.lib.stride_tricks.sliding_window_view(sound, 2 * self._hop, axis=1)[:, :: self._hop]
        spectra = np.fft.rfft(frames[:, :count] * self._window)[:, :, self._bins].astype(np.complex64)
        power = (spectra.real**2 + spectra.imag**2).sum(0)
        starts = np.searchsorted(self._band_of, np.arange(BANDS))
        levels_db = 10 * np.log10(np.add.reduceat(power, starts, axis=1) + np.float32(1e-9))
        if not self._levels_db.shape[0]:
            self._levels_db = np.repeat(levels_db[:1], _REACH, axis=0)
        self._levels_db = np.concatenate((self._levels_db, levels_db))
        self._spectra = np.concatenate((self._spectra, spectra), axis=1)

    def _gain_changes(self, count: int) -> Floats:
        """(count, bins): the factor, less one, for the first frames that wait."""
        time = np.arange(self._next, self._next + count) * (self._hop / (self._rate_hz * CHIP_S))
        row, part = np.divmod(time, 1)
        glide = np.clip((part - 1 + _GLIDE) / _GLIDE, 0, 1).astype(np.float32)[:, None]
        row = row.astype(int)
        gain_db = self._tile_db[row % ROWS] * (1 - glide) + self._tile_db[(row + 1) % ROWS] * glide
        gain_db *= _strength(self._levels_db[: count + 2 * _REACH])
        return (np.power(np.float32(10), gain_db / 20) - 1)[:, self._band_of]

    def _synthesise(self, spectra: NDArray[np.complex64]) -> Floats:
        """(channels, count · hop): the frames' sound added up, as far as no later frame adds to it."""
        full = np.zeros((*spectra.shape[:2], self._hop + 1), np.complex64)
        full[:, :, self._bins] = spectra
        frames = np.fft.irfft(full, 2 * self._hop).astype(np.float32) * self._window
        first, second = frames[:, :, : self._hop], frames[:, :, self._hop :]
        before = np.concatenate((self._tail[:, None], second[:, :-1]), axis=1)
        self._tail = second[:, -1]
        return (before + first).reshape(self._channels, -1)


def _strength(levels_db: Floats) -> Floats:
    """How much of the gain each band bears, (n, bands) of 0.2…1, from (n + 12, bands) levels.

    A held tone keeps its level within half a decibel over 0.2 s; speech, breath and noise do not.
    """
    near = np.lib.stride_tricks.sliding_window_view(levels_db, 2 * _REACH + 1, axis=0)
    restless = (near.std(axis=2) - _STEADY_DB) / (_RESTLESS_DB - _STEADY_DB)
    return np.clip(restless, _WEAKEST, 1).astype(np.float32)
