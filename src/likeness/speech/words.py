"""English words: their sounds, and which sentence of a small grammar was said (CMU Pocketsphinx, BSD)."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from likeness.errors import UsageError
from likeness.speech.extra import RATE_HZ, require, to_listen
from likeness.types import Floats

MODEL = "pocketsphinx/en-us"
_WORD = re.compile(r"[a-z][a-z']*", re.ASCII)


def pronounce(text: str) -> list[tuple[str, ...]]:
    """The sounds of each word of a text, as ARPAbet symbols without stress: ("S", "EH", "V", "AH", "N").

    Args:
        text: English words in any case; what is not a letter separates words.

    Raises:
        UsageError: a word that the dictionary lacks; numbers have to be spelt out.
        MissingExtra
    """
    words = split(text)
    known = _dictionary()
    if strange := [word for word in words if word not in known]:
        raise UsageError(f"“{strange[0]}” is not in the dictionary.", "Use common English words.")
    return [known[word] for word in words]


def split(text: str) -> list[str]:
    """The words of a text, lower-case."""
    return _WORD.findall(text.lower().replace("’", "'"))


def recognise(samples: Floats, rate_hz: int, rule: str) -> str:
    """What was said, as the best of the sentences that a grammar allows.

    It is the best even where nothing of the kind was said, so it tells sentences of the grammar apart and not
    whether any of them was spoken; `phonemes.error_rate` is for that.

    Args:
        samples: (n,) float32, one channel.
        rate_hz: their sampling rate.
        rule: the right side of a JSGF rule, of lower-case words that the dictionary knows, such as
            "(yes | no) please".

    Returns:
        The words with spaces between them; empty where no path through the grammar fits at all.

    Raises:
        MissingExtra
        UsageError: not one channel of numbers.
    """
    return _decode(samples, rate_hz, _grammar(rule))


def transcribe(samples: Floats, rate_hz: int) -> str:
    """What was said, with the vocabulary of the whole dictionary: rough, for people to look at.

    Args, Raises: as `recognise`.
    """
    return _decode(samples, rate_hz, None)


def _decode(samples: Floats, rate_hz: int, grammar: str | None) -> str:
    sphinx = require("pocketsphinx")
    sound = (_with_floor(to_listen(samples, rate_hz)) * 32767).astype(np.int16)
    options: dict[str, Any] = {"samprate": float(RATE_HZ), "loglevel": "FATAL"}
    if grammar is not None:
        options["lm"] = None
    decoder = sphinx.Decoder(**options)
    if grammar is not None:
        decoder.add_jsgf_string("said", grammar)
        decoder.activate_search("said")
    decoder.start_utt()
    decoder.process_raw(sound.tobytes(), full_utt=True)
    decoder.end_utt()
    heard = decoder.hyp()
    return re.sub(r"\(\d+\)", "", heard.hypstr) if heard else ""


def _with_floor(sound: Floats) -> Floats:
    """With noise 40 dB below the sound: digital silence, as gates leave it, confuses the recogniser."""
    level = 0.01 * float(np.sqrt(np.square(sound, dtype=np.float64).mean())) if len(sound) else 0.0
    noise = np.random.default_rng(0).standard_normal(len(sound), np.float32)
    return np.clip(sound + np.float32(level) * noise, -1, 1)


def _grammar(rule: str) -> str:
    return f"#JSGF V1.0;\ngrammar said;\npublic <said> = {rule};\n"


@cache
def _dictionary() -> dict[str, tuple[str, ...]]:
    """The first pronunciation of each word."""
    path = Path(require("pocketsphinx").get_model_path("en-us/cmudict-en-us.dict"))
    found: dict[str, tuple[str, ...]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        word, *sounds = line.split()
        if not word.endswith(")"):  # of several ways to say it
            found.setdefault(word, tuple(sounds))
    return found
