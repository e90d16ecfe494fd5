"""likeness: synthetic media of people, with consent and in the open.

    animate(portrait, driving, out=…)     a portrait that moves like the person in a video
    record_motion(driving, out=…)         how a person moves, without the video
    list_faces(picture)                   the faces that options take by number
    verify(file)                          what a file states about how it was made, and whether that holds

Everything that shows a person is sealed on its way out: labelled, signed, and open about how it was made.
Nothing heavy is imported before it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from likeness.config import AnimateConfig
    from likeness.errors import LikenessError
    from likeness.pipelines.animate import animate
    from likeness.pipelines.animation import Animation
    from likeness.pipelines.list_faces import list_faces
    from likeness.pipelines.record import Recording, record_motion
    from likeness.progress import Progress
    from likeness.types import Face, Rights
    from likeness.verification import Verification, verify

__all__ = [
    "AnimateConfig",
    "Animation",
    "Face",
    "LikenessError",
    "Progress",
    "Recording",
    "Rights",
    "Verification",
    "animate",
    "list_faces",
    "record_motion",
    "verify",
]

_HOMES = {
    "AnimateConfig": "likeness.config",
    "Animation": "likeness.pipelines.animation",
    "Face": "likeness.types",
    "LikenessError": "likeness.errors",
    "Progress": "likeness.progress",
    "Recording": "likeness.pipelines.record",
    "Rights": "likeness.types",
    "Verification": "likeness.verification",
    "animate": "likeness.pipelines.animate",
    "list_faces": "likeness.pipelines.list_faces",
    "record_motion": "likeness.pipelines.record",
    "verify": "likeness.verification",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'likeness' has no attribute '{name}'")
    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
