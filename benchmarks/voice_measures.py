"""One converted utterance as a row of figures, and many of them as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from likeness.errors import NoSpeech
from likeness.pipelines.evaluate_voice import find_centroid
from likeness.speech.measures.defects import find_defects
from likeness.speech.measures.delay import align
from likeness.speech.measures.naturalness import rate_naturalness
from likeness.speech.measures.pitch_error import compare_pitch
from likeness.speech.speaker import embed_voice
from likeness.types import Floats
from voice_listening import count_errors, read_whisper, standard_error, word_error_rate
from voice_pairs import RATE_HZ, read, split_target, text_of
from voice_second import SecondSpeaker, load_second

Row = dict[str, Any]
SPEAKERS = ("resemblyzer", "campplus")


class Judge:
    """Measures what was made. What it knows of natural speech is kept.

    Args:
        work: where the second speaker network lies.
    """

    def __init__(self, work: Path) -> None:
        self._second: SecondSpeaker = load_second(work)
        self.voices_of = cache(self._voices_of)
        self.centroids = cache(self._centroids)
        self.expected = cache(self._expected)

    def measure(self, made: Floats, source: Path, target: str) -> Row:
        """All figures of one utterance.

        Args:
            made: (n,) float32 at 16 kHz.
            source: what it was made from.
            target: whose voice it should have.
        """
        row: Row = {"file": source.name, "duration_s": len(made) / RATE_HZ}
        row |= self.similarity(made, source, target)
        expected, heard = self.expected(source), read_whisper(made)
        row["whisper"] = count_errors(expected, heard) | {"heard": heard}
        cut, original, delay_s = align(made, read(source), RATE_HZ)
        row["delay_s"] = delay_s
        try:
            row["pitch"] = asdict(compare_pitch(cut, original, RATE_HZ))
        except NoSpeech:
            row["pitch"] = None
        row["defects"] = asdict(find_defects(cut, RATE_HZ, original))
        row["naturalness"] = asdict(rate_naturalness(made, RATE_HZ))
        return row

    def similarity(self, made: Floats, source: Path | None, target: str) -> Row:
        """Cosines with the centroid of the target's held-out speech, and with the source."""
        row: Row = {}
        voices = self.embed(made)
        natural = None if source is None else self.voices_of(source)
        for name in SPEAKERS:
            row[name] = {"to_target": float(voices[name] @ self.centroids(target)[name])}
            if natural is not None:
                row[name]["to_source"] = float(voices[name] @ natural[name])
        return row

    def embed(self, sound: Floats) -> dict[str, Floats]:
        return {"resemblyzer": embed_voice(sound, RATE_HZ), "campplus": self._second.embed(sound)}

    def _voices_of(self, path: Path) -> dict[str, Floats]:
        return self.embed(read(path))

    def _centroids(self, target: str) -> dict[str, Floats]:
        _, held_out = split_target(target)
        return {name: find_centroid([self.voices_of(path)[name] for path in held_out]) for name in SPEAKERS}

    def _expected(self, source: Path) -> str:
        """The text, else what Whisper makes of the source."""
        return text_of(source) or read_whisper(read(source))


def summarise(rows: Sequence[Row]) -> Row:
    """Medians over the utterances, and word error rates over all of them."""
    if not rows:
        return {}
    found: Row = {"utterances": len(rows)}
    for name in SPEAKERS:
        for which in ("to_target", "to_source"):
            values = [row[name][which] for row in rows if which in row.get(name, {})]
            if values:
                found[f"{name}_{which}"] = float(np.median(values))
        pairs = [(row[name]["to_target"], row[name].get("to_source")) for row in rows if name in row]
        known = [a - b for a, b in pairs if b is not None]
        if known:
            found[f"{name}_nearer_to_source"] = int(np.sum(np.array(known) < 0))
    counts = [row["whisper"] for row in rows]
    found["wer"] = word_error_rate(counts)
    found["wer_standard_error"] = standard_error(counts)
    pitches = [row["pitch"] for row in rows if row.get("pitch")]
    if pitches:
        found["f0_correlation"] = median(pitches, "correlation")
        found["f0_correlation_worst"] = min(one["correlation"] for one in pitches)
        found["voicing_errors"] = median(pitches, "voicing_errors")
        found["cents"] = median(pitches, "cents")
        found["beyond_50_cents"] = median(pitches, "beyond_50_cents")
    found["naturalness"] = median([row["naturalness"] for row in rows], "score")
    found["naturalness_voice"] = median([row["naturalness"] for row in rows], "voice")
    found |= summarise_defects([row["defects"] for row in rows])
    delays = [abs(row["delay_s"]) for row in rows if "delay_s" in row]
    if delays:
        found["delay_s_most"] = max(delays)
    return found


def summarise_defects(rows: Sequence[Row]) -> Row:
    """Means, since most are zero; the level of the pauses as a median."""
    found = {
        name: float(np.mean([row[name] for row in rows]))
        for name in ("clipped", "clicks_per_minute", "holes_per_minute")
    }
    buzz = [row["buzz"] for row in rows if row["buzz"] is not None]
    levels = [row["pause_level_db"] for row in rows if row["pause_level_db"] is not None]
    if buzz:
        found |= {"buzz": float(np.mean(buzz)), "pause_level_db": float(np.median(levels))}
    return found


def median(rows: Sequence[Row], name: str) -> float:
    return float(np.median([row[name] for row in rows]))
