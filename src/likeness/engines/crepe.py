"""Pitch by CREPE (Kim, Salamon, Li and Bello, ICASSP 2018), where the package torchcrepe is installed.

It is slow on a processor, and needs packages of its own; the smaller SwiftF0 (`speech.pitch`) is the default.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import torch

from likeness.errors import MissingExtra
from likeness.speech.extra import RATE_HZ, to_listen
from likeness.speech.pitch import Pitch
from likeness.types import Floats

HOP_S = 0.01
_HOP = 160
_BATCH = 512
_PERIODIC = 0.1
"""From this periodicity on RVC takes a frame as voiced (infer/modules/vc/pipeline.py, MIT)."""


def follow_pitch_by_crepe(samples: Floats, rate_hz: int, *, min_hz: float, max_hz: float) -> Pitch:
    """As `speech.pitch.follow_pitch`, by the large network of CREPE; frame k lies around k · `HOP_S`.

    Its confidence is 1 where a frame is voiced, and else 0.

    Raises:
        MissingExtra: torchcrepe is not installed.
        UsageError: not one channel of numbers.
    """
    crepe = require_crepe()
    sound = to_listen(samples, rate_hz)
    f0_hz, periodicity = crepe.predict(
        torch.from_numpy(sound)[None],
        RATE_HZ,
        _HOP,
        min_hz,
        max_hz,
        "full",
        batch_size=_BATCH,
        device="cpu",
        return_periodicity=True,
    )
    voiced = crepe.filter.median(periodicity, 3) >= _PERIODIC
    smooth = crepe.filter.mean(f0_hz, 3)
    return Pitch(smooth[0].numpy().astype(np.float32), voiced[0].numpy().astype(np.float32))


def require_crepe() -> Any:
    """The package, imported.

    Raises:
        MissingExtra: torchcrepe, or something that it needs, is not installed or does not work.
    """
    try:
        return importlib.import_module("torchcrepe")
    except (ImportError, OSError) as error:  # the latter where torchaudio was built for another torch
        raise MissingExtra(
            "Pitch by CREPE needs the package torchcrepe, which is not installed here, or cannot be "
            "imported.",
            'Install it with `pip install torchcrepe`, or add --f0 swift (f0="swift" in Python).',
        ) from error
