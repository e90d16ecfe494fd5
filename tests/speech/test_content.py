"""What is said, apart from who says it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from likeness.errors import ModelFormat
from likeness.media.mono import read_mono
from likeness.speech.content import SIZE, convert, encode_content
from likeness.types import Floats


@pytest.fixture(scope="module")
def speech(shared: Path) -> Floats:
    """(n,) at 16 kHz: a real voice, 9 s."""
    path = shared / "media" / "speech" / "libri_2033_f0-162" / "resem__2033-164914-0000.flac"
    return read_mono(path, rate_hz=16_000, max_s=60)


@pytest.mark.parametrize("length", [0, 100, 3200, 3519, 3520])
def test_fifty_frames_a_second(length: int) -> None:
    noise = np.random.default_rng(0).standard_normal(length, np.float32) * np.float32(0.1)
    content = encode_content(noise, 16_000)
    assert content.shape == (length // 320 + 1, SIZE)
    assert content.dtype == np.float32
    assert np.isfinite(content).all()


def test_pieces_join_without_a_seam(speech: Floats) -> None:
    long = np.tile(speech[: len(speech) // 320 * 320], 3)  # 27 s: more than one piece
    content = encode_content(long, 16_000)
    seam = slice(900, 1100)
    alone = encode_content(long[700 * 320 : 1300 * 320], 16_000)[200:400]
    error = np.linalg.norm(content[seam] - alone, axis=1) / np.linalg.norm(alone, axis=1)
    assert np.median(error) < 0.05
    assert error.max() < 0.3


def test_speech_is_told_apart(speech: Floats) -> None:
    """Frames next to each other are alike, frames far from each other are not."""
    content = encode_content(speech, 16_000)
    unit = content / np.linalg.norm(content, axis=1, keepdims=True)
    assert np.mean(np.sum(unit[1:] * unit[:-1], axis=1)) > 0.5
    assert np.mean(np.sum(unit[100:] * unit[:-100], axis=1)) < 0.45


@pytest.mark.parametrize("data", [b"", b"HAMAPK", b"HAMAPK" + bytes(100), b"\x80\x04K\x01."])
def test_another_file_is_refused(data: bytes) -> None:
    with pytest.raises(ModelFormat):
        convert(data)
