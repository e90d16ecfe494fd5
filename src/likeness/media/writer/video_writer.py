"""Writing video in a thread of its own."""

from __future__ import annotations

import os
import queue
import threading
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av.error
import numpy as np

from likeness.errors import UsageError
from likeness.media.audio import AudioSource
from likeness.media.files import OutputFormat
from likeness.media.writer.failure import explain
from likeness.media.writer.sinks import GifSink, PngSink, Sink, StreamSink
from likeness.media.writer.sound import MakeSoundLayer
from likeness.types import Picture

_QUEUED_PICTURES = 3
_MOST_THREADS = 2


class VideoWriter:
    """Encodes pictures and muxes sound, in a thread of its own.

    `write` returns at once while the encoder keeps up, and waits when a few pictures are queued, so memory
    does not grow. What goes wrong in the thread is raised by the next `write`, or by `close`. Leaving the
    `with` block closes; leaving it by an exception abandons the output, which is then incomplete.

    Args:
        path: written as it is given; make it appear complete with `temporary_beside`. For "png" a folder.
        format: "mp4" (H.264, AAC), "webm" (VP9, Opus), "gif" or "png" (numbered pictures).
        width, height: of every picture, px. In MP4 and WebM odd ones grow by one (the edge is repeated).
        rate: exact frames per second.
        audio: the sound, or None. It ends with the video at the latest. "gif" and "png" have none.
        quality: the encoder's CRF, lower is better; default 18 for "mp4", 24 for "webm".
        threads: for encoding; default: one per core, at most two.
        make_sound_layer: makes, for a sampling rate and a number of channels, what the sound goes through
            before it is encoded, such as a watermark; without it, sound that fits is copied bit by bit.

    Raises:
        NotWritable, DiskFull: also by `write` and `close`.
        MediaError: the sound cannot be read (on construction, for "mp4" and "webm").
    """

    def __init__(
        self,
        path: str | Path,
        *,
        format: OutputFormat,
        width: int,
        height: int,
        rate: Fraction,
        audio: AudioSource | None = None,
        quality: int | None = None,
        threads: int | None = None,
        make_sound_layer: MakeSoundLayer | None = None,
    ) -> None:
        if min(width, height) < 1 or rate <= 0:
            raise UsageError(f"A video of {width}×{height} px at {rate} frames/s is impossible.")
        self._path = Path(path)
        self._shape = (height, width, 3)
        try:
            self._sink = _open_sink(
                self._path,
                format,
                size=(width, height),
                rate=rate,
                audio=audio,
                quality=quality,
                threads=threads or min(os.cpu_count() or 1, _MOST_THREADS),
                make_sound_layer=make_sound_layer,
            )
        except (av.error.FFmpegError, OSError) as error:
            raise explain(self._path, error) from error
        self._error: BaseException | None = None
        self._is_abandoned = False
        self._is_closed = False
        self._queue: queue.Queue[Picture | None] = queue.Queue(maxsize=_QUEUED_PICTURES)
        # A daemon, lest a program that forgot to close hangs at its end.
        self._thread = threading.Thread(target=self._run, name="likeness-encoder", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()

    def write(self, image: Picture, *, owned: bool = False) -> None:
        """Add the next picture, (h, w, 3) uint8 RGB. It is copied, unless the caller gives it away (`owned`).

        Raises:
            ValueError: wrong shape or dtype, or the writer is closed.
        """
        if self._is_closed:
            raise ValueError("the writer is closed")
        if image.shape != self._shape or image.dtype != np.uint8:
            raise ValueError(f"expected uint8 {self._shape}, got {image.dtype} {image.shape}")
        self._raise_error()
        self._queue.put(np.ascontiguousarray(image) if owned else np.array(image, order="C"))

    def close(self) -> None:
        """Write what is left and complete the output. Closing twice does nothing."""
        try:
            self._stop()
        except BaseException:  # Ctrl-C while waiting
            self.abandon()
            raise
        self._raise_error()

    def abandon(self) -> None:
        """Stop without completing the output, as soon as the picture in work is done; never raises."""
        self._is_abandoned = True
        self._stop()

    def _stop(self) -> None:
        if not self._is_closed:
            self._queue.put(None)  # never blocks for long: the thread empties the queue whatever happens
            self._is_closed = True
        self._thread.join()

    def _run(self) -> None:
        image: Picture | None = None
        try:
            while (image := self._queue.get()) is not None:
                if not self._is_abandoned:
                    self._sink.write(image)
            if self._is_abandoned:
                self._sink.discard()
            else:
                self._sink.finish()
        except Exception as error:  # noqa: BLE001 (whatever it is, it is raised in the caller's thread)
            self._error = error
            self._sink.discard()
            while image is not None:  # so that `write` and `close` never wait for room
                image = self._queue.get()

    def _raise_error(self) -> None:
        if isinstance(self._error, (av.error.FFmpegError, OSError)):
            raise explain(self._path, self._error) from self._error
        if self._error is not None:
            raise self._error


def _open_sink(
    path: Path,
    container_format: OutputFormat,
    *,
    size: tuple[int, int],
    rate: Fraction,
    audio: AudioSource | None,
    quality: int | None,
    threads: int,
    make_sound_layer: MakeSoundLayer | None,
) -> Sink:
    if container_format == "png":
        return PngSink(path)
    if container_format == "gif":
        return GifSink(path, size, rate)
    return StreamSink(path, container_format, size, rate, audio, quality, threads, make_sound_layer)
