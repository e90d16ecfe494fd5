"""A person's voice, learned from a minute of their speech: the decoder that knows many is tuned to one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from likeness.engines.voice.analysis import LEVEL, Features, analyse, join
from likeness.engines.voice.clear import SPEAKER, build_decoder, pretrained
from likeness.engines.voice.envelope import RATE_HZ
from likeness.engines.voice.pool import pack
from likeness.errors import NoSpeech
from likeness.models import ref
from likeness.nn.threads import spare_a_core
from likeness.progress import OnProgress, Progress, silent
from likeness.speech.content import CONTENT_MODEL, MODEL
from likeness.speech.speaker import embed_voice
from likeness.training.voice.learning import Learner
from likeness.training.voice.material import Sampler, Utterance, disguised, hear
from likeness.types import Floats
from likeness.voices.voice import Learnt, PitchRange

ENGINE: Final = "likeness-voice"
VERSION: Final = "1"
STEPS: Final = 220
_RATE, _MEMORY = 3e-3, 0.98
# Loudness of the noise against the speech, and speed. More of it, and louder, makes clean sources less clear.
_NOISY: Final = ((0.2, 0.91), (0.12, 1.0))
_STRETCHES, _FRAMES = 10, 112
_MOST_FRAMES = 30_000  # five minutes: more does not change much, and takes memory


def learn(
    stretches: Sequence[Floats],
    *,
    steps: int = STEPS,
    offline: bool | None = None,
    on_progress: OnProgress = silent,
) -> Learnt:
    """Learn a voice from clean speech of one person.

    Args:
        stretches: each (n,) float32 at 16 kHz, speech without a break in it.
        steps: of the decoder's tuning.
        offline: as for `likeness.models.fetch`.
        on_progress: called after each step.

    Raises:
        NoSpeech: hardly anything in it is voiced.
        MissingExtra, ModelMissing, ChecksumMismatch
    """
    recordings = [analyse(samples, RATE_HZ, offline=offline) for samples in stretches]
    whole = join(recordings)
    pitch = PitchRange.of(whole.f0_hz, whole.voiced)
    if pitch is None or len(whole) < 2 * _FRAMES:
        raise NoSpeech("There is too little voice in these recordings.", "Give at least 30 s of speech.")
    speaker = embed_voice(whole.samples, RATE_HZ, offline=offline)
    utterance = _utterance(whole.cut(0, min(len(whole), _MOST_FRAMES)), speaker, offline=offline)
    learner = Learner(build_decoder(pretrained().decoder), rate=_RATE, memory=_MEMORY)
    sampler = Sampler([utterance], np.random.default_rng(0), stretches=_STRETCHES, frames=_FRAMES)
    while learner.step < steps:
        with spare_a_core():
            learner.learn(sampler.draw(), learner.step / steps)
        on_progress(Progress("learn", learner.step, steps, "steps"))
    weights = {
        name: tensor.numpy().astype(np.float16) for name, tensor in learner.average.state_dict().items()
    }
    return Learnt(
        engine=ENGINE,
        version=VERSION,
        pitch=pitch,
        pool=pack(recordings),
        decoder=weights | {SPEAKER: speaker},
        settings={"content": CONTENT_MODEL},
        models=tuple(ref(name) for name in (MODEL, "pitch", "speaker-encoder")),
    )


def _utterance(features: Features, speaker: Floats, *, offline: bool | None) -> Utterance:
    """Speech to learn from, heard clean and, since sources are not always, with noise over it."""
    known = pretrained()
    hearings = disguised(hear(features, offline=offline), features.energy, known.usual, known.disguise)
    for loudness, speed in _NOISY:
        contents = hear(features, [speed], noise=LEVEL * loudness, offline=offline)
        hearings += disguised(contents, features.energy, known.usual, known.disguise, [speed])
    return Utterance(features.samples, features.f0_hz, features.voiced, features.energy, speaker, hearings)
