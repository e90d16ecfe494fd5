"""Whose voice it is: 256 numbers that lie close together for one speaker and apart for different ones.

The network is Resemblyzer's, after Wan, Wang, Papir and Lopez Moreno, "Generalized end-to-end loss for
speaker verification", ICASSP 2018: a mel spectrogram goes through three LSTM layers in windows of 1.6 s, and
the mean of the windows' embeddings stands for the recording. Here it runs in numpy.

How far its answer can be trusted is measured in `docs/identity.md`; the thresholds come from there.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from likeness.errors import NoSpeech, UsageError
from likeness.media.mono import resample
from likeness.models import Access
from likeness.speech.mel import mel_power
from likeness.speech.speaker_weights import LAYERS, MELS, MODEL, REVISION, SIZE, load_weights

if TYPE_CHECKING:
    from likeness.types import Floats, Verdict

VOICE_MODEL = f"{MODEL}/resemblyzer-0.1.4/{REVISION}"
"""Goes into records, so that embeddings of different models are never compared."""

MATCH, NO_MATCH = 0.80, 0.60
"""Similarity from which on two voices are one, and below which they are two; between them nobody can tell."""

RATE_HZ = 16_000
MIN_SPEECH_S = 1.6
"""What has to be left once silence is cut out: one window of the network."""

_HOP = 160
_WINDOW = 160  # frames
_STEP = 77  # frames: 1.3 windows a second, as the weights were published with
_MIN_COVERAGE = 0.75  # of the last window
_LEVEL_DB = -30.0
_BATCH = 4
_KEPT = 6  # frames of 30 ms
_TELEPHONE_HZ = 4250.0
_WIDE_DB = (
    -48.0
)  # at least this of all power lies above that; of 124 recordings −39, by telephone at most −56


def embed_voice(samples: Floats, rate_hz: int, *, offline: bool | None = None) -> Floats:
    """The embedding of the voice in a recording with one speaker.

    Args:
        samples: (n,) float32, one channel.
        rate_hz: their sampling rate, 8000…192000.
        offline: as for `likeness.models.fetch`.

    Returns:
        (256,) float32, of length 1, none of it negative.

    Raises:
        NoSpeech: less than 1.6 s of it are louder than silence.
        UsageError: not one channel of numbers.
        ModelMissing, ChecksumMismatch: the network is not here and cannot be fetched.
    """
    windows, _ = embed_windows(samples, rate_hz, offline=offline)
    return _unit(windows.mean(0))


def embed_windows(samples: Floats, rate_hz: int, *, offline: bool | None = None) -> tuple[Floats, Floats]:
    """The embedding of every window of 1.6 s, each 0.77 s after the one before, silence cut out.

    Args: as for `embed_voice`.

    Returns:
        (k, 256) float32 embeddings, and (k,) float32: where each window begins in `samples`, s.

    Raises: as `embed_voice` does.
    """
    sound = resample(samples, rate_hz, RATE_HZ)
    voiced, kept = cut_silence(sound)
    if len(voiced) < MIN_SPEECH_S * RATE_HZ:
        raise NoSpeech(
            f"The recording holds {len(voiced) / RATE_HZ:.1f} s of sound, too little to know a voice by.",
            f"Give at least {MIN_SPEECH_S} s of speech, better 10 s.",
        )
    embeddings, starts = embed_speech(voiced, offline=offline)
    return embeddings, (kept[starts] / np.float32(RATE_HZ)).astype(np.float32)


def embed_speech(speech: Floats, *, offline: bool | None = None) -> tuple[Floats, list[int]]:
    """As `embed_windows`, of sound at 16 kHz from which silence was cut already; starts are samples."""
    speech = _raise_level(speech)
    starts = _window_starts(len(speech))
    end = (starts[-1] + _WINDOW) * _HOP
    speech = np.pad(speech, (0, max(0, end - len(speech))))
    mels = mel_power(speech, RATE_HZ, window=400, hop=_HOP, bands=MELS)
    encoder = _encoder(Access(offline))
    windows = [mels[start : start + _WINDOW] for start in starts]
    batches = (np.stack(windows[at : at + _BATCH]) for at in range(0, len(windows), _BATCH))
    return np.concatenate([encoder.run(batch) for batch in batches]), [start * _HOP for start in starts]


def similarity(a: Floats, b: Floats) -> float:
    """Cosine of the angle between two embeddings, 0 (strangers) … 1 (the same recording).

    Raises:
        UsageError: not embeddings.
    """
    if a.shape != (SIZE,) or b.shape != (SIZE,):
        raise UsageError(f"{a.shape} and {b.shape} are not two voices.", "Give what `embed_voice` returns.")
    product = float(np.dot(a, b)) / (float(np.linalg.norm(a)) * float(np.linalg.norm(b)) or 1.0)
    return min(1.0, max(0.0, product))


def judge(similarity: float) -> Verdict:
    """What a similarity means, by `MATCH` and `NO_MATCH`."""
    if similarity >= MATCH:
        return "match"
    return "no match" if similarity < NO_MATCH else "cannot tell"


def is_narrow_band(samples: Floats, rate_hz: int) -> bool:
    """Whether sound comes through a telephone, or anything else that ends at 4 kHz.

    Such a voice is less like itself than one stranger is like another, so "no match" cannot be said of it.

    Args:
        samples: (n,) float32, one channel.
        rate_hz: their sampling rate.
    """
    power = np.square(np.abs(np.fft.rfft(resample(samples, rate_hz, RATE_HZ))))
    high = float(power[int(len(power) * _TELEPHONE_HZ / (RATE_HZ / 2)) :].sum())
    return high < float(power.sum()) * 10 ** (_WIDE_DB / 10)


def cut_silence(sound: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Leave out pauses, so that only what is said is listened to.

    A frame of 30 ms counts as silence where it is 35 dB below the loud ones (the 95th percentile). What is
    heard keeps 0.18 s around it, so pauses between words stay.

    Args:
        sound: (n,) float32 at 16 kHz.

    Returns:
        (m,) float32 of what was kept, and (m,) int64: where in `sound` each sample was.
    """
    frame = int(0.030 * RATE_HZ)
    count = len(sound) // frame
    power = np.square(sound[: count * frame].reshape(count, frame)).mean(1)
    loud = float(np.percentile(power, 95)) if count else 0.0
    if loud < 1e-10:
        return np.zeros(0, np.float32), np.zeros(0, np.int64)
    heard = (power > loud * 10**-3.5).astype(np.float64)
    near = np.convolve(heard, np.ones(2 * _KEPT + 1))[_KEPT : _KEPT + count] > 0.5
    places = np.flatnonzero(np.repeat(near, frame))
    return sound[places], places


