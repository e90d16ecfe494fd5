"""Whole recordings of any length, given a person's voice block by block, in memory that stays flat."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from likeness.config import VoiceConfig
from likeness.engines.voice.analysis import LEVEL, VOICED, Features, analyse
from likeness.engines.voice.base import Heard
from likeness.engines.voice.blocks import Block, cut_blocks, join_blocks
from likeness.engines.voice.clear import ClearVoice, Envelopes, Source, lift
from likeness.engines.voice.close import CloseVoice, whole_envelope
from likeness.engines.voice.correct import along, match_energy, shape, smooth
from likeness.engines.voice.envelope import HOP, RATE_HZ
from likeness.engines.voice.pool import unpack
from likeness.engines.voice.top import add_top
from likeness.engines.voice.vocoder import Vocoder, turn
from likeness.errors import ModelFormat
from likeness.speech.content import CONTENT_MODEL
from likeness.types import Floats, ModelRef
from likeness.voices.voice import PitchRange, Voice

ENGINE: Final = "likeness-voice"
VERSION: Final = "1"
DEFAULT_LIKENESS: Final = 0.7
_KNEE = 0.8
_CALMER, _LIVELIER = 0.6, 1.6  # how much a melody may be pressed or stretched


class VoiceEngine:
    """A person's voice, ready to say or sing what somebody else does; see `base.VoiceConverter`.

    Args:
        voice: of the person.
        heard: of the source.
        config: the choices; those of disclosure are not its affair.
        semitones: by how much the pitch is moved besides.

    Raises:
        ModelFormat: another engine's voice, or it is damaged.
    """

    name: Final = ENGINE
    version: Final = VERSION

    def __init__(self, voice: Voice, heard: Heard, config: VoiceConfig, semitones: float) -> None:
        if voice.learnt.engine != ENGINE or voice.learnt.settings.get("content") != CONTENT_MODEL:
            raise ModelFormat(
                f"“{voice.name}” was made by another engine, {voice.learnt.engine} {voice.learnt.version}.",
                "Make the voice again with `likeness voice enroll`.",
            )
        self._clear, self._source, self._vocoder = ClearVoice(voice.decoder), Source(), Vocoder()
        self._close = CloseVoice(unpack(voice.pool), self._clear)
        self._likeness = DEFAULT_LIKENESS if config.likeness is None else config.likeness
        self._voice, self._heard, self._config, self._semitones = voice, heard, config, semitones
        self._gain = LEVEL / heard.level if heard.level > 0 else 1.0
        self._protect = config.protect or 0.0
        self._turns = 0.0  # at the first frame of a block that is no context

    @property
    def models(self) -> tuple[ModelRef, ...]:
        """What takes part, for the credentials."""
        return self._voice.refs

    @property
    def parameters(self) -> Mapping[str, Any]:
        """How it converts, for the credentials."""
        how = {"sing": True} if self._config.sing else {"likeness": self._likeness}
        return how | {"semitones": round(self._semitones, 2), "protect": self._protect}

    def rate_for(self, rate_hz: int) -> int:
        """The sampling rate that comes out where this one goes in: the same."""
        return rate_hz

    def notes(self) -> tuple[str, ...]:
        """What a person should know of the result."""
        return ()

    def convert_stream(self, blocks: Iterable[Floats], rate_hz: int) -> Iterator[Floats]:
        """Convert a sound as it comes; see `base.VoiceConverter`.

        Voices are known up to 8 kHz here. Spoken, there is nothing above it. Sung, it is the source's own, as
        loud as the new voice is in the octave below.
        """
        yield from add_top(blocks, rate_hz, self._convert, keep_top=self._config.sing)

    def _convert(self, blocks: Iterable[Floats]) -> Iterator[Floats]:
        """The new voice at 16 kHz, from the old at 16 kHz, in step and to the sample as long."""
        yield from join_blocks((block, self._say(block)) for block in cut_blocks(blocks))

    def _say(self, block: Block) -> Floats:
        """All of a block, context included: (160 n,)."""
        features = analyse(block.samples, RATE_HZ, gain=self._gain)
        features = features.cut(0, len(block.samples) // HOP)
        self._source.hear(features.content[block.heard // 2 :], features.energy[block.heard :: 2])
        f0_hz = self._pitch(features)
        turns = turn(f0_hz)
        turns += self._turns - turns[block.before * HOP]
        self._turns = float(turns[len(turns) - 1 - block.after * HOP]) % 1.0
        said = self._source.say(features.content)
        envelopes = self._clear.shape(said, f0_hz, features.voiced, features.energy)
        wanted = self._close.envelope(envelopes, features.voiced)
        if self._config.sing:
            sound = self._close.sing(
                features, turns, wanted, moved=bool(self._semitones), protect=self._protect
            )
        else:
            sound = self._speak(features, turns, envelopes, wanted, block.begin)
        return soften(sound / np.float32(self._gain))

    def _speak(
        self, features: Features, turns: NDArray[np.float64], envelopes: Envelopes, wanted: Floats, begin: int
    ) -> Floats:
        """The decoder's sound, the person's own sounds, or a mixture; (160 n,)."""
        protect, share = self._protect, np.float32(self._likeness)
        clear = close = np.zeros(0, np.float32)
        if share < 1:
            flat = whole_envelope(envelopes)
            flat = flat - flat.mean(1, keepdims=True)
            lively = lift(envelopes, wanted - flat)
            clear = match_energy(self._vocoder.render(*lively, turns, begin), features.energy)
            kept = protect * along(smooth((features.voiced < VOICED).astype(np.float32), 1.0), len(clear))
            clear = np.asarray(clear + kept * (features.samples - clear), np.float32)
        if share > 0:
            close = self._close.convert(features, turns, wanted, protect=protect)
        if not len(clear) or not len(close):
            return clear if len(clear) else close
        mixed = clear + share * (close - clear)
        return shape(mixed, wanted, self._pitch(features), features.voiced, features.energy, passes=1)

    def _pitch(self, features: Features) -> Floats:
        """What is wanted."""
        ranges = (self._heard.pitch, self._voice.pitch)
        return wanted_pitch(features.f0_hz, *ranges, sing=self._config.sing, semitones=self._semitones)


def soften(samples: Floats) -> Floats:
    """(n,) within −1…1: what is louder than 0.8 is bent, since pulses have higher peaks than people."""
    over = np.abs(samples) - _KNEE
    bent = np.sign(samples) * (_KNEE + (1 - _KNEE) * np.tanh(over / (1 - _KNEE)))
    return np.asarray(np.where(over > 0, bent, samples), np.float32)


def wanted_pitch(
    f0_hz: Floats, source: PitchRange | None, target: PitchRange, *, sing: bool, semitones: float
) -> Floats:
    """The pitch that comes out, (n,) from (n,).

    Sung, it is the source's own; spoken, its logarithm is moved and stretched onto the target's range.
    Moving and stretching leaves the correlation with the source at 1.
    """
    moved = np.log(f0_hz.astype(np.float64))
    if source is not None and not sing:
        stretch = np.clip(target.spread / max(source.spread, 1e-3), _CALMER, _LIVELIER)
        moved = (moved - np.log(source.median_hz)) * stretch + np.log(target.median_hz)
    return np.asarray(np.exp(moved + semitones * np.log(2) / 12), np.float32)
