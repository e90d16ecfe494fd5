"""Sound and picture stay together: flashes and clicks that belong together, measured in what was written."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from likeness.media import AudioSource, VideoReader
from likeness.media.writer import VideoWriter

NTSC = Fraction(30000, 1001)
TOLERANCE_S = 0.005  # a frame is 33 ms


def flashing(rate: Fraction, frames: int, every_s: Fraction) -> tuple[list[np.ndarray], list[float]]:
    """Dark frames with a bright one at (about) every so many seconds, and the exact times of those."""
    bright = {round(number * every_s * rate) for number in range(1, int(frames / rate / every_s) + 1)}
    bright = {index for index in bright if index < frames}
    dark, light = np.full((2, 16, 32, 3), [[[[20]]], [[[235]]]], np.uint8)
    return [light if n in bright else dark for n in range(frames)], sorted(
        float(index / rate) for index in bright
    )


def flashes_s(path: Path) -> list[float]:
    with VideoReader(path) as video:
        return [float(frame.time_s) for frame in video if frame.image.mean() > 128]


def copy(source: Path, out: Path, audio: AudioSource | None, **part: Any) -> Path:
    """What a pipeline does: frames through, sound beside."""
    with VideoReader(source, **part) as video:
        wishes: dict[str, Any] = {"format": out.suffix[1:], "rate": video.info.rate, "audio": audio}
        with VideoWriter(out, width=video.info.width, height=video.info.height, **wishes) as writer:
            for frame in video:
                writer.write(frame.image)
    return out


def assert_in_sync(clips: Any, path: Path, expected_s: list[float]) -> None:
    sound, rate_hz = clips.sound_of(path)
    np.testing.assert_allclose(flashes_s(path), expected_s, atol=TOLERANCE_S)
    np.testing.assert_allclose(clips.onsets_s(sound, rate_hz), expected_s, atol=TOLERANCE_S)


SOURCES = [
    ("a.mp4", "libx264", "aac", 44100),
    ("a.mkv", "libx264", "pcm_s16le", 22050),
    ("a.webm", "libvpx-vp9", "libopus", 48000),
    ("a.mpg", "mpeg2video", "mp2", 48000),
    ("a.ts", "libx264", "aac", 48000),
]


@pytest.mark.parametrize("out", ["o.mp4", "o.webm"])
@pytest.mark.parametrize(("name", "codec", "sound_codec", "rate_hz"), SOURCES)
def test_in_sync(
    clips: Any, tmp_path: Path, name: str, codec: str, sound_codec: str, rate_hz: int, out: str
) -> None:
    pictures, times = flashing(NTSC, 240, Fraction(3, 2))
    sound = clips.clicks(240 / float(NTSC), rate_hz, times)
    source = clips.make(
        name, pictures, rate=NTSC, codec=codec, sound=sound, sound_codec=sound_codec, sound_rate_hz=rate_hz
    )
    assert_in_sync(clips, copy(source, tmp_path / out, AudioSource(source)), times)


@pytest.mark.parametrize("out", ["o.mp4", "o.webm"])
@pytest.mark.parametrize("start_s", [Fraction(1, 100), Fraction(2), Fraction(5)])
def test_in_sync_after_cutting(clips: Any, tmp_path: Path, start_s: Fraction, out: str) -> None:
    pictures, times = flashing(NTSC, 300, Fraction(3, 2))
    source = clips.make(
        "a.mp4", pictures, rate=NTSC, sound=clips.clicks(10, 44100, times), options={"g": "50"}
    )
    with VideoReader(source, start_s=start_s) as video:
        first_s = video.start_s
    path = copy(source, tmp_path / out, AudioSource(source, start_s=first_s), start_s=start_s)
    assert_in_sync(clips, path, [time - float(first_s) for time in times if time >= first_s])


@pytest.mark.parametrize(("sound_start_s", "video_start_s"), [(1.4, 0), (0, Fraction(4, 5)), (0.05, 0)])
def test_in_sync_when_one_begins_later(
    clips: Any, tmp_path: Path, sound_start_s: float, video_start_s: Fraction
) -> None:
    pictures, times = flashing(Fraction(25), 150, Fraction(2))
    at_s = [time + float(video_start_s) - sound_start_s for time in times]
    source = clips.make(
        "a.mp4",
        pictures,
        sound=clips.clicks(7, 44100, at_s),
        sound_start_s=sound_start_s,
        start_s=video_start_s,
    )
    assert_in_sync(clips, copy(source, tmp_path / "o.mp4", AudioSource(source)), times)


def test_other_sound(clips: Any, tmp_path: Path) -> None:
    pictures, times = flashing(Fraction(25), 100, Fraction(1))
    silent = clips.make("a.mp4", pictures)
    sound = clips.make_sound("a.mp3", clips.clicks(4, 32000, times), codec="libmp3lame", rate_hz=32000)
    assert_in_sync(clips, copy(silent, tmp_path / "o.mp4", AudioSource(sound)), times)


def test_aac_is_copied_and_other_sound_is_not(clips: Any, tmp_path: Path) -> None:
    """Every encoding costs quality: what fits goes over bit by bit."""
    pictures, times = flashing(Fraction(25), 75, Fraction(1))

    def packets(path: Path) -> list[bytes]:
        with av.open(str(path)) as container:
            return [bytes(packet) for packet in container.demux(audio=0) if packet.size]

    source = clips.make("a.mp4", pictures, sound=clips.clicks(3, 44100, times))
    copied = packets(copy(source, tmp_path / "o.mp4", AudioSource(source)))
    assert copied == packets(source)[: len(copied)]
    assert len(copied) >= 3 * 44100 // 1024
    cut = packets(copy(source, tmp_path / "p.mp4", AudioSource(source, start_s=Fraction(1, 2))))
    sounding = {packet for packet in packets(source) if len(packet) > 40}  # silence is silence
    assert sounding
    assert not sounding & set(cut)


@pytest.mark.parametrize("out", ["o.mp4", "o.webm"])
@pytest.mark.parametrize("codec", ["aac", "pcm_s16le"])
def test_sound_ends_with_the_video(clips: Any, tmp_path: Path, codec: str, out: str) -> None:
    pictures, _ = flashing(Fraction(25), 50, Fraction(1))
    source = clips.make(
        "a.mkv", pictures, sound=clips.clicks(6, 48000, [0.5, 3]), sound_codec=codec, sound_rate_hz=48000
    )
    sound, rate_hz = clips.sound_of(copy(source, tmp_path / out, AudioSource(source)))
    assert 1.96 <= len(sound) / rate_hz <= 2.04


@pytest.mark.parametrize("codec", ["aac", "pcm_s16le"])
def test_short_sound_leaves_the_video_whole(clips: Any, tmp_path: Path, codec: str) -> None:
    pictures, _ = flashing(Fraction(25), 100, Fraction(1))
    source = clips.make(
        "a.mkv", pictures, sound=clips.clicks(1, 48000, [0.5]), sound_codec=codec, sound_rate_hz=48000
    )
    path = copy(source, tmp_path / "o.mp4", AudioSource(source))
    sound, rate_hz = clips.sound_of(path)
    assert len(sound) / rate_hz == pytest.approx(1, abs=0.05)
    with VideoReader(path) as video:
        assert sum(1 for _ in video) == 100


@pytest.mark.parametrize("codec", ["aac", "pcm_s16le"])
def test_a_length_of_sound(clips: Any, tmp_path: Path, codec: str) -> None:
    pictures, _ = flashing(Fraction(25), 75, Fraction(1))
    source = clips.make(
        "a.mkv", pictures, sound=clips.clicks(3, 48000, [0.5, 2]), sound_codec=codec, sound_rate_hz=48000
    )
    audio = AudioSource(source, duration_s=Fraction(1))
    sound, rate_hz = clips.sound_of(copy(source, tmp_path / "o.mp4", audio))
    assert clips.onsets_s(sound, rate_hz) == pytest.approx([0.5], abs=TOLERANCE_S)


@pytest.mark.parametrize("out", ["o.gif", "o.mp4"])
def test_formats_without_sound_ignore_it(clips: Any, tmp_path: Path, out: str) -> None:
    pictures, times = flashing(Fraction(25), 20, Fraction(1, 5))
    source = clips.make("a.mp4", pictures, sound=clips.clicks(1, 44100, times))
    path = copy(source, tmp_path / out, AudioSource(source) if out.endswith("gif") else None)
    np.testing.assert_allclose(flashes_s(path), times, atol=0.011)


@pytest.mark.full
@pytest.mark.parametrize(
    ("name", "sound_codec", "out"),
    [("a.mp4", "aac", "o.mp4"), ("a.mkv", "pcm_s16le", "o.mp4"), ("a.mkv", "pcm_s16le", "o.webm")],
)
def test_in_sync_after_ten_minutes(clips: Any, tmp_path: Path, name: str, sound_codec: str, out: str) -> None:
    """Copied sound, and encoded sound from timestamps rounded to milliseconds."""
    frames = int(600 * NTSC)
    pictures, times = flashing(NTSC, frames, Fraction(20))
    sound = clips.clicks(600, 44100, times)
    source = clips.make(name, pictures, rate=NTSC, sound=sound, sound_codec=sound_codec)
    path = copy(source, tmp_path / out, AudioSource(source))
    assert_in_sync(clips, path, times)
    with VideoReader(path) as video:
        assert sum(1 for _ in video) == frames


class Late:
    """A layer that holds half a second back and makes the sound half as loud, in its place."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._held = np.zeros((channels, 0), np.float32)
        self._late = rate_hz // 2

    def process(self, block: np.ndarray) -> np.ndarray:
        self._held = np.concatenate((self._held, block / 2), axis=1)
        count = max(self._held.shape[1] - self._late, 0)
        ready, self._held = self._held[:, :count], self._held[:, count:]
        return ready

    def flush(self) -> np.ndarray:
        return self._held


