"""Reading the sound of a file as a stream of samples, exactly in time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import av.error
import numpy as np

from likeness.errors import NoAudio, Unreadable, UsageError
from likeness.media.containers import (
    READ_ERRORS,
    audio_stream,
    find_cut,
    open_container,
    seek_before,
    video_stream,
)
from likeness.media.timing import LONGEST_HOLD_S
from likeness.media.video import survey
from likeness.types import Floats

# Timestamps of sound are rounded to the ticks of the file, and some files jump back and forth by a little:
# only what one might hear or see as a shift is corrected.
_TOLERANCE_S = Fraction(20, 1000)


@dataclass(frozen=True, slots=True)
class AudioSource:
    """The sound that a video shall get.

    Attributes:
        path: a sound file, or a video whose sound is taken.
        start_s: the time in it that falls on the video's beginning, seconds from its first frame (from its
            first sample where it has no picture).
        duration_s: how long it shall sound; None: to the end of the video.
    """

    path: Path
    start_s: Fraction = Fraction(0)
    duration_s: Fraction | None = None

    def __post_init__(self) -> None:
        if self.start_s < 0 or (self.duration_s is not None and self.duration_s <= 0):
            raise UsageError("The sound's start or length is out of range.", "Give times of 0 s and more.")


class AudioReader:
    """Samples of a sound from a given moment on, without a gap.

    Where the file has no sound (before its first sample, in holes), there is silence; so sample n always
    belongs to the time `start_s + n / rate_hz`. Memory does not grow with length. Iterate once.

    Args:
        path: a sound file, or a video with sound.
        start_s: seconds, as in `AudioSource`.
        duration_s: how much to read, seconds; default: to the end of the file.
        rate_hz: sampling rate wanted; default: that of the file.
        channels: 1 or 2; default: 1 for mono, else 2.

    Attributes:
        rate_hz, channels: of the samples that come.

    Raises:
        MediaNotFound, Unreadable, Unsupported: not a file that FFmpeg reads.
        NoAudio: no sound in it.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        start_s: Fraction | float = 0,
        duration_s: Fraction | float | None = None,
        rate_hz: int | None = None,
        channels: int | None = None,
    ) -> None:
        self._path = Path(path)
        self._start_s = Fraction(start_s)
        self._origin_s = origin_s(path)
        self._container: Any = open_container(path)
        self._stream: Any = sound_of(self._container, self._path)
        context = self._stream.codec_context
        self.rate_hz: int = rate_hz or context.sample_rate
        self.channels: int = channels or min(context.layout.nb_channels, 2)
        self._wanted = None if duration_s is None else math.ceil(Fraction(duration_s) * self.rate_hz)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; iterating ends."""
        self._container.close()

    def __iter__(self) -> Iterator[Floats]:
        """Blocks of samples, (channels, n) float32, nominally -1…1; n varies from block to block."""
        left = self._wanted
        for block in self._without_gaps():
            piece = block if left is None else block[:, :left]
            if piece.shape[1]:
                yield piece
            if left is not None:
                left -= piece.shape[1]
                if left == 0:
                    return

    def _without_gaps(self) -> Iterator[Floats]:
        """Silence where nothing was decoded, samples cut off where too much was: from the start on."""
        position = 0
        for place, samples in self._decode():
            ahead = place - position
            is_jitter = position and abs(ahead) <= _TOLERANCE_S * self.rate_hz
            if is_jitter or ahead > LONGEST_HOLD_S * self.rate_hz:
                ahead = 0
            for begin in range(0, ahead, self.rate_hz):  # by the second, however long the gap
                silence = np.zeros((self.channels, min(self.rate_hz, ahead - begin)), np.float32)
                position += silence.shape[1]
                yield silence
            kept = samples[:, max(0, -ahead) :]
            position += kept.shape[1]
            yield kept

    def _decode(self) -> Iterator[tuple[int, Floats]]:
        """Samples at the wanted rate, with the place their timestamp gives them, counted from the start."""
        zero_s = self._origin_s + self._start_s
        seek_before(self._container, self._stream, zero_s)
        try:
            yield from self._placed(zero_s)
        except av.error.FFmpegError as error:
            raise Unreadable(
                f"{self._path} holds sound of a kind that cannot be converted.", "Convert it to WAV."
            ) from error

    def _placed(self, zero_s: Fraction) -> Iterator[tuple[int, Floats]]:
        following = 0
        for piece in self._resampled():
            samples: Floats = piece.to_ndarray()
            if piece.pts is not None:
                following = round((piece.pts * piece.time_base - zero_s) * self.rate_hz)
            yield following, samples
            following += samples.shape[1]

    def _resampled(self) -> Iterator[Any]:
        layout = "mono" if self.channels == 1 else "stereo"
        kind: tuple[str, str, int] | None = None
        resampler = av.AudioResampler("fltp", layout, self.rate_hz)
        for frame in _decoded_frames(self._container, self._stream):
            before, kind = kind, (frame.format.name, frame.layout.name, frame.sample_rate)
            if before not in (None, kind):  # broadcasts do change from mono to stereo in between
                resampler = av.AudioResampler("fltp", layout, self.rate_hz)
            yield from resampler.resample(frame)
        if kind != ("fltp", layout, self.rate_hz):  # else it had nothing to do and holds nothing back
            yield from resampler.resample(None)


def check_sound(path: str | Path, end_s: Fraction | None = None) -> None:
    """Refuse, before any work is done, a file whose sound is missing or breaks off.

    Args:
        end_s: only what lies before this moment is wanted, seconds as in `AudioSource`; None: all of it.

    Raises:
        MediaNotFound, Unreadable, Unsupported: not a file that FFmpeg reads; an MP4 or MOV file that breaks
            off before `end_s`.
        NoAudio: no sound in it.
    """
    with open_container(path) as container:
        cut = find_cut(container, sound_of(container, Path(path)))
    if cut is None:
        return
    zero_s = origin_s(path)
    if end_s is None or zero_s + end_s > cut.until_s:
        raise cut.error(Path(path), zero_s)


def origin_s(path: str | Path) -> Fraction:
    """The moment, on the clock of the file, from which times are counted: its first picture, else sample."""
    with open_container(path) as container:
        if video_stream(container) is not None:
            return survey(path).origin_s
        for frame in _decoded_frames(container, sound_of(container, Path(path))):
            return Fraction((frame.pts or 0) * frame.time_base)
    return Fraction(0)


def _decoded_frames(container: Any, stream: Any) -> Iterator[Any]:
    """Frames of sound; those that are damaged are left out, and so become silence."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
            frames = () if packet is None else packet.decode()
        except READ_ERRORS:
            continue  # after a failure to read, as opposed to decode, `packets` is at its end
        yield from frames
        if packet is None:
            return


def sound_of(container: Any, path: Path) -> Any:
    """The sound stream of an open container; raises `NoAudio`."""
    stream = audio_stream(container)
    if stream is None:
        raise NoAudio(f"{path} has no sound that can be read.", "Give another file, or go without sound.")
    return stream
