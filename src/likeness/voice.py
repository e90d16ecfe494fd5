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

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from likeness.config import VoiceConfig
    from likeness.pipelines.convert_voice import Converted, convert
    from likeness.pipelines.convert_voices import Batch, convert_all
    from likeness.pipelines.enroll_voice import Enrolment, enroll
    from likeness.pipelines.evaluate_voice import VoiceScores, evaluate
    from likeness.pipelines.say import say
    from likeness.pipelines.target_voice import Target
    from likeness.voices.voice import Voice
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
    "enroll": "likeness.pipelines.enroll_voice",
    "evaluate": "likeness.pipelines.evaluate_voice",
    "open_voice": "likeness.voices.voice_file",
    "say": "likeness.pipelines.say",
}


def __getattr__(name: str) -> object:
    # Nothing heavy is imported before it is used.
    if name not in _HOMES:
        raise AttributeError(f"module 'likeness.voice' has no attribute '{name}'")
    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
