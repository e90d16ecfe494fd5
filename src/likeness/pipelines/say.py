"""Say a text in a person's voice: consent ▸ a plain synthetic voice ▸ convert ▸ seal.

The plain voice is Hibari's (Williams, Apache-2.0; distilled from Kokoro-82M), the one that lies inside the
package: American English, nobody's in particular. Nothing is downloaded. What it reads lies in a temporary
file until it is converted.
"""

from __future__ import annotations

import hashlib
import importlib
import tempfile
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any, Final, Protocol

import numpy as np

from likeness.config import VoiceConfig
from likeness.disclosure.rights import check_rights
from likeness.errors import MissingExtra, Unsupported, UsageError
from likeness.media.files import check_file_output, write_error
from likeness.media.resampling import resample_stream
from likeness.pipelines.convert_voice import (
    Converted,
    PathLike,
    begin,
    describe,
    draft,
    write_voice_sound,
)
from likeness.pipelines.hear import PIECE_S, Listened, Listener, in_pieces
from likeness.pipelines.swapped import options_of
from likeness.pipelines.target_voice import Target, target_of
from likeness.progress import OnProgress, Progress, silent
from likeness.speech.extra import RATE_HZ
from likeness.types import Floats, ModelRef
from likeness.voices.voice import Voice

LONGEST_TEXT: Final = 100_000
MIN_SPEED, MAX_SPEED = 0.5, 2.0
_PAUSE_S, _SEED = 0.25, 0
_PACKAGE: Final = "hibari-tts"


class Speaker(Protocol):
    """A plain voice that reads texts."""

    @property
    def rate_hz(self) -> int:
        """Sampling rate of what it says."""
        ...

    @property
    def models(self) -> tuple[ModelRef, ...]:
        """For the credentials."""
        ...

    def read(self, text: str, speed: float) -> Iterator[Floats]:
        """Sentence by sentence, (n,) float32, −1…1; the same for the same text every time."""
        ...


def say(
    text: str,
    *,
    voice: PathLike | Voice | Target,
    out: PathLike,
    speed: float = 1.0,
    config: VoiceConfig | None = None,
    speaker: Speaker | None = None,
    on_progress: OnProgress = silent,
    **options: Any,
) -> Converted:
    """Say an English text in the voice of a person who agreed to it.

    The consent record in the voice is checked first of all.

    Args:
        text: English, up to 100,000 letters; numbers and abbreviations are read out.
        voice: a `.voice` file, as `enroll` makes it.
        out: `.wav`, `.flac`, `.mp3`, `.m4a`, `.ogg` or `.opus`.
        speed: 0.5 (slow) … 2.
        config: all other choices, or
        options: some of them by name; see `VoiceConfig`.
        speaker: what reads the text; None = Hibari.
        on_progress: called with `Progress` as the work goes on.

    Raises:
        ConsentError: the record in the voice does not allow it (any more).
        MissingExtra: the extra "voice" is not installed.
        UsageError: nothing to say, or too much, or in other letters than Latin ones.
        LikenessError: see `likeness.errors`; nothing is written then.
    """
    config = options_of(VoiceConfig, config, options)
    if config.sing:
        raise UsageError("A text is said, not sung.", "Leave out --sing (sing in Python).")
    target, out = target_of(voice), Path(out)
    check_rights(draft(config, target.permission))
    if out.suffix.lower() in (".mp4", ".webm"):
        raise Unsupported(f"{out} is a video's name, and a text has no picture.", "Name it .wav or .mp3.")
    check_file_output(out, overwrite=config.overwrite)
    _check_text(text, speed)
    if speaker is None:
        _check_letters(text)
    target.check_config(config)
    reader = speaker or Hibari()
    with tempfile.TemporaryFile() as file:
        _read_into(file, reader, text, speed, on_progress)
        listened = _listen(file, reader.rate_hz, config)
        converter = target.open(listened.heard, config)
        blocks = _blocks_of(file, reader.rate_hz)
        permission, voiced = begin(target, converter, blocks, reader.rate_hz, listened.heard, on_progress)
        making = describe(converter, config, permission, ())
        making = replace(
            making,
            models=(*making.models, *reader.models),
            parameters={
                **making.parameters,
                "text_sha256": hashlib.sha256(text.encode("utf-8")).hexdigest(),
                "speed": speed,
            },
        )
        duration_s, made_hz, sealed = write_voice_sound(
            voiced, converter.rate_for(reader.rate_hz), out, making, config
        )
    return Converted(
        path=out,
        source=None,
        duration_s=duration_s,
        rate_hz=made_hz,
        warnings=(
            *permission.notes,
            *target.notes,
            *listened.warnings,
            *converter.notes(),
            *sealed.notes,
        ),
        config=config,
        making=making,
        sealed=sealed,
    )


