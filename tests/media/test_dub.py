"""A video's pictures beside another sound."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from likeness.errors import OutputError
from likeness.media.writer import DubWriter, VideoWriter, can_copy

RATE = 48_000


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of H.264, each picture of another grey."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    with VideoWriter(path, format="mp4", width=64, height=48, rate=Fraction(25)) as writer:
        for number in range(50):
            writer.write(np.full((48, 64, 3), 5 * number, np.uint8))
    return path


def packets(path: Path) -> list[tuple[Fraction, bytes]]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [(one.pts * one.time_base, bytes(one)) for one in container.demux(stream) if one.size]


@pytest.mark.parametrize("sound_s", [0.5, 3.0])
def test_pictures_are_copied_bit_by_bit(clip: Path, tmp_path: Path, sound_s: float) -> None:
    """Also those that have no sound any more."""
    out = tmp_path / "out.mp4"
    assert can_copy(clip, "mp4")
    writer = DubWriter(out, format="mp4", source=clip, rate_hz=RATE, channels=1)
    tone = (0.3 * np.sin(np.arange(round(sound_s * RATE)) / 20)).astype(np.float32)[None]
    for start in range(0, tone.shape[1], 7000):
        writer.write(tone[:, start : start + 7000])
    writer.close()
    writer.close()
    assert packets(out) == packets(clip)
    assert len(packets(out)) == 50
    with av.open(str(out)) as container:
        sound = np.concatenate([one.to_ndarray() for one in container.decode(audio=0)], axis=1)
    assert sound.shape[1] / RATE == pytest.approx(sound_s, abs=0.06)
    assert sound.std() == pytest.approx(0.3 / 2**0.5, rel=0.1)


def test_pictures_that_the_format_cannot_hold_are_refused(clip: Path, tmp_path: Path) -> None:
    assert not can_copy(clip, "webm")
    with pytest.raises(OutputError):
        DubWriter(tmp_path / "out.webm", format="webm", source=clip, rate_hz=RATE, channels=1)


def test_an_abandoned_output_can_be_deleted(clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    writer = DubWriter(out, format="mp4", source=clip, rate_hz=RATE, channels=2)
    writer.write(np.zeros((2, 4800), np.float32))
    writer.abandon()
    writer.abandon()
    writer.close()
    out.unlink()
