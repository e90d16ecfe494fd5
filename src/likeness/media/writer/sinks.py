"""What pictures are written to: a video file, a GIF, a folder of PNGs. `writer.py` runs them in a thread."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import av
import av.error
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from likeness.errors import NoFrames
from likeness.media.audio import AudioSource
from likeness.media.containers import file_url
from likeness.media.files import frame_name
from likeness.media.image import encode_png
from likeness.media.writer.gif import Quantiser
from likeness.media.writer.sound import MakeSoundLayer, Sound, add_sound
from likeness.types import Picture

if TYPE_CHECKING:
    from likeness.media.writer.yuv import YuvMaker


class Sink(Protocol):
    """Takes pictures in order. Its methods may raise `OSError` and FFmpeg's errors."""

    def write(self, image: Picture) -> None:
        """Take the next picture."""

    def finish(self) -> None:
        """Complete the output and let go of it."""

    def discard(self) -> None:
        """Let go of the output, complete or not; never raises."""


# Measured on a talking head at 25 frames/s (one core of two, ms of CPU a frame; PSNR of luma; kbit/s):
#     512²   superfast crf 18   2.7 ms  46 dB  1600      1024²   superfast crf 18    9 ms  48 dB  3600
#            veryfast  crf 18   3.6 ms  44 dB  1000              veryfast  crf 18   15 ms  46 dB  2300
#            ultrafast crf 18   1.8 ms  47 dB  2200              ultrafast crf 18    6 ms  49 dB  5200
#            VP9 speed 8 crf 24 2.7 ms  44 dB   870              VP9 speed 8 crf 24 13 ms  47 dB  1900
# superfast, because it is the smallest that leaves the tracker and renderer most of two cores; it looks
# no frames ahead, which also keeps memory small. Two threads, as more would each hold pictures. To choose
# B-frames and key frames by the picture would take another tenth to sixth (512², 1024²) and gain nothing for
# one take of one person: SSIM at equal size is the same to the fourth digit.
_QUALITY = {"mp4": 18, "webm": 24}
_CODECS = {"mp4": "libx264", "webm": "libvpx-vp9"}
_OPTIONS = {
    "mp4": {"preset": "superfast", "x264-params": "b-adapt=0:scenecut=0"},
    "webm": {"deadline": "realtime", "cpu-used": "8", "row-mt": "1", "tile-columns": "1", "b": "0"},
}
_CONTAINER_OPTIONS = {"mp4": {"movflags": "+faststart"}, "webm": {}}


class StreamSink:
    """MP4 (H.264, AAC) or WebM (VP9, Opus) at an exact rate, tagged as BT.709 of limited range.

    4:2:0 needs even sizes: an odd one grows by a repeated last row or column.
    """

    def __init__(
        self,
        path: Path,
        container_format: str,
        size: tuple[int, int],
        rate: Fraction,
        audio: AudioSource | None,
        quality: int | None,
        threads: int,
        make_sound_layer: MakeSoundLayer | None = None,
    ) -> None:
        width, height = size
        self._padding = ((0, height % 2), (0, width % 2), (0, 0))
        self._rate = rate
        self._frames = 0
        self._yuv: YuvMaker | None = None
        self._sound: Sound | None = None
        self._output: Any = av.open(
            file_url(path),
            "w",
            format=container_format,
            container_options=_CONTAINER_OPTIONS[container_format],
        )
        try:
            crf = str(_QUALITY[container_format] if quality is None else quality)
            options = {"crf": crf, **_OPTIONS[container_format]}
            self._stream: Any = self._output.add_stream(_CODECS[container_format], rate=rate, options=options)
            context: Any = self._stream.codec_context
            context.width, context.height = width + width % 2, height + height % 2
            context.pix_fmt, context.time_base, context.thread_count = "yuv420p", 1 / rate, threads
            context.colorspace, context.color_range = int(Colorspace.ITU709), int(ColorRange.MPEG)
            context.color_primaries, context.color_trc = int(ColorPrimaries.BT709), int(ColorTrc.BT709)
            if audio is not None:
                self._sound = add_sound(self._output, audio, container_format, make_sound_layer)
            self._output.start_encoding()
        except BaseException:
            self.discard()
            raise

    def write(self, image: Picture) -> None:
        if any(any(pair) for pair in self._padding):
            image = np.pad(image, self._padding, mode="edge")
        if self._yuv is None:
            self._yuv = _open_yuv_maker(image)
        frame = self._yuv.make(image)
        frame.pts, frame.time_base = self._frames, 1 / self._rate
        self._frames += 1
        self._output.mux(self._stream.encode(frame))
        if self._sound is not None:
            # Keeps pace, so that the muxer never has much of one to hold for the other.
            self._sound.advance(self._frames / self._rate)

    def finish(self) -> None:
        if self._frames == 0:
            raise _nothing_written()
        self._output.mux(self._stream.encode(None))
        if self._sound is not None:
            self._sound.finish(self._frames / self._rate)
        self._output.close()

    def discard(self) -> None:
        if self._sound is not None:
            self._sound.close()
        # Closing is the only way to let go of the file, and tries to complete it: in vain on a full disk.
        with contextlib.suppress(av.error.FFmpegError, OSError, ValueError):
            self._output.close()


