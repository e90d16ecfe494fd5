"""A driver, whether it comes as a video or as a recorded `.motion`."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path

from likeness.errors import NoFrames
from likeness.media import VideoReader
from likeness.motion.file import SUFFIX, MotionFile
from likeness.motion.frame import DriverInfo, MotionFrame, Need
from likeness.motion.record import Recorder
from likeness.motion.steady import steady
from likeness.pipelines.ahead import run_ahead

_AHEAD_FRAMES = 2
"""So many pictures are decoded in advance; they may be large."""
DAMAGED = "Parts of the driver are damaged or missing; the last good picture was held there."


class Driver:
    """A context manager that yields motion frames as they come.

    Args:
        path: a video, or a `.motion` file.
        needs: what the engine needs beside the points.
        face: which face, as numbered by `likeness faces`; only for a video.

    Attributes:
        info: rate, size and expected number of frames.
        has_audio: whether the file brings sound.
        start_s: the exact time of the first frame in the file.
    """

    def __init__(
        self,
        path: Path,
        *,
        needs: frozenset[Need],
        start_s: Fraction | None = None,
        end_s: Fraction | None = None,
        face: int | None = None,
    ) -> None:
        self.path = path
        self._stack = contextlib.ExitStack()
        self._reader: VideoReader | None = None
        self._recorder: Recorder | None = None
        self._held = 0
        if path.suffix.lower() == SUFFIX:
            self._file = MotionFile(path)
            self._range = frame_range(self._file.info, start_s, end_s)
            total = len(self._range)
            info = self._file.info
            self.info = DriverInfo(info.rate, info.width, info.height, total)
            self.has_audio = False
            self.start_s = self._range.start / info.rate
        else:
            self._reader = self._stack.enter_context(VideoReader(path, start_s=start_s, end_s=end_s))
            self._reader.check_whole()
            video = self._reader.info
            self.info = DriverInfo(video.rate, video.width, video.height, self._reader.frames_expected)
            self.has_audio = video.has_audio
            self.start_s = self._reader.start_s
            # One thread: the rendering and encoding beside it fill the other cores, and the second thread
            # of so small a network mostly waits, at full speed.
            self._recorder = Recorder(needs=needs, face=face, threads=1)

    def __enter__(self) -> Driver:
        return self

    def __exit__(self, *details: object) -> None:
        self._stack.close()

    def check_moves(self, frames: int) -> None:
        """Refuse a driver of which there are no more `frames` than this.

        Raises:
            NoFrames: one picture does not move.
        """
        if frames < 2:
            raise NoFrames(f"{self.path.name} holds one picture only, which moves nobody.", "Give a video.")

    @property
    def held(self) -> int:
        """How many frames so far did not show the face."""
        return self._recorder.held if self._recorder else self._held

    @property
    def damaged(self) -> bool:
        """The video broke off before its end."""
        return self._reader.damaged if self._reader else False

    def frames(self) -> Iterator[MotionFrame]:
        """The motion, frame by frame."""
        if self._reader is not None and self._recorder is not None:
            with run_ahead(self._reader, _AHEAD_FRAMES) as pictures:
                yield from steady(self._recorder.record(pictures))
            return
        for frame in steady(islice(self._file.frames(), self._range.start, self._range.stop)):
            self._held += frame.held
            yield frame


def frame_range(info: DriverInfo, start_s: Fraction | None, end_s: Fraction | None) -> range:
    total = info.frames or 0
    # As `VideoReader` cuts: frames at start ≤ time < end.
    first = min(math.ceil((start_s or 0) * info.rate), total)
    last = total if end_s is None else min(math.ceil(end_s * info.rate), total)
    if first >= last:
        raise NoFrames("The chosen part of the motion holds no frame.", "Choose an earlier start.")
    return range(first, last)
