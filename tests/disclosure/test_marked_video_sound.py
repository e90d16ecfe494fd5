"""The mark in the sound of a video, put there while it is muxed."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from likeness.disclosure.watermark.audio import AudioMark, find_in_sound
from likeness.media.audio import AudioReader, AudioSource
from likeness.media.writer import SoundWriter, VideoWriter

from .conftest import moving_picture
from .test_sealed_sound import RATE_HZ, murmur

PAYLOAD = 0x14C0FFEE


@pytest.mark.parametrize("name", ["a.mp4", "a.webm"])
def test_it_is_found_and_the_sound_is_in_step(tmp_path: Path, name: str) -> None:
    with SoundWriter(tmp_path / "voice.wav", format="wav", rate_hz=RATE_HZ, channels=1) as writer:
        writer.write(murmur())
    rate, frames = Fraction(25), 225
    with VideoWriter(
        tmp_path / name,
        format="mp4" if name == "a.mp4" else "webm",
        width=96,
        height=80,
        rate=rate,
        audio=AudioSource(tmp_path / "voice.wav"),
        make_sound_layer=lambda rate_hz, channels: AudioMark(rate_hz, channels, PAYLOAD),
    ) as video:
        for index in range(frames):
            video.write(moving_picture(index))

    with AudioReader(tmp_path / name, rate_hz=RATE_HZ) as reader:
        sound = np.concatenate([*reader], axis=1)
    found = find_in_sound(sound, RATE_HZ)
    assert found is not None
    assert found.payload == PAYLOAD
    expected = murmur()[0]
    assert len(sound[0]) == pytest.approx(len(expected), abs=0.08 * RATE_HZ)
    # Where the two fit best, they are less than a frame of 40 ms apart.
    n = 1 << 18
    fit = np.fft.irfft(np.fft.rfft(sound[0], n) * np.conj(np.fft.rfft(expected, n)))
    late = int(fit.argmax())
    assert abs(late if late < n // 2 else late - n) < 0.005 * RATE_HZ
    with av.open(str(tmp_path / name)) as container:
        assert sum(1 for _ in container.decode(video=0)) == frames