def _open_yuv_maker(image: Picture) -> YuvMaker:
    from likeness.media.writer.yuv import YuvMaker  # loads a compiler, which who only reads need not wait for

    height, width = image.shape[:2]
    return YuvMaker(width, height)


class GifSink:
    """An animated GIF that repeats forever.

    GIF counts time in hundredths of a second, and players take less than two of them for ten: of frames that
    come faster than 50 a second, one for each fiftieth is kept.
    """

    _TICK_S = Fraction(1, 100)
    _MOST_RATE = Fraction(50)

    def __init__(self, path: Path, size: tuple[int, int], rate: Fraction) -> None:
        self._rate = rate
        self._frames = 0
        self._last_pts = -1
        self._quantiser = Quantiser(self._TICK_S)
        self._output: Any = av.open(file_url(path), "w", format="gif")
        try:
            self._stream: Any = self._output.add_stream("gif", rate=rate)
            context: Any = self._stream.codec_context
            context.width, context.height = size
            context.pix_fmt, context.time_base = "pal8", self._TICK_S
            self._output.start_encoding()
        except BaseException:
            self.discard()
            raise

    def write(self, image: Picture) -> None:
        if self._rate <= self._MOST_RATE:
            pts = round(self._frames / self._rate / self._TICK_S)
        else:
            pts = 2 * int(self._frames / self._rate * self._MOST_RATE)
        self._frames += 1
        if pts > self._last_pts:
            self._last_pts = pts
            self._encode(self._quantiser.push(image, pts))

    def finish(self) -> None:
        if self._frames == 0:
            raise _nothing_written()
        self._encode(self._quantiser.flush())
        self._output.mux(self._stream.encode(None))
        self._output.close()

    def discard(self) -> None:
        with contextlib.suppress(av.error.FFmpegError, OSError, ValueError):
            self._output.close()

    def _encode(self, frames: list[Any]) -> None:
        for frame in frames:
            self._output.mux(self._stream.encode(frame))


class PngSink:
    """A folder of numbered PNG pictures."""

    def __init__(self, path: Path) -> None:
        self._folder = path
        self._frames = 0
        path.mkdir(exist_ok=True)

    def write(self, image: Picture) -> None:
        self._frames += 1
        (self._folder / frame_name(self._frames)).write_bytes(encode_png(image))

    def finish(self) -> None:
        if self._frames == 0:
            raise _nothing_written()

    def discard(self) -> None:
        """Pictures are whole each; nothing is open."""


def _nothing_written() -> NoFrames:
    return NoFrames("There is no picture to write.", "Choose a longer part of the video.")
