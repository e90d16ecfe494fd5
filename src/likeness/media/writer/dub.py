"""A video with another sound: its pictures are copied as they are, bit by bit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from likeness.errors import NoVideo, OutputError
from likeness.media.audio import origin_s
from likeness.media.containers import READ_ERRORS, open_container, video_stream
from likeness.media.writer.sound_file import AAC_RATES_HZ
from likeness.media.writer.sound_stream import Coding, SoundStream

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


class DubWriter(SoundStream):
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
        self._zero_s = origin_s(source)
        self._source: Any = open_container(source)
        options = {"movflags": "+faststart"} if format == "mp4" else {}
        try:
            super().__init__(path, _CODINGS[format], rate_hz=rate_hz, channels=channels, options=options)
        except BaseException:
            self._let_go()
            raise

    def _add_pictures(self) -> None:
        read = video_stream(self._source)
        assert read is not None  # `can_copy` looked
        try:
            self._pictures = self._output.add_stream_from_template(read)
        except ValueError as error:
            raise OutputError(
                f"{self._path} cannot hold the pictures as they are: {error}.", "Try another format."
            ) from error
        self._packets = self._read(read)
        self._next: Any = next(self._packets, None)

    def _copy_pictures(self, until_s: Fraction | None) -> None:
        while self._next is not None:
            if until_s is not None and self._next.dts * self._next.time_base >= until_s:
                return
            self._output.mux(self._next)
            self._next = next(self._packets, None)

    def _let_go(self) -> None:
        self._source.close()

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
