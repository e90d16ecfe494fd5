"""The seal for a video that gets another sound: its pictures stay as they are, bit by bit.

What is synthetic is the sound, so that carries the marks, as in `sealed_sound`: the watermark throughout,
and the audible disclaimer, which here sounds over the beginning rather than before it, lest sound and picture
come apart. To label pictures as generated that a camera took would be false. The credentials say what was
done.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from likeness.disclosure.sealed_sound import SealedSound, Writer
from likeness.errors import NoVideo, Unsupported
from likeness.media.files import temporary_beside
from likeness.media.video import VideoReader
from likeness.media.writer import DubFormat, DubWriter, VideoWriter, can_copy, dub_format_of
from likeness.types import Floats, Making

_DUCK_DB = -9.0  # by so much the sound steps back while the notes are heard
_DUCK_FADE_S = 0.1


def is_dub(out: Path) -> bool:
    """Whether an output of this name is a video."""
    return dub_format_of(out) is not None


def check_picture(source: Path) -> None:
    """Refuse, before any work, what has no pictures, or a video that breaks off.

    Raises:
        MediaError: `NoVideo`, `Unreadable` …
    """
    try:
        with VideoReader(source) as reader:
            reader.check_whole()
    except NoVideo as error:
        raise NoVideo(
            error.what, "Give a video, or name the output as a sound, such as .wav or .mp3."
        ) from error


class SealedDub(SealedSound):
    """A video's pictures with a new sound that is sealed as it is written. As `SealedSound`, and

    Args:
        out: `.mp4` or `.webm`.
        picture: the video whose pictures are kept; the sound begins with the first of them.

    Pictures of a codec that the format cannot hold are encoded anew, on entering; `Sealed.notes` says so.

    Raises:
        NoVideo: it has none; on entering.
    """

    def __init__(
        self,
        out: str | os.PathLike[str],
        making: Making,
        *,
        picture: Path,
        rate_hz: int,
        channels: int,
        overwrite: bool = False,
        language: str = "en",
    ) -> None:
        self._picture, self._is_copied = picture, True
        super().__init__(
            out, making, rate_hz=rate_hz, channels=channels, overwrite=overwrite, language=language
        )

    def _kind_of(self, out: Path) -> str:
        format = dub_format_of(out)
        if format is None:
            raise Unsupported(f"{out} is no name for a video written here.", "Use .mp4 or .webm.")
        return f"video/{format}"

    def _open_writer(self, stack: ExitStack, encoded: Path) -> Writer:
        format = dub_format_of(self._out)
        assert format is not None  # `_kind_of` looked
        source = self._picture
        if not can_copy(source, format):
            source = stack.enter_context(temporary_beside(self._out)).path
            _encode_pictures(self._picture, source, format)
            self._is_copied = False
        return DubWriter(
            encoded, format=format, source=source, rate_hz=self._rate_hz, channels=self._channels
        )

    def _put_opening(self, notes: Floats, opening: Floats) -> None:
        """The notes over the beginning, which steps back for them."""
        length = max(notes.shape[1], opening.shape[1])
        mixed = np.zeros((self._channels, length), np.float32)
        mixed[:, : opening.shape[1]] = opening * self._duck(notes.shape[1], opening.shape[1])
        mixed[:, : notes.shape[1]] += notes
        self._put(self._mark.process(mixed))

    def _duck(self, until: int, length: int) -> Floats:
        """(length,) gains: soft until sample `until`, then back to 1."""
        fade = max(1, round(_DUCK_FADE_S * self._rate_hz))
        back = np.clip((np.arange(length) - until + fade) / fade, 0, 1)
        return (10 ** (_DUCK_DB / 20 * (1 - back))).astype(np.float32)

    def _notes(self) -> tuple[str, ...]:
        if self._is_copied:
            return super()._notes()
        anew = (
            f"{self._out.suffix} cannot hold the pictures of {self._picture.name} as they are: encoded anew."
        )
        return (*super()._notes(), anew)


def _encode_pictures(source: Path, target: Path, format: DubFormat) -> None:
    with VideoReader(source) as reader:
        info = reader.info
        with VideoWriter(
            target, format=format, width=info.width, height=info.height, rate=info.rate
        ) as writer:
            for frame in reader:
                writer.write(frame.image)
