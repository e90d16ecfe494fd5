"""Which parts of recordings are good enough to learn a voice from, and why the others are not.

A file is read by the minute, at its own rate to see clipping and at 16 kHz for the rest, so memory grows with
the speech that is kept and not with the file. What is kept are stretches in which somebody speaks (Silero
VAD), without clipping and above the noise.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

import numpy as np

from likeness.errors import MediaError
from likeness.media.audio import AudioReader
from likeness.media.mono import resample
from likeness.speech.activity import find_speech
from likeness.speech.extra import RATE_HZ
from likeness.speech.pitch import follow_pitch
from likeness.speech.speaker import is_narrow_band
from likeness.types import Floats

Reason: TypeAlias = Literal[
    "cannot be read", "silence", "noise", "music", "clipped", "noisy", "narrow band", "too short",
    "voice not sure", "enough",
]  # fmt: skip

PIECE_S: Final = 60
SHORTEST_S: Final = 0.6
"""A stretch shorter than this is not worth its joins."""
MOST_CLIPPED: Final = 0.03
"""Share of 20 ms frames with a flat top, above which a stretch is left out."""
NARROW_HZ: Final = 12_000
"""Below this sampling rate much of what makes a voice cannot be in a file."""
LEAST_SNR_DB: Final = 10.0
_PAD_S, _FRAME_S = 0.06, 0.02
_FLAT, _RAIL, _QUIETEST_RAIL = 3, 0.999, 0.05
_SILENT = 1e-3
_MIN_NOISE_S, _TONAL = 0.3, 0.35


Inspect: TypeAlias = Callable[[Floats, float], None]


def _trust(_: Floats, __: float) -> None:
    """Finds nothing wrong."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A part of a file that was left out.

    Attributes:
        file: its name.
        begin_s, end_s: the part.
        reason: why.
        detail: the same in words, or with figures; may be empty.
    """

    file: str
    begin_s: float
    end_s: float
    reason: Reason
    detail: str = ""

    @property
    def length_s(self) -> float:
        return self.end_s - self.begin_s


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """A part of a file in which one voice speaks.

    Attributes:
        begin_s: where in the file.
        samples: (n,) float32 at 16 kHz.
    """

    begin_s: float
    samples: Floats

    @property
    def length_s(self) -> float:
        return len(self.samples) / RATE_HZ


@dataclass(frozen=True, slots=True, eq=False)
class Screened:
    """A file, looked through.

    Attributes:
        path: of the file.
        sha256: of its content.
        length_s: how much of it was listened to.
        stretches: what is good.
        dropped: what is not.
    """

    path: Path
    sha256: str
    length_s: float
    stretches: tuple[Stretch, ...]
    dropped: tuple[Dropped, ...]

    @property
    def kept_s(self) -> float:
        """How much is good."""
        return sum(one.length_s for one in self.stretches)

    @property
    def pauses_s(self) -> float:
        """How much was neither kept nor dropped, because nobody spoke."""
        read = [one.length_s for one in self.dropped if one.reason != "enough"]
        return max(0.0, self.length_s - self.kept_s - sum(read))

    def refuse(self, reason: Reason, detail: str = "") -> Screened:
        """The same file, of which nothing is kept."""
        all_of_it = Dropped(self.path.name, 0.0, self.length_s, reason, detail)
        return Screened(self.path, self.sha256, self.length_s, (), (all_of_it,))


def screen(path: Path, *, most_s: float, inspect: Inspect = _trust, offline: bool | None = None) -> Screened:
    """Look through a file for speech to learn from.

    Args:
        path: a recording, or a video with sound.
        most_s: when so much was kept, the rest is not read.
        inspect: looks at every minute of which something is kept, (n,) float32 at 16 kHz and where it begins,
            s; it may refuse the file by raising an error.
        offline: as for `likeness.models.fetch`.

    Returns:
        What is kept and what is dropped. A file that cannot be read is dropped, too.

    Raises:
        MissingExtra, ModelMissing, ChecksumMismatch
    """
    pieces = _Pieces(path, inspect, offline)
    try:
        with AudioReader(path) as reader:
            for piece in _by_the_minute(reader):
                if pieces.kept_s >= most_s:
                    end_s = pieces.at_s + piece.shape[1] / reader.rate_hz
                    pieces.dropped.append(
                        Dropped(path.name, pieces.at_s, end_s, "enough", "and what follows")
                    )
                    break
                pieces.take(piece, reader.rate_hz)
        sha256 = sha256_of(path)
    except MediaError as error:
        why = error.what.replace(f"{path} ", "it ", 1)  # which file it is, is said already
        return Screened(path, "", 0.0, (), (Dropped(path.name, 0.0, 0.0, "cannot be read", why),))
    screened = Screened(path, sha256, pieces.at_s, tuple(pieces.stretches), tuple(pieces.dropped))
    if not screened.stretches and not screened.dropped:
        return screened.refuse(pieces.why_nothing())
    if screened.stretches and (pieces.rate_hz < NARROW_HZ or _is_dull(screened)):
        return screened.refuse("narrow band", "nothing above 4 kHz, as on a telephone or at 8 kHz")
    return screened


def _is_dull(screened: Screened) -> bool:
    return is_narrow_band(np.concatenate([one.samples for one in screened.stretches]), RATE_HZ)


class _Pieces:
    """What is found in a file, minute by minute."""

    def __init__(self, path: Path, inspect: Inspect, offline: bool | None) -> None:
        self._path, self._inspect, self._offline = path, inspect, offline
        self.stretches: list[Stretch] = []
        self.dropped: list[Dropped] = []
        self.at_s = self.kept_s = 0.0
        self.rate_hz = 0
        self._peak, self._is_tonal = 0.0, False

    def take(self, piece: Floats, rate_hz: int) -> None:
        """The next minute, (channels, n) float32."""
        self.rate_hz = rate_hz
        mono = resample(np.nan_to_num(piece.mean(0)), rate_hz, RATE_HZ)
        self._peak = max(self._peak, float(np.abs(mono).max(initial=0)))
        found = find_speech(mono, RATE_HZ, offline=self._offline) if self._peak >= _SILENT else []
        if not found and self._peak >= _SILENT:
            self._is_tonal = self._is_tonal or _is_tonal(mono, self._offline)
        kept, left = _sort(self._path.name, self.at_s, piece, rate_hz, mono, found)
        if kept:
            self._inspect(mono, self.at_s)
        self.stretches += kept
        self.dropped += left
        self.kept_s += sum(one.length_s for one in kept)
        self.at_s += len(mono) / RATE_HZ

    def why_nothing(self) -> Reason:
        """Why there is no speech in it."""
        if self._peak < _SILENT:
            return "silence"
        return "music" if self._is_tonal else "noise"


def _by_the_minute(reader: AudioReader) -> Iterator[Floats]:
    """(channels, n) float32, a minute each."""
    held: list[Floats] = []
    count, length = 0, PIECE_S * reader.rate_hz
    for block in reader:
        held.append(block)
        count += block.shape[1]
        if count >= length:
            joined = np.concatenate(held, axis=1)
            yield joined[:, :length]
            held, count = [joined[:, length:]], count - length
    if count:
        yield np.concatenate(held, axis=1)


def _sort(
    name: str, at_s: float, piece: Floats, rate_hz: int, mono: Floats, found: list[tuple[float, float]]
) -> tuple[list[Stretch], list[Dropped]]:
    """The stretches of one piece that are good, and those that are not."""
    flat = flat_tops(piece, rate_hz)
    noise = _noise_power(mono, found)
    kept, dropped = [], []
    for begin_s, end_s in found:
        begin = max(0, int((begin_s - _PAD_S) * RATE_HZ))
        samples = mono[begin : int((end_s + _PAD_S) * RATE_HZ)]
        place = name, at_s + begin / RATE_HZ, at_s + (begin + len(samples)) / RATE_HZ
        clipped = float(
            flat[int(begin_s / _FRAME_S) : max(1, int(end_s / _FRAME_S))].mean() if len(flat) else 0
        )
        snr_db = 10 * np.log10((float(np.square(samples).mean()) + 1e-12) / (noise + 1e-12))
        if len(samples) < SHORTEST_S * RATE_HZ:
            dropped.append(Dropped(*place, "too short"))
        elif clipped > MOST_CLIPPED:
            dropped.append(Dropped(*place, "clipped", f"{clipped:.0%} of it"))
        elif snr_db < LEAST_SNR_DB:
            dropped.append(
                Dropped(*place, "noisy", f"only {snr_db:.0f} dB above what is heard in its pauses")
            )
        else:
            kept.append(Stretch(place[1], samples))
    return kept, dropped


def flat_tops(piece: Floats, rate_hz: int) -> Floats:
    """Which frames of 20 ms were too loud for the recorder, (k,) float32 of 0 or 1.

    Such a frame has three neighbouring samples or more at the loudest value of all, or beyond 0.999.

    Args:
        piece: (channels, n) float32.
    """
    frame = int(_FRAME_S * rate_hz)
    count = piece.shape[1] // frame
    found = np.zeros(count, np.float32)
    for channel in piece:
        peak = float(np.abs(channel).max(initial=0))
        if not peak >= _QUIETEST_RAIL:
            continue
        at_rail = np.abs(channel) >= min(_RAIL, peak * (1 - 1e-5))
        runs = np.convolve(at_rail, np.ones(_FLAT), "same") > _FLAT - 0.5
        found = np.maximum(found, runs[: count * frame].reshape(count, frame).any(1))
    return found.astype(np.float32)


def _noise_power(mono: Floats, found: list[tuple[float, float]]) -> float:
    """The power of quiet 20 ms (20th percentile) where nobody speaks; 0 where somebody speaks throughout.

    Not their median: in between lie breaths, and words too short to be found.
    """
    frame = int(_FRAME_S * RATE_HZ)
    count = len(mono) // frame
    power = np.square(mono[: count * frame]).reshape(count, frame).mean(1)
    quiet = np.ones(count, bool)
    for begin_s, end_s in found:
        quiet[int((begin_s - 0.1) / _FRAME_S if begin_s > 0.1 else 0) : int((end_s + 0.1) / _FRAME_S) + 1] = (
            False
        )
    return float(np.percentile(power[quiet], 20)) if quiet.sum() * _FRAME_S >= _MIN_NOISE_S else 0.0


def _is_tonal(mono: Floats, offline: bool | None) -> bool:
    """Whether tones are heard, as of music, rather than noise."""
    if float(np.abs(mono).max(initial=0)) < _SILENT:
        return False
    voiced = follow_pitch(mono, RATE_HZ, offline=offline).confidence
    return len(voiced) > 0 and float((voiced >= 0.5).mean()) > _TONAL


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
