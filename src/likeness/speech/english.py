"""Whether a recording sounds like English, the only language that the networks here were taught.

The phoneme network (`phonemes`) is sure of what it hears in English, and guesses in other languages. Mean
probability of its best symbol, over the frames in which it hears one (measured 2026-11 on up to 20 s each):

    English, 50 recordings (LibriSpeech, LJ Speech, CMU Arctic, VCTK): median 0.91, least 0.67
    English, by espeak-ng: 0.75 … 0.80
    French, Italian, Spanish, Polish, Portuguese, Russian, by espeak-ng: 0.46 … 0.61
    German, Dutch, by espeak-ng: 0.67, 0.70 … 0.73 (German 0.40 … 0.57 with another text)

So German and Dutch, the nearest to English, may pass; and an accent or noise may bring English below the
line. Nobody is refused by this. The robot's figures are in `benchmarks/results/voice_languages.json`, but for
those of the other text.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from likeness.speech.extra import RATE_HZ, run_network, to_listen
from likeness.speech.phonemes import BLANK, MODEL
from likeness.types import Floats

LEAST: Final = 0.65
"""Below this it does not sound like English."""
LISTENED_S: Final = 20
_FEWEST_FRAMES: Final = 30


def warn_language(samples: Floats, rate_hz: int, name: str, *, offline: bool | None = None) -> str | None:
    """What to say of a recording that does not sound like English; None where it does, or nobody can tell.

    Args, Raises: as `english_sureness`.
    """
    sure = english_sureness(samples, rate_hz, offline=offline)
    if sure is None or sure >= LEAST:
        return None
    shown = math.floor(100 * sure) / 100  # never as what is enough
    return (
        f"{name} does not sound like English ({shown:.2f}; English is {LEAST:.2f} and more). The model that "
        "hears what is said knows no other language: sounds that English lacks become others."
    )


def english_sureness(samples: Floats, rate_hz: int, *, offline: bool | None = None) -> float | None:
    """How sure an English ear is of what it hears, 0…1; None where it hears too little to say.

    Args:
        samples: (n,) float32, one channel, of speech; the first 20 s are listened to.
        rate_hz: their sampling rate.
        offline: as for `likeness.models.fetch`.

    Raises:
        UsageError: not one channel of numbers.
        MissingExtra, ModelMissing, ChecksumMismatch
    """
    sound = to_listen(samples[: LISTENED_S * rate_hz], rate_hz)
    if len(sound) < RATE_HZ:
        return None
    inputs = {"waveform": sound[None], "waveform_lengths": np.array([len(sound)], np.int64)}
    scores, lengths = run_network(MODEL, inputs, offline=offline)
    heard = scores[0, : int(lengths[0])].astype(np.float64)
    likely = np.exp(heard - heard.max(1, keepdims=True))
    likely /= likely.sum(1, keepdims=True)
    sounds = likely[likely.argmax(1) != BLANK]
    return float(sounds.max(1).mean()) if len(sounds) >= _FEWEST_FRAMES else None
