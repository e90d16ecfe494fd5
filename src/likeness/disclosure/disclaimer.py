"""The audible disclaimer: three notes at the start of every sound that is made here.

What the label is for pictures. Always the same notes, so that they become known: D5, A5, F♯5, struck like a
soft bell, 1.2 s, then a short silence. All partials lie where telephones keep them. They are reckoned, not
recorded, and as loud as what follows, within limits: nobody turns the volume up for a whisper to be startled.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from likeness.disclosure.label import TEXTS
from likeness.errors import UsageError
from likeness.types import Floats

NOTES_HZ = (587.33, 880.0, 739.99)
SOUNDING_S, SILENCE_S = 1.2, 0.3
USUAL_DBFS = -23.0  # root mean square; what broadcast speech is meant to have (EBU R 128)
SOFTEST_DBFS, LOUDEST_DBFS = -40.0, -20.0
OPENING_S = 3.0
"""So much of the sound tells how loud it is."""

_BETWEEN_S = 0.2  # from one note to the next
_PARTIALS = ((1, 1.0, 0.30), (2, 0.30, 0.16), (3, 0.10, 0.09))  # times the pitch, amplitude, decay in s
_RISE_S, _FALL_S = 0.008, 0.25
_PIECE_S, _PAUSE_DB = 0.05, 20.0

_AS_SOUND: Mapping[str, str] = MappingProxyType(
    {
        "de": "Dreiklang am Anfang",
        "en": "three notes at the start",
        "es": "tres notas al principio",
        "fr": "trois notes initiales",
        "it": "tre note all'inizio",
        "nl": "drie tonen aan het begin",
        "pl": "trzy nuty na początku",
        "pt": "três notas no início",
    }
)


class Disclaimer:
    """The disclaimer for sound of one sampling rate.

    Args:
        rate_hz: sampling rate, 8000 and more.
        channels: how many; the notes are the same in all.
        language: in which the credentials state it, a key of `label.TEXTS`.

    Attributes:
        name: "disclaimer", as the seal calls this layer.
        text: what it means, and what it is.

    Raises:
        UsageError: a language that is not known.
    """

    name: Final = "disclaimer"

    def __init__(self, rate_hz: int, channels: int, *, language: str = "en") -> None:
        if language not in TEXTS:
            known = ", ".join(TEXTS)
            raise UsageError(f"There is no disclaimer for language '{language}'.", f"Choose one of: {known}.")
        self.text = f"{TEXTS[language]} ({_AS_SOUND[language]})"
        self._rate_hz, self._channels = rate_hz, channels

    def samples(self, opening: Floats) -> Floats:
        """(channels, m) float32, the notes and the silence after them, for the sound that begins so.

        Args:
            opening: (channels, n) float32, the first `OPENING_S` of the sound.
        """
        level_dbfs = loudness_dbfs(opening, self._rate_hz)
        notes = chime(self._rate_hz) * np.float32(10 ** (level_dbfs / 20))
        silence = np.zeros(round(SILENCE_S * self._rate_hz), np.float32)
        return np.tile(np.concatenate((notes, silence)), (self._channels, 1))


def loudness_dbfs(sound: Floats, rate_hz: int) -> float:
    """Root mean square of (channels, n) without its pauses, held between the softest and the loudest level
    that the notes may have; the usual one where there is nothing but silence."""
    size = round(_PIECE_S * rate_hz)
    count = sound.shape[1] // size
    pieces = sound[:, : count * size].reshape(len(sound), count, size)
    power = (pieces.astype(np.float64) ** 2).mean((0, 2))
    if power.max(initial=0.0) <= 0:
        return USUAL_DBFS
    heard = power[power > power.max() * 10 ** (-_PAUSE_DB / 10)]
    return float(np.clip(10 * np.log10(heard.mean()), SOFTEST_DBFS, LOUDEST_DBFS))


def chime(rate_hz: int) -> Floats:
    """The notes alone, (n,) float32, with a root mean square of 1."""
    time_s = np.arange(round(SOUNDING_S * rate_hz)) / rate_hz
    sound = np.zeros(len(time_s))
    for number, pitch_hz in enumerate(NOTES_HZ):
        since_s = time_s - number * _BETWEEN_S
        note = sum(
            amplitude * np.exp(-since_s.clip(0) / decay_s) * np.sin(2 * np.pi * times * pitch_hz * since_s)
            for times, amplitude, decay_s in _PARTIALS
        )
        sound += note * _raised_cosine(since_s / _RISE_S)
    sound *= _raised_cosine((SOUNDING_S - time_s) / _FALL_S)
    sound /= np.sqrt((sound**2).mean())
    return sound.astype(np.float32)


def _raised_cosine(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """From 0 at x ≤ 0 to 1 at x ≥ 1."""
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * x.clip(0, 1)))
