"""Sound as one array, for what listens to it: a single channel at a rate of one's choice."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

from likeness.errors import TooLarge, Unreadable, UsageError
from likeness.media.audio import AudioReader
from likeness.media.files import check_input
from likeness.types import Floats

MIN_RATE_HZ, MAX_RATE_HZ = 8000, 192_000
_MAX_SAMPLES = 1 << 28  # 1 GiB as float32


def read_mono(path: str | Path, *, rate_hz: int, max_s: float, cut: bool = False) -> Floats:
    """The sound of a file or video, mixed to one channel, from its beginning.

    No more than `max_s` is ever decoded, however long a small file may claim to be.

    Args:
        path: a sound file, or a video with sound.
        rate_hz: sampling rate wanted, 8000…192000.
        max_s: how much is read at most, seconds.
        cut: read the first `max_s` of what is longer, instead of refusing it.

    Returns:
        (n,) float32, nominally −1…1.

    Raises:
        MediaNotFound, Unreadable, Unsupported: not a file that FFmpeg reads, or its samples are no numbers.
        NoAudio: no sound in it.
        TooLarge: longer than `max_s`, and not to be cut.
        UsageError: the rate or the length is out of its range.
    """
    _check_rate(rate_hz)
    if not 0 < max_s * rate_hz <= _MAX_SAMPLES:
        raise UsageError(f"{max_s} s of sound cannot be read at once.", "Read a shorter part of it.")
    wanted = int(max_s * rate_hz)
    with AudioReader(check_input(path), rate_hz=rate_hz, channels=1) as reader:
        blocks, length = [np.zeros(0, np.float32)], 0
        for block in reader:
            blocks.append(block[0])
            length += block.shape[1]
            if length > wanted:
                break
    if length > wanted and not cut:
        raise TooLarge(f"{path} is longer than {max_s:g} s.", "Give a shorter recording.")
    samples = np.concatenate(blocks)[:wanted]
    if not np.isfinite(samples).all():
        raise Unreadable(f"{path} holds samples that are no numbers.", "Export it again, as WAV or FLAC.")
    return samples


def resample(samples: Floats, from_hz: int, to_hz: int) -> Floats:
    """The same sound at another sampling rate, by FFmpeg's resampler.

    Args:
        samples: (n,) float32.
        from_hz, to_hz: 8000…192000.

    Returns:
        (m,) float32; m is n · to_hz / from_hz, rounded.

    Raises:
        UsageError: not one row of numbers, or a rate out of its range.
    """
    _check_rate(from_hz)
    _check_rate(to_hz)
    if samples.ndim != 1 or not np.isfinite(samples).all():
        raise UsageError(
            f"Sound of shape {samples.shape} is not one channel of numbers.", "Give (n,) float32."
        )
    if from_hz == to_hz or not len(samples):
        return np.asarray(samples, np.float32)
    # Some silence behind it, since the filter holds back what it has not seen the end of.
    padded = np.pad(samples, (0, from_hz // 10)).astype(np.float32)[None]
    frame = av.AudioFrame.from_ndarray(padded, "fltp", "mono")
    frame.sample_rate = from_hz
    resampler = av.AudioResampler("fltp", "mono", to_hz)
    pieces = [*resampler.resample(frame), *resampler.resample(None)]
    found = np.concatenate([piece.to_ndarray()[0] for piece in pieces], dtype=np.float32)
    return found[: round(len(samples) * to_hz / from_hz)]


def _check_rate(rate_hz: int) -> None:
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise UsageError(
            f"A sampling rate of {rate_hz} Hz is not supported.", f"Use {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz."
        )
