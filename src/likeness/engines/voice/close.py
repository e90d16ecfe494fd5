"""A voice by the person's own sounds: grains of their recordings, in the envelopes that the decoder wants.

The decoder knows well which envelope the person would have, and less well all that makes a sound natural;
their own grains have that, and say what was said only about. So the grains are shaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

from likeness.engines.voice.analysis import VOICED, Features
from likeness.engines.voice.clear import ClearVoice, Envelopes, Source
from likeness.engines.voice.correct import match_energy, shape, smooth
from likeness.engines.voice.envelope import BANDS, HOP, RATE_HZ
from likeness.engines.voice.grains import DEFAULT, Costs, Grains, Wanted
from likeness.engines.voice.psola import Places as Cycles
from likeness.engines.voice.psola import at_samples, lay_grains, mark_pitch, place_marks
from likeness.types import Floats

SHAPED: Final = 0.5
"""How much of the way from their own envelope to the wanted one grains go.

Not at all, they mumble; all of it, they are less the person's own.
"""
_KNOWN_FRAMES = 6000  # a minute tells what a voice's envelopes are like on average
_MIN_FRAMES = 50
_MIN_RATIO, _MAX_RATIO = 0.9, 1.5
_QUIET = 3.0  # nepers below the loudest, 26 dB: what is quieter than that is no consonant
_SMOOTHING = 0.7  # frames
_DOUBT_FRAMES = 300  # that long a song tells half of what its sounds are like on average


def whole_envelope(envelopes: Envelopes) -> Floats:
    """Harmonics and noise together, (n, 48) as `spectral_envelope` would measure them in the sound."""
    harmonic = np.asarray(envelopes.harmonic, np.float32)
    places = np.linspace(0, harmonic.shape[1] - 1, BANDS)
    below = np.minimum(places.astype(np.int64), harmonic.shape[1] - 2)
    part = (places - below).astype(np.float32)
    harmonic = harmonic[:, below] * (1 - part) + harmonic[:, below + 1] * part
    return np.asarray(0.5 * np.logaddexp(2 * harmonic, 2 * envelopes.noise), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Liveliness:
    """How the envelopes that a decoder makes of a person's own speech differ from the true ones.

    A network that was trained to be right on average makes envelopes that are too much alike (Toda, Black
    and Tokuda, "Voice conversion based on maximum-likelihood estimation of spectral parameter trajectory",
    IEEE TASLP 15, 2007, section III-B, on global variance). This undoes it, band by band.

    Attributes:
        made, true: (2, 48) mean envelopes without their level: unvoiced, and voiced.
        ratio: (2, 48) how much further the true ones are from their mean.
    """

    made: Floats
    true: Floats
    ratio: Floats

    @classmethod
    def compare(cls, made: Floats, true: Floats, voiced: Floats, energy: Floats) -> Liveliness:
        """From (n, 48) envelopes of the same frames, (n,) 0…1 and (n,) nepers."""
        made, true = _level(made), _level(true)
        loud = energy > energy.max(initial=-99) - _QUIET
        rows = []
        for frames in (loud & (voiced < VOICED), voiced >= VOICED):
            if frames.sum() < _MIN_FRAMES:
                rows.append((np.zeros(BANDS), np.zeros(BANDS), np.ones(BANDS)))
                continue
            ratio = true[frames].std(0) / (made[frames].std(0) + 1e-6)
            rows.append((made[frames].mean(0), true[frames].mean(0), np.clip(ratio, _MIN_RATIO, _MAX_RATIO)))
        return cls(*(np.asarray(part, np.float32) for part in map(np.stack, zip(*rows, strict=True))))

    def restore(self, made: Floats, voiced: Floats) -> Floats:
        """(n, 48) as lively as the person's own, from what the decoder made."""
        kind = (voiced >= VOICED).astype(np.int64)
        return (_level(made) - self.made[kind]) * self.ratio[kind] + self.true[kind]

    def centre(self, envelope: Floats, voiced: Floats) -> Floats:
        """(n, 48) with the person's own mean where it is voiced, the more surely the longer it is.

        A singer's sounds are not those of speech, and what is made of them can be off in all of a song alike.
        """
        kind = voiced >= VOICED
        count = int(kind.sum())
        if not count:
            return envelope
        off = envelope[kind].mean(0) - self.true[1]
        return np.asarray(envelope - np.outer(kind, off * (count / (count + _DOUBT_FRAMES))), np.float32)


