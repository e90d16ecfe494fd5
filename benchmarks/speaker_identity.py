"""How well does a voice's embedding tell speakers apart: error rates, and where the thresholds come from.

    python benchmarks/speaker_identity.py [--speakers 251] [--out FILE.json]

Real speech comes from ../shared/media/speech: one utterance of about 14 s of each of 251 speakers of
LibriSpeech train-clean-100, which the network was not trained on (its authors name train-other-500 and
VoxCeleb). A speaker is enrolled with the first 5 s of what is left when pauses are cut out, and tried with
the last seconds. LJ Speech (20 files) and three speakers of test-other (10 files each) show one speaker
across files, but all of those are one chapter too. So both sides are always the same day, microphone and
room: the rates of rejection are kinder than life.

Impostors are all pairs of different speakers. What is done to the sound (noise, telephone, MP3) is done to
the trial alone; the enrolment stays clean. The corpus' list of sexes is not at hand, so speakers are grouped
by median pitch, below and above 165 Hz.
"""

from __future__ import annotations

import argparse
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from likeness.media.mono import read_mono, resample
from likeness.speech import speaker
from likeness.speech.pitch import follow_pitch
from likeness.types import Floats

REPOSITORY = Path(__file__).resolve().parents[1]
SPEECH = Path(os.environ.get("LIKENESS_SHARED", REPOSITORY.parent / "shared")) / "media" / "speech"
RATE_HZ = speaker.RATE_HZ
ENROL_S, LENGTHS_S, USUAL_S = 5.0, (1.0, 2.0, 3.0, 5.0, 10.0), 5.0
PITCH_BORDER_HZ = 165.0
THRESHOLDS = tuple(round(0.50 + 0.05 * n, 2) for n in range(10))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--speakers", type=int, default=251)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    sounds = load(options.speakers)
    answer: dict[str, Any] = {
        "model": speaker.VOICE_MODEL,
        "thresholds": {"match": speaker.MATCH, "no_match": speaker.NO_MATCH},
        "speakers": len(sounds),
        "enrolment_s": ENROL_S,
        "same_session": True,
    }
    enrolled = np.stack([embed(sound[: int(ENROL_S * RATE_HZ)]) for sound in sounds])
    pitch_hz = np.array([follow_pitch(sound, RATE_HZ).median_hz or 0.0 for sound in sounds])
    answer["median_pitch_hz"] = {
        f"below {PITCH_BORDER_HZ:.0f}": int((pitch_hz < PITCH_BORDER_HZ).sum()),
        f"above {PITCH_BORDER_HZ:.0f}": int((pitch_hz >= PITCH_BORDER_HZ).sum()),
    }
    answer["by_length_s"] = {}
    for length_s in LENGTHS_S:
        tried, scores = score(sounds, enrolled, length_s, lambda sound: sound)
        answer["by_length_s"][f"{length_s:g}"] = summarise(scores, tried)
        if length_s == USUAL_S:
            answer["by_pitch"] = by_pitch(scores, tried, pitch_hz)
        save(answer, options.out)
    answer["by_condition"] = {}
    for name, change in CONDITIONS.items():
        tried, scores = score(sounds, enrolled, USUAL_S, change)
        answer["by_condition"][name] = summarise(scores, tried)
        save(answer, options.out)
    answer["across_files"] = {name: across_files(name) for name in FOLDERS}
    save(answer, options.out)


def load(most: int) -> list[Floats]:
    """Utterances that are long enough for an enrolment and a trial, pauses cut out, (n,) at 16 kHz."""
    paths = sorted((SPEECH / "libri_train_clean_100").glob("*.flac"))[:most]
    sounds = [speaker.cut_silence(read_mono(path, rate_hz=RATE_HZ, max_s=60))[0] for path in paths]
    return [sound for sound in sounds if len(sound) >= (ENROL_S + 1) * RATE_HZ]


def embed(sound: Floats) -> Floats:
    """As `speaker.embed_voice`, of any length: below 1.6 s the window is filled up with silence."""
    windows, _ = speaker.embed_speech(sound)
    mean = windows.mean(0)
    return np.asarray(mean / np.linalg.norm(mean), np.float32)


def score(
    sounds: list[Floats], enrolled: Floats, length_s: float, change: Callable[[Floats], Floats]
) -> tuple[NDArray[np.intp], Floats]:
    """Which speakers have enough speech for this, and (tried, enrolled) similarities."""
    length = int(length_s * RATE_HZ)
    tried = [n for n, sound in enumerate(sounds) if len(sound) >= ENROL_S * RATE_HZ + length]
    trials = np.stack([embed(change(sounds[n][-length:])) for n in tried])
    return np.array(tried), trials @ enrolled.T


def summarise(scores: Floats, tried: NDArray[np.intp]) -> dict[str, Any]:
    genuine = scores[np.arange(len(tried)), tried]
    others = np.ones(scores.shape, bool)
    others[np.arange(len(tried)), tried] = False
    return rates(genuine, scores[others])


