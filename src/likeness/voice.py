"""Voices: a recording, a song or a text in the voice of a person who agreed to it.

::

    from likeness import voice

    voice.enroll("samples/", "anna.voice", consent="anna.consent.json")
    voice.convert("talk.wav", to="anna.voice", out="out.wav")
    voice.convert("song.wav", to="anna.voice", out="song.mp3", sing=True)
    voice.say("Any text.", voice="anna.voice", out="said.wav")

All of it needs `likeness[voice]`. Everything that can be heard is sealed: three notes before it, a watermark
in it, and Content Credentials that name the consent.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias

from likeness.progress import OnProgress, silent

if TYPE_CHECKING:
    from likeness.config import VoiceConfig
    from likeness.consent.permission import Consent
    from likeness.pipelines.convert_voice import Converted, convert
    from likeness.pipelines.convert_voices import Batch, convert_all
    from likeness.pipelines.enroll_voice import Enrolment
    from likeness.pipelines.evaluate_voice import VoiceScores, evaluate
    from likeness.pipelines.say import say
    from likeness.pipelines.target_voice import Target
    from likeness.types import Floats
    from likeness.voices.voice import Learnt, Voice
    from likeness.voices.voice_file import open_voice

__all__ = [
    "Batch",
    "Converted",
    "Enrolment",
    "Target",
    "Voice",
    "VoiceConfig",
    "VoiceScores",
    "convert",
    "convert_all",
    "enroll",
    "evaluate",
    "open_voice",
    "say",
]

_HOMES = {
    "Batch": "likeness.pipelines.convert_voices",
    "Converted": "likeness.pipelines.convert_voice",
    "Enrolment": "likeness.pipelines.enroll_voice",
    "Target": "likeness.pipelines.target_voice",
    "Voice": "likeness.voices.voice",
    "VoiceConfig": "likeness.config",
    "VoiceScores": "likeness.pipelines.evaluate_voice",
    "convert": "likeness.pipelines.convert_voice",
    "convert_all": "likeness.pipelines.convert_voices",
    "evaluate": "likeness.pipelines.evaluate_voice",
    "open_voice": "likeness.voices.voice_file",
    "say": "likeness.pipelines.say",
}


PathLike: TypeAlias = str | os.PathLike[str]


def enroll(
    samples: PathLike | Sequence[PathLike],
    out: PathLike,
    *,
    consent: Consent | None,
    name: str | None = None,
    overwrite: bool = False,
    offline: bool = False,
    on_progress: OnProgress = silent,
) -> Enrolment:
    """Learn the voice of a person who agreed to it from recordings in which nobody else speaks.

    The consent record is checked before any recording is opened, then the voice in each is compared with it.

    Args:
        samples: recordings (or videos), or folders of them; 30 s to 30 min of speech in all.
        out: the `.voice` file to write.
        consent: the person's record, for the act "voice"; or an evaluator's record for a research corpus.
        name: what to call the voice; None = the name of the file.
        overwrite: replace a file that is there.
        offline: fetch nothing.
        on_progress: called with `Progress` as the work goes on.

    Raises:
        ConsentError: the record does not allow it; `SubjectMismatch`: somebody else speaks, or two people do;
            `EvidenceRefused`: a recording carries our watermark.
        NoSpeech: less than 30 s can be used; says what was dropped, and why.
        MissingExtra: the extra "voice" is not installed.
        LikenessError: see `likeness.errors`; nothing is written then.
    """
    from likeness.consent import check
    from likeness.pipelines import enroll_voice
    from likeness.pipelines.target_voice import need_extra

    check(consent, act="voice")  # comes first, whatever is installed
    need_extra()
    return enroll_voice.enroll(
        samples,
        out,
        consent=consent,
        learn=_learn,
        name=name,
        overwrite=overwrite,
        offline=offline,
        on_progress=on_progress,
    )


def _learn(
    stretches: Sequence[Floats], *, offline: bool | None = None, on_progress: OnProgress = silent
) -> Learnt:
    """Our own engine's, once it is known that there is something to learn."""
    from likeness.training.voice.learn import learn

    return learn(stretches, offline=offline, on_progress=on_progress)


def __getattr__(name: str) -> object:
    # Nothing heavy is imported before it is used.
    if name not in _HOMES:
        raise AttributeError(f"module 'likeness.voice' has no attribute '{name}'")
    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
