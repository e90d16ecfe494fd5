"""How well a converted recording came out: whose voice it is, what is understood, melody, and quality."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from likeness.disclosure.disclaimer import SILENCE_S, SOUNDING_S, chime
from likeness.errors import NoSpeech, UsageError
from likeness.media.mono import read_mono
from likeness.pipelines.find_sounds import find_sounds
from likeness.progress import OnProgress, Progress, silent
from likeness.speech.measures.defects import Defects, find_defects
from likeness.speech.measures.delay import align
from likeness.speech.measures.naturalness import Naturalness, rate_naturalness
from likeness.speech.measures.pitch_error import PitchError, compare_pitch
from likeness.speech.measures.word_error import WordError, compare_words
from likeness.speech.speaker import embed_voice, judge, similarity
from likeness.types import Floats, Verdict

RATE_HZ = 16_000
MAX_S = 600.0
_MOST_SAMPLES = 200
_CHIME_LEAST = 0.8  # correlation coefficient with our disclaimer

Samples: TypeAlias = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


@dataclass(frozen=True, slots=True)
class Similarity:
    """Cosines of the angle between voices' embeddings, 0…1 (see `likeness.speech.speaker`).

    Attributes:
        to_target: with the centroid of the target's samples.
        to_source: with the source, or None without one.
        target_itself: the median over the target's samples of each with the others' centroid: as close as
            natural speech comes. None with fewer than two samples that are long enough.
        verdict: what `to_target` means.
        samples: how many of the target's samples were long enough to count.
    """

    to_target: float
    to_source: float | None
    target_itself: float | None
    verdict: Verdict
    samples: int


@dataclass(frozen=True, slots=True)
class VoiceScores:
    """How well a recording has become the target's voice. `None` where something cannot be measured.

    Attributes:
        path: of the recording.
        duration_s: without the disclaimer at its start.
        similarity: whose voice it is.
        words: what is understood; needs a source or a text.
        pitch: whether the melody is kept; needs a source.
        delay_s: how much later than in the source the words come; needs a source.
        naturalness: a proxy for what listeners would say.
        defects: clipping, clicks, holes and buzz.
        notes: what could not be measured, and why.
    """

    path: Path
    duration_s: float
    similarity: Similarity
    words: WordError | None
    pitch: PitchError | None
    delay_s: float | None
    naturalness: Naturalness
    defects: Defects
    notes: tuple[str, ...] = ()


def evaluate(
    made: str | os.PathLike[str],
    *,
    target: Samples,
    source: str | os.PathLike[str] | None = None,
    text: str | None = None,
    offline: bool | None = None,
    on_progress: OnProgress = silent,
) -> VoiceScores:
    """Measure a converted recording. The disclaimer at its start is left out.

    Args:
        made: the recording, or a video with it, of at most ten minutes.
        target: natural recordings of the target, or folders of them. Take others than those that the voice
            was enrolled with: it has heard the room and the words of those.
        source: what it was made from.
        text: what is said in it, in English.
        offline: as for `likeness.models.fetch`.

    Raises:
        MediaError: a file cannot be read; NoSpeech: nobody speaks in it, or in any sample.
        UsageError: no samples, too many, or one twice.
        MissingExtra: the extra "speech" is not installed.
        ModelMissing, ChecksumMismatch: a model cannot be fetched.
    """
    path = Path(made)
    files = list_samples(target)
    steps = 5
    on_progress(Progress("evaluate", 0, steps, "measures"))
    sound = skip_disclaimer(_read(path))
    original = None if source is None else skip_disclaimer(_read(Path(source)))
    notes: list[str] = []
    likeness = measure_similarity(sound, map(_read, files), original, offline=offline)
    on_progress(Progress("evaluate", 1, steps, "measures"))
    words = _words(sound, original, text, notes)
    on_progress(Progress("evaluate", 2, steps, "measures"))
    pitch, delay_s, aligned = None, None, None
    if original is not None:
        cut, aligned, delay_s = align(sound, original, RATE_HZ)
        try:
            pitch = compare_pitch(cut, aligned, RATE_HZ, offline=offline)
        except NoSpeech as error:
            notes.append(f"melody: {error.what}")
    else:
        cut = sound
        notes.append("melody: needs the source")
    on_progress(Progress("evaluate", 3, steps, "measures"))
    defects = find_defects(cut, RATE_HZ, aligned, offline=offline)
    on_progress(Progress("evaluate", 4, steps, "measures"))
    natural = rate_naturalness(sound, RATE_HZ, offline=offline)
    on_progress(Progress("evaluate", 5, steps, "measures"))
    return VoiceScores(
        path, len(sound) / RATE_HZ, likeness, words, pitch, delay_s, natural, defects, tuple(notes)
    )


def list_samples(target: Samples) -> list[Path]:
    """The recordings among files and folders.

    Raises:
        MediaNotFound, Unreadable, UsageError: as `find_sounds`; or there are more than 200.
    """
    files = find_sounds(target if isinstance(target, (str, os.PathLike)) else list(target))
    if len(files) > _MOST_SAMPLES:
        raise UsageError(
            f"There are {len(files)} recordings of the target, where {_MOST_SAMPLES} are enough.",
            f"Give {_MOST_SAMPLES} of them at the most.",
        )
    return files


def measure_similarity(
    made: Floats,
    target: Iterable[Floats],
    source: Floats | None = None,
    *,
    offline: bool | None = None,
) -> Similarity:
    """Whose voice it is; sound at 16 kHz.

    Raises:
        NoSpeech: too little of it in `made`, or in all of the target's samples.
        ModelMissing, ChecksumMismatch
    """
    voice = embed_voice(made, RATE_HZ, offline=offline)
    samples = [one for sound in target if (one := _embed(sound, offline)) is not None]
    if not samples:
        raise NoSpeech(
            "None of the target's samples holds enough speech to know a voice by.",
            "Give samples with 1.6 s of speech and more.",
        )
    original = None if source is None else _embed(source, offline)
    to_target = similarity(voice, find_centroid(samples))
    return Similarity(
        to_target,
        None if original is None else similarity(voice, original),
        _itself(samples),
        judge(to_target),
        len(samples),
    )


def find_centroid(voices: Sequence[Floats]) -> Floats:
    """The direction in which several embeddings lie, of length 1."""
    mean = np.mean(voices, axis=0)
    return np.asarray(mean / np.linalg.norm(mean), np.float32)


def skip_disclaimer(sound: Floats, rate_hz: int = RATE_HZ) -> Floats:
    """(n,) sound without the three notes and the silence after them, where it begins with those."""
    notes = chime(rate_hz)
    opening = sound[: len(notes)]
    if len(opening) < len(notes):
        return sound
    size = float(np.linalg.norm(opening) * np.linalg.norm(notes))
    alike = float(opening @ notes) / size if size > 0 else 0.0
    return sound[round((SOUNDING_S + SILENCE_S) * rate_hz) :] if alike > _CHIME_LEAST else sound


def _itself(samples: Sequence[Floats]) -> float | None:
    if len(samples) < 2:
        return None
    others = [find_centroid([*samples[:n], *samples[n + 1 :]]) for n in range(len(samples))]
    return float(np.median([similarity(a, b) for a, b in zip(samples, others, strict=True)]))


def _embed(sound: Floats, offline: bool | None) -> Floats | None:
    """None where there is too little speech."""
    try:
        return embed_voice(sound, RATE_HZ, offline=offline)
    except NoSpeech:
        return None


def _words(sound: Floats, source: Floats | None, text: str | None, notes: list[str]) -> WordError | None:
    if source is None and text is None:
        notes.append("words: need the source or the text")
        return None
    try:
        return compare_words(sound, source, RATE_HZ, text)
    except UsageError:
        if text is not None:
            raise
        notes.append("words: none were understood in the source")
        return None


def _read(path: Path) -> Floats:
    return read_mono(path, rate_hz=RATE_HZ, max_s=MAX_S)
