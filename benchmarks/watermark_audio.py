"""How well does the mark in sound hide, what does it survive, and how often is it seen where there is none?

    python benchmarks/watermark_audio.py [--quick] [--part quality|robustness|null …] [--out FILE.json]

Real speech and song come from ../shared/media/speech; without it, or besides it, sound is synthesised.
Each part is written into the JSON file as soon as it is done, beside those already there.

quality     signal-to-noise ratio, over all and by segments of 32 ms; noise-to-mask ratio by a masking model
            after Johnston ("Transform coding of audio signals using perceptual noise criteria", IEEE JSAC 6,
            1988); how much a held tone trembles
robustness  the part of clips in which a mark, and its payload, is found after each treatment
null        how far the pilot stands out where there is no mark
"""

from __future__ import annotations

import argparse
import io
import json
import math
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from likeness.disclosure.watermark.audio import AudioMark, find_in_sound
from likeness.disclosure.watermark.audio_search import MIN_PRESENCE_Z, Search
from likeness.disclosure.watermark.audio_view import to_view_rate
from likeness.types import Floats

REPOSITORY = Path(__file__).resolve().parents[1]
SPEECH = Path(os.environ.get("LIKENESS_SHARED", REPOSITORY.parent / "shared")) / "media" / "speech"
SOUNDS = (".flac", ".wav", ".mp3", ".ogg")
LENGTHS_S = (6, 10)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a few clips, a few minutes of unmarked sound")
    parser.add_argument("--part", action="append", choices=("quality", "robustness", "null"))
    parser.add_argument("--clips", type=int, default=100)
    parser.add_argument("--hours", type=float, default=5.2)
    parser.add_argument("--seconds", type=float, default=math.inf, help="stop a part after this time")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if options.quick:
        options.clips, options.hours = 6, 0.1
    cv2.setNumThreads(1)
    parts: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
        "quality": measure_quality,
        "robustness": measure_robustness,
        "null": measure_null,
    }
    for name in options.part or parts:
        result = parts[name](options)
        print(json.dumps({name: result}, indent=1), flush=True)
        if options.out:
            options.out.parent.mkdir(parents=True, exist_ok=True)
            report = json.loads(options.out.read_text()) if options.out.exists() else {}
            options.out.write_text(json.dumps(report | {name: result}, indent=1) + "\n")


# ---- sound -------------------------------------------------------------------------------------------------


def sounds() -> Iterator[tuple[str, Floats, int]]:
    """Real sounds in an order that mixes speakers, or, where there are none, made ones."""
    paths = sorted(path for path in SPEECH.rglob("*") if path.suffix in SOUNDS)
    for place in np.random.default_rng(7).permutation(len(paths)):
        yield str(paths[place].relative_to(SPEECH)), *decode(paths[place])
    if not paths:
        for seed in range(1000):
            yield f"made {seed}", made_voice(30, 16000, seed), 16000


def clips(count: int, length_s: float) -> Iterator[tuple[str, Floats, int]]:
    """So many clips of that length, (1, n) each, the first from each sound that is long enough."""
    left = count
    for name, sound, rate_hz in sounds():
        if sound.shape[1] >= length_s * rate_hz and left:
            left -= 1
            yield name, sound[:, : int(length_s * rate_hz)], rate_hz


def made_voice(length_s: float, rate_hz: int, seed: int) -> Floats:
    """(1, n): syllables of gliding harmonics and hiss, with pauses."""
    dice = np.random.default_rng(seed)
    sound = np.zeros(int(length_s * rate_hz))
    at = 0
    while at < len(sound):
        n = min(int(dice.uniform(0.08, 0.35) * rate_hz), len(sound) - at)
        time_s = np.arange(n) / rate_hz
        fade = np.sin(np.pi * np.arange(n) / n) ** 0.5
        if dice.random() < 0.3:
            sound[at : at + n] = 0.1 * fade * np.convolve(dice.standard_normal(n), [1, -0.8], "same")
        else:
            pitch_hz = dice.uniform(90, 250) * (1 + dice.uniform(-0.3, 0.3) * time_s)
            phase = 2 * np.pi * np.cumsum(pitch_hz) / rate_hz
            formants = dice.uniform([300, 900, 2200], [800, 2000, 3200])
            for k in range(1, int(rate_hz / 2 / pitch_hz.max())):
                gain = sum(1 / (1 + ((k * pitch_hz.mean() - f) / 120) ** 2) for f in formants) + 0.01
                sound[at : at + n] += 0.2 * gain * fade * np.sin(k * phase)
        at += n + (int(dice.uniform(0.1, 0.5) * rate_hz) if dice.random() < 0.2 else 0)
    return (sound / np.abs(sound).max() * 0.7 + dice.standard_normal(len(sound)) * 1e-4)[None].astype(
        np.float32
    )


