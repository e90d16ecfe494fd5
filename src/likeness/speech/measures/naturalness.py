"""A fast proxy for what listeners would say: DNSMOS, twice.

Reddy, Gopal and Cutler, "DNSMOS P.835: A non-intrusive perceptual objective speech quality metric to evaluate
noise suppressors", ICASSP 2022, and the same authors' "DNSMOS", ICASSP 2021, which answers for ITU-T P.808.
Both are small networks that were trained on people's ratings of noisy speech. They never heard a voice
conversion, so they are a proxy here. The one overlooks muffling, the other gaps; their mean overlooks
neither, as `benchmarks/voice.py` shows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.errors import NoSpeech
from likeness.speech.extra import RATE_HZ, run_network, to_listen
from likeness.speech.mel import mel_power
from likeness.types import Floats

MODEL, MODEL_P808 = "speech-quality", "speech-quality-p808"
_WINDOW = 144_160  # samples: what the networks listen to at once
_STEP = 3 * RATE_HZ
# The network's answers were fitted to what people said, each with a polynomial: squared, linear, constant.
_FITS = np.array(
    [
        [-0.08397278, 1.22083953, 0.0052439],
        [-0.13166888, 1.60915514, -0.39604546],
        [-0.06766283, 1.11546468, 0.04602535],
    ]
)
_FRAMES, _RANGE_DB = 900, 80.0


@dataclass(frozen=True, slots=True)
class Naturalness:
    """Mean opinion scores, 1 (bad) … 5 (excellent). Clean natural speech gets 3 to 4.

    Attributes:
        score: the mean of `overall` and `mos`: what recordings are to be compared by.
        overall: of P.835: speech and background together.
        voice: of P.835: whether the speech is distorted.
        background: of P.835: whether what is behind it is intrusive.
        mos: of P.808: how good it is.
    """

    score: float
    overall: float
    voice: float
    background: float
    mos: float


def rate_naturalness(samples: Floats, rate_hz: int, *, offline: bool | None = None) -> Naturalness:
    """Rate a recording; the mean over windows of 9 s, 3 s after each other. A shorter one is repeated.

    Args:
        samples: (n,) float32, one channel, nominally −1…1.
        rate_hz: their sampling rate.
        offline: as for `likeness.models.fetch`.

    Raises:
        NoSpeech: shorter than 0.5 s.
        UsageError, MissingExtra, ModelMissing, ChecksumMismatch
    """
    sound = to_listen(samples, rate_hz)
    if len(sound) < RATE_HZ // 2:
        raise NoSpeech("There is less than 0.5 s of sound to rate.", "Give a longer recording.")
    if len(sound) < _WINDOW:
        sound = np.tile(sound, -(-_WINDOW // len(sound)))[:_WINDOW]
    starts = [*range(0, len(sound) - _WINDOW, _STEP), len(sound) - _WINDOW]
    windows = [sound[start : start + _WINDOW] for start in starts]
    raw = [_rate_p835(window, offline) for window in windows]
    powers = np.stack([np.square(raw), raw, np.ones_like(raw)], axis=-1)
    voice, background, overall = (powers * _FITS).sum(-1).mean(0).tolist()
    mos = float(np.mean([_rate_p808(window, offline) for window in windows]))
    return Naturalness((overall + mos) / 2, overall, voice, background, mos)


def _rate_p835(window: Floats, offline: bool | None) -> NDArray[np.float64]:
    """(3,): speech, background, overall."""
    (answer,) = run_network(MODEL, {"input_1": window[None]}, offline=offline)
    return np.asarray(answer[0], np.float64)


def _rate_p808(window: Floats, offline: bool | None) -> float:
    power = mel_power(window, RATE_HZ, window=321, hop=160, bands=120)
    level = 10 * np.log10(np.maximum(power, 1e-10))
    level = np.maximum(level - level.max(), -_RANGE_DB) / (_RANGE_DB / 2) + 1
    (answer,) = run_network(
        MODEL_P808, {"input_1": level[None, :_FRAMES].astype(np.float32)}, offline=offline
    )
    return float(answer[0, 0])
