"""A video with another sound: the sound is marked, the pictures are untouched, and nothing half is left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from likeness.disclosure.disclaimer import SOUNDING_S, chime
from likeness.disclosure.sealed_dub import SealedDub, check_picture, is_dub
from likeness.errors import MediaError, NoVideo, OutputExists, SealFailed, Unsupported, UsageError
from likeness.media.audio import AudioReader
from likeness.media.writer import SoundWriter, VideoWriter
from likeness.types import Floats, Ingredient
from likeness.verification import verify

from .conftest import MakeMaking, moving_picture
from .test_sealed_sound import RATE_HZ, murmur


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Four seconds of 96 by 80 px, with sound."""
    from fractions import Fraction

    from likeness.media.audio import AudioSource

    with SoundWriter(tmp_path / "voice.wav", format="wav", rate_hz=RATE_HZ, channels=1) as writer:
        writer.write(murmur()[:, : 4 * RATE_HZ])
    path = tmp_path / "clip.mp4"
    audio = AudioSource(tmp_path / "voice.wav")
    with VideoWriter(path, format="mp4", width=96, height=80, rate=Fraction(25), audio=audio) as video:
        for index in range(100):
            video.write(moving_picture(index))
    return path


def packets(path: Path) -> list[bytes]:
    """The pictures as they are stored."""
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


def read(path: Path) -> Floats:
    with AudioReader(path, rate_hz=RATE_HZ) as reader:
        return np.concatenate([*reader], axis=1)


def dub(
    clip: Path, out: Path, sound: Floats, making: Any, rate_hz: int = RATE_HZ, **options: Any
) -> SealedDub:
    with SealedDub(out, making, picture=clip, rate_hz=rate_hz, channels=len(sound), **options) as sealed:
        for begin in range(0, sound.shape[1], 5000):
            sealed.write(sound[:, begin : begin + 5000])
    return sealed


@pytest.mark.parametrize("channels", [1, 2])
def test_pictures_are_copied_and_sound_is_marked(
    clip: Path, tmp_path: Path, making: MakeMaking, channels: int
) -> None:
    new = np.tile(murmur()[:, 4 * RATE_HZ : 8 * RATE_HZ], (channels, 1))
    plan = making(act="voice", ingredients=(Ingredient(clip, "source"),))
    sealed = dub(clip, tmp_path / "out.mp4", new, plan).sealed
    assert packets(tmp_path / "out.mp4") == packets(clip)
    sound = read(tmp_path / "out.mp4")
    assert sound.shape[0] == channels
    assert sound.shape[1] == pytest.approx(4 * RATE_HZ, abs=0.1 * RATE_HZ)
    # The notes are heard over the beginning; behind them the sound is as it came.
    notes = chime(RATE_HZ)
    begin = sound[0, : round(SOUNDING_S * RATE_HZ)]
    assert float(notes @ begin / np.linalg.norm(notes) / np.linalg.norm(begin)) > 0.3
    after = slice(2 * RATE_HZ, round(3.8 * RATE_HZ))
    assert np.corrcoef(sound[0, after], new[0, after])[0, 1] > 0.9
    assert sealed.layers == ("disclaimer", "watermark", "credentials")
    found = verify(tmp_path / "out.mp4")
    assert (found.state, found.act, found.watermark.where) == ("valid", "voice", "sound")


def test_sound_that_is_shorter_or_longer(clip: Path, tmp_path: Path, making: MakeMaking) -> None:
    short = dub(clip, tmp_path / "short.mp4", murmur()[:, : RATE_HZ // 2], making(act="voice"))
    assert packets(tmp_path / "short.mp4") == packets(clip)
    assert short.sealed.frames == round(1.5 * RATE_HZ)  # the notes need their time
    dub(clip, tmp_path / "long.mp4", murmur(), making(act="voice"))
    assert packets(tmp_path / "long.mp4") == packets(clip)
    assert read(tmp_path / "long.mp4").shape[1] == pytest.approx(9 * RATE_HZ, abs=0.1 * RATE_HZ)


def test_webm_gets_pictures_it_can_hold(clip: Path, tmp_path: Path, making: MakeMaking) -> None:
    sealed = dub(clip, tmp_path / "out.webm", murmur(), making(act="voice")).sealed
    assert any("encoded anew" in note for note in sealed.notes)
    assert sealed.sidecar is not None
    with av.open(str(tmp_path / "out.webm")) as container:
        assert container.streams.video[0].codec_context.name in ("vp9", "libvpx-vp9")
        assert sum(1 for _ in container.decode(video=0)) == 100


def test_nothing_is_left_of_a_failure(clip: Path, tmp_path: Path, making: MakeMaking) -> None:
    before = set(tmp_path.iterdir())
    for out in ("out.mp4", "out.webm"):
        with (
            pytest.raises(SealFailed),
            SealedDub(
                tmp_path / out, making(act="voice"), picture=clip, rate_hz=RATE_HZ, channels=1
            ) as sound,
        ):
            sound.write(murmur())
            sound.write(np.full((1, 10), np.nan, np.float32))
    assert set(tmp_path.iterdir()) == before


def test_what_cannot_be(clip: Path, tmp_path: Path, making: MakeMaking) -> None:
    assert is_dub(Path("a.MP4"))
    assert is_dub(Path("a.webm"))
    assert not is_dub(Path("a.wav"))
    with pytest.raises(Unsupported):
        SealedDub(tmp_path / "out.mov", making(), picture=clip, rate_hz=RATE_HZ, channels=1)
    with pytest.raises(NoVideo) as refusal:
        check_picture(tmp_path / "voice.wav")
    assert "name the output as a sound" in refusal.value.hint
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(clip.read_bytes()[:-2000])
    with pytest.raises(MediaError):
        check_picture(cut)
    plan = making(act="voice", ingredients=(Ingredient(clip, "source"),))
    with pytest.raises(UsageError):
        dub(clip, clip, murmur(), plan, overwrite=True)
    (tmp_path / "there.mp4").write_bytes(b"old")
    with pytest.raises(OutputExists):
        dub(clip, tmp_path / "there.mp4", murmur(), plan)
    assert (tmp_path / "there.mp4").read_bytes() == b"old"
