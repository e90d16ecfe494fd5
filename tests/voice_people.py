"""Speech of nobody, and a stand-in for a voice engine, which needs no torch and turns sound down."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np

from likeness import consent
from likeness.config import VoiceConfig
from likeness.consent import ConsentRecord
from likeness.consent.parts import Embedding, References
from likeness.engines.voice.base import Heard
from likeness.media.mono import resample
from likeness.pipelines.target_voice import Target
from likeness.progress import OnProgress, silent
from likeness.speech import speaker
from likeness.types import Floats, ModelRef
from likeness.voices.voice import Learnt, PitchRange, Recording, Voice

RATE_HZ = 16_000
TEXT = (
    "The birch canoe slid on the smooth planks. Glue the sheet to the dark blue background. It is easy to "
    "tell the depth of a well. These days a chicken leg is a rare dish. Rice is often served in round bowls."
)
LATE = 1000  # samples that it holds back, as a converter in overlapping chunks does


@cache
def speech(shrink: float = 1.0) -> Floats:
    """(n,) float32 at 16 kHz, some 13 s: sentences of Harvard's, read by Hibari; nobody's voice.

    Args:
        shrink: below 1 the sound is played so much slower, and so is another voice.
    """
    from hibari import Hibari

    return resample(Hibari()(TEXT, seed=0), 24_000, round(RATE_HZ / shrink))


def write_sound(path: Path, sound: Floats, rate_hz: int = RATE_HZ) -> Path:
    """(n,) or (channels, n) float32 as a file, by its suffix; `.wav` is 16 bits."""
    channels = np.atleast_2d(sound).astype(np.float32)
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[len(channels)]
    codec = {".wav": "pcm_s16le", ".flac": "flac", ".mp3": "libmp3lame", ".m4a": "aac"}[path.suffix]
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=rate_hz, layout=layout)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(channels), "fltp", layout)
        frame.sample_rate = rate_hz
        resampler = av.AudioResampler(stream.codec_context.format.name, layout, rate_hz, 1024)
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            output.mux(stream.encode(piece))
        output.mux(stream.encode(None))
    return path


def learn(
    stretches: Sequence[Floats], *, offline: bool | None = None, on_progress: OnProgress = silent
) -> Learnt:
    """A `Learn`."""
    samples = np.concatenate(stretches)
    return Learnt(
        engine="quiet",
        version="1",
        pitch=PitchRange(120.0, 0.2),
        pool={"samples": (samples * 32767).astype(np.int16)},
        decoder={"gain": np.array([0.5], np.float32)},
        settings={"depth": 2},
        models=(ModelRef("nothing", "ab" * 32),),
        notes=("It learned next to nothing.",),
    )


class Quiet:
    """A `VoiceConverter` that turns sound down, and gives it a little late."""

    name, version = "quiet", "1"

    def __init__(self, heard: Heard, config: VoiceConfig, gain: float = 0.5) -> None:
        self.heard, self.config, self._gain = heard, config, np.float32(gain)
        self.blocks = 0

    models = (ModelRef("voice", "cd" * 32),)

    @property
    def parameters(self) -> Mapping[str, Any]:
        return {"sing": self.config.sing, "likeness": self.config.likeness}

    def rate_for(self, rate_hz: int) -> int:
        return rate_hz

    def convert_stream(self, blocks: Iterable[Floats], rate_hz: int) -> Iterator[Floats]:
        held = np.zeros(0, np.float32)
        for block in blocks:
            self.blocks += 1
            assert block.ndim == 1
            assert block.dtype == np.float32
            held = np.concatenate((held, block * self._gain))
            yield held[:-LATE]
            held = held[-LATE:]
        yield held

    def notes(self) -> tuple[str, ...]:
        return ("It was turned down.",)


class QuietTarget:
    """Opens `Quiet`, and keeps it for a test to look at."""

    def __init__(self, voice: Voice) -> None:
        self.opened: list[Quiet] = []
        self.target = Target(voice.permission, self._open)

    def _open(self, heard: Heard, config: VoiceConfig) -> Quiet:
        self.opened.append(Quiet(heard, config))
        return self.opened[-1]


def corpus_record(folder: Path, **changes: Any) -> ConsentRecord:
    """An evaluator's record for voices; compares nobody."""
    key_file = folder / "corpus.pem"
    key = consent.load_key(key_file) if key_file.exists() else consent.create_key(key_file)
    said = {"licence": "CC0-1.0", "evaluator": "the tests", **changes}
    return consent.sign(consent.draft_corpus("Voices", **said), key)


def subject_record(folder: Path, voice: Floats | None, **changes: Any) -> ConsentRecord:
    """Anna's, with this embedding of her voice in it if there is one."""
    key = consent.create_key(folder / f"anna{len(list(folder.iterdir()))}.pem")
    said: dict[str, Any] = {
        "subject": "Anna Beispiel",
        "requester": "Studio Nord",
        "acts": ["voice"],
        "purposes": ["a short film"],
        **changes,
    }
    request = consent.draft(**said)
    if voice is not None:
        request = replace(request, references=References(voice=Embedding.of(speaker.VOICE_MODEL, voice)))
    return consent.sign(request, key)


def make_voice(record: ConsentRecord, name: str = "anna") -> Voice:
    """A voice as `enroll` makes one with `learn`, of a record that compares nobody."""
    learnt = learn([speech()])
    vector = np.full(256, 1 / 16, np.float32)
    recordings = (Recording("a.wav", "ef" * 32, 12.5),)
    return Voice(name, consent.check(record, act="voice"), vector, learnt, recordings, {"what": "a test"})
