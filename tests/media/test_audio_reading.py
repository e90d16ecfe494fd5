from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.errors import MediaNotFound, NoAudio, Unreadable, UsageError
from likeness.media import AudioReader, AudioSource, check_sound

CLICKS_S = [0.25, 1.0, 1.75, 2.5]
FILES = [
    ("a.wav", "pcm_s16le", 44100),
    ("a.wav", "pcm_s16le", 8000),
    ("a.flac", "flac", 48000),
    ("a.mp3", "libmp3lame", 44100),
    ("a.m4a", "aac", 44100),
    ("a.ogg", "libopus", 48000),
    ("a.mka", "ac3", 44100),
]
VIDEOS = [
    ("a.mp4", "libx264", "aac", 44100),
    ("a.mkv", "libx264", "pcm_s16le", 22050),
    ("a.webm", "libvpx-vp9", "libopus", 48000),
    ("a.mpg", "mpeg2video", "mp2", 44100),
    ("a.ts", "libx264", "aac", 48000),
    ("a.avi", "mpeg4", "pcm_s16le", 44100),
]


def read(path: Path, **wishes: Any) -> tuple[np.ndarray, int]:
    with AudioReader(path, **wishes) as sound:
        blocks = list(sound)
        assert all(block.dtype == np.float32 and block.shape[0] == sound.channels for block in blocks)
        return np.concatenate([np.zeros((sound.channels, 0), np.float32), *blocks], axis=1), sound.rate_hz


@pytest.mark.parametrize(("name", "codec", "rate_hz"), FILES)
@pytest.mark.parametrize("start_s", [0, 0.9])
def test_sound_files_are_exact_in_time(
    clips: Any, name: str, codec: str, rate_hz: int, start_s: float
) -> None:
    path = clips.make_sound(name, clips.clicks(3, rate_hz, CLICKS_S), codec=codec, rate_hz=rate_hz)
    samples, found_hz = read(path, start_s=start_s)
    assert found_hz == rate_hz
    expected = [time - start_s for time in CLICKS_S if time >= start_s]
    np.testing.assert_allclose(clips.onsets_s(samples[0], rate_hz), expected, atol=0.003)


@pytest.mark.parametrize(("name", "codec", "sound_codec", "rate_hz"), VIDEOS)
@pytest.mark.parametrize("start_s", [Fraction(0), Fraction(9, 10)])
def test_sound_of_videos_counts_from_the_first_picture(
    clips: Any, name: str, codec: str, sound_codec: str, rate_hz: int, start_s: Fraction
) -> None:
    sound = clips.clicks(3, rate_hz, CLICKS_S)
    path = clips.make(name, 75, codec=codec, sound=sound, sound_codec=sound_codec, sound_rate_hz=rate_hz)
    samples, _ = read(path, start_s=start_s)
    expected = [time - start_s for time in CLICKS_S if time >= start_s]
    np.testing.assert_allclose(clips.onsets_s(samples[0], rate_hz), np.array(expected, float), atol=0.003)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
@pytest.mark.parametrize(("sound_start_s", "video_start_s"), [(0.5, 0), (0, Fraction(2, 5)), (1.5, 1)])
def test_sound_that_begins_at_another_time(
    clips: Any, name: str, sound_start_s: float, video_start_s: Fraction
) -> None:
    """Silence before a late sound; an early one is cut to the first picture."""
    sound = clips.clicks(3, 48000, [0.1, *CLICKS_S])
    path = clips.make(
        name, 50, start_s=video_start_s, sound=sound, sound_rate_hz=48000, sound_start_s=sound_start_s
    )
    expected = [time + sound_start_s - float(video_start_s) for time in [0.1, *CLICKS_S]]
    samples, _ = read(path)
    np.testing.assert_allclose(clips.onsets_s(samples[0], 48000), [t for t in expected if t >= 0], atol=0.003)


