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
import numpy as np
from av.video.reformatter import Colorspace, VideoReformatter

from likeness.errors import NoFrames, NoVideo, TooLarge, Unreadable, UsageError
from likeness.media.containers import (
    MAX_VIDEO_PIXELS,
    READ_ERRORS,
    audio_stream,
    open_container,
    seek_before,
    video_stream,
)
from likeness.media.image import image_size
from likeness.media.timing import Clock, Timing, choose_timing
from likeness.types import Frame, Picture, VideoInfo

_SURVEYED_FRAMES = 1000
# AVCOL_SPC_*: BT.709, FCC, BT.601 (625 and 525 lines), SMPTE 240M, BT.2020; all others are no such matrix.
_MATRICES = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
}
_HD_HEIGHT = 720
# A frame of RGB is large, and each decoding thread holds several.
_MOST_THREADS = 4


@dataclass(frozen=True, slots=True)
class Survey:
    """What a look at a file's beginning tells.

    Attributes:
        info: for everybody.
        timing: the constant rate that the stream is brought to.
        origin_s: the timestamp of the first frame, on the clock of the file.
        quarter_turns: how often the decoded pictures have to be turned counterclockwise.
        mirrored: whether they have to be mirrored (left to right) after turning.
        frames: how many there are, where that is known exactly.
    """

    info: VideoInfo
    timing: Timing
    origin_s: Fraction
    quarter_turns: int
    mirrored: bool
    frames: int | None


def probe(path: str | Path) -> VideoInfo:
    """What a video is like; decodes one frame and reads the timestamps of the first thousand.

    Raises:
        MediaNotFound, Unreadable, Unsupported: not a file that FFmpeg reads.
        NoVideo: no video stream. A cover picture in a sound file is not one.
        NoFrames: a video stream without a frame.
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
        if first is None:
            raise NoFrames(f"{path} holds no frame that can be decoded.", "Export the video again.")
        tick_s = Fraction(stream.time_base or Fraction(1, 1000))
        claims = (stream.guessed_rate, stream.average_rate, stream.base_rate)
        timing = choose_timing(stamps, claims, tick_s)
        origin_s = (first.pts or 0) * tick_s
        frames = (len(stamps) or None) if is_whole and not timing.variable else None
        turns, mirrored = _orientation(first)
        width, height = _square_size(first, stream)
        if turns % 2:
            width, height = height, width
        info = VideoInfo(
            path=path,
            width=width,
            height=height,
            rate=timing.rate,
            duration_s=float(frames / timing.rate) if frames else _duration_s(container, stream),
            has_audio=has_audio,
            rotation=turns * 90,
            variable_rate=timing.variable,
            codec=stream.codec_context.name,
        )
    return Survey(info, timing, origin_s, turns, mirrored, frames)


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
        self.info = self._survey.info
        self._first = math.ceil(start * self.info.rate)
        self._stop = None if end is None else math.ceil(end * self.info.rate)
        self.start_s = self._first / self.info.rate
        self.frames_expected = self._expected()
        self.damaged = False
        self._picture = _PictureMaker(self._survey)
        self._container: Any = open_container(path)
        self._stream: Any = _video_of(self._container, self.info.path)
        self._stream.thread_type = "AUTO"
        self._stream.thread_count = threads or min(os.cpu_count() or 1, _MOST_THREADS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

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
                yield from itertools.repeat(self._picture.of(held), until - position)
                position = until
            if self._stop is not None and index >= self._stop:
                return
            held, held_end_s = frame, time_s + length_s
        if held is not None:  # the last picture of the file: shown as long as it says
            end = max(timing.index_of(held_end_s), timing.index_of(time_s) + 1)
            until = end if self._stop is None else min(end, self._stop)
            if until > position:
                yield from itertools.repeat(self._picture.of(held), until - position)

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
        """Frames that were decoded whole; after damage, none before the next key frame."""
        packets = self._container.demux(self._stream)
        needs_key = False
        while True:
            try:
                packet = next(packets, None)
            except READ_ERRORS:
                self.damaged, packet = True, None
            if packet is None:
                return
            if packet.is_corrupt:
                self.damaged = needs_key = True
            if needs_key and packet.size and not (packet.is_keyframe and not packet.is_corrupt):
                continue
            needs_key = False
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                self.damaged = needs_key = True
                continue
            yield from (frame for frame in frames if not frame.is_corrupt)

    def _expected(self) -> int | None:
        total = self._survey.frames
        if total is None and self.info.duration_s is not None:
            total = round(self.info.duration_s * self.info.rate)
        ends = [end for end in (total, self._stop) if end is not None]
        return max(0, min(ends) - self._first) if ends else None


class _PictureMaker:
    """Turns decoded frames of any format into upright RGB pictures of one size."""

    def __init__(self, found: Survey) -> None:
        self._path = found.info.path
        self._turns, self._mirrored = found.quarter_turns, found.mirrored
        self._size = (found.info.width, found.info.height)[:: -1 if self._turns % 2 else 1]
        self._reformatter = VideoReformatter()

    def of(self, frame: Any) -> Picture:
        # Without a tag, what players do: high definition is BT.709, anything smaller BT.601.
        usual = Colorspace.ITU709 if frame.height >= _HD_HEIGHT else Colorspace.ITU601
        matrix = _MATRICES.get(frame.colorspace, usual)
        width, height = self._size
        try:
            rgb: Any = self._reformatter.reformat(
                frame, width=width, height=height, format="rgb24", src_colorspace=matrix, threads=1
            )
        except av.error.FFmpegError as error:
            raise Unreadable(
                f"{self._path} holds pictures of a kind that cannot be converted.",
                "Convert it to MP4 with H.264.",
            ) from error
        image: Picture = rgb.to_ndarray()
        return self._upright(image) if self._turns or self._mirrored else np.ascontiguousarray(image)

    def _upright(self, image: Picture) -> Picture:
        import cv2  # numpy would take ten times as long to copy a turned picture

        if self._turns:
            turn = (cv2.ROTATE_90_COUNTERCLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_CLOCKWISE)[self._turns - 1]
            image = np.asarray(cv2.rotate(image, turn))
        return np.asarray(cv2.flip(image, 1)) if self._mirrored else image


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


def _square_size(frame: Any, stream: Any) -> tuple[int, int]:
    """Width and height of the decoded frame once its pixels are square."""
    aspect = stream.sample_aspect_ratio or Fraction(1)
    if not Fraction(1, 8) <= aspect <= 8:
        aspect = Fraction(1)  # nonsense in the file
    return max(1, round(frame.width * aspect)), int(frame.height)


def _orientation(frame: Any) -> tuple[int, bool]:
    """Quarter turns counterclockwise, and whether to mirror after them, from the display matrix.

    The matrix (ISO/IEC 14496-12, 8.3.2) maps (x, y) to (a x + c y, b x + d y), y pointing down; its entries
    a, b, c, d are the first, second, fourth and fifth of nine numbers. A mirrored one is a turn and then a
    flip of left and right.
    """
    matrix = next((data for data in frame.side_data if data.type.name == "DISPLAYMATRIX"), None)
    if matrix is None:
        return 0, False
    numbers = np.frombuffer(bytes(matrix), dtype=np.int32).astype(float)
    a, b, c, d = numbers[[0, 1, 3, 4]]
    mirrored = bool(a * d - b * c < 0)
    if mirrored:
        a, c = -a, -c
    return round(math.degrees(math.atan2(-b, a)) / 90) % 4, mirrored
