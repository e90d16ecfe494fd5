"""What somebody does before the camera: speaks in phrases, blinks, looks about, moves the head."""

from __future__ import annotations

import cv2
import numpy as np

from synthetic_people.anatomy import Floats
from synthetic_people.head import Moment

RATE = 25
SOUNDS: tuple[dict[str, float], ...] = (
    {"jawOpen": 0.55, "mouthLowerDown": 0.25},  # a
    {"jawOpen": 0.30, "mouthStretch": 0.35, "mouthUpperUp": 0.2, "mouthLowerDown": 0.3},  # e
    {"jawOpen": 0.12, "mouthStretch": 0.4, "mouthSmile": 0.2, "mouthLowerDown": 0.35},  # i
    {"jawOpen": 0.35, "mouthFunnel": 0.6},  # o
    {"jawOpen": 0.15, "mouthPucker": 0.6, "mouthFunnel": 0.3},  # u
    {"mouthPress": 0.35, "mouthRollLower": 0.3, "mouthRollUpper": 0.2},  # m, b, p
    {"jawOpen": 0.08, "mouthRollLower": 0.35, "mouthUpperUp": 0.25},  # f, v
    {"jawOpen": 0.18, "mouthShrugUpper": 0.15, "mouthLowerDown": 0.15},  # t, d, n
)
PAIRED = ("mouthLowerDown", "mouthStretch", "mouthUpperUp", "mouthSmile", "mouthPress", "eyeBlink",
          "eyeSquint", "eyeWide", "browDown", "browOuterUp", "cheekSquint")  # fmt: skip
SYLLABLE_S = 0.21
CLOSED = (0.4, 0.9, 1.0, 0.85, 0.45, 0.15)
"""Lids in the frames of a blink."""


def perform(seed: int, frames: int) -> list[Moment]:
    """The first so many frames of a performance, at 25 a second: a longer one begins in the same way."""
    chance = np.random.default_rng([seed, 3])
    # In seconds of their own, so that what comes does not depend on how much is asked for.
    longest = max(2 * RATE * 60, frames)
    tracks: dict[str, Floats] = {}
    _speak(tracks, chance, longest)
    _blink(tracks, chance, longest)
    _look(tracks, chance, longest)
    brows, smile = (np.clip(_wander(chance, longest, 1.5) - 0.3, 0, 1.2) for _ in range(2))
    frown = np.clip(_wander(chance, longest, 2.0) - 0.8, 0, 1)
    slow = {"browInnerUp": 0.5 * brows, "browOuterUp": 0.45 * brows, "browDown": 0.6 * frown}
    slow |= {"mouthSmile": 0.45 * smile, "cheekSquint": 0.4 * smile}
    for name, track in slow.items():
        tracks[name] = tracks.get(name, np.zeros(longest, np.float32)) + track
    yaw = np.radians(11) * _wander(chance, longest, 1.4) + np.radians(2) * _wander(chance, longest, 0.3)
    pitch = np.radians(5) * _wander(chance, longest, 1.1) + np.radians(1.5) * _wander(chance, longest, 0.25)
    roll = np.radians(3.5) * _wander(chance, longest, 1.6)
    x, y = 0.10 * _wander(chance, longest, 1.5), 0.05 * _wander(chance, longest, 1.5)
    return [
        Moment(
            _units({name: float(np.clip(track[n], 0, 1)) for name, track in tracks.items()}),
            *(float(track[n]) for track in (yaw, pitch, roll, x, y)),
        )
        for n in range(frames)
    ]


def _speak(tracks: dict[str, Floats], chance: np.random.Generator, frames: int) -> None:
    """Syllables in phrases of some seconds, with pauses; each sound glides into the next."""
    at, until = chance.uniform(0.2, 0.8), 0.0
    phrase_end = at + chance.uniform(2, 5)
    times = np.arange(frames) / RATE
    while at < frames / RATE:
        if at > phrase_end:
            at += chance.uniform(0.4, 1.2)
            phrase_end = at + chance.uniform(2, 5)
        for sound, shift in ((chance.integers(5, 8), 0.0), (chance.integers(0, 5), 0.45 * SYLLABLE_S)):
            strength, width = chance.uniform(0.6, 1.15), 0.055 * chance.uniform(0.8, 1.4)
            near = slice(*np.searchsorted(times, [at + shift - 0.3, at + shift + 0.3]))
            bell = strength * np.exp(-0.5 * ((times[near] - at - shift) / width) ** 2)
            for name, share in SOUNDS[int(sound)].items():
                tracks.setdefault(name, np.zeros(frames, np.float32))[near] += share * bell
        until = at
        at = until + SYLLABLE_S * chance.uniform(0.75, 1.4)


def _blink(tracks: dict[str, Floats], chance: np.random.Generator, frames: int) -> None:
    lids = np.zeros(frames + len(CLOSED), np.float32)
    at = int(chance.uniform(10, 60))
    while at < frames:
        lids[at : at + len(CLOSED)] = CLOSED
        at += int(chance.uniform(1.2, 4.5) * RATE)
    tracks["eyeBlink"] = lids[:frames]


def _look(tracks: dict[str, Floats], chance: np.random.Generator, frames: int) -> None:
    """Glances that jump and stay for a while."""
    gaze = np.zeros((frames, 2), np.float32)
    at = 0
    while at < frames:
        until = at + int(chance.uniform(0.4, 2.5) * RATE)
        gaze[at:until] = chance.normal(0, [0.35, 0.2]) * (chance.random() < 0.7)
        at = until
    gaze = cv2.blur(gaze, (1, 2), borderType=cv2.BORDER_REPLICATE)
    left, right, up, down = (
        np.clip(part, 0, 1) for part in (gaze[:, 0], -gaze[:, 0], gaze[:, 1], -gaze[:, 1])
    )
    tracks |= {
        "eyeLookOutLeft": left,
        "eyeLookInRight": left,
        "eyeLookInLeft": right,
        "eyeLookOutRight": right,
    }
    for side in ("Left", "Right"):
        tracks |= {f"eyeLookUp{side}": up, f"eyeLookDown{side}": down}


def _wander(chance: np.random.Generator, frames: int, pace_s: float) -> Floats:
    """(frames,) of mean 0 and deviation of about 1 that turns smoothly, at this pace."""
    knots = chance.normal(size=(int(frames / RATE / pace_s) + 4, 1)).astype(np.float32)
    smooth = cv2.resize(knots, (1, int(len(knots) * pace_s * RATE)), interpolation=cv2.INTER_CUBIC)
    return np.asarray(smooth[:frames, 0], np.float32)


def _units(shares: dict[str, float]) -> dict[str, float]:
    """ARKit's names, in which most units have a left and a right one."""
    units: dict[str, float] = {}
    for name, share in shares.items():
        for side in ("Left", "Right") if name in PAIRED else ("",):
            units[name + side] = share
    return units
