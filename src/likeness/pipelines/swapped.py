"""What was made by a swap: the result of `convert` and `quick`, and what its credentials say."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

from likeness.config import PasteConfig, VoiceConfig
from likeness.consent.permission import Permission
from likeness.disclosure.seal import Sealed
from likeness.errors import ConsentScope, UsageError
from likeness.pipelines.show import video_html
from likeness.types import Making

C = TypeVar("C", bound=PasteConfig | VoiceConfig)


@dataclass(frozen=True, slots=True)
class Swapped:
    """What was made.

    Attributes:
        path: the finished file (or folder of pictures).
        clip: whose performance it shows.
        frames, rate, width, height: of the result.
        swapped_frames: in how many the face was replaced; the others passed through.
        warnings: what a person should know of the result.
        config, making: how it was made.
        sealed: the marks it carries.
    """

    path: Path
    clip: Path
    frames: int
    rate: Fraction
    width: int
    height: int
    swapped_frames: int
    warnings: tuple[str, ...]
    config: PasteConfig
    making: Making
    sealed: Sealed

    def _repr_html_(self) -> str:
        return video_html(self.path)


def check_label(permission: Permission, config: PasteConfig) -> None:
    """Refuse an output without the label where the record does not allow that.

    Raises:
        ConsentScope: it does not.
    """
    if config.label == "none" and not permission.record.may_leave_out_label:
        raise ConsentScope(
            f"The consent of {permission.record.name} does not allow leaving out the label.",
            "Keep the label, or ask for a record that allows it.",
        )


def options_of(kind: type[C], config: C | None, options: Mapping[str, Any]) -> C:
    """The config that was given whole, or made of single options.

    Raises:
        UsageError: both were given, or an option is unknown or out of range.
    """
    if config is not None and options:
        raise UsageError("Both config and single options were given.", "Give one of them.")
    known = {field.name for field in dataclasses.fields(kind)}
    if unknown := sorted(set(options) - known):
        raise UsageError(
            f"There is no option named {', '.join(unknown)}.", f"Known options: {', '.join(sorted(known))}."
        )
    return config or kind(**options)
