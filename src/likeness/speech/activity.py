"""Where somebody speaks, by Silero VAD."""

from __future__ import annotations

import itertools

import numpy as np

from likeness.speech.extra import RATE_HZ, run_network, to_listen
from likeness.types import Floats

MODEL = "voice-activity"
FRAME_S = 512 / RATE_HZ
_FRAME, _BEFORE = 512, 64  # samples of a frame, and of the one before that are heard with it
_BLOCK = 512  # frames at once
_ON, _OFF = 0.5, 0.35  # speech begins where it is likelier than the one, and ends below the other
_MIN_PAUSE_S, _MIN_SPEECH_S = 0.3, 0.25


def speech_probability(samples: Floats, rate_hz: int, *, offline: bool | None = None) -> Floats:
    """How likely somebody speaks, frame by frame of 32 ms.

    Args:
        samples: (n,) float32, one channel, nominally −1…1.
        rate_hz: their sampling rate.
        offline: as for `likeness.models.fetch`.

    Returns:
        (k,) float32, 0…1; the last frame may be filled up with silence.

    Raises:
        UsageError: not one channel of numbers.
        MissingExtra, ModelMissing, ChecksumMismatch
    """
    sound = to_listen(samples, rate_hz)
    count = -(-len(sound) // _FRAME)
    padded = np.pad(sound, (_BEFORE, count * _FRAME - len(sound)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _BEFORE + _FRAME)[::_FRAME] if count else padded
    hidden = cell = np.zeros((1, 1, 128), np.float32)
    answers = [np.zeros(0, np.float32)]
    for begin in range(0, count, _BLOCK):
        inputs = {"input": np.ascontiguousarray(frames[begin : begin + _BLOCK]), "h": hidden, "c": cell}
        likely, hidden, cell = run_network(MODEL, inputs, offline=offline)
        answers.append(likely)
    return np.concatenate(answers)


def find_speech(samples: Floats, rate_hz: int, *, offline: bool | None = None) -> list[tuple[float, float]]:
    """The stretches in which somebody speaks, as (begin, end) in seconds, in order.

    Pauses below 0.3 s are spoken over, and sounds below 0.25 s are no speech.

    Args, Raises: as `speech_probability`.
    """
    likely = speech_probability(samples, rate_hz, offline=offline)
    stretches: list[tuple[float, float]] = []
    for begin_s, end_s in _runs(likely):
        if stretches and begin_s - stretches[-1][1] < _MIN_PAUSE_S:
            begin_s = stretches.pop()[0]
        stretches.append((begin_s, end_s))
    return [(begin_s, end_s) for begin_s, end_s in stretches if end_s - begin_s >= _MIN_SPEECH_S]


def _runs(likely: Floats) -> list[tuple[float, float]]:
    """Begin and end, s, of what lies above two thresholds (hysteresis)."""
    speaking, states = False, []
    for probability in likely.tolist():
        speaking = probability >= (_OFF if speaking else _ON)
        states.append(speaking)
    runs, at = [], 0
    for state, group in itertools.groupby(states):
        length = len(list(group))
        if state:
            runs.append((at * FRAME_S, (at + length) * FRAME_S))
        at += length
    return runs
