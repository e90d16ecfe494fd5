"""Writing sound files: what is read back is what was written."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.errors import DiskFull, NotWritable, OutputError, Unsupported, UsageError
from likeness.media.audio import AudioReader
from likeness.media.writer import SoundFormat, SoundWriter, sound_format_of
from likeness.media.writer import sound_file as module

LOSSLESS: list[SoundFormat] = ["wav", "flac"]
LOSSY: list[SoundFormat] = ["mp3", "m4a", "ogg", "opus"]


def tones(rate_hz: int, channels: int, seconds: float = 1.5) -> Any:
    """(channels, n) float32: a beep in each half second, of another pitch in each channel."""
    time_s = np.arange(round(rate_hz * seconds)) / rate_hz
    pitches_hz = np.array([[400.0], [700.0]])[:channels]
    return (0.4 * np.sin(2 * np.pi * pitches_hz * time_s) * (time_s % 0.5 > 0.2)).astype(np.float32)


def write(path: Path, format: SoundFormat, sound: Any, rate_hz: int, sizes: list[int] | None = None) -> Path:
    at = 0
    with SoundWriter(path, format=format, rate_hz=rate_hz, channels=len(sound)) as writer:
        for size in [*(sizes or []), sound.shape[1]]:
            writer.write(sound[:, at : at + size])
            at = min(at + size, sound.shape[1])
    return path


def read(path: Path, rate_hz: int | None = None) -> tuple[Any, int]:
    with AudioReader(path, rate_hz=rate_hz) as reader:
        return np.concatenate([*reader], axis=1), reader.rate_hz


@pytest.mark.parametrize("format", LOSSLESS)
@pytest.mark.parametrize(("rate_hz", "channels"), [(8000, 1), (44100, 2), (96000, 1)])
def test_without_loss(tmp_path: Path, format: SoundFormat, rate_hz: int, channels: int) -> None:
    sound = tones(rate_hz, channels)
    back, back_hz = read(write(tmp_path / f"a.{format}", format, sound, rate_hz))
    assert back_hz == rate_hz
    assert back.shape == sound.shape
    assert np.abs(back - sound).max() <= 2 / 32768


@pytest.mark.parametrize("format", LOSSY)
@pytest.mark.parametrize(("rate_hz", "channels"), [(8000, 1), (22050, 2), (44100, 2), (96000, 1)])
def test_with_loss_but_in_its_place(tmp_path: Path, format: SoundFormat, rate_hz: int, channels: int) -> None:
    sound = tones(rate_hz, channels)
    back, _ = read(write(tmp_path / f"a.{format}", format, sound, rate_hz), rate_hz)
    n = min(back.shape[1], sound.shape[1])
    assert sound.shape[1] - 2 <= back.shape[1] <= sound.shape[1] + 1100
    error = back[:, :n] - sound[:, :n]
    assert 10 * np.log10((sound**2).sum() / (error**2).sum()) > 20


@pytest.mark.parametrize(
    ("format", "rate_hz", "written_hz"),
    [("mp3", 96000, 48000), ("opus", 16000, 48000), ("m4a", 10000, 11025), ("mp3", 44100, 44100)],
)
def test_rates_that_a_format_lacks(
    tmp_path: Path, format: SoundFormat, rate_hz: int, written_hz: int
) -> None:
    assert read(write(tmp_path / "a", format, tones(rate_hz, 1), rate_hz))[1] == written_hz


@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(0, 9000), max_size=6), st.sampled_from([*LOSSLESS, "mp3", "opus"]))
def test_blocks_of_any_size_give_the_same(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], format: SoundFormat
) -> None:
    folder, sound = tmp_path_factory.mktemp("blocks"), tones(16000, 2)
    whole, _ = read(write(folder / "whole", format, sound, 16000))
    pieces, _ = read(write(folder / "pieces", format, sound, 16000, sizes))
    assert np.array_equal(whole, pieces)


def test_kinds_are_what_others_take_them_for(tmp_path: Path) -> None:
    starts = {"wav": b"RIFF", "flac": b"fLaC", "ogg": b"OggS", "opus": b"OggS"}
    for format in (*LOSSLESS, *LOSSY):
        data = write(tmp_path / "a", format, tones(16000, 1), 16000).read_bytes()
        assert data.startswith(starts.get(format, b""))
        assert format != "m4a" or data[4:12] == b"ftypM4A "
        with av.open(str(tmp_path / "a")) as container:
            expected = {"wav": "pcm_s16le", "m4a": "aac", "ogg": "opus"}.get(format, format)
            assert container.streams.audio[0].codec_context.name.removesuffix("float") == expected


def test_too_loud_samples_are_cut_off(tmp_path: Path) -> None:
    back, _ = read(write(tmp_path / "a.wav", "wav", 5 * tones(8000, 1), 8000))
    assert np.abs(back - np.clip(5 * tones(8000, 1), -1, 1)).max() < 1e-3


def test_the_format_is_in_the_name() -> None:
    assert sound_format_of("A.WAV") == "wav"
    assert sound_format_of(Path("x/a.b.opus")) == "opus"
    for name in ("a", "a.aiff", "wav"):
        with pytest.raises(Unsupported):
            sound_format_of(name)


def test_wrong_use_is_told(tmp_path: Path) -> None:
    for rate_hz, channels in ((48000, 3), (48000, 0), (10, 1)):
        with pytest.raises(UsageError):
            SoundWriter(tmp_path / "a", format="wav", rate_hz=rate_hz, channels=channels)
    with SoundWriter(tmp_path / "a", format="wav", rate_hz=8000, channels=1) as writer:
        for wrong in (np.zeros((2, 5), np.float32), np.zeros((1, 5)), np.zeros(5, np.float32)):
            with pytest.raises(ValueError, match="expected"):
                writer.write(wrong)
        writer.write(np.zeros((1, 5), np.float32))
    with pytest.raises(ValueError, match="closed"):
        writer.write(np.zeros((1, 5), np.float32))
    writer.close()


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(NotWritable, match="nowhere"):
        SoundWriter(tmp_path / "nowhere" / "a.wav", format="wav", rate_hz=8000, channels=1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("format", ["wav", "mp3", "opus"])
def test_a_full_disk(format: SoundFormat) -> None:
    with pytest.raises(DiskFull):
        write(Path("/dev/full"), format, tones(48000, 2, 20), 48000)


def test_a_wav_that_would_be_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_WAV_BYTES", 20_000)
    with pytest.raises(OutputError, match="4 GB"):
        write(tmp_path / "a.wav", "wav", tones(8000, 1), 8000)
    write(tmp_path / "a.flac", "flac", tones(8000, 1), 8000)


def test_after_an_exception_the_file_is_let_go(tmp_path: Path) -> None:
    writer = SoundWriter(tmp_path / "a.wav", format="wav", rate_hz=8000, channels=1)
    with pytest.raises(KeyboardInterrupt), writer:
        raise KeyboardInterrupt
    writer.abandon()
    (tmp_path / "a.wav").unlink()
    if sys.platform.startswith("linux"):
        opened = [path.resolve().name for path in Path("/proc/self/fd").iterdir()]
        assert not any(name.startswith("a.wav") for name in opened)
