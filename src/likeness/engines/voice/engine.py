"""Whole recordings of any length, given a person's voice block by block, in memory that stays flat."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from likeness.config import VoiceConfig
from likeness.engines.voice.analysis import LEVEL, VOICED, Features, analyse, find_pitch
from likeness.engines.voice.base import Heard
from likeness.engines.voice.blocks import Block, cut_blocks, join_blocks
from likeness.engines.voice.clear import ClearVoice, Source
from likeness.engines.voice.close import CloseVoice, whole_envelope
from likeness.engines.voice.correct import along, smooth
from likeness.engines.voice.envelope import HOP, RATE_HZ
from likeness.engines.voice.manner import Manner, carry
from likeness.engines.voice.pool import unpack
from likeness.engines.voice.top import add_top
from likeness.engines.voice.vocoder import Vocoder, turn
from likeness.errors import ModelFormat
from likeness.speech.content import CONTENT_MODEL
from likeness.types import Floats, ModelRef
from likeness.voices.voice import PitchRange, Voice

ENGINE: Final = "likeness-voice"
VERSION: Final = "1"
DEFAULT_LIKENESS: Final = 0.5
DISGUISE: Final = 0.25
"""How far content is disguised for the decoder where likeness is 0; where it is 1, wholly.

Wholly disguised, less is left of the source's voice, but consonants become others. Noise is disguised, too,
and more than consonants are: so a noisy source is wholly disguised. The person's own sounds are chosen by
what is wholly disguised, as they are themselves.
"""
_NOISY, _CLEAN = 1.9, 2.7  # nepers between the quietest and the loudest: 16 and 23 dB
_CAUTION: Final = 4.7  # frames that are the decoder's around each where grains are not voiced as they should
_SHAPED: Final = (0.6, 0.4)  # how far the person's sounds are shaped where likeness is 0, and 1
_KNEE: Final = 0.8
_LOUDNESS: Final = 0.75  # how far loudness becomes the person's, where some of the source's is kept
_MOST: Final = 1.5  # nepers, 13 dB: how much louder or quieter a frame becomes for that
_MELODY: Final = 0.5  # how far pitch is carried over by quantiles, instead of moved and stretched
_SETTLED: Final = 6000  # frames, after which the source's manner is known well enough
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
        recordings = unpack(voice.pool)
        self._close = CloseVoice(recordings)
        self._old, self._new = Manner(most=_SETTLED), Manner()
        for one in recordings:
            self._new.hear(one.f0_hz, one.voiced, one.energy)
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
        for made in add_top(blocks, rate_hz, self._convert, keep_top=self._config.sing):
            yield soften(made)

    def _convert(self, blocks: Iterable[Floats]) -> Iterator[Floats]:
        """The new voice at 16 kHz, from the old at 16 kHz, in step and to the sample as long."""
        yield from join_blocks((block, self._say(block)) for block in cut_blocks(blocks))

    def _say(self, block: Block) -> Floats:
        """All of a block, context included: (160 n,)."""
        features = analyse(block.samples, RATE_HZ, gain=self._gain)
        features = features.cut(0, len(block.samples) // HOP)
        unheard = features.cut(block.heard, len(features))
        self._source.hear(unheard.content, unheard.energy[::2])
        self._old.hear(unheard.f0_hz, unheard.voiced, unheard.energy)
        if not self._config.sing:
            features = replace(features, energy=self._loudness(features.energy))
        f0_hz = self._pitch(features)
        turns = turn(f0_hz)
        turns += self._turns - turns[block.before * HOP]
        self._turns = float(turns[len(turns) - 1 - block.after * HOP]) % 1.0
        likeness = 0.0 if self._config.sing else self._likeness
        said = self._source.say(features.content, disguise_for(likeness, self._old.energy.quantiles))
        if self._config.sing:
            wanted = whole_envelope(self._clear.shape(said, f0_hz, features.voiced, features.energy))
            moved = bool(self._semitones)
            sound = self._close.sing(features, turns, wanted, moved=moved, protect=self._protect)
        else:
            sound = self._speak(features, said, f0_hz, turns, block.begin)
        return np.asarray(sound / np.float32(self._gain), np.float32)

    def _speak(
        self, features: Features, said: Floats, f0_hz: Floats, turns: NDArray[np.float64], begin: int
    ) -> Floats:
        """The decoder's sound, or the person's own sounds where they carry the voice; (160 n,)."""
        envelopes = self._clear.shape(said, f0_hz, features.voiced, features.energy)
        chosen = None
        if self._likeness:
            features = replace(features, content=self._source.say(features.content))
            chosen = self._close.choose(features, turns, whole_envelope(envelopes))
            # What is as loud as the person's own sounds are has the envelopes of theirs that are so loud.
            envelopes = self._clear.shape(said, f0_hz, features.voiced, chosen.energy)
        clear = self._vocoder.render(*envelopes, turns, begin)
        kept = self._protect * along(smooth(is_unvoiced(features.voiced), 1.0), len(clear))
        clear = np.asarray(clear + kept * (features.samples - clear), np.float32)
        if chosen is None:
            return clear
        wanted = whole_envelope(envelopes)
        shaped = float(np.interp(self._likeness, (0, 1), _SHAPED))
        close = self._close.convert(features, turns, wanted, chosen, shaped=shaped, protect=self._protect)
        _, found = find_pitch(close, len(features))
        failed = is_unvoiced(found) != is_unvoiced(features.voiced)
        clears = near(failed, round(_CAUTION * (1 - self._likeness) / self._likeness))
        return np.asarray(close + along(clears, len(clear)) * (clear - close), np.float32)

    def _loudness(self, energy: Floats) -> Floats:
        """(n,) energies, about as loud as the person's own are as often."""
        change = np.clip(carry(energy, self._old.energy, self._new.energy) - energy, -_MOST, _MOST)
        share = _LOUDNESS if self._config.keep_loudness else 1.0
        return np.asarray(energy + np.float32(share) * change, np.float32)

    def _pitch(self, features: Features) -> Floats:
        """What is wanted, (n,): sung, the source's own; spoken, the source's melody in the person's range."""
        log_f0 = np.log(features.f0_hz)
        if not self._config.sing and self._heard.pitch is not None:
            line = fit_range(log_f0, self._heard.pitch, self._voice.pitch)
            log_f0 = line + _MELODY * (carry(log_f0, self._old.log_f0, self._new.log_f0) - line)
        return np.asarray(np.exp(log_f0 + self._semitones * np.log(2) / 12), np.float32)


