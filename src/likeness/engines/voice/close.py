"""A voice by the person's own sounds: grains of their recordings, in the envelopes that the decoder wants.

The decoder knows well which envelope the person would have, and less well all that makes a sound natural;
their own grains have that, and say what was said only about. So the grains are shaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from likeness.engines.voice.analysis import VOICED, Features
from likeness.engines.voice.clear import Envelopes, Source
from likeness.engines.voice.correct import match_energy, shape, smooth
from likeness.engines.voice.envelope import BANDS, HOP, RATE_HZ
from likeness.engines.voice.grains import DEFAULT, Costs, Grains, Units, Wanted
from likeness.engines.voice.psola import Places as Cycles
from likeness.engines.voice.psola import at_samples, lay_grains, mark_pitch, place_marks
from likeness.types import Floats

_SYLLABLE: Final = 15.0  # frames; what is louder for longer, the source decides
_MOST: Final = 1.0  # nepers, 9 dB, by which loudness within syllables may differ from the source's
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


class Chosen(NamedTuple):
    """Sounds that say what was said.

    Attributes:
        units: their numbers, 50 a second.
        energy: (n,) float32, how loud they are to be.
    """

    units: Units
    energy: Floats


class CloseVoice:
    """A person's own sounds.

    Args:
        recordings: of the person, one or more; some of it voiced.
        costs: what counts how much when sounds are chosen.
    """

    def __init__(self, recordings: Sequence[Features], costs: Costs = DEFAULT) -> None:
        self._recordings, self._costs, self._source = recordings, costs, Source()
        for recording in recordings:
            self._source.hear(recording.content, recording.energy[::2])

    @cached_property
    def _grains(self) -> Grains:
        # Late, since a song needs none.
        say = self._source.say
        return Grains.cut([replace(one, content=say(one.content)) for one in self._recordings])

    @cached_property
    def _usual(self) -> Floats:
        """(48,) the mean of the person's envelopes, where they are voiced, without their level."""
        sung = [_level(one.envelope[one.voiced >= VOICED]) for one in self._recordings]
        return np.asarray(np.concatenate(sung).mean(0), np.float32)

    def choose(self, features: Features, turns: Cycles, envelope: Floats) -> Chosen:
        """Which of the person's own sounds say it. Arguments are those of `convert`."""
        f0_hz = _pitch_of(turns, len(features))
        wanted = Wanted(features.content, f0_hz[::2], features.voiced[::2], envelope[::2])
        units = self._grains.choose(wanted, self._costs)
        return Chosen(units, self._swell(units, features.energy))

    def convert(
        self,
        features: Features,
        turns: Cycles,
        envelope: Floats,
        chosen: Chosen,
        *,
        shaped: float,
        protect: float = 0.0,
    ) -> Floats:
        """What was said, in the person's own sounds.

        Args:
            features: of the source, with content that is without its speaker (`Source.say`); n frames.
            turns: (160 n or more,) float64, how many periods of the wanted pitch have passed at each sample.
            envelope: (n, 48) float32, the wanted one, as `whole_envelope` gives it; whatever its level.
            chosen: as `choose` did.
            shaped: how much of the way from their own envelope to the wanted one the sounds go, 0…1. Not at
                all, they mumble; all of it, they are less the person's own.
            protect: how much of the source's own breaths and consonants is kept, 0…1.

        Returns:
            (160 n,) float32 at 16 kHz.
        """
        count, f0_hz = len(features.samples), _pitch_of(turns, len(features))
        units, energy = chosen
        said = self._grains.say(units, place_marks(turns[:count], features.voiced, RATE_HZ), count)
        said = match_energy(said, energy)
        if protect:
            share = protect * at_samples(_unvoiced(features), count, RATE_HZ)
            said = (said + share * (features.samples - said)).astype(np.float32)
        return shape(said, envelope, f0_hz, features.voiced, energy, amount=shaped)

    def _swell(self, units: Units, wanted: Floats) -> Floats:
        """(n,) energies as wanted over syllables and words; within them, as the person's sounds have them.

        How much louder a vowel is than the consonants around it, and how soon a word dies away, are a matter
        of mouth and room, and would be the source's otherwise.
        """
        own = smooth(np.repeat(self._grains.energy[units], 2)[: len(wanted)], 2.0)
        apart = own - wanted
        return np.asarray(wanted + np.clip(apart - smooth(apart, _SYLLABLE), -_MOST, _MOST), np.float32)

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
        envelope = self._centre(smooth(envelope, _SMOOTHING), features.voiced)
        return shape(samples, envelope, f0_hz, features.voiced, features.energy, amount=amount)

    def _centre(self, envelope: Floats, voiced: Floats) -> Floats:
        """(n, 48) with the person's own mean where it is voiced, the more surely the longer it is.

        A singer's sounds are not those of speech, and what the decoder makes of them can be off in all of a
        song alike.
        """
        kind = voiced >= VOICED
        count = int(kind.sum())
        if not count:
            return envelope
        off = _level(envelope)[kind].mean(0) - self._usual
        return np.asarray(envelope - np.outer(kind, off * (count / (count + _DOUBT_FRAMES))), np.float32)


def _pitch_of(turns: Cycles, frames: int) -> Floats:
    """(frames,) float32, Hz in the middle of each frame, from (160 · frames or more,) cycles."""
    return np.asarray(np.gradient(turns)[: frames * HOP : HOP] * RATE_HZ, np.float32)


def _unvoiced(features: Features) -> Floats:
    """(n,) 0…1, softly from one to the other."""
    return smooth((features.voiced < VOICED).astype(np.float32), 1.0)


def _level(envelope: Floats) -> Floats:
    return np.asarray(envelope - envelope.mean(1, keepdims=True), np.float32)
