"""Running commands, and the bad files that they have to refuse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from likeness.cli.main import run


@dataclass(frozen=True)
class Outcome:
    """What a command did."""

    code: int
    out: str
    err: str

    def is_refusal(self, code: int) -> bool:
        """Two lines on standard error, what happened and what to do, and the exit code of the branch."""
        lines = self.err.splitlines()
        return (
            self.code == code
            and len(lines) == 2
            and lines[0].startswith("likeness: ")
            and lines[1].startswith("    next: ")
            and all(line.endswith((".", "?", "`", ")")) for line in lines)
        )


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """Run a command line in this process."""
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("NO_COLOR", "1")

    def execute(*words: object) -> Outcome:
        capfd.readouterr()
        code = run([str(word) for word in words])
        captured = capfd.readouterr()
        return Outcome(code, captured.out, captured.err)

    return execute


def write_video(path: Path, frames: list[NDArray[np.uint8]], rate: int = 10, tone_s: float = 0.0) -> Path:
    """A video of these (h, w, 3) pictures and a tone; without pictures, without a video stream."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=rate) if frames else None
        audio = container.add_stream("aac", rate=16000) if tone_s else None
        if audio is not None:
            wave = np.sin(np.arange(int(16000 * tone_s)) / 20).astype(np.float32)[None]
            sound = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            sound.rate = 16000
            container.mux(audio.encode(sound))
            container.mux(audio.encode(None))
        if video is not None:
            video.height, video.width = frames[0].shape[:2]
            video.pix_fmt = "yuv420p"
            for frame in frames:
                container.mux(video.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            container.mux(video.encode(None))
    return path


@pytest.fixture(scope="session")
def bad_files(tmp_path_factory: pytest.TempPathFactory, hopper_path: Path, carphone_path: Path) -> Path:
    """A folder of files that cannot be used, each for its own reason."""
    folder = tmp_path_factory.mktemp("bad")
    (folder / "folder.jpg").mkdir()
    (folder / "empty.jpg").touch()
    (folder / "empty.mp4").touch()
    (folder / "text.jpg").write_text("This is not a picture. " * 50)
    (folder / "text.mp4").write_text("This is not a video. " * 50)
    (folder / "truncated.mp4").write_bytes(carphone_path.read_bytes()[:2000])
    broken_off(web_layout(carphone_path, folder / "cut_off.mp4"))
    tone = write_video(folder / "tone.m4a", [], tone_s=4.0)
    broken_off(web_layout(tone, folder / "cut_off.m4a"))
    (folder / "truncated.jpg").write_bytes(hopper_path.read_bytes()[:400])
    grey = np.full((240, 320, 3), 128, np.uint8)
    Image.fromarray(grey).save(folder / "nobody.png")
    write_video(folder / "nobody.mp4", [grey] * 8)
    write_video(folder / "sound_only.mp4", [], tone_s=1.0)
    hopper = Image.open(hopper_path)
    small = Image.new("RGB", (480, 480), (90, 110, 140))
    small.paste(hopper.resize((110, 128)), (200, 190))
    small.save(folder / "small_face.png")
    write_video(folder / "small_face.mp4", [np.asarray(small)] * 8)
    portrait = np.asarray(hopper.resize((256, 300)))
    write_video(folder / "one_frame.mp4", [portrait])
    no_frames = write_video(folder / "no_frames.mp4", [portrait] * 3).read_bytes()
    (folder / "no_frames.mp4").write_bytes(without_samples(no_frames))
    Image.new("1", (20_000, 20_000)).save(folder / "huge.png")
    (folder / "damaged.motion").write_bytes(b"PK\x03\x04" + bytes(200))
    return folder


def web_layout(source: Path, path: Path) -> Path:
    """A copy of an MP4 with its index at the front, so that it opens before all of it has arrived."""
    with av.open(str(source)) as given, av.open(str(path), "w", options={"movflags": "faststart"}) as copy:
        streams = {stream: copy.add_stream_from_template(stream) for stream in given.streams}
        for packet in given.demux():
            if packet.size:
                packet.stream = streams[packet.stream]
                copy.mux(packet)
    return path


def broken_off(path: Path) -> None:
    """Keep the first two thirds of a file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def without_samples(data: bytes) -> bytes:
    """The same MP4 with an index that lists no sample: a video stream of no frames."""
    for name in (b"stsz", b"stco", b"stsc", b"stts", b"ctts", b"stss"):
        at = data.find(name)
        while at >= 0:
            # stsz holds a common size before its count; in the others the count comes right after the flags.
            count = at + (12 if name == b"stsz" else 8)
            data = data[:count] + bytes(4) + data[count + 4 :]
            at = data.find(name, at + 4)
    return data
