"""What synthetic speech is found out by: clipping, clicks, holes, and buzz between the words.

Each is a count or a part that is near zero for natural speech; `benchmarks/voice.py` measures how near.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.media.mono import resample
from likeness.speech.measures.delay import HOP_S, level_db
from likeness.speech.pitch import HOP_S as PITCH_HOP_S
from likeness.speech.pitch import follow_pitch
from likeness.types import Floats

_RATE_HZ = 16_000
_CLIPPED_RUN = 3  # samples
_FLAT = 1e-4  # samples of a clipped run differ by less than this part of the peak
_CLICK_TIMES = 25.0  # so many times the power of the strongest within 25 ms around
_CLICK_S, _AROUND_S = 0.001, 0.025
_CLICK_DB = -45.0  # of the sound's loud parts: what is softer is not heard
_HOLE_DB, _HOLE_SIDES_DB = -55.0, -25.0
_HOLE_MIN_S, _HOLE_MAX_S = 0.003, 0.080
_PAUSE_DB, _PAUSE_S, _PAUSE_RIM_S = -32.0, 0.10, 0.03
_BUZZ_DB = -50.0


@dataclass(frozen=True, slots=True)
class Defects:
    """What is wrong with a recording.

    Attributes:
        clipped: 0…1, the part of the samples in runs of three and more that are cut off at one level.
        clicks_per_minute: moments of 1 ms that stick out of the 50 ms around them in the treble.
        holes_per_minute: 3 to 80 ms of (all but) nothing in the middle of sound.
        buzz: 0…1, the part of the pauses in which there is a pitch, loud enough to be heard. None where no
            pause is long enough to tell.
        pause_level_db: how much softer than loud speech the pauses are (median). None likewise.
    """

    clipped: float
    clicks_per_minute: float
    holes_per_minute: float
    buzz: float | None
    pause_level_db: float | None


def find_defects(
    made: Floats, rate_hz: int, source: Floats | None = None, *, offline: bool | None = None
) -> Defects:
    """Listen for what a synthesiser does wrong.

    Args:
        made: (n,) float32, one channel, nominally −1…1.
        source: what it was made from, aligned with it (`delay.align`): tells where the pauses are. Without
            it, buzz that fills all of the pauses is not noticed.

    Raises:
        UsageError, MissingExtra, ModelMissing, ChecksumMismatch
    """
    minutes = max(len(made) / rate_hz / 60, 1e-9)
    made_16k = resample(made, rate_hz, _RATE_HZ)
    source_16k = made_16k if source is None else resample(source, rate_hz, _RATE_HZ)
    buzz, level = measure_pauses(made_16k, source_16k, offline=offline)
    return Defects(
        clipped=measure_clipping(made),
        clicks_per_minute=len(find_clicks(made_16k)) / minutes,
        holes_per_minute=len(find_holes(made_16k)) / minutes,
        buzz=buzz,
        pause_level_db=level,
    )


def measure_clipping(sound: Floats) -> float:
    """0…1, the part of the samples in runs of three and more at the height of the peak, either side."""
    peak = float(np.abs(sound).max(initial=0.0))
    if peak < 0.1:
        return 0.0
    clipped = 0
    for side in (sound, -sound):
        flat = side >= peak * (1 - _FLAT)
        begins, ends = _runs(flat)
        lengths = ends - begins
        clipped += int(lengths[lengths >= _CLIPPED_RUN].sum())
    return clipped / len(sound)


def find_clicks(sound: Floats) -> Floats:
    """When, in s, something clicks: sound at 16 kHz.

    The fourth difference lifts the treble by 24 dB an octave, so that a step or a single wrong sample stands
    out. It is held against the strongest of the 25 ms on either side: pulses of the glottis repeat within
    that time, and bursts of plosives last longer than 1 ms. Natural speech has 2 or 3 such moments a minute
    (lips, tongues); half of the clicks that are 10 dB below the peak are found, in loud vowels none.
    """
    treble = np.diff(sound.astype(np.float64), 4)
    size = round(_CLICK_S * _RATE_HZ)
    count = len(treble) // size
    around = round(_AROUND_S / _CLICK_S)
    if count < 2 * around + 1:
        return np.zeros(0, np.float32)
    peak = np.square(treble[: count * size]).reshape(count, size).max(1)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(peak, around, "reflect"), 2 * around + 1)
    others = np.abs(np.arange(-around, around + 1)) > 1  # the click itself may lie across a border
    usual = windows[:, others].max(1)
    loud = np.percentile(peak, 95)
    stands_out = (peak > _CLICK_TIMES * usual) & (peak > loud * 10 ** (_CLICK_DB / 10))
    begins, _ = _runs(stands_out)
    return (begins * _CLICK_S).astype(np.float32)


def find_holes(sound: Floats) -> Floats:
    """When, in s, the sound at 16 kHz is gone for 3 to 80 ms and back at once, as if something were cut out.

    In a natural closure there is still breath, room and microphone.
    """
    size = round(0.001 * _RATE_HZ)
    count = len(sound) // size
    power = np.square(sound[: count * size], dtype=np.float64).reshape(count, size).mean(1)
    loud = max(float(np.percentile(power, 95)), 1e-12) if count else 1.0
    level = 10 * np.log10(np.maximum(power / loud, 1e-12))
    begins, ends = _runs(level < _HOLE_DB)
    found = []
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        before, after = level[max(0, begin - 5) : begin], level[end : end + 5]
        is_cut = min(before.max(initial=-120), after.max(initial=-120)) > _HOLE_SIDES_DB
        if _HOLE_MIN_S <= (end - begin) * 0.001 <= _HOLE_MAX_S and is_cut:
            found.append(begin * 0.001)
    return np.array(found, np.float32)


def measure_pauses(
    made: Floats, source: Floats, *, offline: bool | None = None
) -> tuple[float | None, float | None]:
    """The part of the source's pauses in which `made` has an audible pitch, and how loud it is in them, dB.

    Args:
        made, source: (n,) float32 at 16 kHz, aligned.
    """
    levels = [_level_db(sound) for sound in (made, source)]
    count = min(map(len, levels))
    pauses = find_pauses(levels[1][:count])
    if not pauses.any():
        return None, None
    pitch = follow_pitch(made, _RATE_HZ, offline=offline)
    frames = np.minimum((np.arange(count) * HOP_S / PITCH_HOP_S).astype(int), len(pitch.confidence) - 1)
    has_pitch = (pitch.confidence[frames] >= 0.5) & (levels[0][:count] > _BUZZ_DB)
    return float(has_pitch[pauses].mean()), float(np.median(levels[0][:count][pauses]))


def find_pauses(level: Floats) -> NDArray[np.bool_]:
    """Which frames of 5 ms lie in a pause of 0.1 s and more, not at its rim; levels are dB of loud speech."""
    is_pause = np.zeros(len(level), bool)
    rim = round(_PAUSE_RIM_S / HOP_S)
    for begin, end in zip(*_runs(level < _PAUSE_DB), strict=True):
        if (end - begin) * HOP_S >= _PAUSE_S:
            is_pause[begin + rim : end - rim] = True
    return is_pause


def _level_db(sound: Floats) -> Floats:
    return level_db(sound, _RATE_HZ, floor_db=90.0)


def _runs(flags: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Begin and end of each stretch that is True."""
    edges = np.diff(np.concatenate(([0], flags.astype(np.int8), [0])))
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