def decode(source: Path | io.BytesIO, rate_hz: int | None = None) -> tuple[Floats, int]:
    with av.open(str(source) if isinstance(source, Path) else source) as container:
        stream = container.streams.audio[0]
        rate_hz = rate_hz or stream.codec_context.sample_rate
        resampler = av.AudioResampler("fltp", "mono", rate_hz)
        frames = [piece for frame in container.decode(stream) for piece in resampler.resample(frame)]
        frames += resampler.resample(None)
        return np.concatenate([frame.to_ndarray() for frame in frames], axis=1).astype(np.float32), rate_hz


def as_frame(sound: Floats, rate_hz: int) -> Any:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound, np.float32), "fltp", "mono")
    frame.sample_rate, frame.pts = rate_hz, 0
    return frame


# ---- treatments --------------------------------------------------------------------------------------------

Treatment = Callable[[Floats, int, int], tuple[Floats, int]]


def coded(container: str, codec: str, bit_rate: int) -> Treatment:
    def treat(sound: Floats, rate_hz: int, seed: int) -> tuple[Floats, int]:
        file = io.BytesIO()
        with av.open(file, "w", format=container) as output:
            coded_hz = 48000 if codec == "libopus" else rate_hz
            stream = output.add_stream(codec, rate=coded_hz)
            stream.bit_rate, stream.layout = bit_rate, "mono"
            resampler = av.AudioResampler(
                stream.format.name, "mono", coded_hz, frame_size=stream.frame_size or 0
            )
            for frame in [*resampler.resample(as_frame(sound, rate_hz)), *resampler.resample(None)]:
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
        file.seek(0)
        return decode(file, rate_hz)

    return treat


def resampled(sound: Floats, rate_hz: int, wanted_hz: int) -> Floats:
    resampler = av.AudioResampler("fltp", "mono", wanted_hz)
    frames = [*resampler.resample(as_frame(sound, rate_hz)), *resampler.resample(None)]
    return np.concatenate([frame.to_ndarray() for frame in frames], axis=1)


def faster(times: float) -> Treatment:
    """As a tape that runs too fast: pitch and time."""
    return lambda sound, rate_hz, seed: (resampled(sound, round(rate_hz * times), rate_hz), rate_hz)


def hurried(times: float) -> Treatment:
    """Time alone, the pitch kept: FFmpeg's `atempo`, a WSOLA."""

    def treat(sound: Floats, rate_hz: int, seed: int) -> tuple[Floats, int]:
        graph = av.filter.Graph()
        source = graph.add_abuffer(format="fltp", sample_rate=rate_hz, layout="mono")
        tempo, sink = graph.add("atempo", str(times)), graph.add("abuffersink")
        source.link_to(tempo)
        tempo.link_to(sink)
        graph.configure()
        graph.push(as_frame(sound, rate_hz))
        graph.push(None)
        pieces = []
        while True:
            try:
                pieces.append(graph.pull().to_ndarray())
            except (av.error.BlockingIOError, av.error.EOFError):
                return np.concatenate(pieces, axis=1), rate_hz

    return treat


def noisy(snr_db: float) -> Treatment:
    """White noise, relative to the clip's mean power."""

    def treat(sound: Floats, rate_hz: int, seed: int) -> tuple[Floats, int]:
        noise = np.random.default_rng(seed).standard_normal(sound.shape).astype(np.float32)
        return sound + noise * np.float32(np.sqrt((sound**2).mean() / 10 ** (snr_db / 10))), rate_hz

    return treat


