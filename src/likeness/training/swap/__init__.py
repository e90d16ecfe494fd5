"""Training of a face swap.

train_swap(faces_a, faces_b, out, consent=…)     from two face sets, with consent, previews, exact resume
refine_swap(run)                                 sharper, against a discriminator, in measured rounds
SwapLearner(a, b, config).step(100)              the learning alone, from arrays: no files, no consent
Refiner(learner, held_out_a, held_out_b).round() the same for refinement
"""

from __future__ import annotations

from likeness.training.swap.adversary import RefineSettings
from likeness.training.swap.faces import Faces
from likeness.training.swap.learner import SwapLearner
from likeness.training.swap.refine import Refiner, refine_swap
from likeness.training.swap.refined import RefinedSwap
from likeness.training.swap.run import Rhythm, TrainedSwap, train_swap
from likeness.training.swap.settings import Augmentation, LossWeights, SwapSettings

__all__ = [
    "Augmentation",
    "Faces",
    "LossWeights",
    "RefineSettings",
    "RefinedSwap",
    "Refiner",
    "Rhythm",
    "SwapLearner",
    "SwapSettings",
    "TrainedSwap",
    "refine_swap",
    "train_swap",
]
