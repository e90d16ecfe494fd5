"""A voice model of RVC as a `Target`: its files, and the consent that they cannot carry.

Whose voice a model speaks with, its file does not say. So a record of that person is needed, with a voice in
it, checked before any file is opened; and the beginning of what the model says is compared with that voice,
before anything is written. The models are of all sorts, and what one says is less like its subject than they
themselves are: refused is only what is surely another's voice, or too short to be compared.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from itertools import chain
from typing import Final, TypeAlias

import numpy as np

from likeness.config import VoiceConfig
from likeness.consent import Permission, check
from likeness.consent.match import compare_voice, unknown_voice
from likeness.consent.permission import Consent
from likeness.engines.crepe import require_crepe
from likeness.engines.rvc.content import ContentModel
from likeness.engines.rvc.convert import RvcConverter
from likeness.engines.rvc.index import load_index
from likeness.engines.rvc.library import load_synthesizer, open_model
from likeness.engines.rvc.settings import RvcSettings
from likeness.engines.voice.base import Heard, VoiceConverter
from likeness.errors import NoSpeech, UsageError
from likeness.media.mono import resample
from likeness.pipelines.target_voice import Target
from likeness.speech.speaker import RATE_HZ, embed_voice
from likeness.types import Floats

PathLike: TypeAlias = str | os.PathLike[str]
PREFIX: Final = "rvc:"
COMPARED_S: Final = 30.0
"""So much of what is made is compared with the record."""


def rvc_target(
    model: PathLike,
    *,
    content: PathLike,
    consent: Consent | None,
    index: PathLike | None = None,
    settings: RvcSettings | None = None,
    content_output: str | None = None,
    offline: bool = False,
) -> Target:
    """A voice model of RVC, ready for `convert` and `say`.

    Args:
        model: a published `.pth`, or "rvc:NAME" for one that was imported.
        content: the ONNX network that hears what is said; see `engines.rvc.content`.
        consent: the record of the person whose voice it is, for the act "voice"; or an evaluator's record for
            a research corpus.
        index: `.index` or `.npy`, made with this model.
        settings: how it converts. What a `VoiceConfig` says besides comes first: `f0`, `transpose` unless it
            is "auto", `protect` unless it is None, and `keep_loudness` where it is False.
        content_output: which output of `content`, where several would do.
        offline: fetch nothing.

    Raises:
        ConsentError: there is no record, it does not allow it, or holds no voice.
        MediaNotFound, ModelFormat, UnknownModel: of the files.
        UsageError: the settings do not fit the model.
        MissingExtra: the extra "voice" is not installed.
    """
    permission = check(consent, act="voice")
    if permission.record.kind == "subject" and permission.references.voice is None:
        permission.compare(
            unknown_voice("the voice model", "the record holds no voice to compare with"), must_match=True
        )
    name = os.fspath(model)
    voice = open_model(name.removeprefix(PREFIX)) if name.startswith(PREFIX) else load_synthesizer(name)
    hears = ContentModel(content, voice.content_channels, output=content_output)
    near = None if index is None else load_index(index, voice.content_channels)
    chosen = settings or RvcSettings()

    def open_(heard: Heard, config: VoiceConfig) -> VoiceConverter:
        with_config = settings_with(chosen, config)
        return RvcConverter(voice, hears, near, with_config, offline=offline or None)

    def compare(made: Iterator[Floats], rate_hz: int) -> tuple[Permission, Iterator[Floats]]:
        return compare_first(permission, voice.name, made, rate_hz, offline=offline or None)

    RvcConverter(voice, hears, near, chosen)  # refuses what does not fit, before anything is heard
    return Target(permission, open_, compare=compare)


def settings_with(settings: RvcSettings, config: VoiceConfig) -> RvcSettings:
    """The settings, with what a `VoiceConfig` says besides.

    Raises:
        UsageError: it asks for what RVC does not know.
        MissingExtra: what shall follow the pitch is not installed.
    """
    if config.likeness is not None:
        raise UsageError(
            "Voice models of RVC know no middle between clear and close.",
            "Leave out --likeness (likeness in Python); --index-rate (index_rate) is the nearest they have.",
        )
    if config.f0 == "crepe":
        require_crepe()
    return dataclasses.replace(
        settings,
        pitch=config.f0,
        transpose=settings.transpose if config.transpose == "auto" else float(config.transpose),
        protect=settings.protect if config.protect is None else config.protect,
        rms_mix=settings.rms_mix if config.keep_loudness else 1.0,
    )


def compare_first(
    permission: Permission,
    file: str,
    made: Iterator[Floats],
    rate_hz: int,
    *,
    offline: bool | None = None,
) -> tuple[Permission, Iterator[Floats]]:
    """Hold the first half minute of what a model says against a record, before anything is written.

    Args:
        permission: the record that was checked; under that of a corpus nobody is compared.
        file: what to call the voice.
        made: what it says, (n,) float32 each, at `rate_hz`.
        offline: as for `likeness.models.fetch`.

    Returns:
        The permission after that, and all that is made.

    Raises:
        SubjectMismatch: it is surely another's voice than the record's.
        NoSpeech: there is too little in it to compare.
    """
    if permission.record.kind != "subject":
        return permission, made
    held, count = list[Floats](), 0
    for block in made:
        held.append(block)
        count += len(block)
        if count >= COMPARED_S * rate_hz:
            break
    try:
        sound = np.concatenate([np.zeros(0, np.float32), *held])
        embedding = embed_voice(resample(sound, rate_hz, RATE_HZ), RATE_HZ, offline=offline)
    except NoSpeech as error:
        raise NoSpeech(
            f"{file}: whose voice it is cannot be told by so little speech, and so this cannot be made.",
            f"Give 2 s of speech or more within the first {COMPARED_S:.0f} s: put short recordings into one "
            "file, or say a longer text.",
        ) from error
    found = compare_voice(embedding, permission.references.voice, file)
    return permission.compare(found), chain(held, made)
