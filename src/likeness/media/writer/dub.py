"""A video with another sound: its pictures are copied as they are, bit by bit."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import av
import av.error
import numpy as np

from likeness.errors import NoVideo
from likeness.media.audio import origin_s
from likeness.media.containers import READ_ERRORS, file_url, open_container, video_stream
from likeness.media.writer.failure import explain
from likeness.media.writer.sound_file import AAC_RATES_HZ, Coding
from likeness.types import Floats

DubFormat: TypeAlias = Literal["mp4", "webm"]
_FORMATS: Mapping[str, DubFormat] = MappingProxyType({".mp4": "mp4", ".webm": "webm"})
_CODINGS: Mapping[DubFormat, Coding] = MappingProxyType(
    {
        "mp4": Coding("mp4", "aac", "fltp", AAC_RATES_HZ, 96_000),
        "webm": Coding("webm", "libopus", "flt", (48000,), 64_000),
    }
)
_HELD: Mapping[DubFormat, tuple[str, ...]] = MappingProxyType(
    {
        "mp4": ("h264", "hevc", "av1", "libdav1d", "vp9", "mpeg4", "mjpeg"),
        "webm": ("vp8", "vp9", "av1", "libdav1d"),
    }
)


def dub_format_of(path: Path) -> DubFormat | None:
    """What to write, from the suffix; None where it is no video's."""
    return _FORMATS.get(path.suffix.lower())


def can_copy(source: Path, format: DubFormat) -> bool:
    """Whether the format can hold a video's pictures as they are, so that players show them.

    Raises:
        NoVideo: it has no picture.
        MediaError: it cannot be read.
    """
    with open_container(source) as container:
        stream = video_stream(container)
        if stream is None:
            raise NoVideo(f"{source.name} has no picture to keep.", "Name the output .wav, .flac or .mp3.")
        return stream.codec_context.name in _HELD[format]


class DubWriter:
    """Encodes blocks of samples beside the pictures of a video; as `SoundWriter`, for `.mp4` and `.webm`.

    Memory does not grow with length: pictures are copied in step with the sound. The pictures that have no
    sound any more are copied by `close`.

    Args:
        path: written as it is given.
        format: of the output.
        source: the video whose pictures are kept; the sound begins with its first picture.
        rate_hz, channels: of the samples that come.

    Raises:
        NotWritable, DiskFull, OutputError: also by `write` and `close`.
        MediaError: the video cannot be read.
    """

    def __init__(self, path: Path, *, format: DubFormat, source: Path, rate_hz: int, channels: int) -> None:
        self._path, self._rate_hz = path, rate_hz
        self._layout = "mono" if channels == 1 else "stereo"
        self._written = 0
        self._is_closed = False
        self._zero_s = origin_s(source)
        self._source: Any = open_container(source)
        try:
            options = {"movflags": "+faststart"} if format == "mp4" else {}
            self._output: Any = av.open(file_url(path), "w", format=format, container_options=options)
        except (av.error.FFmpegError, OSError) as error:
            self._source.close()
            raise explain(path, error) from error
        try:
            self._begin(_CODINGS[format], channels)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            self.abandon()
            raise explain(path, error) from error  # type: ignore[arg-type]
        except BaseException:
            self.abandon()
            raise

    def _begin(self, coding: Coding, channels: int) -> None:
        read = video_stream(self._source)
        assert read is not None  # `can_copy` looked
        self._pictures = self._output.add_stream_from_template(read)
        rate_hz = coding.rate_for(self._rate_hz)
        self._stream: Any = self._output.add_stream(coding.encoder, rate=rate_hz)
        self._stream.codec_context.layout = self._layout
        self._stream.codec_context.format = coding.samples
        self._stream.bit_rate = coding.bit_rate_for(rate_hz, channels)
        self._output.start_encoding()
        size = self._stream.codec_context.frame_size or None
        self._resampler = av.AudioResampler(coding.samples, self._layout, rate_hz, size)
        self._packets = self._read(read)
        self._next: Any = next(self._packets, None)

    def _read(self, stream: Any) -> Iterator[Any]:
        """Packets of pictures, with their times counted from the first picture shown."""
        base = Fraction(stream.time_base)
        shift = round(self._zero_s / base)
        packets = self._source.demux(stream)
        while True:
            try:
                packet = next(packets, None)
            except READ_ERRORS:
                return  # the pictures end where the file is damaged
            if packet is None:
                return
            if packet.size and packet.dts is not None and packet.pts is not None:
                packet.pts -= shift
                packet.dts -= shift
                packet.stream = self._pictures
                yield packet

    def write(self, block: Floats) -> None:
        """Add samples, (channels, n) float32; what lies outside of −1…1 is cut off at it."""
        if block.shape[1] == 0:
            return
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(np.clip(block, -1, 1)), "fltp", self._layout)
        frame.sample_rate, frame.pts = self._rate_hz, self._written
        frame.time_base = Fraction(1, self._rate_hz)
        self._written += block.shape[1]
        try:
            self._encode(frame)
            self._copy(Fraction(self._written, self._rate_hz))
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
            self._copy(None)
            self._output.close()
        except (av.error.FFmpegError, OSError) as error:
            self.abandon()
            raise explain(self._path, error) from error
        except BaseException:  # Ctrl-C
            self.abandon()
            raise
        self._source.close()
        self._is_closed = True

    def abandon(self) -> None:
        """Let go of the output, complete or not; never raises."""
        self._is_closed = True
        self._source.close()
        # Closing is the only way to let go of the file, and tries to complete it: in vain on a full disk.
        with contextlib.suppress(av.error.FFmpegError, OSError, ValueError):
            self._output.close()

    def _copy(self, until_s: Fraction | None) -> None:
        """Pictures up to this moment, or all that are left."""
        while self._next is not None:
            if until_s is not None and self._next.dts * self._next.time_base >= until_s:
                return
            self._output.mux(self._next)
            self._next = next(self._packets, None)

    def _encode(self, frame: Any) -> None:
        for piece in self._resampler.resample(frame):
            self._output.mux(self._stream.encode(piece))
