"""A fast proxy for what listeners would say: DNSMOS P.835.

Reddy, Gopal and Cutler, "DNSMOS P.835: A non-intrusive perceptual objective speech quality metric to evaluate
noise suppressors", ICASSP 2022: a small network that was trained on people's ratings of noisy speech. It
never heard a voice conversion, so it is a proxy here: `benchmarks/voice.py` shows that buzz, holes, clipping
and muffling lower it, and by how much.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.errors import NoSpeech
from likeness.speech.extra import RATE_HZ, run_network, to_listen
from likeness.types import Floats

MODEL = "speech-quality"
_WINDOW = 144_160  # samples: what the network listens to at once
_STEP = 3 * RATE_HZ
# The network's answers were fitted to what people said, each with a polynomial: squared, linear, constant.
_FITS = np.array(
    [
        [-0.08397278, 1.22083953, 0.0052439],
        [-0.13166888, 1.60915514, -0.39604546],
        [-0.06766283, 1.11546468, 0.04602535],
    ]
)


@dataclass(frozen=True, slots=True)
class Naturalness:
    """Mean opinion scores as ITU-T P.835 asks for them, 1 (bad) … 5 (excellent).

    Attributes:
        voice: whether the speech is distorted.
        background: whether what is behind it is intrusive.
        overall: both together.
    """

    voice: float
    background: float
    overall: float


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
    raw = [_run(sound[start : start + _WINDOW], offline) for start in starts]
    powers = np.stack([np.square(raw), raw, np.ones_like(raw)], axis=-1)
    voice, background, overall = (powers * _FITS).sum(-1).mean(0).tolist()
    return Naturalness(voice, background, overall)


def _run(window: Floats, offline: bool | None) -> NDArray[np.float64]:
    """(3,): speech, background, overall."""
    (answer,) = run_network(MODEL, {"input_1": window[None]}, offline=offline)
    return np.asarray(answer[0], np.float64)