def _raise_level(speech: Floats) -> Floats:
    """Quiet speech is made louder, to an effective value of −30 dB; loud speech stays as it is."""
    level = float(np.sqrt(np.square(speech, dtype=np.float64).mean()))
    return np.asarray(speech * max(1.0, 10 ** (_LEVEL_DB / 20) / max(level, 1e-9)), np.float32)


def _window_starts(samples: int) -> list[int]:
    """The first frame of every window. The last must be covered by three quarters, if there are others."""
    frames = -(-(samples + 1) // _HOP)
    starts = list(range(0, max(1, frames - _WINDOW + _STEP + 1), _STEP))
    if len(starts) > 1 and (samples / _HOP - starts[-1]) / _WINDOW < _MIN_COVERAGE:
        starts.pop()
    return starts


def _unit(vector: Floats) -> Floats:
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


class Encoder:
    """Three LSTM layers, a linear one, and the projection onto the unit sphere.

    Every product is kept so small (up to four windows, gate by gate) that BLAS computes it in the calling
    thread. There are thousands of them, and on a busy machine each would wait for the other threads.

    Args:
        weights: as `load_weights` gives them.
    """

    def __init__(self, weights: dict[str, Floats]) -> None:
        self._layers = [
            (
                _by_gate(weights[f"weight_ih_l{n}"]),
                _by_gate(weights[f"weight_hh_l{n}"]),
                weights[f"bias_l{n}"].reshape(4, 1, 1, SIZE),
            )
            for n in range(LAYERS)
        ]
        self._linear = weights["linear_weight"].T.copy(), weights["linear_bias"]

    def run(self, mels: Floats) -> Floats:
        """(batch, 256) float32 of length 1, from (batch, frames, 40) float32 mel power."""
        # A matrix of one row would be a vector to BLAS, which has another idea of small.
        padded = mels if len(mels) > 1 else np.repeat(mels, 2, axis=0)
        sequence = np.ascontiguousarray(padded.transpose(1, 0, 2))
        for layer in self._layers:
            sequence = _lstm(sequence, *layer)
        weight, bias = self._linear
        raw = np.maximum(sequence[-1] @ weight + bias, 0)[: len(mels)]
        return np.asarray(raw / np.maximum(np.linalg.norm(raw, axis=1, keepdims=True), 1e-9), np.float32)


def _by_gate(weight: Floats) -> Floats:
    """(4, inputs, 256) from (4 · 256, inputs); gates in the order input, forget, cell, output."""
    return np.ascontiguousarray(weight.reshape(4, SIZE, -1).transpose(0, 2, 1))


def _lstm(inputs: Floats, weight_in: Floats, weight_hidden: Floats, bias: Floats) -> Floats:
    """(frames, batch, 256) hidden states."""
    driven = np.matmul(inputs[None], weight_in[:, None]) + bias
    hidden = np.zeros((inputs.shape[1], SIZE), np.float32)
    cell = hidden.copy()
    states = np.empty((len(inputs), *hidden.shape), np.float32)
    for step in range(len(inputs)):
        gates = driven[:, step] + np.matmul(hidden, weight_hidden)
        enter, keep, leave = _sigmoid(gates[0]), _sigmoid(gates[1]), _sigmoid(gates[3])
        cell = keep * cell + enter * np.tanh(gates[2])
        states[step] = hidden = leave * np.tanh(cell)
    return states


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(0.5 * np.tanh(0.5 * x) + 0.5, np.float32)


@cache
def _encoder(access: Access) -> Encoder:
    return Encoder(load_weights(offline=access.offline))
