"""A person's speech as a voice keeps it: everything that is known of it, in half the space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from likeness.engines.voice.analysis import Features
from likeness.engines.voice.envelope import BANDS, HOP
from likeness.errors import ModelFormat
from likeness.speech.content import SIZE

MAX_FRAMES: Final = 60_000
"""Ten minutes; more is not kept."""
_FULL = 32767.0
_COURSES: Final = ("f0_hz", "voiced", "energy")


def pack(recordings: Sequence[Features]) -> dict[str, NDArray[Any]]:
    """The recordings as arrays, the first ten minutes of them."""
    kept: list[Features] = []
    frames = 0
    for recording in recordings:
        if frames + len(recording) > MAX_FRAMES and kept:
            break
        kept.append(recording.cut(0, min(len(recording), MAX_FRAMES)))
        frames += len(recording)
    whole = {
        name: np.concatenate([getattr(one, name) for one in kept])
        for name in ("samples", "content", "envelope", *_COURSES)
    }
    samples = np.rint(np.clip(whole.pop("samples"), -1, 1) * _FULL).astype(np.int16)
    halves = {name: array.astype(np.float16) for name, array in whole.items() if name != "f0_hz"}
    lengths = np.array([len(one) for one in kept], np.int64)
    return {"lengths": lengths, "samples": samples, "f0_hz": whole["f0_hz"], **halves}


def unpack(pool: Mapping[str, NDArray[Any]]) -> list[Features]:
    """The recordings of arrays that `pack` made.

    Raises:
        ModelFormat: they do not fit together, or are no numbers.
    """
    try:
        lengths = np.asarray(pool["lengths"], np.int64)
        whole = {name: np.asarray(pool[name], np.float32) for name in ("content", "envelope", *_COURSES)}
        samples = np.asarray(pool["samples"], np.int16).astype(np.float32) / np.float32(_FULL)
    except KeyError as error:
        raise _damaged() from error
    total = int(lengths.sum()) if lengths.ndim == 1 and (lengths > 0).all() and not (lengths % 2).any() else 0
    shapes = dict.fromkeys(_COURSES, (total,)) | {
        "content": (total // 2, SIZE),
        "envelope": (total, BANDS),
    }
    if not total or samples.shape != (total * HOP,):
        raise _damaged()
    if any(
        whole[name].shape != shape or not np.isfinite(whole[name]).all() for name, shape in shapes.items()
    ):
        raise _damaged()
    if (whole["f0_hz"] <= 0).any():
        raise _damaged()
    everything = Features(samples=samples, gain=1.0, **whole)
    ends = np.cumsum(lengths).tolist()
    return [everything.cut(begin, end) for begin, end in zip([0, *ends[:-1]], ends, strict=True)]


def _damaged() -> ModelFormat:
    return ModelFormat(
        "The speech in this voice is damaged.", "Make the voice again with `likeness voice enroll`."
    )
