"""One stream of sound in a file that is being written: what `SoundWriter` and `DubWriter` have in common."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np

from likeness.media.containers import file_url
from likeness.media.writer.failure import explain
from likeness.types import Floats


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


class SoundStream:
    """Encodes blocks of samples; what else the file holds is for a class of its own to add.

    Args:
        path: written as it is given.
        rate_hz, channels: of the samples that come; 1 or 2 channels.
        options: of the container.

    Raises:
        NotWritable, DiskFull, OutputError: also by `write` and `close`.
    """

    def __init__(
        self,
        path: Path,
        coding: Coding,
        *,
        rate_hz: int,
        channels: int,
        options: Mapping[str, str] | None = None,
    ) -> None:
        self._path, self._coding = path, coding
        self._rate_hz, self._channels = rate_hz, channels
        self._layout = "mono" if channels == 1 else "stereo"
        self._written = 0
        self._is_closed = False
        with self._explained():
            self._output: Any = av.open(
                file_url(path), "w", format=coding.muxer, container_options=dict(options or {})
            )
        with self._given_up(), self._explained():
            self._add_pictures()
            self._begin()

    def write(self, block: Floats) -> None:
        """Add samples, (channels, n) float32; what lies outside of −1…1 is cut off at it."""
        if block.shape[1] == 0:
            return
        samples = np.ascontiguousarray(np.clip(block, -1, 1))
        frame = av.AudioFrame.from_ndarray(samples, "fltp", self._layout)
        frame.sample_rate, frame.pts = self._rate_hz, self._written
        frame.time_base = Fraction(1, self._rate_hz)
        self._written += block.shape[1]
        with self._explained():
            self._encode(frame)
            self._copy_pictures(Fraction(self._written, self._rate_hz))

    def close(self) -> None:
        """Write what is left and complete the output. Closing twice does nothing."""
        if self._is_closed:
            return
        with self._given_up(), self._explained():
            if self._written:
                self._encode(None)
            self._output.mux(self._stream.encode(None))
            self._copy_pictures(None)
            self._output.close()
        self._let_go()
        self._is_closed = True

    def abandon(self) -> None:
        """Let go of the output, complete or not; never raises."""
        self._is_closed = True
        self._let_go()
        # Closing is the only way to let go of the file, and tries to complete it: in vain on a full disk.
        with contextlib.suppress(av.error.FFmpegError, OSError, ValueError):
            self._output.close()

    def _add_pictures(self) -> None:
        """Streams that come before the sound."""

    def _copy_pictures(self, until_s: Fraction | None) -> None:
        """What belongs beside the sound up to this moment; None: all that is left."""

    def _let_go(self) -> None:
        """What was open besides the output; never raises."""

    def _begin(self) -> None:
        coding, rate_hz = self._coding, self._coding.rate_for(self._rate_hz)
        self._stream: Any = self._output.add_stream(coding.encoder, rate=rate_hz)
        self._stream.codec_context.layout = self._layout
        self._stream.codec_context.format = coding.samples
        if (bit_rate := coding.bit_rate_for(rate_hz, self._channels)) is not None:
            self._stream.bit_rate = bit_rate
        self._output.start_encoding()
        # Also cuts what comes into pieces of the size that the encoder wants.
        size = self._stream.codec_context.frame_size or None
        self._resampler = av.AudioResampler(coding.samples, self._layout, rate_hz, size)

    def _encode(self, frame: Any) -> None:
        for piece in self._resampler.resample(frame):
            self._output.mux(self._stream.encode(piece))

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """FFmpeg's errors become ours."""
        try:
            yield
        except (av.error.FFmpegError, OSError) as error:
            raise explain(self._path, error) from error

    @contextlib.contextmanager
    def _given_up(self) -> Iterator[None]:
        """Whatever happens, Ctrl-C as well, the output is let go of."""
        try:
            yield
        except BaseException:
            self.abandon()
            raise