def disguise_for(likeness: float, energies: NDArray[np.float64] | None) -> float:
    """How far content is disguised, by the quantiles of the source's energy; None while little was heard."""
    heard = _CLEAN if energies is None else energies[-1] - energies[0]
    return float(np.interp(heard, (_NOISY, _CLEAN), (1.0, DISGUISE + (1 - DISGUISE) * likeness)))


def is_unvoiced(voiced: Floats) -> Floats:
    """(n,) 0 or 1."""
    return (voiced < VOICED).astype(np.float32)


def near(marked: NDArray[np.bool_], frames: int) -> Floats:
    """(n,) 1 at marked frames and so many around them, 0 further away, softly from one to the other."""
    total = np.cumsum(np.pad(marked.astype(np.int64), (frames + 1, frames)))
    wide = total[2 * frames + 1 :] - total[: len(total) - 2 * frames - 1] > 0
    return np.clip(2 * smooth(wide.astype(np.float32), 1.5), 0, 1)


def soften(samples: Floats) -> Floats:
    """(n,) within −1…1: what is louder than 0.8 is bent, since pulses have higher peaks than people."""
    over = np.abs(samples) - _KNEE
    bent = np.sign(samples) * (_KNEE + (1 - _KNEE) * np.tanh(over / (1 - _KNEE)))
    return np.asarray(np.where(over > 0, bent, samples), np.float32)


def fit_range(log_f0: Floats, source: PitchRange, target: PitchRange) -> Floats:
    """(n,) natural logarithms of f0, moved and stretched from one range to another."""
    stretch = np.clip(target.spread / max(source.spread, 1e-3), _CALMER, _LIVELIER)
    return np.asarray((log_f0 - np.log(source.median_hz)) * stretch + np.log(target.median_hz), np.float32)