class CloseVoice:
    """A person's own sounds.

    Args:
        recordings: of the person, one or more.
        clear: their decoder.
        costs: what counts how much when sounds are chosen.
    """

    def __init__(self, recordings: Sequence[Features], clear: ClearVoice, costs: Costs = DEFAULT) -> None:
        self._recordings, self._costs, self._source = recordings, costs, Source()
        for recording in recordings:
            self._source.hear(recording.content, recording.energy[::2])
        self._liveliness = self._listen_to_itself(clear)

    @cached_property
    def _grains(self) -> Grains:
        # Late, since a song needs none.
        say = self._source.say
        return Grains.cut([replace(one, content=say(one.content)) for one in self._recordings])

    def envelope(self, envelopes: Envelopes, voiced: Floats) -> Floats:
        """(n, 48): the wanted envelope, without its level, from what the decoder says."""
        return smooth(self._liveliness.restore(whole_envelope(envelopes), voiced), _SMOOTHING)

    def convert(self, features: Features, turns: Cycles, envelope: Floats, *, protect: float = 0.0) -> Floats:
        """What was said, in the person's own sounds.

        Args:
            features: of the source, with content that is without its speaker (`Source.say`); n frames.
            turns: (160 n or more,) float64, how many periods of the wanted pitch have passed at each sample.
            envelope: (n, 48) float32, as `CloseVoice.envelope` gives it.
            protect: how much of the source's own breaths and consonants is kept, 0…1.

        Returns:
            (160 n,) float32 at 16 kHz.
        """
        count, f0_hz = len(features.samples), _pitch_of(turns, len(features))
        wanted = Wanted(features.content, f0_hz[::2], features.voiced[::2], envelope[::2])
        units = self._grains.choose(wanted, self._costs)
        said = self._grains.say(units, place_marks(turns[:count], features.voiced, RATE_HZ), count)
        said = match_energy(said, features.energy)
        if protect:
            share = protect * at_samples(_unvoiced(features), count, RATE_HZ)
            said = (said + share * (features.samples - said)).astype(np.float32)
        return shape(said, envelope, f0_hz, features.voiced, features.energy, amount=SHAPED)

    def sing(
        self, features: Features, turns: Cycles, envelope: Floats, *, moved: bool, protect: float = 0.0
    ) -> Floats:
        """What was sung: the singer's own waveform, in the envelope that the person would have.

        Sustained vowels hold what no collection of spoken grains does, and a singer's pitch is theirs to the
        cent; so no sound is replaced.

        Args:
            features, turns, envelope, protect: as for `convert`.
            moved: whether the wanted pitch is another than the singer's. If not, every period stays where it
                is.

        Returns:
            (160 n,) float32 at 16 kHz.
        """
        count, samples, f0_hz = len(features.samples), features.samples, features.f0_hz
        if moved:
            marks = mark_pitch(samples, f0_hz, features.voiced, RATE_HZ)
            wanted = place_marks(turns[:count], features.voiced, RATE_HZ)
            samples = lay_grains(samples, marks, wanted, wanted.places, count, RATE_HZ)
            f0_hz = _pitch_of(turns, len(features))
        amount = 1 - protect * _unvoiced(features)
        envelope = self._liveliness.centre(envelope, features.voiced)
        return shape(samples, envelope, f0_hz, features.voiced, features.energy, amount=amount)

    def _listen_to_itself(self, clear: ClearVoice) -> Liveliness:
        """What the decoder makes of the person's own speech, against how it was."""
        made: list[Floats] = []
        heard: list[Features] = []
        for one in self._recordings:
            said = self._source.say(one.content)
            made.append(whole_envelope(clear.shape(said, one.f0_hz, one.voiced, one.energy)))
            heard.append(one)
            if sum(map(len, heard)) >= _KNOWN_FRAMES:
                break
        return Liveliness.compare(
            np.concatenate(made),
            np.concatenate([one.envelope for one in heard]),
            np.concatenate([one.voiced for one in heard]),
            np.concatenate([one.energy for one in heard]),
        )


def _pitch_of(turns: Cycles, frames: int) -> Floats:
    """(frames,) float32, Hz in the middle of each frame, from (160 · frames or more,) cycles."""
    return np.asarray(np.gradient(turns)[: frames * HOP : HOP] * RATE_HZ, np.float32)


def _unvoiced(features: Features) -> Floats:
    """(n,) 0…1, softly from one to the other."""
    return smooth((features.voiced < VOICED).astype(np.float32), 1.0)


def _level(envelope: Floats) -> Floats:
    return np.asarray(envelope - envelope.mean(1, keepdims=True), np.float32)
