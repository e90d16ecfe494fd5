from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.errors import MediaNotFound, NoAudio, TooLarge, Unreadable, UsageError
from likeness.media.mono import read_mono, resample
from likeness.types import Floats


def tone(seconds: float, rate_hz: int, hz: float = 440.0) -> Floats:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate_hz)) / rate_hz)).astype(np.float32)


def write_wav(path: Path, samples: Floats, rate_hz: int) -> Path:
    """(n,) or (n, channels) to 16 bits."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1 if samples.ndim == 1 else samples.shape[1], 2, rate_hz, 0, "NONE", ""))
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


def test_stereo_is_mixed_and_resampled(tmp_path: Path) -> None:
    sound = tone(1.0, 44_100)
    path = write_wav(tmp_path / "a.wav", np.stack((sound, np.zeros_like(sound)), 1), 44_100)
    found = read_mono(path, rate_hz=16_000, max_s=2)
    assert found.dtype == np.float32
    assert abs(len(found) - 16_000) <= 64
    middle = slice(2000, 14_000)
    gain = np.dot(found[middle], tone(1.0, 16_000)[middle]) / np.dot(*[tone(1.0, 16_000)[middle]] * 2)
    assert gain == pytest.approx(0.5, abs=0.25)  # FFmpeg keeps power or amplitude


def test_what_is_too_long_is_refused_or_cut(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", tone(3.0, 16_000), 16_000)
    with pytest.raises(TooLarge):
        read_mono(path, rate_hz=16_000, max_s=2)
    assert len(read_mono(path, rate_hz=16_000, max_s=2, cut=True)) == 32_000
    assert len(read_mono(path, rate_hz=16_000, max_s=3)) == 48_000


def test_what_is_no_sound_is_refused(tmp_path: Path, hopper_path: Path) -> None:
    with pytest.raises(MediaNotFound):
        read_mono(tmp_path / "none.wav", rate_hz=16_000, max_s=2)
    (tmp_path / "noise.wav").write_bytes(b"RIFF" + bytes(500))
    with pytest.raises((Unreadable, NoAudio)):
        read_mono(tmp_path / "noise.wav", rate_hz=16_000, max_s=2)
    with pytest.raises(NoAudio):
        read_mono(hopper_path, rate_hz=16_000, max_s=2)


def test_samples_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    data = np.full(8000, np.nan, "<f4").tobytes()
    head = b"fmt " + (16).to_bytes(4, "little") + b"\x03\0\x01\0" + (8000).to_bytes(4, "little")
    head += (32_000).to_bytes(4, "little") + b"\x04\0\x20\0"
    body = b"WAVE" + head + b"data" + len(data).to_bytes(4, "little") + data
    (tmp_path / "nan.wav").write_bytes(b"RIFF" + len(body).to_bytes(4, "little") + body)
    with pytest.raises(Unreadable, match="no numbers"):
        read_mono(tmp_path / "nan.wav", rate_hz=8000, max_s=2)


@pytest.mark.parametrize(("rate_hz", "max_s"), [(100, 1), (10**6, 1), (16_000, 0), (16_000, 1e9)])
def test_rates_and_lengths_out_of_range_are_refused(tmp_path: Path, rate_hz: int, max_s: float) -> None:
    path = write_wav(tmp_path / "a.wav", tone(0.5, 16_000), 16_000)
    with pytest.raises(UsageError):
        read_mono(path, rate_hz=rate_hz, max_s=max_s)


@settings(max_examples=20)
@given(st.integers(0, 5000), st.sampled_from([8000, 16_000, 44_100]), st.sampled_from([8000, 16_000, 48_000]))
def test_resampling_keeps_the_length(count: int, from_hz: int, to_hz: int) -> None:
    found = resample(np.ones(count, np.float32), from_hz, to_hz)
    assert len(found) == round(count * to_hz / from_hz)


def test_resampling_keeps_the_tone() -> None:
    found = resample(tone(1.0, 48_000), 48_000, 16_000)
    np.testing.assert_allclose(found[500:15_000], tone(1.0, 16_000)[500:15_000], atol=0.01)


def test_resampling_wants_one_channel_of_numbers() -> None:
    for wrong in (np.zeros((2, 5), np.float32), np.array([np.inf], np.float32)):
        with pytest.raises(UsageError):
            resample(wrong, 16_000, 8000)
