"""What can be chosen for a conversion by RVC, under the names and with the defaults that its users know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from likeness.errors import UsageError

PitchBy: TypeAlias = Literal["swift", "crepe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RvcSettings:
    """The choices. Their meaning and the defaults are those of RVC's page (infer-web.py, commit 005f097).

    Attributes:
        speaker: which of the model's speakers, from 0.
        transpose: by how many semitones the pitch is moved (−36…36).
        pitch: what follows it.
        index_rate: how far what is said is drawn towards the frames of the index (0…1).
        protect: how much of that remains where nothing is voiced, as in breaths and consonants: 0 = none,
            0.5 = all of it (nothing is protected).
        rms_mix: whose course of loudness it has: 0 = the source's, 1 = its own.
        noise: how much of the random part of breath and variation (0…1).
        seed: of that part; the same seed gives the same wave.
    """

    speaker: int = 0
    transpose: float = 0.0
    pitch: PitchBy = "swift"
    index_rate: float = 0.75
    protect: float = 0.33
    rms_mix: float = 0.25
    noise: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.speaker, int) or self.speaker < 0:  # how many there are, the model says
            raise UsageError(f"The speaker is {self.speaker!r}.", "Give a whole number from 0 on.")
        _check("transposition", self.transpose, -36, 36)
        _check("index rate", self.index_rate, 0, 1)
        _check("protect", self.protect, 0, 0.5)
        _check("rms mix", self.rms_mix, 0, 1)
        _check("noise", self.noise, 0, 1)
        _check("seed", self.seed, 0, 2**63)
        if self.pitch not in get_args(PitchBy):
            raise UsageError(f"{self.pitch!r} follows no pitch.", f"Choose {' or '.join(get_args(PitchBy))}.")


def _check(name: str, value: float, low: float, high: float) -> None:
    if not isinstance(value, int | float) or not low <= value <= high:
        raise UsageError(f"The {name} is {value!r}.", f"Give a number from {low} to {high}.")
