"""Where in one recording another one begins, by the course of their loudness."""

from __future__ import annotations

import numpy as np

from likeness.errors import UsageError
from likeness.types import Floats

HOP_S = 0.005
_FLOOR_DB = 40.0  # what is softer than the loud parts by so much is silence


def find_delay_s(made: Floats, source: Floats, rate_hz: int, *, most_s: float = 2.0) -> float:
    """How much later the words come in `made` than in `source`, a multiple of 5 ms.

    The place where the correlation coefficient of both levels in dB (so that neither loudness nor voice
    matters) is greatest.

    Args:
        made, source: (n,) and (m,) float32 of at least 0.1 s.
        rate_hz: their common sampling rate.
        most_s: no delay beyond this is looked for, in either direction.

    Raises:
        UsageError: one of them is shorter than 0.1 s.
    """
    a, b = (level_db(sound, rate_hz) for sound in (made, source))
    if min(len(a), len(b)) < 0.1 / HOP_S:
        raise UsageError("There is too little sound to compare.", "Give recordings of 0.1 s and more.")
    most = round(most_s / HOP_S)
    a, b = a - a.mean(), b - b.mean()
    size = 1 << (len(a) + len(b)).bit_length()
    products = np.fft.irfft(np.fft.rfft(a, size) * np.conj(np.fft.rfft(b, size)), size)
    delays = np.arange(-min(most, len(b) - 1), min(most, len(a) - 1) + 1)
    return float(delays[np.argmax(products[delays])]) * HOP_S


def align(made: Floats, source: Floats, rate_hz: int) -> tuple[Floats, Floats, float]:
    """Both cut to what they have in common, sample by sample, and the delay that was taken away, s."""
    delay_s = find_delay_s(made, source, rate_hz)
    shift = round(delay_s * rate_hz)
    made, source = made[max(0, shift) :], source[max(0, -shift) :]
    count = min(len(made), len(source))
    return made[:count], source[:count], delay_s


def level_db(sound: Floats, rate_hz: int, *, floor_db: float = _FLOOR_DB) -> Floats:
    """(n,) dB of the loud parts (the 95th percentile), −`floor_db` and more, each 5 ms over 20 ms."""
    hop = round(HOP_S * rate_hz)
    count = len(sound) // hop
    power = np.square(sound[: count * hop], dtype=np.float64).reshape(count, hop).mean(1)
    power = np.convolve(power, np.full(4, 0.25), "same") if count >= 4 else power
    loud = max(float(np.percentile(power, 95)), 1e-12) if count else 1.0
    level = 10 * np.log10(np.maximum(power / loud, 10 ** (-floor_db / 10)))
    return np.asarray(level, np.float32)
