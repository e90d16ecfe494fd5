"""Face swap: one person's performance with another's face, who agreed to it.

::

    from likeness import swap

    swap.extract(["clipA.mp4"], "faces/A")
    swap.extract(["clipB.mp4"], "faces/B")
    swap.train("faces/A", "faces/B", "runs/ab", consent="B.consent.json")
    swap.convert("clipA.mp4", model="runs/ab", out="out.mp4")

    swap.quick("clipA.mp4", face="clipB.mp4", consent="B.consent.json", out="out.mp4")   # without training

Training, and converting with a trained model, need `likeness[swap]`. Everything that shows somebody who is
not there is sealed: labelled, watermarked, with Content Credentials that name the consent.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from likeness.config import QuickSwapConfig, SwapConfig
    from likeness.facesets.faceset import FaceSet
    from likeness.facesets.sorting import Sorting
    from likeness.facesets.sorting import sort_faces as sort
    from likeness.pipelines.extract_faces import Extraction
    from likeness.pipelines.extract_faces import extract_faces as extract
    from likeness.pipelines.recut_faces import Recut
    from likeness.pipelines.recut_faces import recut_faces as recut
    from likeness.pipelines.swap import convert
    from likeness.pipelines.swap_quick import quick
    from likeness.pipelines.swapped import Swapped
    from likeness.training.swap import RefinedSwap, RefineSettings, Rhythm, SwapSettings, TrainedSwap
    from likeness.training.swap import refine_swap as refine
    from likeness.training.swap import train_swap as train

__all__ = [
    "Extraction",
    "FaceSet",
    "QuickSwapConfig",
    "Recut",
    "RefineSettings",
    "RefinedSwap",
    "Rhythm",
    "Sorting",
    "SwapConfig",
    "SwapSettings",
    "Swapped",
    "TrainedSwap",
    "convert",
    "extract",
    "quick",
    "recut",
    "refine",
    "sort",
    "train",
]

_HOMES = {
    "Extraction": ("likeness.pipelines.extract_faces", "Extraction"),
    "FaceSet": ("likeness.facesets.faceset", "FaceSet"),
    "QuickSwapConfig": ("likeness.config", "QuickSwapConfig"),
    "Recut": ("likeness.pipelines.recut_faces", "Recut"),
    "RefineSettings": ("likeness.training.swap", "RefineSettings"),
    "RefinedSwap": ("likeness.training.swap", "RefinedSwap"),
    "Rhythm": ("likeness.training.swap", "Rhythm"),
    "Sorting": ("likeness.facesets.sorting", "Sorting"),
    "SwapConfig": ("likeness.config", "SwapConfig"),
    "SwapSettings": ("likeness.training.swap", "SwapSettings"),
    "Swapped": ("likeness.pipelines.swapped", "Swapped"),
    "TrainedSwap": ("likeness.training.swap", "TrainedSwap"),
    "convert": ("likeness.pipelines.swap", "convert"),
    "extract": ("likeness.pipelines.extract_faces", "extract_faces"),
    "quick": ("likeness.pipelines.swap_quick", "quick"),
    "recut": ("likeness.pipelines.recut_faces", "recut_faces"),
    "refine": ("likeness.training.swap", "refine_swap"),
    "sort": ("likeness.facesets.sorting", "sort_faces"),
    "train": ("likeness.training.swap", "train_swap"),
}


def __getattr__(name: str) -> object:
    # Torch, which only training needs, is not imported before it is used.
    if name not in _HOMES:
        raise AttributeError(f"module 'likeness.swap' has no attribute '{name}'")
    module, own_name = _HOMES[name]
    value: object = getattr(import_module(module), own_name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
