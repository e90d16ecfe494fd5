"""Another sampling rate for sound that comes as a stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

import av
import numpy as np

from likeness.types import Floats


def resample_stream(blocks: Iterable[Floats], from_hz: int, to_hz: int) -> Iterator[Floats]:
    """The same sound at another sampling rate, by FFmpeg's resampler, in step and to the sample as long.

    Args:
        blocks: (n,) float32 each, one channel.
        from_hz, to_hz: sampling rates.

    Yields:
        (m,) float32; in all n · to_hz / from_hz of them, rounded.
    """
    if from_hz == to_hz:
        yield from blocks
        return
    resampler = av.AudioResampler("fltp", "mono", to_hz)
    taken = given = 0
    for block in blocks:
        if len(block):
            pieces = resampler.resample(_frame(block, from_hz, taken))
            taken += len(block)
            for piece in pieces:
                samples = piece.to_ndarray()[0]
                given += len(samples)
                yield samples
    if not taken:
        return
    wanted = round(taken * Fraction(to_hz, from_hz)) - given
    # Some silence behind it, since the filter holds back what it has not seen the end of.
    silence = np.zeros(from_hz // 10, np.float32)
    rest = [*resampler.resample(_frame(silence, from_hz, taken)), *resampler.resample(None)]
    tail = np.concatenate([piece.to_ndarray()[0] for piece in rest]) if rest else np.zeros(0, np.float32)
    if wanted > 0:
        yield tail[:wanted].astype(np.float32)


def _frame(samples: Floats, rate_hz: int, at: int) -> Any:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples, np.float32)[None], "fltp", "mono")
    frame.sample_rate, frame.pts, frame.time_base = rate_hz, at, Fraction(1, rate_hz)
    return frame
