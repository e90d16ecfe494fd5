"""Opening files with FFmpeg: only the file itself, only streams of the wanted kind, errors in plain words."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
from av.stream import Disposition

from likeness.errors import Unreadable, Unsupported
from likeness.media.files import check_input

MAX_VIDEO_PIXELS = 8192 * 8192

# What reading packets may raise. IndexError is PyAV's, at the end of files in which streams turn up late.
READ_ERRORS = (av.error.FFmpegError, OSError, IndexError)

# Formats that are lists of other files, or that turn plain text into pictures.
_REFUSED = {"hls", "concat", "dash", "tty", "imf"}
# Only with these can one seek and trust the timestamps found there; other files are read from the start.
_INDEXED = {"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"}
_PREROLL_S = 2
_LIMITS = {"max_pixels": str(MAX_VIDEO_PIXELS)}


def open_container(path: str | Path) -> Any:
    """An `av.container.InputContainer` of the file at `path`; use it in a `with` block.

    Raises:
        MediaNotFound, Unreadable, Unsupported: see the message.
    """
    path = check_input(path)
    try:
        container = av.open(
            file_url(path),
            # No address, and no pattern such as "%03d", is more than the name of one file.
            container_options={"protocol_whitelist": "file", "pattern_type": "none"},
            options=_LIMITS,
            metadata_errors="replace",
        )
    except (av.error.FFmpegError, UnicodeError, ValueError) as error:
        raise Unreadable(
            f"{path} cannot be read as video or sound: it is damaged, cut off or something else.",
            "Play it in a player; if that fails too, copy or export it again.",
        ) from error
    if container.format.name in _REFUSED:
        container.close()
        raise Unsupported(
            f"{path} is a list of files or a text, not a video.",
            "Give the video file itself, under a plain name.",
        )
    return container


def file_url(path: Path) -> str:
    """`path` for FFmpeg, to which a bare name such as "http:…" or "-" would mean something else."""
    return f"file:{os.fspath(path)}"


def video_stream(container: Any) -> Any | None:
    """The video stream, or None; a cover picture in a sound file is not one."""
    stream = next((s for s in container.streams.video if not s.disposition & Disposition.attached_pic), None)
    if stream is not None and stream.codec_context is not None:
        stream.codec_context.options = _LIMITS  # for sizes that only the decoder finds
    return stream


def audio_stream(container: Any) -> Any | None:
    """The sound stream that FFmpeg takes for the main one, or None."""
    best = container.streams.best("audio")
    return best if best is not None and best.codec_context is not None else None


def seek_before(container: Any, stream: Any, time_s: Fraction) -> None:
    """Move to some time before `time_s` on the clock of the file, or stay at its start."""
    early_s = time_s - _PREROLL_S
    if container.format.name in _INDEXED and early_s > _PREROLL_S:
        container.seek(int(early_s / stream.time_base), stream=stream)