def copy_through(source: Path, out: Path, audio: AudioSource, make_sound_layer: Any) -> Path:
    with VideoReader(source) as video:
        wishes: dict[str, Any] = {"format": out.suffix[1:], "rate": video.info.rate, "audio": audio}
        with VideoWriter(
            out,
            width=video.info.width,
            height=video.info.height,
            make_sound_layer=make_sound_layer,
            **wishes,
        ) as writer:
            for frame in video:
                writer.write(frame.image)
    return out


@pytest.mark.parametrize("out", ["o.mp4", "o.webm"])
@pytest.mark.parametrize(("rate_hz", "start_s"), [(44100, 0), (22050, Fraction(1, 4)), (48000, 0)])
def test_in_sync_through_a_layer(
    clips: Any, tmp_path: Path, out: str, rate_hz: int, start_s: Fraction
) -> None:
    pictures, times = flashing(NTSC, 200, Fraction(3, 2))
    sound = clips.clicks(
        float(start_s) + 200 / float(NTSC), rate_hz, [time + float(start_s) for time in times]
    )
    other = clips.make_sound("a.wav", sound, codec="pcm_s16le", rate_hz=rate_hz)
    source = clips.make("a.mp4", pictures, rate=NTSC)
    path = copy_through(source, tmp_path / out, AudioSource(other, start_s=Fraction(start_s)), Late)
    assert_in_sync(clips, path, times)
    written, written_hz = clips.sound_of(path)
    assert 0.3 < np.abs(written).max() < 0.5
    assert len(written) / written_hz == pytest.approx(200 / float(NTSC), abs=0.04)


def test_a_layer_is_given_what_the_sound_is(clips: Any, tmp_path: Path) -> None:
    """And sound that would be copied without it goes through it."""
    pictures, times = flashing(Fraction(25), 50, Fraction(1))
    source = clips.make("a.mp4", pictures, sound=clips.clicks(2, 44100, times))
    asked = []

    def make(rate_hz: int, channels: int) -> Late:
        asked.append((rate_hz, channels))
        return Late(rate_hz, channels)

    path = copy_through(source, tmp_path / "o.mp4", AudioSource(source), make)
    assert asked == [(44100, 1)]
    assert_in_sync(clips, path, times)
    assert np.abs(clips.sound_of(path)[0]).max() < 0.5


def test_a_failing_layer_fails_the_video(clips: Any, tmp_path: Path) -> None:
    class Failing(Late):
        def process(self, block: np.ndarray) -> np.ndarray:
            raise ArithmeticError("no")

    pictures, times = flashing(Fraction(25), 50, Fraction(1))
    source = clips.make("a.mp4", pictures, sound=clips.clicks(2, 44100, times))
    with pytest.raises(ArithmeticError):
        copy_through(source, tmp_path / "o.mp4", AudioSource(source), Failing)
