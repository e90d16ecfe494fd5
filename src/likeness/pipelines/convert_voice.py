"""Give a recording, or the sound of a video, another voice: consent ▸ listen ▸ convert ▸ seal.

The sound is read twice: once to know its pitch and level, once to be converted, block by block. So memory
does not grow with its length. What converts is a `VoiceConverter`; the `Target` says which.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np

from likeness.config import VoiceConfig
from likeness.consent import Permission
from likeness.disclosure.rights import check_rights
from likeness.disclosure.seal import Sealed
from likeness.disclosure.sealed_dub import SealedDub, check_picture, is_dub
from likeness.disclosure.sealed_sound import SealedSound
from likeness.engines.voice.base import Heard, VoiceConverter
from likeness.media.audio import AudioReader, check_sound
from likeness.media.files import check_file_output, check_input
from likeness.media.resampling import resample_stream
from likeness.pipelines.evaluate_voice import skip_disclaimer
from likeness.pipelines.hear import check_numbers, listen
from likeness.pipelines.show import sound_html
from likeness.pipelines.swapped import options_of
from likeness.pipelines.target_voice import Target, check_music, target_of
from likeness.progress import OnProgress, Progress, silent
from likeness.types import Floats, Ingredient, Making
from likeness.voices.voice import Voice

PathLike: TypeAlias = str | os.PathLike[str]
ENGINE_RATE_HZ: Final = 16_000
"""What a converter gets at least."""
_OPENING_S: Final = 2.0  # our three notes, and the silence after them, are shorter


@dataclass(frozen=True, slots=True)
class Converted:
    """What was made.

    Attributes:
        path: the finished file.
        source: whose words or melody it has; None where they come from a text.
        duration_s: of the sound, without the notes before it.
        rate_hz: its sampling rate.
        warnings: what a person should know of the result.
        config, making: how it was made.
        sealed: the marks it carries.
    """

    path: Path
    source: Path | None
    duration_s: float
    rate_hz: int
    warnings: tuple[str, ...]
    config: VoiceConfig
    making: Making
    sealed: Sealed

    def _repr_html_(self) -> str:
        return sound_html(self.path)


def convert(
    source: PathLike,
    *,
    to: PathLike | Voice | Target,
    out: PathLike,
    config: VoiceConfig | None = None,
    on_progress: OnProgress = silent,
    **options: Any,
) -> Converted:
    """Give a recording the voice of a person who agreed to it.

    The consent record in the voice is checked before the recording is opened.

    Args:
        source: a sound, or a video.
        to: a `.voice` file, as `enroll` makes it.
        out: `.wav`, `.flac`, `.mp3`, `.m4a`, `.ogg` or `.opus`; of a video also `.mp4` or `.webm`, which get
            the new sound and keep their picture as it is.
        config: all other choices, or
        options: some of them by name, such as `sing=True`; see `VoiceConfig`.
        on_progress: called with `Progress` as the work goes on.

    Raises:
        ConsentError: the record in the voice does not allow it (any more).
        LikenessError: see `likeness.errors`; nothing is written then.
    """
    config = options_of(VoiceConfig, config, options)
    check_music(config)
    target = target_of(to)
    check_rights(draft(config, target.permission))
    source, out = Path(source), Path(out)
    check_input(source)
    picture = source if is_dub(out) else None
    check_file_output(out, overwrite=config.overwrite, inputs=[source])
    check_sound(source)
    if picture is not None:
        check_picture(picture)
    target.check_config(config)
    offline = config.offline or None
    made_here, start_s = _find_notes(source, may_skip=picture is None)
    listened = listen(source, sing=config.sing, offline=offline, start_s=start_s, on_progress=on_progress)
    converter = target.open(listened.heard, config)
    with AudioReader(source) as probe:
        rate_hz = max(ENGINE_RATE_HZ, config.sample_rate_hz or probe.rate_hz)
    blocks = _read(source, rate_hz, start_s)
    permission, voice = begin(target, converter, blocks, rate_hz, listened.heard, on_progress)
    making = describe(converter, config, permission, (Ingredient(source, "source"),))
    duration_s, made_hz, sealed = write_voice_sound(
        voice, converter.rate_for(rate_hz), out, making, config, picture
    )
    return Converted(
        path=out,
        source=source,
        duration_s=duration_s,
        rate_hz=made_hz,
        warnings=(
            *permission.notes,
            *target.notes,
            *made_here,
            *listened.warnings,
            *converter.notes(),
            *sealed.notes,
        ),
        config=config,
        making=making,
        sealed=sealed,
    )


def begin(
    target: Target,
    converter: VoiceConverter,
    blocks: Iterator[Floats],
    rate_hz: int,
    heard: Heard,
    on_progress: OnProgress,
) -> tuple[Permission, Iterator[Floats]]:
    """Convert as much as it takes to know whose voice comes out, so that credentials can say it.

    Returns:
        The permission after that, and all that is converted, which goes on as it is asked for.

    Raises:
        SubjectMismatch: it is another's voice than the record's.
        NoSpeech: there is too little in it to tell, where nothing else says whose voice it is.
    """
    made_hz, total = converter.rate_for(rate_hz), round(heard.duration_s)

    def convert_all() -> Iterator[Floats]:
        done = 0
        for block in converter.convert_stream(blocks, rate_hz):
            done += len(block)
            on_progress(Progress("convert", done // made_hz, total, "s"))
            yield block

    if target.compare is None:
        return target.permission, convert_all()
    return target.compare(convert_all(), made_hz)


def write_voice_sound(
    voice: Iterator[Floats],
    rate_hz: int,
    out: Path,
    making: Making,
    config: VoiceConfig,
    picture: Path | None = None,
) -> tuple[float, int, Sealed]:
    """Seal what was converted, as it comes.

    Returns:
        How long it is without the notes before it, seconds; the sampling rate of the file, which is another
        one where its format has none such; and the marks it carries.
    """
    out_hz = config.sample_rate_hz or rate_hz
    language, done = config.label_language, 0
    if picture is None:
        sealing = SealedSound(
            out, making, rate_hz=out_hz, channels=1, overwrite=config.overwrite, language=language
        )
    else:
        sealing = SealedDub(
            out,
            making,
            picture=picture,
            rate_hz=out_hz,
            channels=1,
            overwrite=config.overwrite,
            language=language,
        )
    with sealing as sound:
        for block in resample_stream(voice, rate_hz, out_hz):
            sound.write(block[None])
            done += len(block)
    with AudioReader(out) as written:
        return done / out_hz, written.rate_hz, sound.sealed


def describe(
    converter: VoiceConverter,
    config: VoiceConfig,
    permission: Permission,
    ingredients: tuple[Ingredient, ...],
) -> Making:
    """What the credentials say."""
    return Making(
        act="voice",
        engine=converter.name,
        engine_version=converter.version,
        ingredients=ingredients,
        models=converter.models,
        parameters=dict(converter.parameters),
        rights=config.rights,
        label=config.label,
        tsa_url=config.tsa_url,
        consent=permission.describe(),
    )


def draft(config: VoiceConfig, permission: Permission) -> Making:
    """Enough of it to ask, before any work, whether the notes may be left out."""
    return Making(
        "voice", "", "", (), rights=config.rights, label=config.label, consent=permission.describe()
    )


def _find_notes(source: Path, *, may_skip: bool) -> tuple[tuple[str, ...], float]:
    """What to say of a source that begins with our three notes, and where it begins without them, seconds.

    Args:
        may_skip: the sound need not stay in step with a picture.
    """
    with AudioReader(source, duration_s=_OPENING_S, rate_hz=ENGINE_RATE_HZ, channels=1) as reader:
        opening = np.concatenate([np.zeros(0, np.float32), *(block[0] for block in reader)])
    notes = len(opening) - len(skip_disclaimer(opening, ENGINE_RATE_HZ))
    if not notes:
        return (), 0.0
    what = f"{source.name} begins with the three notes of likeness: it was made here, and is no recording"
    if not may_skip or is_dub(source):  # of a video the notes lie over its sound
        return (f"{what}. The notes are taken for a part of it.",), 0.0
    return (f"{what}. The notes were left out.",), notes / ENGINE_RATE_HZ


def _read(source: Path, rate_hz: int, start_s: float) -> Iterator[Floats]:
    with AudioReader(source, start_s=start_s, rate_hz=rate_hz, channels=1) as reader:
        for block in reader:
            yield check_numbers(block[0], source.name)
