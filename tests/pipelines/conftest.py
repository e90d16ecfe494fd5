"""A talking puppet with sound, its recorded motion, and a portrait for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from likeness.pipelines.record import record_motion
from likeness.types import Picture

from ..puppet import HEIGHT, WIDTH, Puppet

RATE = Fraction(30000, 1001)
FRAMES = 20
SOUND_HZ = 48000


def puppet_at(frame: int) -> Puppet:
    """Talks, blinks once, and turns a little."""
    phase = 2 * np.pi * frame / FRAMES
    return Puppet(
        lips=0.04 * (1 - np.cos(2 * phase)),
        blink=max(0.0, 1 - abs(frame - 12) / 2),
        turn_deg=(0.0, 6 * np.sin(phase), 3 * np.sin(phase)),
    )


def write_clip(
    path: Path,
    pictures: Sequence[Picture],
    *,
    rate: Fraction = RATE,
    sound_s: float = 0.0,
    options: dict[str, str] | None = None,
) -> Path:
    """A good H.264 video of these pictures, with a tone if wanted."""
    with av.open(str(path), "w", container_options=options or {}) as container:
        video = container.add_stream("libx264", rate=rate, options={"crf": "10"})
        video.height, video.width = pictures[0].shape[:2]
        video.pix_fmt = "yuv420p"
        audio = container.add_stream("aac", rate=SOUND_HZ) if sound_s else None
        for picture in pictures:
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(video.encode(None))
        if audio is not None:
            wave = np.sin(np.arange(round(SOUND_HZ * sound_s)) / 10).astype(np.float32)[None]
            sound = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            sound.rate = SOUND_HZ
            container.mux(audio.encode(sound))
            container.mux(audio.encode(None))
    return path


def wall() -> Picture:
    """Nobody."""
    slope = np.linspace([90, 120, 140], [150, 160, 150], WIDTH).astype(np.uint8)
    return np.repeat(slope[None], HEIGHT, axis=0)


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("media")


@pytest.fixture(scope="session")
def talk(media: Path) -> Path:
    """20 frames at 30000/1001, with sound as long."""
    pictures = [puppet_at(n).draw() for n in range(FRAMES)]
    return write_clip(media / "talk.mp4", pictures, sound_s=float(FRAMES / RATE))


@pytest.fixture(scope="session")
def motion(talk: Path, media: Path, home: Path) -> Path:
    """The same without its pictures."""
    return record_motion(talk, out=media / "talk.motion").path


@pytest.fixture(scope="session")
def portrait(media: Path) -> Path:
    """Another puppet, with a mask of its own."""
    puppet = Puppet(px_per_cm=8, turn_deg=(2, 5, -4), smile=0.3)
    mask = np.rint(255 * puppet.mask()).astype(np.uint8)
    path = media / "portrait.png"
    Image.fromarray(np.dstack([puppet.draw(seed=5), mask])).save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where outputs go, and nothing else."""
    path = tmp_path / "out"
    path.mkdir()
    return path


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Whatever happens in a test, no thread of ours outlives it."""
    yield
    ours = [thread for thread in threading.enumerate() if thread.name.startswith(("run-ahead", "likeness"))]
    assert ours == []


def frames_of(path: Path) -> list[Picture]:
    """A folder's pictures."""
    return [np.asarray(Image.open(each).convert("RGB")) for each in sorted(path.iterdir())]
