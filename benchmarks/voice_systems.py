"""What is compared: natural speech, the vocoder, f0 alone, and the engine with its slider at three places."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from likeness import consent
from likeness.consent.permission import Consent
from likeness.engines.voice.analysis import VOICED, Features, analyse
from likeness.engines.voice.vocoder import Vocoder, turn
from likeness.media.mono import read_mono
from likeness.pipelines.evaluate_voice import skip_disclaimer
from likeness.types import Floats
from likeness.voice import convert, enroll
from likeness.voices.voice import PitchRange
from voice_pairs import MAX_S, RATE_HZ, read, split_target

LIKENESS: dict[str, float | None] = {"clear": 0.0, "default": None, "close": 1.0}
"""Where the slider stands; the default is the engine's own."""
_NOISE_HZ, _NOISE_WIDTH_HZ, _NOISE_DB = 5000.0, 1200.0, -22.0
"""Above the one, half of a voiced sound is noise; far below, so little."""


@dataclass(frozen=True, slots=True)
class Studio:
    """Where voices are enrolled and files are made."""

    work: Path

    def record(self) -> Consent:
        """The benchmark's own record: speakers of corpora that may be used so."""
        path = self.work / "evaluator.pem"
        path.parent.mkdir(parents=True, exist_ok=True)
        key = consent.load_key(path) if path.exists() else consent.create_key(path)
        request = consent.draft_corpus(
            "LibriSpeech test-other and LJ Speech",
            licence="CC BY 4.0, public domain",
            evaluator="likeness benchmarks",
            acts=("voice",),
        )
        return consent.sign(request, key)

    def voice_file(self, target: str) -> Path:
        return self.work / "voices" / f"{target}.voice"

    def enrol(self, target: str) -> dict[str, float]:
        """Learn a target's voice from what is not held out; returns how long it took."""
        out = self.voice_file(target)
        out.parent.mkdir(parents=True, exist_ok=True)
        files, _ = split_target(target)
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        done = enroll(files, out, consent=self.record(), overwrite=True)
        return {
            "wall_s": time.perf_counter() - wall_s,
            "cpu_s": time.process_time() - cpu_s,
            "used_s": done.used_s,
            "megabytes": out.stat().st_size / 1e6,
        }

    def made_file(self, source: Path, target: str, system: str) -> Path:
        return self.work / "made" / system / f"{source.stem}-to-{target}.wav"

    def convert(self, source: Path, target: str, system: str) -> Floats:
        """The finished, sealed file, read again."""
        out = self.made_file(source, target, system)
        out.parent.mkdir(parents=True, exist_ok=True)
        place = LIKENESS[system]
        options = {} if place is None else {"likeness": place}
        convert(source, to=self.voice_file(target), out=out, overwrite=True, **options)
        return listen(out)

    def pitch_of(self, target: str) -> PitchRange:
        """Of the speech that is enrolled."""
        files, _ = split_target(target)
        parts = [analyse(read(path), RATE_HZ) for path in files[:4]]
        found = PitchRange.of(
            np.concatenate([part.f0_hz for part in parts]), np.concatenate([part.voiced for part in parts])
        )
        assert found is not None, target
        return found


def listen(path: Path, *, rate_hz: int = RATE_HZ) -> Floats:
    """A finished file without the notes at its start."""
    return skip_disclaimer(read_mono(path, rate_hz=rate_hz, max_s=2 * MAX_S), rate_hz)


System = Callable[[Studio, Path, str], Floats]


def natural(studio: Studio, source: Path, target: str) -> Floats:
    return read(source)


def copy(studio: Studio, source: Path, target: str) -> Floats:
    """The source through the engine's vocoder, nothing changed."""
    features = analyse(read(source), RATE_HZ)
    return synthesise(features, features.f0_hz)


def f0_only(studio: Studio, source: Path, target: str) -> Floats:
    """The same with the pitch where the target's lies, and as wide."""
    features = analyse(read(source), RATE_HZ)
    own, wanted = PitchRange.of(features.f0_hz, features.voiced), studio.pitch_of(target)
    assert own is not None, source
    away = np.log(features.f0_hz / own.median_hz) * (wanted.spread / max(own.spread, 0.03))
    return synthesise(features, np.asarray(wanted.median_hz * np.exp(away), np.float32))


def converted(system: str) -> System:
    return lambda studio, source, target: studio.convert(source, target, system)


SYSTEMS: dict[str, System] = {
    "natural": natural,
    "copy": copy,
    "f0": f0_only,
    **{name: converted(name) for name in LIKENESS},
}


def synthesise(features: Features, f0_hz: Floats) -> Floats:
    """A recording's own envelope through the vocoder, with another pitch.

    How much of a voiced sound is noise is not measured but assumed, by frequency: so this is a little worse
    than the vocoder can be.
    """
    envelope = features.envelope
    bands = envelope.shape[1]
    hz = 700 * (np.exp(np.linspace(0, np.log1p(8000 / 700), bands)) - 1)
    part = 1 / (1 + np.exp((_NOISE_HZ - hz) / (_NOISE_WIDTH_HZ / 2)))
    noise_db = _NOISE_DB + (-3.0 - _NOISE_DB) * part
    voiced = np.clip((features.voiced[:, None] - 0.2) / (VOICED - 0.2), 1e-3, 1)
    noisy = np.where(voiced > 0.5, 10 ** (noise_db / 20), 1.0)
    harmonic = envelope + np.log(voiced) + 0.5 * np.log(np.maximum(1 - 10 ** (noise_db / 10), 0.05))
    wide = np.linspace(0, bands - 1, 80)
    to_wide = np.maximum(0, 1 - np.abs(np.arange(bands)[:, None] - wide[None]))
    noise = envelope + np.log(noisy)
    filters = (np.asarray(one, np.float32) for one in (harmonic @ to_wide, noise))
    sound = Vocoder().render(*filters, turn(f0_hz))
    return np.asarray(sound / features.gain, np.float32)
