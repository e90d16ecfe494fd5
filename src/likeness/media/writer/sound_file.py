"""Writing sound files, as a stream."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Literal, Self, TypeAlias

import numpy as np

from likeness.errors import OutputError, Unsupported, UsageError
from likeness.media.writer.sound_stream import Coding, SoundStream
from likeness.types import Floats

SoundFormat: TypeAlias = Literal["wav", "flac", "mp3", "m4a", "ogg", "opus"]

_MPEG_RATES_HZ = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
AAC_RATES_HZ = (*_MPEG_RATES_HZ, 64000, 88200, 96000)
_MOST_WAV_BYTES = (1 << 32) - (64 << 20)  # its sizes have 32 bits, and the credentials need room as well


_CODINGS: Mapping[str, Coding] = MappingProxyType(
    {
        "wav": Coding("wav", "pcm_s16le", "s16"),
        "flac": Coding("flac", "flac", "s16"),
        "mp3": Coding("mp3", "libmp3lame", "fltp", _MPEG_RATES_HZ, 96_000),
        "m4a": Coding("ipod", "aac", "fltp", AAC_RATES_HZ, 96_000),
        "ogg": Coding("ogg", "libopus", "flt", (48000,), 64_000),
        "opus": Coding("opus", "libopus", "flt", (48000,), 64_000),
    }
)
_FORMATS: Mapping[str, SoundFormat] = MappingProxyType(
    {".wav": "wav", ".flac": "flac", ".mp3": "mp3", ".m4a": "m4a", ".ogg": "ogg", ".opus": "opus"}
)


def sound_format_of(path: str | os.PathLike[str]) -> SoundFormat:
    """What to write, from the suffix.

    Raises:
        Unsupported: any other suffix.
    """
    found = _FORMATS.get(Path(path).suffix.lower())
    if found is None:
        raise Unsupported(
            f"{path} is no name for a sound written here.", f"Use one of {', '.join(_FORMATS)}."
        )
    return found


class SoundWriter(SoundStream):
    """Encodes blocks of samples into a sound file.

    Leaving the `with` block closes; leaving it by an exception abandons the output, which is then incomplete.
    Memory does not grow with length.

    Args:
        path: written as it is given; make it appear complete with `temporary_beside`.
        format: "wav" and "flac" (16 bits), "mp3", "m4a" (AAC), "ogg" and "opus" (Opus).
        rate_hz: of the samples that come. Where the format has no such rate, the next higher one that it
            has is written (Opus: 48000 always).
        channels: 1 or 2.

    Raises:
        UsageError: the rate or the number of channels is out of its range.
        NotWritable, DiskFull, OutputError: also by `write` and `close`.
    """

    def __init__(self, path: str | Path, *, format: SoundFormat, rate_hz: int, channels: int) -> None:
        if channels not in (1, 2) or not 1000 <= rate_hz <= 384_000:
            raise UsageError(
                f"Sound with {channels} channels at {rate_hz} Hz cannot be written.",
                "Use one or two channels, and a usual sampling rate such as 48000 Hz.",
            )
        self._format = format
        super().__init__(Path(path), _CODINGS[format], rate_hz=rate_hz, channels=channels)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()

    def write(self, block: Floats) -> None:
        """Add samples, (channels, n) float32; what lies outside of −1…1 is cut off at it.

        Raises:
            ValueError: wrong shape or dtype, or the writer is closed.
        """
        if self._is_closed:
            raise ValueError("the writer is closed")
        if block.ndim != 2 or block.shape[0] != self._channels or block.dtype != np.float32:
            raise ValueError(f"expected float32 ({self._channels}, n), got {block.dtype} {block.shape}")
        if self._format == "wav" and (self._written + block.shape[1]) * 2 * self._channels > _MOST_WAV_BYTES:
            raise OutputError(
                f"{self._path} would grow beyond 4 GB, more than a WAV file can hold.", "Use .flac."
            )
        super().write(block)
