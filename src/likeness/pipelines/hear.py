"""Listening to all of a source once, before it is converted: its pitch, how loud it is, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from likeness.engines.voice.base import Heard
from likeness.errors import NoSpeech, Unreadable
from likeness.media.audio import AudioReader
from likeness.progress import OnProgress, Progress, silent
from likeness.speech.activity import find_speech
from likeness.speech.english import warn_language
from likeness.speech.extra import RATE_HZ
from likeness.speech.pitch import HOP_S, follow_pitch
from likeness.speech.speaker import is_narrow_band
from likeness.types import Floats
from likeness.voices.screening import NARROW_HZ
from likeness.voices.voice import PitchRange

PIECE_S: Final = 30
MIN_S: Final = 0.2
_FRAME: Final = 480  # 30 ms
_SILENT: Final = 1e-3  # a peak below this is no sound
_LOUD_DB, _MIN_SPEECH_S, _MIN_VOICED_S = -30.0, 0.2, 0.3
_RAIL, _MOST_CLIPPED = 0.999, 2e-3


@dataclass(frozen=True, slots=True)
class Listened:
    """What was heard, for the converter and for people.

    Attributes:
        heard: for the converter.
        warnings: what a person should know of the source, one sentence each.
    """

    heard: Heard
    warnings: tuple[str, ...] = ()


class Listener:
    """Gathers what is known of a sound, piece by piece; memory grows by some kilobytes a minute.

    Args:
        is_narrow: it is known already that there is nothing above 4 kHz.
        offline: as for `likeness.models.fetch`.
    """

    def __init__(self, *, is_narrow: bool = False, offline: bool | None = None) -> None:
        self._offline = offline
        self._f0_hz: list[Floats] = []
        self._voiced: list[Floats] = []
        self._spoken: list[NDArray[np.bool_]] = []
        self._powers: list[Floats] = []
        self._count = self._at_rail = 0
        self._peak, self._speech_s = 0.0, 0.0
        self._narrow, self._is_first = is_narrow, True
        self._language: str | None = None

    def take(self, piece: Floats) -> None:
        """The next piece, (n,) float32 at 16 kHz, half a minute of it or so."""
        pitch = follow_pitch(piece, RATE_HZ, offline=self._offline)
        spoken = find_speech(piece, RATE_HZ, offline=self._offline)
        # Between words there may be the hum of a lamp, which has a pitch as well.
        self._f0_hz.append(pitch.f0_hz)
        self._voiced.append(pitch.confidence)
        self._spoken.append(_frames_within(spoken, len(pitch.f0_hz)))
        frames = piece[: len(piece) // _FRAME * _FRAME].reshape(-1, _FRAME)
        self._powers.append(np.square(frames, dtype=np.float32).mean(1))
        self._speech_s += sum(end_s - begin_s for begin_s, end_s in spoken)
        if spoken and self._is_first:
            self._is_first = False
            self._narrow = self._narrow or is_narrow_band(piece, RATE_HZ)
            self._language = warn_language(_only(piece, spoken), RATE_HZ, "The source", offline=self._offline)
        self._count += len(piece)
        self._peak = max(self._peak, float(np.abs(piece).max(initial=0)))
        self._at_rail += int((np.abs(piece) >= _RAIL).sum())

    def done(self, name: str, *, sing: bool) -> Listened:
        """All that was heard.

        Raises:
            NoSpeech: there is no voice in it, or next to none.
        """
        f0_hz, voiced = np.concatenate(self._f0_hz), np.concatenate(self._voiced)
        voiced_s = float((voiced >= 0.5).sum()) * 256 / RATE_HZ
        if self._peak < _SILENT:
            raise NoSpeech(f"{name} is silent.", "Check the microphone, and give another recording.")
        self._check_voice(name, voiced_s, sing)
        if sing:
            self._language = None  # long vowels are no language's
        spoken = np.concatenate(self._spoken)
        within = PitchRange.of(f0_hz[spoken], voiced[spoken])
        heard = Heard(
            pitch=PitchRange.of(f0_hz, voiced) if sing or within is None else within,
            duration_s=self._count / RATE_HZ,
            speech_s=self._speech_s,
            level=loud_level(np.concatenate(self._powers)),
        )
        return Listened(heard, tuple(self._warn(name)))

    def _check_voice(self, name: str, voiced_s: float, sing: bool) -> None:
        if self._speech_s >= _MIN_SPEECH_S or (sing and voiced_s >= _MIN_VOICED_S):
            return
        if voiced_s >= _MIN_VOICED_S:
            raise NoSpeech(
                f"Nobody speaks in {name}: what is heard in it is music, singing, or a tone.",
                "If it is singing without accompaniment, add --sing (sing=True in Python).",
            )
        raise NoSpeech(
            f"Nobody speaks in {name}: there is only noise, or next to nothing.",
            "Give a recording of somebody who speaks or sings.",
        )

    def _warn(self, name: str) -> Iterator[str]:
        if self._language is not None:
            yield self._language
        if self._at_rail > _MOST_CLIPPED * self._count:
            yield f"{name} is clipped (too loud for its recorder): the crackle stays in what is made of it."
        if self._narrow:
            yield f"{name} holds nothing above 4 kHz, as on a telephone: the result will be dull."


def listen(
    path: Path,
    *,
    sing: bool,
    offline: bool | None,
    start_s: float = 0.0,
    on_progress: OnProgress = silent,
) -> Listened:
    """Listen to a file, or a video's sound, from `start_s` on.

    Raises:
        NoSpeech: it is silent, too short, or there is no voice in it.
        MediaError, ModelError, MissingExtra
    """
    with AudioReader(path) as reader:
        is_narrow = reader.rate_hz < NARROW_HZ
    listener, done = Listener(is_narrow=is_narrow, offline=offline), 0
    with AudioReader(path, start_s=start_s, rate_hz=RATE_HZ, channels=1) as reader:
        for piece in in_pieces((block[0] for block in reader), PIECE_S * RATE_HZ):
            check_numbers(piece, path.name)
            listener.take(piece)
            done += len(piece)
            on_progress(Progress(f"listen to {path.name}", done // RATE_HZ, None, "s"))
    if done < MIN_S * RATE_HZ:
        raise NoSpeech(f"{path.name} lasts {done / RATE_HZ:.2f} s.", f"Give {MIN_S} s of sound or more.")
    return listener.done(path.name, sing=sing)


def check_numbers(block: Floats, name: str) -> Floats:
    """The block, if all in it are numbers.

    Raises:
        Unreadable: they are not.
    """
    if not np.isfinite(block).all():
        raise Unreadable(f"{name} holds samples that are no numbers.", "Export it again, as WAV or FLAC.")
    return block


def in_pieces(blocks: Iterable[Floats], length: int) -> Iterator[Floats]:
    """The same samples, (n,) float32, cut anew into pieces of `length`; the last one is shorter."""
    held: list[Floats] = []
    count = 0
    for block in blocks:
        held.append(block)
        count += len(block)
        while count >= length:
            joined = np.concatenate(held)
            yield joined[:length]
            held, count = [joined[length:]], count - length
    if count:
        yield np.concatenate(held)


def _only(piece: Floats, stretches: list[tuple[float, float]]) -> Floats:
    """What lies in the stretches, s, one after another."""
    return np.concatenate(
        [piece[int(begin_s * RATE_HZ) : int(end_s * RATE_HZ)] for begin_s, end_s in stretches]
    )


def _frames_within(stretches: list[tuple[float, float]], count: int) -> NDArray[np.bool_]:
    """(count,) which frames of the pitch lie in one of the stretches, s."""
    inside = np.zeros(count, bool)
    for begin_s, end_s in stretches:
        inside[int(begin_s / HOP_S) : int(end_s / HOP_S) + 1] = True
    return inside


def loud_level(powers: Floats) -> float:
    """Effective value of the frames within 30 dB of the loud ones (95th percentile); 0 for silence.

    Args:
        powers: (n,) mean squares.
    """
    loud = float(np.percentile(powers, 95)) if len(powers) else 0.0
    if loud <= 0:
        return 0.0
    return float(np.sqrt(powers[powers > loud * 10 ** (_LOUD_DB / 10)].mean()))
