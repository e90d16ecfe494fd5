"""Training of the networks: data, losses and loops. Needs torch.

train_fomm(config, data, out)                a First Order Motion Model, from a folder of clips
evaluate_fomm(model, data)                   how well one reconstructs clips it has not seen
swap.train_swap(faces_a, faces_b, out)       a face swap, from two face sets
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from likeness.training.evaluate import FommScores, evaluate_fomm
    from likeness.training.fomm import Rhythm, Trained, train_fomm

__all__ = ["FommScores", "Rhythm", "Trained", "evaluate_fomm", "train_fomm"]

_PLACES = {
    "FommScores": "likeness.training.evaluate",
    "evaluate_fomm": "likeness.training.evaluate",
    "Rhythm": "likeness.training.fomm",
    "Trained": "likeness.training.fomm",
    "train_fomm": "likeness.training.fomm",
}
"""One task's training brings along what another's does without."""


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module 'likeness.training' has no attribute '{name}'")
    return getattr(import_module(_PLACES[name]), name)
