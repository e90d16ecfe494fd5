"""What was made: the result of `animate`, and what its credentials say."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

from likeness.config import AnimateConfig
from likeness.consent.permission import Permission
from likeness.disclosure.seal import Sealed
from likeness.engines.base import Engine
from likeness.media import format_of
from likeness.pipelines.compare import Comparison, compare
from likeness.pipelines.show import video_html
from likeness.types import Ingredient, Making


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


def sound_warnings(out: Path, audio_file: Path | None) -> tuple[str, ...]:
    silent_format = format_of(out)
    if audio_file is None or silent_format not in ("gif", "png"):
        return ()
    return (f"The output holds no sound, so {audio_file.name} was not used.",)
