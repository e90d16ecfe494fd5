"""How long enrolling and converting take, and how much memory an hour of sound needs."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import av
import numpy as np

from likeness.speech.measures.defects import find_clicks, find_holes
from likeness.types import Floats
from likeness.voice import convert, enroll
from voice_pairs import RATE_HZ, files_of, length_s, read, split_target
from voice_systems import Studio, listen

ENROL_S, CONVERT_S = 60.0, 60.0
LENGTHS_S = (300.0, 3600.0)
SPEAKER = "lj"  # who talks

_CHILD = """
import json, sys, time
from likeness.voice import convert
began = time.perf_counter()
convert(sys.argv[1], to=sys.argv[2], out=sys.argv[3], overwrite=True)
import resource
unit = 1 << (20 if sys.platform == "darwin" else 10)
peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
print(json.dumps({"wall_s": time.perf_counter() - began, "peak_mib": peak_mib}))
"""


def measure_speed(studio: Studio, target: str, threads: int) -> dict[str, Any]:
    """Enrolment of 60 s, and a minute of speech, from file to sealed file, after a first one of 5 s."""
    folder = studio.work / "speed"
    folder.mkdir(parents=True, exist_ok=True)
    files, used_s = [], 0.0
    for path in split_target(target)[0]:
        if used_s < ENROL_S:
            files.append(path)
            used_s += length_s(path)
    learned = _timed(lambda: enroll(files, folder / "v.voice", consent=studio.record(), overwrite=True))
    short, long = (write_talk(folder / f"{s:.0f}.wav", s) for s in (5.0, CONVERT_S))
    out = folder / "out.wav"
    voice = studio.voice_file(target)
    convert(short, to=voice, out=out, overwrite=True)
    rounds = [_timed(lambda: convert(long, to=voice, out=out, overwrite=True)) for _ in range(3)]
    best = min(rounds, key=lambda one: one["wall_s"])
    made = listen(out)
    minutes = len(made) / RATE_HZ / 60
    return {
        "threads": threads,
        "enrol": learned | {"speech_s": used_s},
        "convert": {
            "rounds": rounds,
            "real_time_factor": best["wall_s"] / CONVERT_S,
            "cpu_factor": best["cpu_s"] / CONVERT_S,
        },
        "joints": {
            "clicks_per_minute": len(find_clicks(made)) / minutes,
            "holes_per_minute": len(find_holes(made)) / minutes,
            "source_clicks_per_minute": len(find_clicks(talk(CONVERT_S))) / minutes,
        },
    }


def measure_memory(studio: Studio, target: str, kind: str) -> dict[str, Any]:
    """The most memory that a process of its own had, for two lengths; `kind` is "wav" or "m4a"."""
    folder = studio.work / "memory"
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for seconds in LENGTHS_S:
        source, out = write_talk(folder / f"{seconds:.0f}.wav", seconds), folder / f"out.{kind}"
        command = [sys.executable, "-c", _CHILD, str(source), str(studio.voice_file(target)), str(out)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        rows.append({"length_s": seconds, **json.loads(done.stdout.splitlines()[-1])})
        source.unlink()
        out.unlink()
    return {"lengths": rows}


def talk(seconds: float) -> Floats:
    """One speaker's files one after another, as often as it takes."""
    once = np.concatenate([read(path) for path in files_of(SPEAKER)])
    count = round(seconds * RATE_HZ)
    return np.tile(once, -(-count // len(once)))[:count]


def write_talk(path: Path, seconds: float) -> Path:
    return write_sound(path, talk(seconds))


def write_sound(path: Path, sound: Floats) -> Path:
    """(n,) at 16 kHz as WAV. What goes in is natural, or nobody's, and so has no seal."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream("pcm_s16le", rate=RATE_HZ, layout="mono")
        for begin in range(0, len(sound), RATE_HZ):
            piece = np.clip(sound[None, begin : begin + RATE_HZ], -1, 1)
            frame = av.AudioFrame.from_ndarray((piece * 32767).astype(np.int16), "s16", "mono")
            frame.sample_rate = RATE_HZ
            for packet in stream.encode(frame):
                file.mux(packet)
        for packet in stream.encode(None):
            file.mux(packet)
    return path


def _timed(work: Any) -> dict[str, float]:
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    work()
    return {"wall_s": time.perf_counter() - wall_s, "cpu_s": time.process_time() - cpu_s}
