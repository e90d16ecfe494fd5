"""Training of a face swap.

train_swap(faces_a, faces_b, out, consent=…)     from two face sets, with consent, previews, exact resume
SwapLearner(a, b, config).step(100)              the learning alone, from arrays: no files, no consent
"""

from __future__ import annotations

from likeness.training.swap.faces import Faces
from likeness.training.swap.learner import SwapLearner
from likeness.training.swap.run import Rhythm, TrainedSwap, train_swap
from likeness.training.swap.settings import Augmentation, LossWeights, SwapSettings

__all__ = [
    "Augmentation",
    "Faces",
    "LossWeights",
    "Rhythm",
    "SwapLearner",
    "SwapSettings",
    "TrainedSwap",
    "train_swap",
]
