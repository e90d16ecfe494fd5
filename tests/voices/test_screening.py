"""What is good enough to learn a voice from, and why the rest is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from likeness.errors import EvidenceRefused
from likeness.types import Floats
from likeness.voices.screening import Screened, flat_tops, screen

from ..voice_people import RATE_HZ, speech, write_sound

NOISE = np.random.default_rng(3).normal(0, 0.1, 6 * RATE_HZ).astype(np.float32)
TIME_S = np.arange(6 * RATE_HZ) / RATE_HZ


def tune() -> Floats:
    """Chords that change twice a second."""
    notes = np.array([220, 262, 330, 392, 440, 523])[(2 * TIME_S).astype(int) % 6]
    sound = sum(np.sin(2 * np.pi * np.cumsum(k * notes) / RATE_HZ) / k for k in (1, 2, 3, 4))
    return np.asarray(0.15 * sound, np.float32)


def reasons(found: Screened) -> set[str]:
    return {one.reason for one in found.dropped}


def look(path: Path, **options: object) -> Screened:
    return screen(path, most_s=1800, **options)  # type: ignore[arg-type]


def test_speech_is_kept(tmp_path: Path) -> None:
    found = look(write_sound(tmp_path / "a.wav", speech()))
    assert found.dropped == ()
    assert 8 < found.kept_s < len(speech()) / RATE_HZ
    assert found.length_s == pytest.approx(len(speech()) / RATE_HZ, abs=0.01)
    # What is kept is where it says that it is.
    for stretch in found.stretches:
        begin = round(stretch.begin_s * RATE_HZ)
        np.testing.assert_allclose(stretch.samples, speech()[begin : begin + len(stretch.samples)], atol=1e-3)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: np.zeros(4 * RATE_HZ, np.float32), "silence"),
        (lambda: NOISE, "noise"),
        (tune, "music"),
    ],
)
def test_no_speech(tmp_path: Path, make: Callable[[], Floats], reason: str) -> None:
    found = look(write_sound(tmp_path / "a.wav", make()))
    assert found.kept_s == 0
    assert reasons(found) == {reason}


def test_clipped(tmp_path: Path) -> None:
    loud = np.clip(speech() * 6, -1, 1)
    found = look(write_sound(tmp_path / "a.wav", loud))
    assert "clipped" in reasons(found)
    assert found.kept_s < 3
    # Also where it was turned down afterwards.
    again = look(write_sound(tmp_path / "b.wav", 0.4 * loud))
    assert "clipped" in reasons(again)


def test_noisy(tmp_path: Path) -> None:
    hiss = np.random.default_rng(1).normal(0, 0.03, len(speech())).astype(np.float32)
    found = look(write_sound(tmp_path / "a.wav", speech() + hiss))
    assert reasons(found) <= {"noisy", "too short", "noise"}
    assert found.kept_s < 3


def test_telephone(tmp_path: Path) -> None:
    from likeness.media.mono import resample

    found = look(write_sound(tmp_path / "a.wav", resample(speech(), RATE_HZ, 8000), 8000))
    assert reasons(found) == {"narrow band"}
    assert found.stretches == ()


@pytest.mark.parametrize("channels", [2, 6])
@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_channels_and_rates(tmp_path: Path, channels: int, rate_hz: int) -> None:
    from likeness.media.mono import resample

    sound = np.tile(resample(speech(), RATE_HZ, rate_hz) / 2, (channels, 1))
    found = look(write_sound(tmp_path / "a.wav", sound, rate_hz))
    assert found.dropped == ()
    assert found.kept_s == pytest.approx(look(write_sound(tmp_path / "b.wav", speech())).kept_s, abs=0.5)


def test_damaged(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF nothing")
    found = look(tmp_path / "a.wav")
    assert reasons(found) == {"cannot be read"}
    assert found.dropped[0].detail


def test_enough_is_enough(tmp_path: Path) -> None:
    three_minutes = np.tile(speech(), 14)
    read: list[float] = []
    path = write_sound(tmp_path / "a.wav", three_minutes)
    found = screen(path, most_s=60, inspect=lambda mono, at_s: read.append(at_s))
    assert reasons(found) == {"enough"}
    assert read == [0.0, 60.0]
    assert found.length_s == 120


def test_inspection_may_refuse(tmp_path: Path) -> None:
    def refuse(mono: Floats, at_s: float) -> None:
        raise EvidenceRefused("no", "no")

    with pytest.raises(EvidenceRefused):
        look(write_sound(tmp_path / "a.wav", speech()), inspect=refuse)


def test_flat_tops_are_found_where_they_are() -> None:
    sound = (0.3 * np.sin(2 * np.pi * 200 * TIME_S)).astype(np.float32)[None]
    assert flat_tops(sound, RATE_HZ).sum() == 0  # a tone has round tops
    sound[0, RATE_HZ : 2 * RATE_HZ] = np.clip(3 * sound[0, RATE_HZ : 2 * RATE_HZ], -0.5, 0.5)
    flat = flat_tops(sound, RATE_HZ)
    assert flat[50:100].all()
    assert not flat[:50].any()
    assert not flat[100:].any()
