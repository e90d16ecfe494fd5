"""What was made: the result of `animate`, and what its credentials say."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

from likeness.config import AnimateConfig
from likeness.consent.permission import Permission
from likeness.disclosure.seal import Sealed, SealedVideo
from likeness.engines.base import Engine
from likeness.media import AudioSource, check_sound, format_of
from likeness.pipelines.compare import Comparison, compare
from likeness.pipelines.show import video_html
from likeness.progress import OnProgress, Progress
from likeness.types import Ingredient, Making, Picture


@dataclass(frozen=True, slots=True)
class Animation:
    """What was made.

    Attributes:
        path: the finished file (or folder of pictures).
        source, driving: what it was made from.
        frames, rate, width, height: of the result.
        best_frame: the driver frame that the source's own picture stands for.
        held_frames: frames in which the driver's face was not seen, and its last place was held.
        warnings: what a person should know of the result.
        config, making: how it was made.
        sealed: the marks it carries.
    """

    path: Path
    source: Path
    driving: Path
    frames: int
    rate: Fraction
    width: int
    height: int
    best_frame: int
    held_frames: int
    warnings: tuple[str, ...]
    config: AnimateConfig
    making: Making
    sealed: Sealed

    def compare(self, out: str | os.PathLike[str] | None = None, *, overwrite: bool = True) -> Comparison:
        """Source, driver and result beside each other, as a sealed clip that a notebook shows.

        Args:
            out: where to write it; None = beside the result, with "-compare" in its name.
        """
        return compare(self, None if out is None else Path(out), overwrite=overwrite)

    def _repr_html_(self) -> str:
        return video_html(self.path)


def describe(
    engine: Engine,
    config: AnimateConfig,
    inputs: list[Path],
    driving: Path,
    best_frame: int,
    permission: Permission | None,
) -> Making:
    """How it was made, as the credentials will say."""
    roles: tuple[Literal["source", "driver", "audio"], ...] = ("source", "driver", "audio")
    return Making(
        act="animate",
        engine=engine.name,
        engine_version=engine.version,
        ingredients=tuple(Ingredient(path, role) for path, role in zip(inputs, roles, strict=False)),
        models=engine.models(),
        parameters={
            "relative": config.relative,
            "region": config.region,
            "strength": config.strength,
            "best_frame": best_frame,
        },
        rights=config.rights,
        label=config.label,
        tsa_url=config.tsa_url,
        consent=permission.describe() if permission else None,
    )


def write_animation(
    pictures: Iterator[Picture],
    *,
    source: Path,
    driving: Path,
    out: Path,
    config: AnimateConfig,
    making: Making,
    width: int,
    height: int,
    rate: Fraction,
    frames_expected: int | None,
    best_frame: int,
    audio: AudioSource | None,
    face_box: tuple[float, float, float, float] | None = None,
    on_progress: OnProgress,
) -> Animation:
    """Seal the pictures as they come. Warnings of the driver and the face are for the caller to add.

    Raises:
        DisclosureError, OutputError: nothing is written then.
    """
    with SealedVideo(
        out,
        making,
        width=width,
        height=height,
        rate=rate,
        audio=audio,
        overwrite=config.overwrite,
        face_box=face_box,
        language=config.label_language,
    ) as video:
        done = 0
        for done, picture in enumerate(pictures, 1):
            video.write(picture)
            on_progress(Progress("animate", done, frames_expected))
    return Animation(
        path=out,
        source=source,
        driving=driving,
        frames=done,
        rate=rate,
        width=width,
        height=height,
        best_frame=best_frame,
        held_frames=0,
        warnings=(*_sound_warnings(out, config), *video.sealed.notes),
        config=config,
        making=making,
        sealed=video.sealed,
    )


def choose_sound(
    config: AnimateConfig, driving: Path, *, has_audio: bool, start_s: Fraction
) -> AudioSource | None:
    """The sound that goes with the pictures.

    Args:
        has_audio, start_s: of the driver: whether it has any, and where the chosen part begins.

    Raises:
        MediaError: the driver's sound cannot be read.
    """
    if isinstance(config.audio, Path):
        return AudioSource(config.audio)
    if config.audio == "driving" and has_audio:
        check_sound(driving, config.end_s)
        return AudioSource(driving, start_s=start_s)
    return None


def _sound_warnings(out: Path, config: AnimateConfig) -> tuple[str, ...]:
    if not isinstance(config.audio, Path) or format_of(out) not in ("gif", "png"):
        return ()
    return (f"The output holds no sound, so {config.audio.name} was not used.",)
