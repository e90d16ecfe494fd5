"""What `pipelines.convert_voice` asks of anything that turns one voice into another: ours, or RVC's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from likeness.progress import OnProgress
from likeness.types import Floats, ModelRef
from likeness.voices.voice import Learnt, PitchRange


@dataclass(frozen=True, slots=True)
class Heard:
    """What was found by listening to all of the source once, before it is converted.

    Attributes:
        pitch: of the source; None where hardly anything is voiced.
        duration_s: its length.
        speech_s: how much of that somebody speaks.
        level: effective value of what is loud in it: all frames of 30 ms within 30 dB of the 95th percentile.
    """

    pitch: PitchRange | None
    duration_s: float
    speech_s: float
    level: float


class VoiceConverter(Protocol):
    """A voice, ready to speak what somebody else says. One instance converts one sound, in one thread."""

    @property
    def name(self) -> str:
        """Of the engine, for the credentials."""
        ...

    @property
    def version(self) -> str:
        """Of the engine."""
        ...

    @property
    def models(self) -> tuple[ModelRef, ...]:
        """What takes part, for the credentials."""
        ...

    @property
    def parameters(self) -> Mapping[str, Any]:
        """How it converts, for the credentials; JSON values."""
        ...

    def rate_for(self, rate_hz: int) -> int:
        """The sampling rate that comes out where this one goes in."""
        ...

    def convert_stream(self, blocks: Iterable[Floats], rate_hz: int) -> Iterator[Floats]:
        """Convert a sound as it comes, in memory that does not grow with its length.

        Args:
            blocks: (n,) float32, one channel, nominally −1…1; n varies.
            rate_hz: their sampling rate, 16000 and more.

        Yields:
            (m,) float32 at `rate_for(rate_hz)`; in all as long as what went in, to the sample (where the
            rates differ, rounded), and in step with it.
        """
        ...

    def notes(self) -> tuple[str, ...]:
        """What a person should know of the result, once all of it was yielded."""
        ...


class Learn(Protocol):
    """Learns a voice from clean speech of one person."""

    def __call__(
        self, stretches: Sequence[Floats], *, offline: bool | None = None, on_progress: OnProgress = ...
    ) -> Learnt:
        """Args:
        stretches: each (n,) float32 at 16 kHz, speech without a break in it.

        Raises:
            MissingExtra, ModelMissing, ChecksumMismatch
        """
        ...
