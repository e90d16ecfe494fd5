"""How well does the mark in sound hide, what does it survive, and how often is it seen where there is none?

    python benchmarks/watermark_audio.py [--quick] [--part quality|robustness|null …] [--out FILE.json]

Real speech and song come from ../shared/media/speech; without it, or besides it, sound is synthesised.
Each part is written into the JSON file as it goes, beside those already there. What was measured of each clip
is kept in a folder (--rows), under the fingerprint of the code: a run that was cut off goes on where it was.

quality     signal-to-noise ratio, over all and by segments of 32 ms; noise-to-mask ratio by a masking model
            after Johnston ("Transform coding of audio signals using perceptual noise criteria", IEEE JSAC 6,
            1988); how much a held tone trembles
robustness  the part of clips in which a mark, and its payload, is found after each treatment
null        how far the pilot stands out, and how well the best code word fits, where there is no mark
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import math
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import av
import cv2
import numpy as np

from likeness.disclosure.watermark.audio import AudioMark, find_in_sound
from likeness.disclosure.watermark.audio_search import LIKELY_Z, MIN_PRESENCE_Z, look
from likeness.disclosure.watermark.audio_view import to_view_rate
from likeness.disclosure.watermark.code import MIN_CONFIDENCE
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
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--hours", type=float, default=5.2)
    parser.add_argument("--seconds", type=float, default=math.inf, help="stop a part after this time")
    parser.add_argument("--rows", type=Path, default=Path(tempfile.gettempdir()) / "watermark_audio_rows")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if options.quick:
        options.clips, options.hours = 6, 0.1
    cv2.setNumThreads(1)
    parts = {"quality": Quality, "robustness": Robustness, "null": Null}
    for name in options.part or parts:
        part: Part = parts[name]()
        rows = Rows(options.rows / f"{name}-{fingerprint()}.jsonl")
        begin = time.monotonic()
        for number, job in enumerate(part.jobs(options), 1):
            if time.monotonic() - begin > options.seconds:
                break
            if number > len(rows.values):
                rows.add(job())
                print(name, number, flush=True)
            if number % 20 == 0 and number >= len(rows.values):
                write(options.out, {name: part.sum_up(rows.values)})
        result = {name: part.sum_up(rows.values[: part.count(options)])}
        print(json.dumps(result, indent=1), flush=True)
        write(options.out, result)


Row = dict[str, Any]
Job = Callable[[], Row]


class Part(Protocol):
    """One part of the benchmark: jobs in an order that is always the same, and what their results mean."""

    def count(self, options: argparse.Namespace) -> int: ...

    def jobs(self, options: argparse.Namespace) -> Iterator[Job]: ...

    def sum_up(self, rows: list[Row]) -> dict[str, Any]: ...


class Rows:
    """Results on the disk, one line each."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        lines = path.read_text().split("\n")[:-1] if path.exists() else []  # without a line that was cut off
        path.write_text("".join(line + "\n" for line in lines))
        self.values: list[Row] = [json.loads(line) for line in lines]

    def add(self, row: Row) -> None:
        self.values.append(row)
        with self._path.open("a") as file:
            file.write(json.dumps(row) + "\n")


def fingerprint() -> str:
    """Of the code whose results these are."""
    folder = REPOSITORY / "src" / "likeness" / "disclosure" / "watermark"
    sources = [*sorted(folder.glob("audio*.py")), folder / "code.py", Path(__file__)]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]


def write(out: Path | None, result: dict[str, Any]) -> None:
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        report = json.loads(out.read_text()) if out.exists() else {}
        out.write_text(json.dumps(report | result, indent=1) + "\n")


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
    """So many clips of that length, (1, n) each: the first from each sound that is long enough, then, where
    there are too few, voices made here."""
    left = count
    for name, sound, rate_hz in sounds():
        if left and sound.shape[1] >= length_s * rate_hz:
            left -= 1
            yield name, sound[:, : int(length_s * rate_hz)], rate_hz
    for seed in range(left):
        yield f"made {seed}", made_voice(length_s, 16000, 5000 + seed), 16000


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
    "noise 25 dB": noisy(25),
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


class Robustness:
    """Found in the first 6 s, and the first 10 s, of what is left of marked clips of 12 s."""

    def count(self, options: argparse.Namespace) -> int:
        return int(options.clips)

    def jobs(self, options: argparse.Namespace) -> Iterator[Job]:
        dice = np.random.default_rng(3)
        for number, (name, sound, rate_hz) in enumerate(clips(options.clips, 12), 1):
            payload = int(dice.integers(1 << 32))
            yield partial(self._measure, name, sound, rate_hz, payload, number)

    def _measure(self, name: str, sound: Floats, rate_hz: int, payload: int, seed: int) -> Row:
        start = time.process_time()
        marked = mark(sound, rate_hz, payload)
        row: Row = {"name": name, "embed_s": time.process_time() - start, "detect_s": 0.0, "found": {}}
        for treatment, treat in TREATMENTS.items():
            treated, hz = treat(marked, rate_hz, seed)
            for seconds in LENGTHS_S:
                start = time.process_time()
                found = find_in_sound(treated[:, : seconds * hz], hz)
                row["detect_s"] += time.process_time() - start
                right = found is not None and found.payload == payload
                wrong = found is not None and found.payload not in (None, payload)
                row["found"][f"{treatment}, {seconds} s"] = [int(found is not None), int(right), int(wrong)]
        return row

    def sum_up(self, rows: list[Row]) -> dict[str, Any]:
        table: dict[str, dict[str, Any]] = {}
        for treatment in TREATMENTS:
            for seconds in LENGTHS_S:
                counts = np.sum([row["found"][f"{treatment}, {seconds} s"] for row in rows], axis=0)
                line = dict(zip(("present", "payload", "wrong"), map(int, counts), strict=True))
                line["holds"] = bool(
                    counts[0] >= 0.99 * len(rows) if seconds == 6 else counts[1] >= 0.95 * len(rows)
                )
                table.setdefault(treatment, {})[f"{seconds} s"] = line
        detections = len(TREATMENTS) * len(LENGTHS_S)
        return {
            "trials_each": len(rows),
            "of_which_made": sum(row["name"].startswith("made") for row in rows),
            "wanted": "present in 99 % from 6 s, payload in 95 % from 10 s; noise of 25, 20 dB for the curve",
            "threshold_z": MIN_PRESENCE_Z,
            "embed_share_of_real_time": sum(row["embed_s"] for row in rows) / (12 * len(rows)),
            "detect_s_each": sum(row["detect_s"] for row in rows) / (detections * len(rows)),
            "table": table,
        }