class Hibari:
    """The plain voice inside the package `hibari-tts`, at 24 kHz.

    Raises:
        MissingExtra: it is not installed.
    """

    def __init__(self) -> None:
        try:
            module = importlib.import_module("hibari")
        except ImportError as error:
            raise MissingExtra(
                f"Saying a text needs the package {_PACKAGE}, which is not installed here.",
                'Install it with `pip install "likeness[voice]"`.',
            ) from error
        self._reader = module.Hibari()
        self.rate_hz: int = module.SAMPLE_RATE

    @property
    def models(self) -> tuple[ModelRef, ...]:
        """The network inside the package."""
        with Path(self._reader.model_path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return (ModelRef(f"{_PACKAGE} {version(_PACKAGE)}", digest),)

    def read(self, text: str, speed: float) -> Iterator[Floats]:
        """Sentence by sentence."""
        for sentence in self._reader.stream(text, speed=speed, seed=_SEED):
            yield np.asarray(sentence, np.float32)


def _check_text(text: str, speed: float) -> None:
    if not any(letter.isalnum() for letter in text):
        raise UsageError("There is nothing to say.", "Give a text of one word or more.")
    if len(text) > LONGEST_TEXT:
        raise UsageError(
            f"The text has {len(text)} letters.", f"Give at most {LONGEST_TEXT}, chapter by chapter."
        )
    if not MIN_SPEED <= speed <= MAX_SPEED:
        raise UsageError(f"The speed is {speed}.", f"Choose {MIN_SPEED} to {MAX_SPEED}.")


def _check_letters(text: str) -> None:
    """Refuse what Hibari has no idea of; it would pass over it, or make something up."""
    letters = [letter for letter in text if letter.isalpha()]
    latin = sum("LATIN" in unicodedata.name(letter, "") for letter in letters)
    if latin < len(letters) / 2:
        raise UsageError(
            "Most letters of the text are not Latin, and the voice that reads it knows English only.",
            "Give an English text; what is said in another language can be recorded, and converted.",
        )


def _read_into(file: IO[bytes], reader: Speaker, text: str, speed: float, on_progress: OnProgress) -> None:
    """All sentences with short pauses between them, as float32; so memory does not grow with the text.

    Raises:
        UsageError: nothing in it can be read out.
        OutputError: there is no room for it.
    """
    pause = np.zeros(round(_PAUSE_S * reader.rate_hz), np.float32).tobytes()
    is_empty = True
    for number, sentence in enumerate(reader.read(text, speed), 1):
        try:
            file.write(sentence.tobytes() + pause)
            file.flush()
        except OSError as error:
            raise write_error(Path(tempfile.gettempdir()), error) from error
        is_empty = is_empty and not len(sentence)
        on_progress(Progress("read", number, None, "sentences"))
    if is_empty:
        raise UsageError("Nothing in the text can be read out.", "Give English words.")


def _listen(file: IO[bytes], rate_hz: int, config: VoiceConfig) -> Listened:
    listener = Listener(offline=config.offline or None)
    sound = resample_stream(_blocks_of(file, rate_hz), rate_hz, RATE_HZ)
    for piece in in_pieces(sound, PIECE_S * RATE_HZ):
        listener.take(piece)
    return listener.done("what was read", sing=False)


def _blocks_of(file: IO[bytes], rate_hz: int) -> Iterator[Floats]:
    """What was read, from its beginning, a second at a time."""
    file.seek(0)
    while block := file.read(rate_hz * np.dtype(np.float32).itemsize):
        yield np.frombuffer(bytearray(block), np.float32)
