"""Whose voice comes out, under which permission, and what converts: a `.voice` of ours, or another's model.

`convert` and `say` know no engine. They take a `Target`, whose `open` makes a `VoiceConverter` once the
source was heard, and before, to see that it can; `target_of` makes one of a `.voice`. Whoever brings another
kind of model makes a `Target`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

from likeness.config import VoiceConfig
from likeness.consent import Permission, check
from likeness.engines.voice.base import Heard, VoiceConverter
from likeness.errors import MissingExtra, UsageError
from likeness.types import Floats
from likeness.voices.voice import PitchRange, Voice
from likeness.voices.voice_file import open_voice

Open: TypeAlias = Callable[[Heard, VoiceConfig], VoiceConverter]
Compare: TypeAlias = Callable[[Iterator[Floats], int], tuple[Permission, Iterator[Floats]]]


@dataclass(frozen=True, slots=True)
class Target:
    """A voice that a sound can be given.

    Attributes:
        permission: the consent it stands under, checked.
        open: makes the converter for a source that was heard; quick, since it is called more than once.
        notes: what a person should know, one sentence each.
        compare: for a model that does not say whose voice it has. Takes what is made, (n,) float32 each, and
            its sampling rate, Hz; gives the permission after the beginning of it was compared with the
            record, and all of it, the beginning included. None: that was done at enrolment.
    """

    permission: Permission
    open: Open
    notes: tuple[str, ...] = ()
    compare: Compare | None = None

    def check_config(self, config: VoiceConfig) -> None:
        """Refuse, before a source is listened to, what does not fit the voice whatever the source is.

        Raises:
            LikenessError: as `open` does.
        """
        self.open(Heard(pitch=None, duration_s=0.0, speech_s=0.0, level=0.0), config)


def target_of(to: str | os.PathLike[str] | Voice | Target) -> Target:
    """What to convert to: a `.voice` file, a voice, or a target. Its record is checked first of all.

    Raises:
        MediaNotFound, ModelFormat, ConsentError: see `voices.voice_file.open_voice`.
    """
    if isinstance(to, Voice | Target):
        check(to.permission.record, act="voice")  # again: since it was opened, it may have been taken back
    if isinstance(to, Target):
        return to
    voice = to if isinstance(to, Voice) else open_voice(Path(to))
    return Target(voice.permission, lambda heard, config: open_own(voice, heard, config))


def open_own(voice: Voice, heard: Heard, config: VoiceConfig) -> VoiceConverter:
    """Our own engine, for one source.

    Raises:
        ModelFormat: the voice is another engine's.
        UsageError: a choice that it does not know, or that would change nothing.
        MissingExtra: the extra "voice" is not installed.
    """
    if config.f0 != "swift":
        raise UsageError(
            f"Our own engine does not know the pitch follower {config.f0}.", "Leave out --f0 (f0 in Python)."
        )
    if config.sing and (config.likeness is not None or not config.keep_loudness):
        option = "--likeness" if config.keep_loudness else "--no-keep-loudness"
        raise UsageError(
            "Sung, clear and close are the same, and loudness is always the singer's.",
            f"Leave out {option} (likeness and keep_loudness in Python).",
        )
    need_extra()
    from likeness.engines.voice.engine import VoiceEngine

    return VoiceEngine(voice, heard, config, semitones(voice.pitch, heard.pitch, config))


def need_extra() -> None:
    """Refuse, before any work, where what our own engine needs is missing.

    Raises:
        MissingExtra: the extra "voice" is not installed.
    """
    for module in ("torch", "onnxruntime"):
        if find_spec(module) is None:
            raise MissingExtra(
                f"Voices need the package {module}, which is not installed here.",
                'Install it with `pip install "likeness[voice]"`.',
            )


def semitones(target: PitchRange, source: PitchRange | None, config: VoiceConfig) -> float:
    """By how much the pitch is moved.

    Sung, "auto" is the number of octaves that brings the source's median nearest to the target's. Spoken,
    the melody is fitted to the target's range anyway, and "auto" adds nothing.
    """
    if config.transpose != "auto":
        return float(config.transpose)
    if not config.sing or source is None:
        return 0.0
    return 12.0 * round(math.log2(target.median_hz / source.median_hz))


def check_music(config: VoiceConfig) -> None:
    """Refuse to part a voice from its accompaniment.

    Raises:
        UsageError: that was asked for.
    """
    if config.music == "none":
        return
    raise UsageError(
        "A voice cannot be parted from its accompaniment here: no well-kept separator works offline from "
        "what pip installs.",
        "Part them with a separator of your choice, convert the voice alone, and leave out --music (music in "
        "Python).",
    )