# ---- null --------------------------------------------------------------------------------------------------


class Null:
    """Windows of 10 s without a mark: the best pilot's z, how well the best code word fits, false alarms.

    Real sound is used several times over, each time faster by a few per cent and cut elsewhere: not
    independent, but no two windows meet the pattern alike. A third is made: voices, chords, white and pink
    noise.
    """

    def count(self, options: argparse.Namespace) -> int:
        return int(options.hours * 360)

    def jobs(self, options: argparse.Namespace) -> Iterator[Job]:
        for kind, window in unmarked(self.count(options)):
            yield partial(self._measure, kind, window)

    def _measure(self, kind: str, window: Floats) -> Row:
        searches = [search for _, search in look(window)]
        tried = [(search.z(match), decoded) for search in searches for match, decoded in search.attempts()]
        return {
            "kind": kind,
            "z": max(z for z, _ in tried),
            "confidence": max(decoded.confidence for _, decoded in tried),
            "tried": len(tried),
            "fit": sum(decoded.confidence > MIN_CONFIDENCE for _, decoded in tried),
            "alarm": any(search.find(0) is not None for search in searches),
        }

    def sum_up(self, rows: list[Row]) -> dict[str, Any]:
        kinds = sorted({row["kind"] for row in rows})
        z = {kind: np.array([row["z"] for row in rows if row["kind"] == kind]) for kind in kinds}
        every = np.concatenate(list(z.values()))
        fits = np.array([row["confidence"] for row in rows])
        presence = {kind: chance_beyond(some, MIN_PRESENCE_Z) for kind, some in z.items() if len(some) > 30}
        mixed = sum(chance * len(z[kind]) for kind, chance in presence.items()) / len(every)
        likely = sum(chance_beyond(z[kind], LIKELY_Z) * len(z[kind]) for kind in presence) / len(every)
        # One code word in 65,536 passes the checksum by chance. It counts if it fits well, or if the pilot is
        # likely, as it then is for every attempt at the worst.
        attempts = max(row["tried"] for row in rows)
        payload = (float(np.mean([row["fit"] for row in rows])) + likely * attempts) / 65536
        return {
            "windows_of_10_s": {kind: len(some) for kind, some in z.items()},
            "hours": round(len(every) / 360, 2),
            "false_alarms": sum(row["alarm"] for row in rows),
            "z": {
                "median": float(np.median(every)),
                "p99": float(np.quantile(every, 0.99)),
                "max": float(every.max()),
                "max_by_kind": {kind: float(some.max()) for kind, some in z.items()},
            },
            "attempts_each": attempts,
            "words_that_fit_without_a_mark": sum(row["fit"] for row in rows),
            "confidence": {
                "median": float(np.median(fits)),
                "p99": float(np.quantile(fits, 0.99)),
                "max": float(fits.max()),
            },
            "threshold_z": MIN_PRESENCE_Z,
            "z_at_1e-6_by_fit": fit_tail(every, 1e-6),
            "chance_of_presence_by_fit": {"all": chance_beyond(every, MIN_PRESENCE_Z), **presence},
            "chance_of_presence_by_fits_of_each_kind": mixed,
            "chance_of_a_payload": payload,
            "chance_of_any_alarm": mixed + payload,
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


class Quality:
    """How faint the mark is, on at most 40 clips of 10 s."""

    _NAMES = ("snr_db", "segmental_snr_db", "noise_to_mask_db", "share_of_bands_over_mask")

    def count(self, options: argparse.Namespace) -> int:
        return min(options.clips, 40)

    def jobs(self, options: argparse.Namespace) -> Iterator[Job]:
        for number, (name, sound, rate_hz) in enumerate(clips(self.count(options), 10)):
            yield partial(self._measure, name, sound, rate_hz, 0x9E3779B9 ^ number)

    def _measure(self, name: str, sound: Floats, rate_hz: int, payload: int) -> Row:
        change = mark(sound, rate_hz, payload) - sound
        values = ratio_db(sound, change), segmental_db(sound, change, rate_hz), *mask(sound, change, rate_hz)
        return {"name": name, **dict(zip(self._NAMES, values, strict=True))}

    def sum_up(self, rows: list[Row]) -> dict[str, Any]:
        result: dict[str, Any] = {"clips": len(rows)}
        for name in self._NAMES:
            column = np.array([row[name] for row in rows])
            worst = column.max() if "mask" in name else column.min()
            result[name] = {"mean": float(column.mean()), "worst": float(worst)}
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
