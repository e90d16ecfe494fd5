"""Clips to learn from: videos or folders of pictures, cut to the head once and kept ready on disk.

A prepared clip is one `.npy` file, (frames, height, width, 3) uint8, mapped into memory: frames are read when
they are asked for, so that memory does not grow with the data.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from likeness.errors import FaceError, MediaError, MediaNotFound, NoFace, NoFrames
from likeness.faces import FaceTracker
from likeness.faces.align import Crop
from likeness.media import VideoReader, read_image, temporary_beside
from likeness.media.files import write_error
from likeness.progress import OnProgress, Progress, silent
from likeness.types import Floats, Picture

VIDEOS = frozenset({".mp4", ".webm", ".mov", ".mkv", ".avi", ".m4v", ".mpg", ".mpeg", ".gif"})
PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"})
FEWEST_FRAMES = 2
REVISION = 1
"""Of how clips are cut; cached ones of another revision are not used."""


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """One clip, ready to learn from.

    Attributes:
        name: of the file or folder it came from.
        frames: (n, height, width, 3) uint8 RGB, on disk.
    """

    name: str
    frames: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Cut:
    """How clips are brought to one size.

    Attributes:
        height_px, width_px: of the result.
        crop: True takes head and shoulders, a square that stays where it is for the whole clip; False takes
            the whole frame, with bars where its shape is another.
    """

    height_px: int
    width_px: int
    crop: bool = True


@dataclass(frozen=True, slots=True)
class Clips:
    """What was found.

    Attributes:
        clips: at least one, in the order of their paths.
        notes: what was left out, and why; one sentence each.
    """

    clips: tuple[Clip, ...]
    notes: tuple[str, ...]


def prepare_clips(
    folder: Path, cache: Path, cut: Cut, *, threads: int = 2, on_progress: OnProgress = silent
) -> Clips:
    """All clips below `folder`, cut as `cut` says; what is in `cache` already is not cut again.

    Args:
        cache: a folder for the prepared clips, made where it is missing. They show the people of the data.
        threads: for the face tracker.

    Raises:
        MediaNotFound: there is no such folder, or no clip in it.
        NoFrames: not one of the clips can be used.
        OutputError: the cache cannot be written.
    """
    paths = find_clips(folder)
    clips: list[Clip] = []
    notes: list[str] = []
    hint = ""
    for done, path in enumerate(paths):
        on_progress(Progress("prepare clips", done, len(paths), "clips"))
        try:
            frames = _prepare(path, cache, cut, threads)
        except (MediaError, FaceError) as error:
            notes.append(f"{path.name} was left out: {error.what}")
            hint = hint or error.hint
            continue
        clips.append(Clip(path.name, frames))
    on_progress(Progress("prepare clips", len(paths), len(paths), "clips"))
    if not clips:
        raise NoFrames(f"No clip in {folder} can be used. {notes[0]}", hint)
    return Clips(tuple(clips), tuple(notes))


def find_clips(folder: Path) -> list[Path]:
    """Videos, and folders of pictures (two or more, in the order of their names), anywhere below `folder`.

    Raises:
        MediaNotFound: there is no such folder, or no clip in it.
    """
    if not folder.is_dir():
        raise MediaNotFound(f"There is no folder {folder}.", "Give a folder of videos or of frame folders.")
    found = [path for path in folder.rglob("*") if path.is_file() and path.suffix.lower() in VIDEOS]
    holders = {path.parent for path in folder.rglob("*") if path.suffix.lower() in PICTURES}
    found += [holder for holder in holders if len(_pictures(holder)) >= FEWEST_FRAMES]
    if not found:
        raise MediaNotFound(
            f"There is no clip in {folder}.", "Put videos there, or a folder of pictures for each clip."
        )
    return sorted(found)


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES)


def _read(path: Path) -> Iterator[Picture]:
    if path.is_dir():
        for picture in _pictures(path):
            yield read_image(picture).image
        return
    with VideoReader(path) as reader:
        for frame in reader:
            yield frame.image


def _prepare(path: Path, cache: Path, cut: Cut, threads: int) -> NDArray[np.uint8]:
    """The clip's frames, from the cache or cut now."""
    stored = cache / f"{path.stem[:40]}-{_key(path, cut)}.npy"
    frames = _read_stored(stored)
    if frames is None:
        crop, wanted = _survey(path, cut, threads)
        try:
            cache.mkdir(parents=True, exist_ok=True)
            with temporary_beside(stored) as pending:
                _write(path, pending.path, cut, crop, wanted)
                pending.commit()
        except OSError as error:
            raise write_error(stored, error) from error
        frames = np.load(stored, mmap_mode="r", allow_pickle=False)
    return frames


def _read_stored(path: Path) -> NDArray[np.uint8] | None:
    """What was cut earlier; nothing if it is not there, or cut off."""
    try:
        frames: NDArray[np.uint8] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return frames


def _key(path: Path, cut: Cut) -> str:
    """Changes with the file, and with how it is cut."""
    files = _pictures(path) if path.is_dir() else [path]
    stats = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    text = repr((REVISION, str(path.absolute()), stats, cut))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _survey(path: Path, cut: Cut, threads: int) -> tuple[Crop | None, list[bool]]:
    """Where the head is in the whole clip, and which frames show it."""
    if not cut.crop:
        return None, _enough(path, [True for _ in _read(path)])
    tracker = FaceTracker(threads=threads)
    corners: list[Floats] = []
    wanted: list[bool] = []
    size = (0, 0)
    for image in _read(path):
        faces = tracker.track(image)
        wanted.append(bool(faces) and (image.shape[:2] == size or not corners))
        if wanted[-1]:
            size = image.shape[:2]
            points = faces[0].points[:468]
            corners += [points.min(0), points.max(0)]
    if not corners:
        raise NoFace(f"{path.name} shows no face.", "Use whole frames (--no-crop) for other things.")
    crop = Crop.around(np.stack(corners), cut.width_px).within(size[1], size[0])
    return crop, _enough(path, wanted)


def _enough(path: Path, wanted: list[bool]) -> list[bool]:
    if sum(wanted) < FEWEST_FRAMES:
        raise NoFrames(f"{path.name} has fewer than {FEWEST_FRAMES} usable frames.", "Use a longer clip.")
    return wanted


def _write(path: Path, target: Path, cut: Cut, crop: Crop | None, wanted: list[bool]) -> None:
    shape = (sum(wanted), cut.height_px, cut.width_px, 3)
    out = open_memmap(target, mode="w+", dtype=np.uint8, shape=shape)
    position = 0
    for image, keep in zip(_read(path), wanted, strict=False):
        if keep:
            out[position] = fit(image if crop is None else crop.cut(image), cut.height_px, cut.width_px)
            position += 1
    out.flush()


def fit(image: Picture, height_px: int, width_px: int) -> Picture:
    """The whole picture at this size, (height_px, width_px, 3) uint8; black bars if its shape is another."""
    height, width = image.shape[:2]
    if (height, width) == (height_px, width_px):
        return image
    scale = min(height_px / height, width_px / width)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    small = cv2.resize(image, size, interpolation=how)
    out = np.zeros((height_px, width_px, 3), np.uint8)
    top, left = (height_px - size[1]) // 2, (width_px - size[0]) // 2
    out[top : top + size[1], left : left + size[0]] = small
    return out