@pytest.mark.parametrize("rate_hz", [16000, 48000])
def test_resampled(clips: Any, rate_hz: int) -> None:
    path = clips.make_sound("a.wav", clips.clicks(3, 44100, CLICKS_S), codec="pcm_s16le", rate_hz=44100)
    samples, found_hz = read(path, rate_hz=rate_hz, channels=2)
    assert found_hz == rate_hz
    assert samples.shape[1] == pytest.approx(3 * rate_hz, abs=16)
    np.testing.assert_allclose(clips.onsets_s(samples[1], rate_hz), CLICKS_S, atol=0.002)
    np.testing.assert_allclose(samples[0], samples[1])


@settings(max_examples=20, deadline=None)
@given(start=st.integers(0, 24000), length=st.integers(1, 30000))
def test_a_part_is_that_part_exactly(clips: Any, ramp: Path, start: int, length: int) -> None:
    samples, _ = read(ramp, start_s=Fraction(start, 8000), duration_s=Fraction(length, 8000))
    expected = np.arange(24000)[start : start + length]
    np.testing.assert_array_equal(np.rint(samples[0] * 32768), expected)


@pytest.fixture(scope="module")
def ramp(clips: Any) -> Path:
    """3 s at 8000 Hz whose samples are their own numbers."""
    return clips.make_sound(
        "ramp.wav", np.arange(24000, dtype=np.float32) / 32768, codec="pcm_s16le", rate_hz=8000
    )


def test_damaged_sound_keeps_its_time(clips: Any) -> None:
    path = clips.make_sound("a.flac", clips.clicks(3, 48000, CLICKS_S), codec="flac", rate_hz=48000)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 40] = bytes(40)
    path.write_bytes(data)
    samples, _ = read(path)
    onsets = clips.onsets_s(samples[0], 48000)
    assert len(onsets) >= 2
    assert all(min(abs(onset - click) for click in CLICKS_S) < 0.003 for onset in onsets)


def test_bad_input(clips: Any, tmp_path: Path) -> None:
    (tmp_path / "text.mp3").write_text("This is no sound.\n" * 100)
    silent = clips.make("silent.mp4", 5)
    for path, expected in (
        (tmp_path / "no.wav", MediaNotFound),
        (tmp_path / "text.mp3", Unreadable),
        (silent, NoAudio),
    ):
        with pytest.raises(expected, match=path.name):
            AudioReader(path)


def test_sound_that_breaks_off_is_known_before_it_is_read(clips: Any, tmp_path: Path) -> None:
    """Where the index comes first; sound may break off where the pictures do not, and the other way round."""
    sound, layout = clips.clicks(4, 44100, CLICKS_S), {"movflags": "faststart"}
    video = clips.make("a.mp4", 100, sound=sound, container_options=layout)
    with (
        av.open(str(tmp_path / "a.m4a"), "w", container_options=layout) as output,
        av.open(str(video)) as heard,
    ):
        stream = output.add_stream_from_template(heard.streams.audio[0])
        for packet in heard.demux(audio=0):
            if packet.size:
                packet.stream = stream
                output.mux(packet)
    for path in (video, tmp_path / "a.m4a"):
        check_sound(path)
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) * 3 // 4])
        with pytest.raises(Unreadable, match=r"cut off: \d\.\d of 4\.\d s are there"):
            check_sound(path)
        check_sound(path, Fraction(1))
    with pytest.raises(NoAudio):
        check_sound(clips.make("silent.mp4", 5))


@pytest.mark.parametrize(("start_s", "duration_s"), [(-1, None), (0, 0), (0, -1)])
def test_impossible_source(start_s: int, duration_s: int | None) -> None:
    with pytest.raises(UsageError):
        AudioSource(Path("a.wav"), Fraction(start_s), None if duration_s is None else Fraction(duration_s))


def test_real_speech(shared: Path) -> None:
    samples, rate_hz = read(shared / "media" / "speech" / "whisper__jfk.flac")
    assert samples.shape[1] / rate_hz == pytest.approx(11.0, abs=0.01)
