"""Reading video as a stream of RGB pictures at a constant, exact rate."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import av.error

from likeness.errors import NoFrames, NoVideo, TooLarge, Unreadable, UsageError
from likeness.media.containers import (
    MAX_VIDEO_PIXELS,
    READ_ERRORS,
    Cut,
    audio_stream,
    find_cut,
    lacks_end,
    open_container,
    seek_before,
    video_stream,
)
from likeness.media.image import image_size
from likeness.media.pictures import Orientation, PictureMaker, orientation_of, shown_size
from likeness.media.timing import Clock, Timing, choose_timing
from likeness.types import Frame, Picture, VideoInfo

_SURVEYED_FRAMES = 1000
# A frame of RGB is large, and each decoding thread holds several.
_MOST_THREADS = 4


@dataclass(frozen=True, slots=True)
class Survey:
    """What a look at a file's beginning tells.

    Attributes:
        info: for everybody.
        timing: the constant rate that the stream is brought to.
        origin_s: the timestamp of the first frame, on the clock of the file.
        orientation: how decoded pictures have to be turned.
        frames: how many there are, where that is known exactly.
        cut: where the file breaks off, if its index says more than is there.
    """

    info: VideoInfo
    timing: Timing
    origin_s: Fraction
    orientation: Orientation
    frames: int | None
    cut: Cut | None


def probe(path: str | Path) -> VideoInfo:
    """What a video is like; decodes one frame and reads the timestamps of the first thousand.

    Raises:
        MediaNotFound, Unreadable, Unsupported: not a file that FFmpeg reads.
        NoVideo: no video stream. A cover picture in a sound file is not one.
        NoFrames: a video stream without a frame.
        Unreadable: the file breaks off before its first frame.
        TooLarge: more than 8192 × 8192 pixels.
    """
    return survey(path).info


def survey(path: str | Path) -> Survey:
    """As `probe`, with what the readers need beside."""
    path = Path(path)
    with open_container(path) as container:
        stream = _video_of(container, path)
        has_audio = audio_stream(container) is not None
        first, stamps, is_whole = _first_frame_and_stamps(container, stream)
        tick_s, cut = Fraction(stream.time_base or Fraction(1, 1000)), find_cut(container, stream)
        if first is None and cut is not None:
            raise cut.error(path, cut.until_s)
        if first is None:
            raise NoFrames(f"{path} holds no frame that can be decoded.", "Export the video again.")
        claims = (stream.guessed_rate, stream.average_rate, stream.base_rate)
        timing = choose_timing(stamps, claims, tick_s)
        origin_s = (first.pts or 0) * tick_s
        frames = (len(stamps) or None) if is_whole and not timing.variable else None
        orientation = orientation_of(first)
        width, height = shown_size(first, stream.sample_aspect_ratio, orientation)
        info = VideoInfo(
            path=path,
            width=width,
            height=height,
            rate=timing.rate,
            duration_s=float(frames / timing.rate) if frames else _duration_s(container, stream),
            has_audio=has_audio,
            rotation=orientation.quarter_turns * 90,
            variable_rate=timing.variable,
            codec=stream.codec_context.name,
        )
    return Survey(info, timing, origin_s, orientation, frames, cut)


class VideoReader:
    """The frames of a video one after the other, at the constant rate of `info`.

    Memory does not grow with length. Frames are turned upright, pixels made square, colours sRGB-like RGB
    (BT.601 or BT.709 as tagged, else by height); interlaced pictures are left as they are. Pictures of a
    variable rate are repeated or left out, so a `Frame.image` may be the same array as the one before: do not
    write into it. Iterate once.

    Args:
        path: the video; a still picture or a GIF will do too.
        start_s, end_s: the part wanted, seconds from the first frame: frames at `start_s` ≤ time < `end_s`.
        threads: for decoding; default: one per core, at most four.

    Attributes:
        info: as from `probe`.
        start_s: the exact time of the first frame that comes, at or after the `start_s` asked for. Frames
            are counted from there: `Frame.index` and `Frame.time_s` of the first are 0.
        frames_expected: an estimate of how many frames will come, or None.
        damaged: True once a part could not be decoded; the picture before it is held meanwhile.

    Raises:
        MediaError: as from `probe`; `NoFrames` also where the part holds no frame (on iterating).
        UsageError: `start_s` and `end_s` make no range.
    """

    def __init__(
        self,
        path: str | Path,
        start_s: Fraction | float | None = None,
        end_s: Fraction | float | None = None,
        *,
        threads: int | None = None,
    ) -> None:
        start, end = Fraction(start_s or 0), None if end_s is None else Fraction(end_s)
        if start < 0 or (end is not None and end <= start):
            raise UsageError(
                "The end has to lie after the start.", "Give times in seconds from the beginning."
            )
        self._survey = survey(path)
        self.info = info = self._survey.info
        self._first = math.ceil(start * info.rate)
        self._end_s, self._stop = end, None if end is None else math.ceil(end * info.rate)
        self.start_s = self._first / info.rate
        self.frames_expected = self._expected()
        self.damaged = False
        self._pictures = PictureMaker(info.width, info.height, self._survey.orientation)
        self._container: Any = open_container(path)
        self._stream: Any = _video_of(self._container, info.path)
        self._stream.thread_type = "AUTO"
        self._stream.thread_count = threads or min(os.cpu_count() or 1, _MOST_THREADS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def check_whole(self) -> None:
        """Refuse, before anything is decoded, an MP4 or MOV file that breaks off before the part's end.

        Who does not ask gets what is there, and `damaged` is True at the end, as in other formats, which
        show it only then. The reader is closed on refusal.

        Raises:
            Unreadable: it does.
        """
        cut, origin_s = self._survey.cut, self._survey.origin_s
        if cut is not None and (self._end_s is None or origin_s + self._end_s > cut.until_s):
            self.close()
            raise cut.error(self.info.path, origin_s)

    def close(self) -> None:
        """Let go of the file; iterating ends."""
        self._container.close()

    def __iter__(self) -> Iterator[Frame]:
        """Frames in order, `index` from 0 without a gap."""
        index = -1
        for index, image in enumerate(self._on_grid()):
            yield Frame(image=image, index=index, time_s=index / self.info.rate)
        if index < 0:
            raise NoFrames(
                f"{self.info.path} holds no frame between the start and the end.", "Choose an earlier start."
            )

    def _on_grid(self) -> Iterator[Picture]:
        """Hold each decoded picture until the grid position of the next."""
        timing, position = self._survey.timing, self._first
        held: Any = None
        held_end_s = Fraction(0)
        for frame, time_s, length_s in self._decode():
            index = timing.index_of(time_s)
            until = index if self._stop is None else min(index, self._stop)
            if held is not None and until > position:
                yield from itertools.repeat(self._picture_of(held), until - position)
                position = until
            if self._stop is not None and index >= self._stop:
                return
            held, held_end_s = frame, time_s + length_s
        if held is not None:  # the last picture of the file: shown as long as it says
            end = max(timing.index_of(held_end_s), timing.index_of(time_s) + 1)
            until = end if self._stop is None else min(end, self._stop)
            if until > position:
                yield from itertools.repeat(self._picture_of(held), until - position)

    def _picture_of(self, frame: Any) -> Picture:
        try:
            return self._pictures.make(frame)
        except av.error.FFmpegError as error:
            what = f"{self.info.path} holds pictures of a kind that cannot be converted."
            raise Unreadable(what, "Convert it to MP4 with H.264.") from error

    def _decode(self) -> Iterator[tuple[Any, Fraction, Fraction]]:
        """Decoded frames, with their time from the first frame of the file and how long they are shown."""
        frame_s, tick_s = 1 / self.info.rate, Fraction(self._stream.time_base or Fraction(1, 1000))
        clock = Clock(self._survey.origin_s, frame_s)
        seek_before(self._container, self._stream, self._survey.origin_s + self.start_s)
        for frame in self._undamaged():
            time_s = clock.read(None if frame.pts is None else frame.pts * tick_s)
            length_s = frame.duration * tick_s if self._survey.timing.variable and frame.duration else frame_s
            yield frame, time_s, length_s

    def _undamaged(self) -> Iterator[Any]:
        """Frames that were decoded whole; after damage, none before the next key frame.

        Decoders read on a little; damage there, beyond the part that is wanted, is none.
        """
        packets = self._container.demux(self._stream)
        needs_key = False
        while True:
            try:
                packet = next(packets, None)
            except READ_ERRORS:
                self.damaged, packet = True, None
            if packet is None:
                self.damaged |= lacks_end(self._container, self.info.path)
                return
            if packet.is_corrupt:
                needs_key = True
                self.damaged |= self._is_wanted(packet)
            if needs_key and packet.size and not (packet.is_keyframe and not packet.is_corrupt):
                continue
            needs_key = False
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                needs_key = True
                self.damaged |= self._is_wanted(packet)
                continue
            self.damaged |= any(frame.is_corrupt for frame in frames)
            yield from (frame for frame in frames if not frame.is_corrupt)

    def _is_wanted(self, packet: Any) -> bool:
        if self._stop is None or packet.dts is None:
            return True
        return bool(packet.dts * packet.time_base - self._survey.origin_s < self._stop / self.info.rate)

    def _expected(self) -> int | None:
        total = self._survey.frames
        if total is None and self.info.duration_s is not None:
            total = round(self.info.duration_s * self.info.rate)
        ends = [end for end in (total, self._stop) if end is not None]
        return max(0, min(ends) - self._first) if ends else None


def _video_of(container: Any, path: Path) -> Any:
    stream = video_stream(container)
    if stream is None:
        raise NoVideo(f"{path} holds no video.", "Give a video file; a still picture will do too.")
    context = stream.codec_context
    if context is None:
        raise Unreadable(f"{path} holds video of an unknown kind.", "Convert it to MP4 with H.264.")
    # Of pictures FFmpeg knows the size only once it has decoded them.
    is_picture = container.format.name.endswith(("_pipe", "image2", "gif"))
    width, height = (image_size(path) if is_picture else None) or (context.width, context.height)
    if width * height > MAX_VIDEO_PIXELS:
        raise TooLarge(
            f"{path} is {width}×{height} px; at most 8192×8192 are read.", "Make it smaller first."
        )
    return stream


def _first_frame_and_stamps(container: Any, stream: Any) -> tuple[Any | None, list[int], bool]:
    """The first frame that can be decoded, the timestamps of the first frames, and whether that was all."""
    first: Any | None = None
    stamps: list[int] = []
    try:
        for packet in container.demux(stream):
            if first is None:
                first = _decode_one(packet)
            if packet.size and packet.pts is not None and not packet.is_discard:
                stamps.append(packet.pts)
            if first is not None and len(stamps) >= _SURVEYED_FRAMES:
                return first, stamps, False
    except READ_ERRORS:
        return first, stamps, False
    return first, stamps, True


def _decode_one(packet: Any) -> Any | None:
    try:
        frames = packet.decode()
    except av.error.FFmpegError:
        return None
    return next((frame for frame in frames if not frame.is_corrupt), None)


def _duration_s(container: Any, stream: Any) -> float | None:
    if stream.duration:
        return float(stream.duration * stream.time_base)
    return container.duration / 1e6 if container.duration else None
