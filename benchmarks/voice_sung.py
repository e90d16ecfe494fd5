"""Songs: whether the notes are hit, and whether the treble is there."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from likeness.media.mono import read_mono
from likeness.speech.measures.defects import find_defects
from likeness.speech.measures.delay import align
from likeness.speech.measures.pitch_error import judge_pitch
from likeness.speech.pitch import follow_pitch
from likeness.types import Floats
from likeness.voice import convert
from voice_measures import Judge
from voice_pairs import MAX_S, RATE_HZ, SPEECH
from voice_systems import Studio, listen

SONGS = ("singing-female", "vignesh", "carnatic")
WIDE_HZ = 44_100
TREBLE_HZ = 8000.0


def measure_song(studio: Studio, judge: Judge, target: str) -> dict[str, Any]:
    """Each song with the target's voice, against the same notes moved by whole semitones."""
    rows = []
    for name in SONGS:
        source = SPEECH / "sung" / f"smstools__{name}.wav"
        out = studio.work / "made" / "sung" / f"{name}-to-{target}.wav"
        out.parent.mkdir(parents=True, exist_ok=True)
        done = convert(source, to=studio.voice_file(target), out=out, sing=True, overwrite=True)
        made, wide = listen(out), listen(out, rate_hz=WIDE_HZ)
        cut, original, delay_s = align(made, read_mono(source, rate_hz=RATE_HZ, max_s=MAX_S), RATE_HZ)
        rows.append(
            {
                "file": source.name,
                "rate_hz": done.rate_hz,
                "delay_s": delay_s,
                "pitch": asdict(judge_pitch(follow_pitch(cut, RATE_HZ), follow_pitch(original, RATE_HZ))),
                "treble_db": treble_db(wide),
                "source_treble_db": treble_db(read_mono(source, rate_hz=WIDE_HZ, max_s=MAX_S)),
                "defects": asdict(find_defects(cut, RATE_HZ, original)),
            }
            | judge.similarity(made, source, target)
        )
    return {"rows": rows}


def treble_db(sound: Floats) -> float:
    """Power above 8 kHz, of all."""
    power = np.abs(np.fft.rfft(sound.astype(np.float64))) ** 2
    hz = np.fft.rfftfreq(len(sound), 1 / WIDE_HZ)
    return float(10 * np.log10(power[hz > TREBLE_HZ].sum() / power.sum() + 1e-12))
