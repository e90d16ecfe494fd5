"""A stand-in for a voice engine, which needs no torch: it learns next to nothing, and turns sound down."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from likeness import consent
from likeness.config import VoiceConfig
from likeness.consent import ConsentRecord
from likeness.engines.voice.base import Heard
from likeness.pipelines.target_voice import Target
from likeness.progress import OnProgress, silent
from likeness.types import Floats, ModelRef
from likeness.voices.voice import Learnt, PitchRange, Voice

LATE = 1000  # samples that it holds back, as a converter in overlapping chunks does


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
