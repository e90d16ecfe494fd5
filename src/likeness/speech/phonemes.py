"""The sounds of English: heard in a recording, expected of a text, and how far the two are apart.

They are heard by a small conformer with connectionist temporal classification (CTC; Graves et al., ICML
2006), decoded greedily. Its symbols are folded into 37 of ARPAbet's, those that it and the dictionary can
agree on: AA and AO are one, and so are AH, ER and schwa.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from likeness.errors import UsageError
from likeness.speech.extra import RATE_HZ, run_network, to_listen
from likeness.speech.words import pronounce
from likeness.types import Floats

MODEL = "phonemes"
MAX_S = 120.0
"""The network listens to a whole recording at once, and its memory grows with the square of the length."""

BLANK = 190  # the symbol that means nothing was said
# What the network's outputs mean. Those that are not here (length and other diacritics, word boundaries,
# sounds of other languages) mean nothing, except that equal neighbours on either side of them are two.
_SOUNDS = {
    20: "IY", 101: "IH", 91: "EH", 14: "EH", 16: "EY", 66: "AE",  # i ɪ ɛ e eɪ æ
    80: "AA", 81: "AA", 7: "AA", 83: "AA", 34: "OW", 33: "OW",  # ɑ ɒ a ɔ oʊ o
    123: "UH", 48: "UW", 125: "AH", 89: "AH", 79: "AH", 93: "AH", 90: "AH", 92: "AH",  # ʊ u ʌ ə ɐ ɝ ɚ ɜ
    8: "AY", 9: "AW", 84: "OY", 35: "P", 36: "P", 10: "B",  # aɪ aʊ ɔɪ p pʰ b
    41: "T", 42: "T", 116: "T", 12: "D", 27: "K", 28: "K", 18: "G", 95: "G",  # t tʰ ɾ d k kʰ g ɡ
    17: "F", 49: "V", 173: "TH", 69: "DH", 39: "S", 57: "Z", 120: "SH", 130: "ZH",  # f v θ ð s z ʃ ʒ
    19: "HH", 31: "M", 32: "N", 75: "NG", 30: "L", 103: "L", 113: "R", 38: "R",  # h m n ŋ l ɫ ɹ r
    50: "W", 21: "Y", 47: "CH", 13: "JH",  # w j t͡ʃ d͡ʒ
}  # fmt: skip
_FOLDED = {"AO": "AA", "ER": "AH"}


def hear(samples: Floats, rate_hz: int, *, offline: bool | None = None) -> tuple[str, ...]:
    """The sounds that are heard, one after another.

    Args:
        samples: (n,) float32, one channel, nominally −1…1, at most 120 s.
        rate_hz: their sampling rate.
        offline: as for `likeness.models.fetch`.

    Raises:
        UsageError: not one channel of numbers, or too long.
        MissingExtra, ModelMissing, ChecksumMismatch
    """
    sound = to_listen(samples, rate_hz)
    if len(sound) > MAX_S * RATE_HZ:
        raise UsageError(
            f"{len(sound) / RATE_HZ:.0f} s of sound are too long to be heard at once.",
            f"Give at most {MAX_S:.0f} s.",
        )
    if len(sound) < RATE_HZ // 10:
        return ()
    inputs = {"waveform": sound[None], "waveform_lengths": np.array([len(sound)], np.int64)}
    scores, lengths = run_network(MODEL, inputs, offline=offline)
    best = scores[0, : int(lengths[0])].argmax(1)
    begins = np.flatnonzero(np.diff(best, prepend=BLANK))
    return tuple(_SOUNDS[token] for token in best[begins].tolist() if token in _SOUNDS)


def expect(text: str) -> tuple[str, ...]:
    """The sounds of an English text, in the same alphabet; numbers have to be spelt out.

    Raises:
        UsageError: a word that the dictionary lacks.
        MissingExtra
    """
    return tuple(_FOLDED.get(sound, sound) for word in pronounce(text) for sound in word)


def error_rate(expected: Sequence[str], heard: Sequence[str]) -> float:
    """Phoneme error rate: how many must be changed, left out or put in, per phoneme that was expected.

    0 is perfect; above 1 where much more was heard than expected.

    Raises:
        UsageError: nothing was expected.
    """
    if not expected:
        raise UsageError("Nothing was to be said.", "Give a text of one word or more.")
    # Levenshtein's distance, a row per expected phoneme.
    row = list(range(len(heard) + 1))
    for number, wanted in enumerate(expected, 1):
        before, row = row, [number]
        for place, sound in enumerate(heard):
            row.append(min(before[place + 1] + 1, row[place] + 1, before[place] + (sound != wanted)))
    return row[-1] / len(expected)
