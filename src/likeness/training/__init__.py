"""Training of the networks: data, losses and loops. Needs the extra `fomm`.

train_fomm(config, data, out)                a First Order Motion Model, from a folder of clips
evaluate_fomm(model, data)                   how well one reconstructs clips it has not seen
"""

from __future__ import annotations

from likeness.training.evaluate import FommScores, evaluate_fomm
from likeness.training.fomm import Rhythm, Trained, train_fomm

__all__ = ["FommScores", "Rhythm", "Trained", "evaluate_fomm", "train_fomm"]
