"""What enrolment knows of a person's voice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from likeness.consent import Permission
from likeness.types import Floats, ModelRef

Arrays: TypeAlias = Mapping[str, NDArray[Any]]
MIN_VOICED_FRAMES: Final = 15
_VOICED: Final = 0.5


@dataclass(frozen=True, slots=True)
class PitchRange:
    """Where a voice lies, and how far it moves.

    Attributes:
        median_hz: of f0 over the voiced frames.
        spread: of ln f0: half of what lies between its 16th and 84th percentile, a standard deviation where
            it is normal, and blind to a few octave errors.
    """

    median_hz: float
    spread: float

    @classmethod
    def of(cls, f0_hz: Floats, voiced: Floats) -> PitchRange | None:
        """From (n,) f0 and (n,) 0…1 how surely each frame is voiced; None where too little is."""
        sure = f0_hz[(voiced >= _VOICED) & (f0_hz > 0)]
        if len(sure) < MIN_VOICED_FRAMES:
            return None
        low, middle, high = np.percentile(np.log(sure), (16, 50, 84))
        return cls(float(np.exp(middle)), float(high - low) / 2)


@dataclass(frozen=True, slots=True, eq=False)
class Learnt:
    """What an engine learned from a person's speech; it alone knows what the arrays mean.

    Attributes:
        engine, version: which one.
        pitch: of the person.
        pool: the speech itself, frame by frame ("samples", "content", "f0_hz" …).
        decoder: the weights that were tuned to the person.
        settings: what the engine has to be told again; JSON values.
        models: what took part in learning.
        notes: what a person should know, one sentence each.
    """

    engine: str
    version: str
    pitch: PitchRange
    pool: Arrays
    decoder: Arrays
    settings: Mapping[str, Any] = field(default_factory=dict)
    models: tuple[ModelRef, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recording:
    """A file that a voice was learned from.

    Attributes:
        name: of the file, without its folder.
        sha256: of its content.
        used_s: how much of it was used, seconds.
    """

    name: str
    sha256: str
    used_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Voice:
    """A person's voice, and their permission to use it.

    Attributes:
        name: what it is called; not necessarily the person's name.
        permission: the consent record, checked when the voice was opened.
        speaker: (256,) float32, what `speech.speaker.embed_voice` says of all that was used.
        learnt: what the engine learned.
        recordings: what it was learned from.
        card: the model card, JSON values.
        sha256: of the file; empty as long as there is none.
    """

    name: str
    permission: Permission
    speaker: Floats
    learnt: Learnt
    recordings: tuple[Recording, ...]
    card: Mapping[str, Any]
    sha256: str = ""

    @property
    def pitch(self) -> PitchRange:
        """Where the voice lies."""
        return self.learnt.pitch

    @property
    def pool(self) -> Arrays:
        """The speech itself, frame by frame."""
        return self.learnt.pool

    @property
    def decoder(self) -> Arrays:
        """The weights that were tuned to the person."""
        return self.learnt.decoder

    @property
    def used_s(self) -> float:
        """How much speech it was learned from, seconds."""
        return sum(one.used_s for one in self.recordings)

    @property
    def refs(self) -> tuple[ModelRef, ...]:
        """For the credentials of what is made with it. No name: outputs travel further than voices."""
        return (ModelRef("voice", self.sha256), *self.learnt.models)
