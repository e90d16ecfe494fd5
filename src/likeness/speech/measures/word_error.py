"""How many words are understood: a recogniser's reading, held against the text or a reading of the source."""

from __future__ import annotations

from dataclasses import dataclass

from likeness.errors import UsageError
from likeness.speech.phonemes import error_rate as edit_rate
from likeness.speech.words import split, transcribe
from likeness.types import Floats


@dataclass(frozen=True, slots=True)
class WordError:
    """What was understood.

    Attributes:
        rate: word error rate; 0 is perfect, and above 1 where much more was heard than said.
        expected: the words that it was held against.
        heard: those that the recogniser made of it.
        against: whether the expected ones are the text, or what the same recogniser made of the source.
        source_rate: of the source against the text: nothing that is made of it will be understood better.
            None without a text, or without a source.
    """

    rate: float
    expected: str
    heard: str
    against: str
    source_rate: float | None = None


def compare_words(made: Floats, source: Floats | None, rate_hz: int, text: str | None = None) -> WordError:
    """Let CMU Pocketsphinx listen to what was made.

    It is no good listener: of clean studio speech it gets one word in six wrong. So compare its rates, not
    with zero but with that of the source, and over many sentences.

    Raises:
        UsageError: neither a text nor a source; or there is no word in it.
        MissingExtra
    """
    read_source = None if source is None else transcribe(source, rate_hz)
    expected = text if text is not None else read_source
    if expected is None or not split(expected):
        raise UsageError("There are no words to compare with.", "Give --text, or a --source with speech.")
    heard = transcribe(made, rate_hz)
    source_rate = None
    if text is not None and read_source is not None:
        source_rate = error_rate(text, read_source)
    return WordError(
        rate=error_rate(expected, heard),
        expected=" ".join(split(expected)),
        heard=" ".join(split(heard)),
        against="the text" if text is not None else "the source as it was understood",
        source_rate=source_rate,
    )


def error_rate(expected: str, heard: str) -> float:
    """Word error rate of English; case and punctuation do not matter.

    Raises:
        UsageError: nothing was expected.
    """
    return edit_rate(split(expected), split(heard))
