"""What the watermark's benchmark works on: clips, stills, and unmarked pictures of many kinds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from likeness.disclosure.watermark.search import find_in_picture
from likeness.media import VideoReader, probe, read_image
from likeness.types import Floats, Picture

_VIDEOS = {".mp4", ".mpg", ".gif", ".webm"}
_PICTURES = {".jpg", ".jpeg", ".png"}


KINDS = {
    "crop": "crops of real pictures and videos, and of animated portraits, of 160 px and more; some mirrored",
    "noise": "Gaussian noise with a spectrum from white to 1/f²",
    "grating": "stripes and checks of 2 to 30 px, also of the pitch of the mark's own chips",
    "blocks": "rectangles, as in charts and screenshots",
}
"""Of unmarked pictures."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One second of a video."""

    path: Path
    start_s: int

    @property
    def name(self) -> str:
        return f"{self.path.name} {self.start_s} s"

    def frames(self) -> list[Picture]:
        """(h, w, 3) uint8 RGB each."""
        with VideoReader(self.path, self.start_s, self.start_s + 1, threads=1) as reader:
            return [frame.image.copy() for frame in reader]


def clips_in(folders: list[Path], most_per_file: int) -> list[Clip]:
    """Up to `most_per_file` seconds of each video, spread over it, those of the smallest pictures first.

    Files that are marked already are left out.
    """
    clips = []
    paths = [path for folder in folders for path in folder.rglob("*") if path.suffix in _VIDEOS]
    infos = sorted(map(probe, paths), key=lambda info: (info.width * info.height, info.path.name))
    for path, seconds in ((info.path, max(1, int(info.duration_s or 1))) for info in infos):
        starts = sorted({int(at) for at in np.linspace(0, seconds - 1, most_per_file)})
        if find_in_picture(Clip(path, 0).frames()[0]) is None:
            clips += [Clip(path, start) for start in starts]
    return clips


def stills_in(folders: list[Path], clips: list[Clip]) -> Iterator[tuple[str, Picture]]:
    """Pictures, and the first frame of each clip."""
    for path in sorted(path for folder in folders for path in folder.rglob("*") if path.suffix in _PICTURES):
        yield path.name, read_image(path).image
    for clip in clips:
        yield clip.name, clip.frames()[0]


def widescreen(frames: list[Picture]) -> list[Picture]:
    """The middle of each picture at 16:9, brought to 1280 × 720."""
    height, width = frames[0].shape[:2]
    cut_width, cut_height = min(width, height * 16 // 9), min(height, width * 9 // 16)
    x, y = (width - cut_width) // 2, (height - cut_height) // 2
    cut = [image[y : y + cut_height, x : x + cut_width] for image in frames]
    return [np.asarray(cv2.resize(image, (1280, 720), interpolation=cv2.INTER_CUBIC)) for image in cut]


@cache
def _pool(folders: tuple[Path, ...]) -> list[Picture]:
    """Frames to cut unmarked crops from: every seventh of each video, 25 at most, and each picture."""
    pool = []
    for path in sorted(path for folder in folders for path in folder.rglob("*")):
        if path.suffix in _PICTURES:
            pool.append(read_image(path).image)
        elif path.suffix in _VIDEOS:
            with VideoReader(path, threads=1) as reader:
                pool += [frame.image.copy() for frame in reader if frame.index % 7 == 0][:25]
    return pool


def unmarked(index: int, folders: list[Path]) -> tuple[str, Picture]:
    """Unmarked picture number `index`, always the same, and its kind.

    Half are crops of real and animated media, 160 px and more, scaled, some mirrored; the others are coloured
    noise, gratings and checks (also of the tile's own pitch), and text-like blocks.
    """
    random = np.random.default_rng(index)
    kind = ("crop", "crop", "crop", "noise", "grating", "blocks")[index % 6]
    if kind != "crop":
        height, width = (int(side) for side in random.integers(200, 480, 2))
        return kind, _as_picture(
            {"noise": _noise, "grating": _grating, "blocks": _blocks}[kind](random, height, width)
        )
    pool = _pool(tuple(folders))
    image = pool[int(random.integers(len(pool)))]
    height, width = (int(side * random.uniform(0.5, 1)) for side in image.shape[:2])
    y, x = (
        int(random.integers(full - part + 1))
        for full, part in zip(image.shape, (height, width), strict=False)
    )
    image = image[y : y + height, x : x + width]
    factor = random.uniform(0.6, 1.4) * 320 / min(height, width)
    image = np.asarray(cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA))
    return kind, np.ascontiguousarray(image[:, ::-1] if random.random() < 0.3 else image)


def _noise(random: np.random.Generator, height: int, width: int) -> Floats:
    """Gaussian noise with a spectrum of 1/f^a, a from 0 to 2."""
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    frequency[0, 0] = 1
    spectrum = np.fft.rfft2(random.normal(size=(height, width))) / frequency ** random.uniform(0, 2)
    surface = np.fft.irfft2(spectrum, s=(height, width))
    surface *= random.uniform(5, 60) / surface.std()
    return np.asarray(surface, np.float32)


def _grating(random: np.random.Generator, height: int, width: int) -> Floats:
    """Stripes or checks of 2 to 30 px, sometimes of exactly one chip, with a little noise."""
    period = (
        random.uniform(2, 30) if random.random() < 0.7 else min(height, width) / 80 * random.integers(1, 9)
    )
    angle = random.uniform(0, np.pi) if random.random() < 0.5 else 0.0
    y, x = np.mgrid[:height, :width]
    wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / period)
    if random.random() < 0.5:
        wave = wave * np.sin((y * np.cos(angle) - x * np.sin(angle)) * 2 * np.pi / period)
    if random.random() < 0.5:
        wave = np.sign(wave)
    return np.asarray(wave * random.uniform(5, 100) + random.normal(0, 2, wave.shape), np.float32)


def _blocks(random: np.random.Generator, height: int, width: int) -> Floats:
    """Rectangles of random size and grey, as in charts and screenshots."""
    surface = np.zeros((height, width), np.float32)
    for _ in range(int(random.integers(5, 400))):
        y, x = int(random.integers(height)), int(random.integers(width))
        tall, wide = (int(side) for side in random.integers(2, 60, 2))
        surface[y : y + tall, x : x + wide] = random.uniform(-120, 120)
    return surface + random.normal(0, 1, surface.shape).astype(np.float32)


def _as_picture(surface: Floats) -> Picture:
    grey = np.clip(np.round(surface + 128), 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)
