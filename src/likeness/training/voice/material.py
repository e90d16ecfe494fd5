"""What the decoder learns from: stretches of speech, and what is said in them, disguised.

The decoder must take the voice from the speaker's embedding (and, once it is tuned, from its weights), never
from the content, which at conversion comes from somebody else. So the content is heard in recordings played
faster and slower, whose formants and pitch are nobody's (Choi et al., "Neural Analysis and Synthesis",
NeurIPS 2021, perturb sound for the same reason), and it is replaced, more or less, by what others said alike
(`engines.voice.disguise`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from likeness.engines.voice.analysis import Features
from likeness.engines.voice.disguise import Centre, Disguise
from likeness.engines.voice.envelope import HOP, RATE_HZ
from likeness.engines.voice.vocoder import pulse_train, turn
from likeness.media.mono import resample
from likeness.speech.content import encode_content
from likeness.types import Floats

SPEEDS: Final = (0.82, 1.0, 1.22)
"""How many times longer a recording is played."""
_WHOLLY_DISGUISED = 0.2  # of the stretches; the others by any amount
_GAIN_SPREAD = 0.3  # of the logarithm of the level
ROOM: Final = 0.9
"""Of the noise of rooms: how much of each sample of noise is left in the next."""
_TAIL: Final = np.arange(64)  # samples, after which nothing of it is left
_MEAN_SPREAD = 0.15  # of how well a speaker's mean is known, as a part of how much content varies


@dataclass(frozen=True, slots=True, eq=False)
class Hearing:
    """The content of an utterance, played `speed` times longer: (k, 144) as it is, and disguised."""

    speed: float
    content: Floats
    disguised: Floats

    def at(self, frames: Floats, disguise: float) -> Floats:
        """(n, 144) at frames of 10 ms of the utterance as it was spoken, `disguise` from 0 to 1."""
        place = np.minimum(frames * (0.5 * self.speed), len(self.content) - 1.001)
        below, part = place.astype(np.int64), (place % 1.0)[:, None].astype(np.float32)
        plain, other = (
            (1 - part) * rows[below] + part * rows[below + 1] for rows in (self.content, self.disguised)
        )
        return np.asarray(plain + np.float32(disguise) * (other - plain), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Utterance:
    """A recording to learn from.

    Attributes:
        samples, f0_hz, voiced, energy: as in `Features`.
        speaker: (256,) float32.
        hearings: what is heard in it, at several speeds, plain or in noise; one is drawn each time.
    """

    samples: Floats
    f0_hz: Floats
    voiced: Floats
    energy: Floats
    speaker: Floats
    hearings: tuple[Hearing, ...]

    def __len__(self) -> int:
        """How many frames of 10 ms."""
        return len(self.f0_hz)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Stretches of utterances: (batch, frames, 144), (batch, frames), (batch, 256), (batch, samples)."""

    content: Tensor
    f0_hz: Tensor
    voiced: Tensor
    energy: Tensor
    speaker: Tensor
    samples: Tensor
    pulses: Tensor


def hear(
    features: Features,
    speeds: Sequence[float] = SPEEDS,
    *,
    noise: float = 0.0,
    colour: float = ROOM,
    seed: int = 0,
    offline: bool | None = None,
) -> list[Floats]:
    """What is said in a recording, played at several speeds: (k, 144) content each.

    Args:
        noise: effective value of noise that is added.
        colour: of that noise, from 0, white, to almost 1: the louder the lower.
        seed: of that noise.

    Raises:
        MissingExtra, ModelMissing, ChecksumMismatch, ModelFormat
    """
    samples = features.samples
    if noise:
        white = np.random.default_rng(seed).standard_normal(len(samples), np.float32)
        room = np.convolve(white, colour**_TAIL, "same")
        samples = (samples + np.float32(noise) / room.std() * room).astype(np.float32)
    played = (resample(samples, RATE_HZ, round(RATE_HZ * speed)) for speed in speeds)
    return [encode_content(one, RATE_HZ, offline=offline) for one in played]


def disguised(
    contents: Sequence[Floats],
    energy: Floats,
    usual: Floats,
    disguise: Disguise,
    speeds: Sequence[float] = SPEEDS,
) -> tuple[Hearing, ...]:
    """What `hear` gives, each without what is common to all of it.

    Args:
        contents: one for each of `speeds`.
        energy: (n,) of the recording, as in `Features`.
        usual: as for `Centre`.
        disguise: of others than the speaker.
    """
    hearings = []
    for speed, content in zip(speeds, contents, strict=True):
        centre = Centre(usual)
        place = np.arange(len(content)) * (2 / speed)
        centre.hear(content, np.interp(place, np.arange(len(energy)), energy).astype(np.float32))
        own = np.pad(content, ((0, 1), (0, 0)), mode="edge") - centre.mean  # so that there are two at least
        hearings.append(Hearing(speed, own, disguise(own)))
    return tuple(hearings)


class Sampler:
    """Draws batches; long utterances come more often than short ones.

    Args:
        utterances: those shorter than a stretch are left out.
        stretches, frames: how many in a batch, and how long each.
    """

    def __init__(
        self, utterances: Sequence[Utterance], rng: np.random.Generator, *, stretches: int, frames: int
    ) -> None:
        self._utterances = [one for one in utterances if len(one) >= frames]
        lengths = np.array([len(one) for one in self._utterances], float)
        self._share = lengths / lengths.sum()
        self._rng, self._stretches, self._frames = rng, stretches, frames
        content = np.concatenate([one.hearings[0].content for one in self._utterances])
        self._spread = np.float32(_MEAN_SPREAD) * content.std(0)

    def draw(self) -> Batch:
        """The next batch."""
        chosen = self._rng.choice(len(self._utterances), self._stretches, p=self._share)
        rows = zip(*(self._cut(self._utterances[number]) for number in chosen), strict=True)
        return Batch(*(torch.from_numpy(np.stack(row)) for row in rows))

    def _cut(self, one: Utterance) -> tuple[Floats, ...]:
        """What `Batch` has, of one stretch."""
        rng = self._rng
        begin = int(rng.integers(0, len(one) - self._frames + 1))
        frames = slice(begin, begin + self._frames)
        places = np.arange(begin, begin + self._frames, dtype=np.float32)
        disguise = 1.0 if rng.random() < _WHOLLY_DISGUISED else float(rng.random())
        content = one.hearings[rng.integers(len(one.hearings))].at(places, disguise)
        content += self._spread * rng.standard_normal(len(self._spread), np.float32)
        log_gain = np.float32(rng.normal() * _GAIN_SPREAD)
        turns = turn(one.f0_hz[frames])
        pulses = pulse_train(turns[:-1] + rng.random(), np.diff(turns) * RATE_HZ)
        samples = one.samples[begin * HOP : (begin + self._frames) * HOP] * np.exp(log_gain)
        return (
            content,
            one.f0_hz[frames],
            one.voiced[frames],
            one.energy[frames] + log_gain,
            one.speaker,
            samples.astype(np.float32),
            pulses,
        )
