"""Whether the measures can be relied on: what they say of natural speech, and of speech that was spoiled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np

from likeness.engines.voice.analysis import analyse
from likeness.media.mono import read_mono
from likeness.speech.measures.defects import find_defects
from likeness.speech.measures.naturalness import rate_naturalness
from likeness.speech.speaker import cut_silence, embed_speech
from likeness.types import Floats
from voice_measures import Judge, Row, median, summarise_defects
from voice_pairs import MAX_S, RATE_HZ, SPEECH, files_of, read, split_target
from voice_second import equal_error
from voice_systems import synthesise

SPEAKERS, PIECE_S = 60, 5.0
SPOILT = 6  # utterances


def measure_measures(judge: Judge) -> dict[str, Any]:
    """Equal error rates of both speaker measures, and what is done to speech against what is found of it."""
    sounds = []
    for path in sorted((SPEECH / "libri_train_clean_100").glob("*.flac"))[:SPEAKERS]:
        sound = cut_silence(read_mono(path, rate_hz=RATE_HZ, max_s=MAX_S))[0]
        if len(sound) >= (2 * PIECE_S + 0.5) * RATE_HZ:
            sounds.append(sound)
    embeds = {"resemblyzer": _embed_resemblyzer, "campplus": lambda sound: judge.embed(sound)["campplus"]}
    rates = {name: equal_error(sounds, embed, PIECE_S, PIECE_S) for name, embed in embeds.items()}
    utterances = [read(path) for person in ("lj", "2609") for path in files_of(person)[: SPOILT // 2]]
    spoilt = {}
    for name, spoil in SPOILS.items():
        rows = []
        for number, sound in enumerate(utterances):
            made = spoil(sound, np.random.default_rng(number))
            rows.append(
                {
                    "naturalness": asdict(rate_naturalness(made, RATE_HZ)),
                    "defects": asdict(find_defects(made, RATE_HZ, sound)),
                }
            )
        spoilt[name] = {
            "naturalness": median([row["naturalness"] for row in rows], "score"),
            "p835": median([row["naturalness"] for row in rows], "overall"),
            "p808": median([row["naturalness"] for row in rows], "mos"),
            "voice": median([row["naturalness"] for row in rows], "voice"),
        } | summarise_defects([row["defects"] for row in rows])
    return {"speakers": len(sounds), "piece_s": PIECE_S, "telling_apart": rates, "spoilt": spoilt}


def look_at_target(judge: Judge, target: str) -> dict[str, Any]:
    """The target's enrolled speech against what is held out, as it is and through the vocoder."""
    files, _ = split_target(target)
    rows: dict[str, list[Row]] = {"natural": [], "copy": []}
    for path in files[:6]:
        sound = read(path)
        features = analyse(sound, RATE_HZ)
        for name, made in (("natural", sound), ("copy", synthesise(features, features.f0_hz))):
            row = judge.similarity(made, None, target)
            rows[name].append(row | {"naturalness": asdict(rate_naturalness(made, RATE_HZ))})
    return {
        name: {
            "resemblyzer": float(np.median([row["resemblyzer"]["to_target"] for row in some])),
            "campplus": float(np.median([row["campplus"]["to_target"] for row in some])),
            "naturalness": median([row["naturalness"] for row in some], "score"),
        }
        for name, some in rows.items()
    }


def _embed_resemblyzer(sound: Floats) -> Floats:
    mean = embed_speech(sound)[0].mean(0)
    return np.asarray(mean / np.linalg.norm(mean), np.float32)


Spoil = Callable[[Floats, np.random.Generator], Floats]


def _buzz(sound: Floats, _: np.random.Generator) -> Floats:
    """Pulses at 120 Hz, 25 dB below the speech, all the time."""
    pulses = np.zeros_like(sound)
    pulses[:: RATE_HZ // 120] = 1
    level = _level(sound) / _level(pulses) * 10 ** (-25 / 20)
    return np.asarray(sound + level * pulses, np.float32)


def _gaps(sound: Floats, _: np.random.Generator) -> Floats:
    """20 ms of nothing, twice a second."""
    made = sound.copy()
    for begin in range(RATE_HZ // 4, len(sound), RATE_HZ // 2):
        made[begin : begin + RATE_HZ // 50] = 0
    return made


def _clip(sound: Floats, _: np.random.Generator) -> Floats:
    """12 dB too loud."""
    peak = float(np.abs(sound).max())
    return np.clip(4 * sound, -peak, peak)


def _muffle(sound: Floats, _: np.random.Generator) -> Floats:
    """Nothing above 2 kHz."""
    spectrum = np.fft.rfft(sound)
    hz = np.fft.rfftfreq(len(sound), 1 / RATE_HZ)
    return np.fft.irfft(spectrum / (1 + (hz / 2000) ** 12), len(sound)).astype(np.float32)


def _click(sound: Floats, chance: np.random.Generator) -> Floats:
    """A wrong sample twice a second, 10 dB below the peak."""
    made = sound.copy()
    places = np.arange(RATE_HZ // 3, len(sound), RATE_HZ // 2)
    made[places] += 0.3 * float(np.abs(sound).max()) * chance.choice((-1, 1), len(places)).astype(np.float32)
    return made


def _hiss(sound: Floats, chance: np.random.Generator) -> Floats:
    """White noise, 20 dB below the speech."""
    noise = chance.standard_normal(len(sound), np.float32)
    return np.asarray(sound + _level(sound) / 10 * noise, np.float32)


def _robot(sound: Floats, _: np.random.Generator) -> Floats:
    """Through the vocoder, at one pitch."""
    features = analyse(sound, RATE_HZ)
    return synthesise(features, np.full_like(features.f0_hz, np.median(features.f0_hz)))


def _level(sound: Floats) -> float:
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))


SPOILS: dict[str, Spoil] = {
    "natural": lambda sound, _: sound,
    "buzz": _buzz,
    "gaps": _gaps,
    "clipping": _clip,
    "muffling": _muffle,
    "clicks": _click,
    "hiss": _hiss,
    "robot": _robot,
}