def rates(genuine: Floats, impostor: Floats) -> dict[str, Any]:
    """Distributions, the equal error rate, and what the two thresholds make of it."""
    return {
        "genuine": describe(genuine),
        "impostor": describe(impostor),
        "equal_error_rate": round(equal_error_rate(genuine, impostor), 5),
        "false_accepts_at": {f"{t:.2f}": round(float((impostor >= t).mean()), 6) for t in THRESHOLDS},
        "false_rejects_at": {f"{t:.2f}": round(float((genuine < t).mean()), 6) for t in THRESHOLDS},
        "verdicts_of_genuine": verdicts(genuine),
        "verdicts_of_impostors": verdicts(impostor),
    }


def describe(values: Floats) -> dict[str, float]:
    low, first, median, last, high = np.percentile(values, (0, 1, 50, 99, 100)).tolist()
    found = {"trials": len(values), "min": low, "p1": first, "median": median, "p99": last, "max": high}
    return {name: round(value, 4) for name, value in found.items()}


def verdicts(values: Floats) -> dict[str, float]:
    """The part of trials that got each verdict."""
    match, no_match = float((values >= speaker.MATCH).mean()), float((values < speaker.NO_MATCH).mean())
    found = {"match": match, "cannot tell": 1 - match - no_match, "no match": no_match}
    return {name: round(part, 6) for name, part in found.items()}


def equal_error_rate(genuine: Floats, impostor: Floats) -> float:
    """Where as many genuine trials are below a threshold as impostors above it."""
    places = np.unique(np.concatenate((genuine, impostor)))
    rejects = np.searchsorted(np.sort(genuine), places) / len(genuine)
    accepts = 1 - np.searchsorted(np.sort(impostor), places) / len(impostor)
    at = int(np.argmin(np.abs(rejects - accepts)))
    return float(rejects[at] + accepts[at]) / 2


def by_pitch(scores: Floats, tried: NDArray[np.intp], pitch_hz: NDArray[np.float64]) -> dict[str, Any]:
    """Within each group: impostors of the same group are the hard ones."""
    found = {}
    high = pitch_hz >= PITCH_BORDER_HZ
    for name, group in (("low", ~high), ("high", high)):
        rows, columns = np.flatnonzero(group[tried]), np.flatnonzero(group)
        part = scores[np.ix_(rows, columns)]
        found[name] = summarise(part, np.searchsorted(columns, tried[rows]))
    mixed = scores[high[tried][:, None] != high[None]]
    found["impostors_of_the_other_group"] = {"impostor": describe(mixed), "verdicts": verdicts(mixed)}
    return found


FOLDERS = {"LJ Speech": "ljspeech_F", "2033": "libri_2033_f0-162", "2609": "libri_2609_f0-124",
           "367": "libri_367_f0-278"}  # fmt: skip


def across_files(name: str) -> dict[str, Any]:
    """All pairs of files of one speaker, 5 s of each."""
    paths = sorted(p for p in (SPEECH / FOLDERS[name]).iterdir() if p.suffix in (".flac", ".wav"))
    sounds = [speaker.cut_silence(read_mono(path, rate_hz=RATE_HZ, max_s=60))[0] for path in paths]
    found = np.stack([embed(sound[: int(5 * RATE_HZ)]) for sound in sounds if len(sound) >= 3 * RATE_HZ])
    pairs = (found @ found.T)[np.triu_indices(len(found), 1)]
    return {"files": len(found), "genuine": describe(pairs), "verdicts": verdicts(pairs)}


def add_noise(sound: Floats, ratio_db: float) -> Floats:
    """Pink noise, since rooms and microphones make it; the same for every clip."""
    random = np.random.default_rng(1)
    spectrum = np.fft.rfft(random.normal(size=len(sound)))
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), len(sound))
    level = np.sqrt(np.mean(sound**2) / np.mean(noise**2)) * 10 ** (-ratio_db / 20)
    return np.asarray(sound + level * noise, np.float32)


def telephone(sound: Floats) -> Floats:
    """300…3400 Hz at 8 kHz."""
    narrow = resample(sound, RATE_HZ, 8000)
    spectrum = np.fft.rfft(narrow)
    hz = np.fft.rfftfreq(len(narrow), 1 / 8000)
    kept = np.fft.irfft(np.where((hz > 300) & (hz < 3400), spectrum, 0), len(narrow)).astype(np.float32)
    return resample(kept, 8000, RATE_HZ)


def mp3(sound: Floats) -> Floats:
    """Through MP3 of 32 kbit/s."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp3") as out:
        stream = out.add_stream("mp3", rate=RATE_HZ, layout="mono")
        stream.bit_rate = 32_000
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound[None], np.float32), "fltp", "mono")
        frame.sample_rate = RATE_HZ
        for packet in (*stream.encode(frame), *stream.encode(None)):
            out.mux(packet)
    file.seek(0)
    with av.open(file) as back:
        pieces = [frame.to_ndarray()[0] for frame in back.decode(audio=0)]
    return np.concatenate(pieces).astype(np.float32)


CONDITIONS: dict[str, Callable[[Floats], Floats]] = {
    "clean": lambda sound: sound,
    "noise 20 dB": lambda sound: add_noise(sound, 20),
    "noise 10 dB": lambda sound: add_noise(sound, 10),
    "telephone": telephone,
    "mp3 32 kbit/s": mp3,
}


def save(answer: dict[str, Any], path: Path | None) -> None:
    text = json.dumps(answer, indent=1)
    if path is None:
        print(text)
    else:
        path.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
