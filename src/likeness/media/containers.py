"""Opening files with FFmpeg: only the file itself, only streams of the wanted kind, errors in plain words."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
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
_MP4 = "mov,mp4,m4a,3gp,3g2,mj2"
_MATROSKA = "matroska,webm"
_INDEXED = {_MP4, _MATROSKA}
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


@dataclass(frozen=True, slots=True)
class Cut:
    """A stream whose file broke off: it is there up to `until_s`, on the clock of the file, of `length_s`."""

    until_s: Fraction
    length_s: Fraction

    def error(self, path: Path, origin_s: Fraction) -> Unreadable:
        """What to say of it, with times counted from `origin_s`."""
        # Rounded down, so that the time can be used as an end.
        there_s = max(math.floor((self.until_s - origin_s) * 10), 0) / 10
        remedy = f", or use only what lies before {there_s:.1f} s" if there_s else ""
        return Unreadable(
            f"{path} is cut off: {there_s:.1f} of {float(self.length_s):.1f} s are there.",
            f"Copy or download it again{remedy}.",
        )


def find_cut(container: Any, stream: Any) -> Cut | None:
    """Where a stream of an MP4 or MOV file breaks off, if it does.

    Their index says where every sample lies. If it comes first, as in files for the web, then one of which
    only the beginning was copied opens all the same. Other formats show that only once they are read.
    """
    if container.format.name != _MP4 or stream.time_base is None:
        return None
    size = container.size
    missing = (entry for entry in stream.index_entries if entry.size and entry.pos + entry.size > size)
    until = min((entry.timestamp for entry in missing), default=None)
    if until is None:
        return None
    return Cut(until * stream.time_base, max(stream.duration or 0, until) * stream.time_base)


def lacks_end(container: Any, path: Path) -> bool:
    """Whether a Matroska or WebM file is shorter than it says; FFmpeg then ends without a word.

    Such a file is an EBML header and then one Segment, each an identity, a size and the content (RFC 8794,
    4.1 to 6). Live recordings leave the size open.
    """
    if container.format.name != _MATROSKA:
        return False
    with path.open("rb") as file:
        head = file.read(4096)
    header_size, at = _read_size(head, 4)
    segment = at + (header_size or 0)
    size, at = _read_size(head, segment + 4)
    is_segment = head[segment : segment + 4] == b"\x18\x53\x80\x67"
    return is_segment and size is not None and at + size > int(container.size)


def _read_size(data: bytes, at: int) -> tuple[int | None, int]:
    """An EBML size (RFC 8794, 4), or None where it is open or not in `data`; and where it ends."""
    length = 9 - data[at].bit_length() if at < len(data) else 9
    if length > 8:
        return None, at
    value = int.from_bytes(data[at : at + length], "big") & ~(-1 << 7 * length)
    return (None if value == (1 << 7 * length) - 1 else value), at + length