def without(begin_s: float, end_s: float) -> Treatment:
    """A part cut out."""

    def treat(sound: Floats, rate_hz: int, seed: int) -> tuple[Floats, int]:
        begin, end = int(begin_s * rate_hz), int(end_s * rate_hz)
        return np.concatenate((sound[:, :begin], sound[:, end:]), axis=1), rate_hz

    return treat


TREATMENTS: dict[str, Treatment] = {
    "none": lambda sound, rate_hz, seed: (sound, rate_hz),
    "MP3 64k": coded("mp3", "libmp3lame", 64000),
    "AAC 64k": coded("adts", "aac", 64000),
    "Opus 32k": coded("ogg", "libopus", 32000),
    "8 kHz": lambda sound, rate_hz, seed: (resampled(sound, rate_hz, 8000), 8000),
    "noise 30 dB": noisy(30),
    "noise 20 dB": noisy(20),
    "cut: first 1.37 s": without(0, 1.37),
    "cut: 0.73 s at 4 s": without(4, 4.73),
    "speed +3 %": faster(1.03),
    "speed -3 %": faster(0.97),
    "tempo +3 %": hurried(1.03),
    "tempo -3 %": hurried(0.97),
}


def mark(sound: Floats, rate_hz: int, payload: int) -> Floats:
    marker = AudioMark(rate_hz, sound.shape[0], payload)
    return np.concatenate((marker.process(sound), marker.flush()), axis=1)


def measure_robustness(options: argparse.Namespace) -> dict[str, Any]:
    """Found in the first 6 s, and the first 10 s, of what is left of marked clips of 12 s."""
    dice = np.random.default_rng(3)
    counts = {name: {seconds: np.zeros(3, int) for seconds in LENGTHS_S} for name in TREATMENTS}
    cost = {"embed_s": 0.0, "detect_s": 0.0, "detections": 0}
    trials, begin = 0, time.monotonic()
    for name, sound, rate_hz in clips(options.clips, 12):
        if time.monotonic() - begin > options.seconds:
            break
        payload, trials = int(dice.integers(1 << 32)), trials + 1
        start = time.process_time()
        marked = mark(sound, rate_hz, payload)
        cost["embed_s"] += time.process_time() - start
        for treatment, treat in TREATMENTS.items():
            treated, hz = treat(marked, rate_hz, trials)
            for seconds in LENGTHS_S:
                start = time.process_time()
                found = find_in_sound(treated[:, : seconds * hz], hz)
                cost["detect_s"] += time.process_time() - start
                cost["detections"] += 1
                right = found is not None and found.payload == payload
                wrong = found is not None and found.payload not in (None, payload)
                counts[treatment][seconds] += (found is not None, right, wrong)
        print(trials, name, flush=True)
    table = {
        treatment: {
            f"{seconds} s": dict(zip(("present", "payload", "wrong"), map(int, row), strict=True))
            for seconds, row in rows.items()
        }
        for treatment, rows in counts.items()
    }
    for treatment, rows in table.items():
        print(
            f"{treatment:20}", *(f"{n}: {r['present']}/{r['payload']} of {trials}" for n, r in rows.items())
        )
    return {
        "clips": trials,
        "embed_share_of_real_time": cost["embed_s"] / max(12 * trials, 1),
        "detect_s_each": cost["detect_s"] / max(cost["detections"], 1),
        "table": table,
    }


# ---- null --------------------------------------------------------------------------------------------------


def measure_null(options: argparse.Namespace) -> dict[str, Any]:
    """Windows of 10 s without a mark: the best pilot's z, and false alarms of the whole search.

    Real sound is used several times over, each time faster by a few per cent and cut elsewhere: not
    independent, but no two windows meet the pattern alike. A third is made: voices, chords, white and pink
    noise.
    """
    begin = time.monotonic()
    scores: dict[str, list[float]] = {}
    alarms: dict[str, int] = {}
    wanted = int(options.hours * 360)
    for kind, window in unmarked(wanted):
        if time.monotonic() - begin > options.seconds:
            break
        search = Search(window)
        scores.setdefault(kind, []).append(search.z(search.refine(search.matches[0])))
        alarms[kind] = alarms.get(kind, 0) + (search.find(0) is not None)
    every = np.array(sorted(score for some in scores.values() for score in some))
    return {
        "windows_of_10_s": {kind: len(some) for kind, some in scores.items()},
        "hours": round(len(every) / 360, 2),
        "false_alarms": alarms,
        "z": {
            "median": float(np.median(every)),
            "p99": float(np.quantile(every, 0.99)),
            "max": float(every[-1]),
            "max_by_kind": {kind: max(some) for kind, some in scores.items()},
        },
        "threshold": MIN_PRESENCE_Z,
        "z_at_1e-6_by_fit": fit_tail(every, 1e-6),
        "chance_at_threshold_by_fit": chance_beyond(every, MIN_PRESENCE_Z),
    }


