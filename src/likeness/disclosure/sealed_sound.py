"""The seal for sound alone: every sound leaves the program through here, or not at all.

The layers, in this order:

    1  disclaimer    at the start, audible     `disclaimer.py`
    2  watermark     throughout, imperceptible `watermark/audio.py`; over the disclaimer too
       encode        `media.writer`, which nothing else may import
    3  credentials   on the file, last, since any later change breaks them  `credentials/`

An output appears under its name only when every layer is on; if one fails, nothing is written.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Protocol, Self

import numpy as np

from likeness.disclosure.credentials.signed_file import SignedFile
from likeness.disclosure.credentials.signing import Credentials
from likeness.disclosure.credentials.store import new_manifest_id
from likeness.disclosure.disclaimer import OPENING_S, Disclaimer
from likeness.disclosure.rights import check_rights
from likeness.disclosure.seal import Sealed
from likeness.disclosure.signer import identity
from likeness.disclosure.watermark.audio import AudioMark
from likeness.disclosure.watermark.imprint import LAYER, payload_for
from likeness.errors import NoAudio, SealFailed
from likeness.media.files import check_file_output
from likeness.media.writer import SoundFormat, SoundWriter, sound_format_of
from likeness.types import Floats, Making

_KINDS: MappingProxyType[SoundFormat, str] = MappingProxyType(
    {
        "wav": "audio/wav",
        "flac": "audio/flac",
        "mp3": "audio/mpeg",
        "m4a": "audio/mp4",
        "ogg": "audio/ogg",
        "opus": "audio/ogg",
    }
)
_LOUDEST = 4.0  # what is louder was not scaled to −1…1


class Writer(Protocol):
    """What sealed samples go to."""

    def write(self, block: Floats) -> None:
        """Encode (channels, n) float32."""

    def close(self) -> None:
        """Complete the file."""

    def abandon(self) -> None:
        """Let go of it, complete or not."""


class SealedSound:
    """A sound file that is sealed as it is written, in memory that does not grow with its length.

    Only signing takes more, as c2pa holds FLAC once, and WAV that gets a time stamp twice.

    ::

        with SealedSound(out, making, rate_hz=48000, channels=1) as sound:
            for block in blocks:
                sound.write(block)
        print(sound.sealed)

    Samples beyond −1…1 are limited to it, at the very end, and `Sealed.notes` says how many came: a voice
    model overshoots now and then, for a moment that is not heard, and an hour's work should not be refused
    for it. Samples that are no numbers, or beyond −4…4, are refused: they are somebody's mistake.

    Args:
        out: `.wav`, `.flac`, `.mp3` or `.m4a`; `.ogg` or `.opus`, which cannot hold credentials, so that
            these lie in a sidecar beside it.
        making: how it is made, as the credentials will say.
        rate_hz: sampling rate, 8000…192000.
        channels: 1 or 2.
        overwrite: an output that is there may be replaced.
        language: in which the credentials state the disclaimer, a key of `label.TEXTS`.

    Attributes:
        sealed: what was made; there once the block has ended without an exception. Its `frames` are the
            samples per channel, the disclaimer's among them.

    Raises:
        RightsMissing: at once, where the disclaimer is left out without a statement of rights.
        Unsupported, UsageError: at once.
        OutputError, MediaNotFound, DisclosureError: on entering, before any work.
        SealFailed, OutputError: later; nothing is written then.
        NoAudio: on leaving without a single sample.
    """

    sealed: Sealed

    def __init__(
        self,
        out: str | os.PathLike[str],
        making: Making,
        *,
        rate_hz: int,
        channels: int,
        overwrite: bool = False,
        language: str = "en",
    ) -> None:
        check_rights(making)
        self._out = Path(out)
        self._kind = self._kind_of(self._out)
        self._making, self._overwrite = making, overwrite
        self._rate_hz, self._channels = rate_hz, channels
        self._manifest_id = new_manifest_id()
        self._payload = payload_for(making.act, self._manifest_id)
        self._mark = AudioMark(rate_hz, channels, self._payload)
        self._disclaimer: Disclaimer | None = None
        if making.label != "none":
            self._disclaimer = Disclaimer(rate_hz, channels, language=language)
        self._opening = np.zeros((channels, 0), np.float32)
        self._is_open = self._disclaimer is None
        self._frames = self._given = self._limited = 0

    def __enter__(self) -> Self:
        self._file = SignedFile(self._out, self._kind, overwrite=self._overwrite)
        self._check_output()
        self._credentials = Credentials(
            self._making,
            identity.load_or_create(),
            label_text=self._disclaimer.text if self._disclaimer else None,
            layers=self._names(),
            payload=self._payload,
        )
        with ExitStack() as stack:
            stack.enter_context(self._file)
            with self._file.named():
                self._writer = self._open_writer(stack, self._file.encoded)
            stack.callback(self._writer.abandon)  # before the file goes: Windows deletes none that is open
            self._stack = stack.pop_all()
        return self

    def write(self, block: Floats) -> None:
        """Seals and writes the next samples, (channels, n) float32, −1…1. The caller's array stays as it is.

        Raises:
            SealFailed: not samples that can be sealed.
            OutputError: they cannot be written.
        """
        if block.ndim != 2 or block.shape[0] != self._channels or block.dtype != np.float32:
            raise SealFailed(
                f"Samples of {block.shape} {block.dtype} came where ({self._channels}, n) float32 were "
                "announced.",
                "This is a mistake in the program that called: please report it.",
            )
        peak = float(np.abs(block).max(initial=0.0))
        if not peak <= _LOUDEST:  # this way round, so that NaN is caught
            raise SealFailed(
                f"Samples of a size of {peak} came where −1…1 was announced.",
                "This is a mistake in the program that called: please report it.",
            )
        if peak > 1:
            self._limited += int((np.abs(block) > 1).any(axis=0).sum())
        self._given += block.shape[1]
        if self._is_open:
            self._put(self._mark.process(block))
            return
        self._opening = np.concatenate((self._opening, block), axis=1)
        if self._opening.shape[1] >= self._opening_length():
            self._open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._stack.__exit__(kind, error, trace)
            return
        with self._stack:
            if self._given == 0:
                raise NoAudio("There was no sound to write.", "Check what the sound was to be made from.")
            if not self._is_open:
                self._open()
            self._put(self._mark.flush())
            with self._file.named():
                self._writer.close()
            self._file.sign(self._credentials, self._manifest_id)
            self._check_output()  # somebody else may have been faster
            self._file.commit()
            notes = (*self._credentials.notes, *self._file.notes, *self._notes())
            self.sealed = Sealed(
                self._out, self._names(), self._manifest_id, notes, self._file.sidecar, self._frames
            )

    def _kind_of(self, out: Path) -> str:
        """The media type of an output of this name; raises `Unsupported`."""
        return _KINDS[sound_format_of(out)]

    def _open_writer(self, stack: ExitStack, encoded: Path) -> Writer:
        """What writes `encoded`; what it needs as long goes onto the stack."""
        return SoundWriter(
            encoded, format=sound_format_of(self._out), rate_hz=self._rate_hz, channels=self._channels
        )

    def _opening_length(self) -> int:
        return round(OPENING_S * self._rate_hz)

    def _open(self) -> None:
        """Puts the disclaimer before the sound, once it is known how loud that is."""
        opening, self._opening = self._opening, self._opening[:, :0]
        self._is_open = True
        if self._disclaimer is not None:
            self._put_opening(self._disclaimer.samples(opening[:, : self._opening_length()]), opening)
            return
        self._put(self._mark.process(opening))

    def _put_opening(self, notes: Floats, opening: Floats) -> None:
        """The disclaimer, and the beginning of the sound."""
        self._put(self._mark.process(notes))
        self._put(self._mark.process(opening))

    def _put(self, marked: Floats) -> None:
        self._frames += marked.shape[1]
        with self._file.named():
            self._writer.write(marked)  # which limits to −1…1

    def _check_output(self) -> None:
        inputs = [ingredient.path for ingredient in self._making.ingredients]
        check_file_output(self._out, overwrite=self._overwrite, inputs=inputs)
        self._file.check()

    def _names(self) -> tuple[str, ...]:
        return (*([self._disclaimer.name] if self._disclaimer else []), LAYER, "credentials")

    def _notes(self) -> tuple[str, ...]:
        if not self._limited:
            return ()
        return (
            f"{self._limited} of {self._given} samples were louder than a file can hold, and were limited.",
        )


def seal_sound(
    samples: Floats,
    out: str | os.PathLike[str],
    making: Making,
    *,
    rate_hz: int,
    overwrite: bool = False,
    language: str = "en",
) -> Sealed:
    """Seals one sound, (channels, n) float32, −1…1, and writes it to `out`.

    Args and errors as in `SealedSound`; the caller's array stays as it is.
    """
    if samples.ndim != 2:
        raise SealFailed(
            f"Samples of shape {samples.shape} came where (channels, n) was announced.",
            "This is a mistake in the program that called: please report it.",
        )
    with SealedSound(
        out, making, rate_hz=rate_hz, channels=samples.shape[0], overwrite=overwrite, language=language
    ) as sound:
        sound.write(samples)
    return sound.sealed
