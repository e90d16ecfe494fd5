"""Writing sound files, as a stream."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Literal, Self, TypeAlias

import av
import av.error
import numpy as np

from likeness.errors import OutputError, Unsupported, UsageError
from likeness.media.containers import file_url
from likeness.media.writer.failure import explain
from likeness.types import Floats

SoundFormat: TypeAlias = Literal["wav", "flac", "mp3", "m4a", "ogg", "opus"]

_MPEG_RATES_HZ = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
AAC_RATES_HZ = (*_MPEG_RATES_HZ, 64000, 88200, 96000)
_MOST_WAV_BYTES = (1 << 32) - (64 << 20)  # its sizes have 32 bits, and the credentials need room as well


@dataclass(frozen=True, slots=True)
class Coding:
    """How a format is written: FFmpeg's names, the sampling rates there are (none given: any), bits/s."""

    muxer: str
    encoder: str
    samples: str
    rates_hz: tuple[int, ...] = ()
    bits_per_channel: int | None = None

    def rate_for(self, rate_hz: int) -> int:
        """The same sampling rate, or else the next higher, or else the highest that there is."""
        if not self.rates_hz:
            return rate_hz
        return min((rate for rate in self.rates_hz if rate >= rate_hz), default=self.rates_hz[-1])

    def bit_rate_for(self, rate_hz: int, channels: int) -> int | None:
        if self.bits_per_channel is None:
            return None
        most = 320_000
        if self.muxer == "mp3" and rate_hz < 32000:  # MPEG-2 and MPEG-2.5 layer III (ISO 13818-3)
            most = 160_000 if rate_hz >= 16000 else 64_000
        return min(self.bits_per_channel * channels, most)


_CODINGS: Mapping[str, Coding] = MappingProxyType(
    {
        "wav": Coding("wav", "pcm_s16le", "s16"),
        "flac": Coding("flac", "flac", "s16"),
        "mp3": Coding("mp3", "libmp3lame", "fltp", _MPEG_RATES_HZ, 96_000),
        "m4a": Coding("ipod", "aac", "fltp", AAC_RATES_HZ, 96_000),
        "ogg": Coding("ogg", "libopus", "flt", (48000,), 64_000),
        "opus": Coding("opus", "libopus", "flt", (48000,), 64_000),
    }
)
_FORMATS: Mapping[str, SoundFormat] = MappingProxyType(
    {".wav": "wav", ".flac": "flac", ".mp3": "mp3", ".m4a": "m4a", ".ogg": "ogg", ".opus": "opus"}
)


def sound_format_of(path: str | os.PathLike[str]) -> SoundFormat:
    """What to write, from the suffix.

    Raises:
        Unsupported: any other suffix.
    """
    found = _FORMATS.get(Path(path).suffix.lower())
    if found is None:
        raise Unsupported(
            f"{path} is no name for a sound written here.", f"Use one of {', '.join(_FORMATS)}."
        )
    return found


class SoundWriter:
    """Encodes blocks of samples into a sound file.

    Leaving the `with` block closes; leaving it by an exception abandons the output, which is then incomplete.
    Memory does not grow with length.

    Args:
        path: written as it is given; make it appear complete with `temporary_beside`.
        format: "wav" and "flac" (16 bits), "mp3", "m4a" (AAC), "ogg" and "opus" (Opus).
        rate_hz: of the samples that come. Where the format has no such rate, the next higher one that it
            has is written (Opus: 48000 always).
        channels: 1 or 2.

    Raises:
        UsageError: the rate or the number of channels is out of its range.
        NotWritable, DiskFull, OutputError: also by `write` and `close`.
    """

    def __init__(self, path: str | Path, *, format: SoundFormat, rate_hz: int, channels: int) -> None:
        if channels not in (1, 2) or not 1000 <= rate_hz <= 384_000:
            raise UsageError(
                f"Sound with {channels} channels at {rate_hz} Hz cannot be written.",
                "Use one or two channels, and a usual sampling rate such as 48000 Hz.",
            )
        coding = _CODINGS[format]
        self._path, self._format = Path(path), format
        self._rate_hz, self._channels = rate_hz, channels
        self._layout = "mono" if channels == 1 else "stereo"
        self._written = 0
        self._is_closed = False
        try:
            self._output: Any = av.open(file_url(self._path), "w", format=coding.muxer)
        except (av.error.FFmpegError, OSError) as error:
            raise explain(self._path, error) from error
        try:
            self._begin(coding)
        except (av.error.FFmpegError, OSError) as error:
            self.abandon()
            raise explain(self._path, error) from error
        except BaseException:
            self.abandon()
            raise

    def _begin(self, coding: Coding) -> None:
        rate_hz = coding.rate_for(self._rate_hz)
        self._stream: Any = self._output.add_stream(coding.encoder, rate=rate_hz)
        self._stream.codec_context.layout = self._layout
        self._stream.codec_context.format = coding.samples
        if (bit_rate := coding.bit_rate_for(rate_hz, self._channels)) is not None:
            self._stream.bit_rate = bit_rate
        self._output.start_encoding()
        # Also cuts what comes into pieces of the size that the encoder wants.
        frame_size = self._stream.codec_context.frame_size or 0
        self._resampler = av.AudioResampler(coding.samples, self._layout, rate_hz, frame_size or None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()

    def write(self, block: Floats) -> None:
        """Add samples, (channels, n) float32; what lies outside of −1…1 is cut off at it.

        Raises:
            ValueError: wrong shape or dtype, or the writer is closed.
        """
        if self._is_closed:
            raise ValueError("the writer is closed")
        if block.ndim != 2 or block.shape[0] != self._channels or block.dtype != np.float32:
            raise ValueError(f"expected float32 ({self._channels}, n), got {block.dtype} {block.shape}")
        if block.shape[1] == 0:
            return
        if self._format == "wav" and (self._written + block.shape[1]) * 2 * self._channels > _MOST_WAV_BYTES:
            raise OutputError(
                f"{self._path} would grow beyond 4 GB, more than a WAV file can hold.", "Use .flac."
            )
        samples = np.ascontiguousarray(np.clip(block, -1, 1))
        frame = av.AudioFrame.from_ndarray(samples, "fltp", self._layout)
        frame.sample_rate, frame.pts = self._rate_hz, self._written
        frame.time_base = Fraction(1, self._rate_hz)
        self._written += block.shape[1]
        try:
            self._encode(frame)
        except (av.error.FFmpegError, OSError) as error:
            raise explain(self._path, error) from error

    def close(self) -> None:
        """Write what is left and complete the output. Closing twice does nothing."""
        if self._is_closed:
            return
        try:
            if self._written:
                self._encode(None)
            self._output.mux(self._stream.encode(None))
            self._output.close()
        except (av.error.FFmpegError, OSError) as error:
            self.abandon()
            raise explain(self._path, error) from error
        except BaseException:  # Ctrl-C
            self.abandon()
            raise
        self._is_closed = True

    def abandon(self) -> None:
        """Let go of the output, complete or not; never raises."""
        self._is_closed = True
        # Closing is the only way to let go of the file, and tries to complete it: in vain on a full disk.
        with contextlib.suppress(av.error.FFmpegError, OSError, ValueError):
            self._output.close()

    def _encode(self, frame: Any) -> None:
        for piece in self._resampler.resample(frame):
            self._output.mux(self._stream.encode(piece))