def unmarked(count: int) -> Iterator[tuple[str, Floats]]:
    """(kind, (80000,) at 8 kHz)."""
    dice = np.random.default_rng(5)
    real = real_windows(np.random.default_rng(6))
    for place in range(count):
        if place % 3:
            yield next(real)
        else:
            kind = ("made voice", "chords", "white noise", "pink noise")[place // 3 % 4]
            yield kind, made_window(kind, dice)


def real_windows(dice: np.random.Generator) -> Iterator[tuple[str, Floats]]:
    """Windows of 10 s without end: every sound as it is, then again and again, warped and cut elsewhere."""
    round_ = 0
    while True:
        for name, sound, rate_hz in sounds():
            times = float(dice.uniform(0.9, 1.1)) if round_ else 1.0
            slower = to_view_rate(sound[0], max(round(rate_hz * times), 8000))
            slower = slower[int(dice.uniform(0, 3) * 8000) if round_ else 0 :]
            for at in range(0, len(slower) - 80000 + 1, 80000):
                yield "song" if name.startswith("sung") else "speech", slower[at : at + 80000]
        round_ += 1


def made_window(kind: str, dice: np.random.Generator) -> Floats:
    if kind == "made voice":
        return made_voice(10, 8000, int(dice.integers(1 << 31)))[0]
    if kind == "chords":
        time_s, sound = np.arange(80000) / 8000, np.zeros(80000)
        for beat in range(0, 80000, int(dice.uniform(1500, 6000))):
            for note in dice.integers(40, 90, 4):
                tone = np.sin(2 * np.pi * 440 * 2 ** ((note - 69) / 12) * time_s[: 80000 - beat])
                sound[beat:] += tone * np.exp(-time_s[: 80000 - beat] * dice.uniform(0.5, 5))
        return (sound * 0.05 + dice.standard_normal(80000) * 1e-4).astype(np.float32)
    spectrum = np.fft.rfft(dice.standard_normal(80000))
    if kind == "pink noise":
        spectrum /= np.sqrt(np.arange(len(spectrum)) + 1)
    sound = np.fft.irfft(spectrum)
    return (0.1 * sound / sound.std()).astype(np.float32)


def fit_tail(scores: Floats, chance: float) -> float:
    """The z that unmarked windows exceed with that chance, by a Gumbel distribution (maxima of many)."""
    scale = float(scores.std()) * math.sqrt(6) / math.pi
    return float(scores.mean()) - 0.5772 * scale - scale * math.log(-math.log1p(-chance))


def chance_beyond(scores: Floats, z: float) -> float:
    scale = float(scores.std()) * math.sqrt(6) / math.pi
    return -math.expm1(-math.exp(-(z - float(scores.mean()) + 0.5772 * scale) / scale))


# ---- quality -----------------------------------------------------------------------------------------------


def measure_quality(options: argparse.Namespace) -> dict[str, Any]:
    rows = []
    for number, (name, sound, rate_hz) in enumerate(clips(min(options.clips, 40), 10)):
        change = mark(sound, rate_hz, 0x9E3779B9 ^ number) - sound
        rows.append(
            (ratio_db(sound, change), segmental_db(sound, change, rate_hz), *mask(sound, change, rate_hz))
        )
        print(name, *(round(value, 2) for value in rows[-1]), flush=True)
    names = ("snr_db", "segmental_snr_db", "noise_to_mask_db", "share_of_bands_over_mask")
    columns = np.array(rows).T
    result: dict[str, Any] = {"clips": len(rows)}
    result |= {n: {"mean": float(c.mean()), "worst": float(c.max() if "mask" in n else c.min())}
               for n, c in zip(names, columns, strict=True)}  # fmt: skip
    result["held_tones"] = {name: tremble_db(tone) for name, tone in held_tones().items()}
    return result


def ratio_db(sound: Floats, change: Floats) -> float:
    return float(10 * np.log10((sound**2).sum() / (change**2).sum()))


def segmental_db(sound: Floats, change: Floats, rate_hz: int) -> float:
    """Mean over segments of 32 ms that are not silent, each held between −10 and 35 dB."""
    n = int(0.032 * rate_hz)
    power, noise = (
        (x[0, : x.shape[1] // n * n].reshape(-1, n) ** 2).mean(1) + 1e-15 for x in (sound, change)
    )
    loud = power > power.max() * 1e-5
    return float(np.clip(10 * np.log10(power / noise)[loud], -10, 35).mean())


def mask(sound: Floats, change: Floats, rate_hz: int) -> tuple[float, float]:
    """Mean noise-to-mask ratio, dB, and the share of bands and frames in which noise exceeds the mask."""
    n = int(0.032 * rate_hz)
    window = np.hanning(n)
    power, noise = (
        np.abs(np.fft.rfft(np.lib.stride_tricks.sliding_window_view(x[0], n)[:: n // 2] * window)) ** 2
        for x in (sound, change)
    )
    hz = np.fft.rfftfreq(n, 1 / rate_hz)
    bark = np.floor(13 * np.arctan(0.00076 * hz) + 3.5 * np.arctan((hz / 7500) ** 2)).astype(int)
    bands = np.arange(bark.max() + 1)
    group = (bark[:, None] == bands).astype(float)
    distance = bands[:, None] - bands + 0.474
    spread = 10 ** ((15.81 + 7.5 * distance - 17.5 * np.sqrt(1 + distance**2)) / 10)
    flat_db = 10 * (np.log10(power + 1e-12).mean(1) - np.log10(power.mean(1) + 1e-12))
    tonality = np.clip(flat_db / -60, 0, 1)[:, None]
    offset_db = tonality * (14.5 + bands) + (1 - tonality) * 5.5
    threshold = (power @ group) @ spread.T / spread.sum(1) / 10 ** (offset_db / 10)
    loud = power.sum(1) > power.sum(1).max() * 1e-5
    inside = (bands >= bark[np.searchsorted(hz, 300)]) & (bands <= bark[np.searchsorted(hz, 3700)])
    ratio = ((noise @ group) / (threshold + 1e-15))[loud][:, inside]
    return float(10 * np.log10(ratio + 1e-9).mean()), float((ratio > 1).mean())


def held_tones() -> dict[str, Floats]:
    """Six seconds at 16 kHz of what gives a trembling away."""
    time_s = np.arange(96000) / 16000
    vibrato = 2 * np.pi * 220 * time_s + 2.0 * np.sin(2 * np.pi * 5.5 * time_s)
    vowel = sum(
        np.sin(k * vibrato) * sum(1 / (1 + ((k * 220 - f) / 150) ** 2) for f in (700, 1200, 2600))
        for k in range(1, 16)
    )
    flat = sum(np.sin(2 * np.pi * 220 * k * time_s) / k for k in range(1, 16))
    tones = {
        "sine 1 kHz": 0.3 * np.sin(2 * np.pi * 1000 * time_s),
        "harmonics of 220 Hz": 0.1 * flat,
        "sung vowel with vibrato": 0.1 * vowel,
    }
    return {name: np.asarray(tone, np.float32)[None] for name, tone in tones.items()}


def tremble_db(tone: Floats) -> dict[str, float]:
    """How far marking moves the level over 20 ms: root mean square and 99th percentile."""
    marked = mark(tone, 16000, 0x9E3779B9)
    level, before = (10 * np.log10((x[0].reshape(-1, 320) ** 2).mean(1))[10:-10] for x in (marked, tone))
    change_db = np.abs(level - before)
    return {"rms_db": float(np.sqrt((change_db**2).mean())), "p99_db": float(np.quantile(change_db, 0.99))}


if __name__ == "__main__":
    main()
