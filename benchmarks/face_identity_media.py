"""Whose faces the identity benchmark compares, and how their pictures are changed.

No living public figure is among them, here as everywhere in this project. Who is who was
decided by eye, not by the network that is measured.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

import cv2
import numpy as np
from PIL import Image

from likeness.config import AnimateConfig
from likeness.engines.base import Source
from likeness.engines.mesh import MeshEngine
from likeness.faces import find_faces
from likeness.faces.pose import euler_deg, head_pose
from likeness.faces.topology import canonical_mesh
from likeness.media import VideoReader, read_image
from likeness.motion.calibrate import calibrate
from likeness.motion.frame import DriverInfo, MotionFrame
from likeness.motion.record import Recorder
from likeness.motion.steady import steady
from likeness.types import Face, Picture

Group: TypeAlias = Literal["photograph", "painting", "drawing"]
LONGEST_SIDE_PX = 640
FRAMES_PER_CLIP = 12
FRAMES_PER_DRIVER = 6
DRIVERS = ("echomimic__a.mp4", "grid__lwbsza.mpg", "pyfeat__WolfgangLanger_Pexels.mp4")
DRIVER_FRAMES = 150


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, real or not.

    Attributes:
        group: what the pictures are; a photograph may have been made by a machine.
        looks_like: a "woman" or a "man", as a stranger would guess from the pictures.
        files: pictures and clips, by the beginning of their names; with ":left" or ":right", that half of it.
    """

    name: str
    group: Group
    looks_like: Literal["woman", "man"]
    files: tuple[str, ...]


PEOPLE = (
    Person("Grace Hopper", "photograph", "woman", ("mpl__grace_hopper",)),
    Person("GRID bbaf2n", "photograph", "man", ("grid__bbaf2n",)),
    Person("GRID brbk7n", "photograph", "woman", ("grid__brbk7n",)),
    Person("GRID pwij3p", "photograph", "man", ("grid__pwij3p", "grid__id2_vcd_swwp2s")),
    Person("GRID lbbc2a", "photograph", "woman", ("grid__lbbc2a",)),
    Person("GRID lrwp9a", "photograph", "woman", ("grid__lrwp9a",)),
    Person("GRID lwbsza", "photograph", "woman", ("grid__lwbsza",)),
    Person("GRID sbia1a", "photograph", "man", ("grid__sbia1a",)),
    Person("Intel, woman", "photograph", "woman", (
        "intel__head-pose-face-detection-female.", "intel__head-pose-face-detection-female-and-male.:left",
    )),
    Person("Intel, man", "photograph", "man", (
        "intel__head-pose-face-detection-male.", "intel__head-pose-face-detection-female-and-male.:right",
    )),
    Person("Pexels, woman", "photograph", "woman", ("pyfeat__",)),
    Person("Carphone", "photograph", "man", ("carphone",)),
    Person("EchoMimic, clip", "photograph", "woman", ("echomimic__a.mp4",)),
    Person("Mona Lisa", "painting", "woman", ("liveportrait__s9",)),
    Person("Girl with a Pearl Earring", "painting", "woman", ("liveportrait__s10",)),
    Person("19th century, s3", "painting", "woman", ("liveportrait__s3",)),
    Person("19th century, s4", "painting", "woman", ("liveportrait__s4",)),
    Person("Gogol", "painting", "man", ("sadtalker__art_11",)),
    Person("SadTalker 10", "painting", "woman", ("sadtalker__art_10",)),
    Person("SadTalker 13", "painting", "man", ("sadtalker__art_13",)),
    Person("SadTalker 14", "painting", "woman", ("sadtalker__art_14",)),
    Person("SadTalker 3", "drawing", "man", ("sadtalker__art_3",)),
    Person("SadTalker 6, a robot", "drawing", "woman", ("sadtalker__art_6",)),
    Person("EchoMimic a", "drawing", "man", ("echomimic__a.png",)),
    Person("EchoMimic d", "drawing", "woman", ("echomimic__d",)),
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One face in one picture.

    Attributes:
        file: where it was taken from.
        way: "as it is", "animated", or the name of the change.
        yaw_deg: how far the head is turned.
    """

    person: Person
    file: str
    way: str
    image: Picture
    face: Face
    yaw_deg: float


def shots_of(person: Person, paths: list[Path]) -> Iterator[Shot]:
    """The person's pictures, and frames spread over the clips, as they are."""
    for wanted in person.files:
        start, _, side = wanted.partition(":")
        path = next((path for path in paths if path.name.startswith(start)), None)
        for image in pictures_in(path) if path else ():
            for face in find_faces(image, limit=3):
                left, _, right, _ = face.box
                at = "left" if left + right < image.shape[1] else "right"
                if at == (side or at):
                    yield shot(person, path.name + f":{side}" * bool(side), "as it is", image, face)
                    break


def pictures_in(path: Path) -> list[Picture]:
    if path.suffix in {".jpg", ".jpeg", ".png"}:
        return [at_most(read_image(path).image, LONGEST_SIDE_PX)]
    with VideoReader(path) as reader:
        frames = [frame.image.copy() for frame in reader]
    return [frames[index] for index in spread(len(frames), FRAMES_PER_CLIP)]


def shot(person: Person, file: str, way: str, image: Picture, face: Face) -> Shot:
    yaw_deg = float(euler_deg(head_pose(face.points, canonical_mesh()).rotation)[1])
    return Shot(person, file, way, image, face, yaw_deg)


def animated(original: Shot, folder: Path) -> Iterator[Shot]:
    """The picture, moved by each of the drivers: frames spread from the left-most turn to the right-most."""
    for name in DRIVERS:
        motion, driver = motion_of(folder / name)
        calibration = calibrate(motion, original.face, canonical_mesh(), driver, "auto")
        performer = MeshEngine().prepare(Source(original.image, original.face), AnimateConfig())
        performer.begin(calibration)
        rendered = [performer.render(frame) for frame in motion[::5]]
        yaw_deg = [euler_deg(head_pose(frame.points, canonical_mesh()).rotation)[1] for frame in motion[::5]]
        order = np.argsort(yaw_deg)
        for index in spread(len(order), FRAMES_PER_DRIVER):
            image = rendered[order[index]]
            for face in find_faces(image, limit=1):
                yield shot(original.person, f"{original.file} × {name}", "animated", image, face)


@cache
def motion_of(path: Path) -> tuple[list[MotionFrame], DriverInfo]:
    with VideoReader(path) as reader:
        driver = DriverInfo(reader.info.rate, reader.info.width, reader.info.height)
        frames = [frame for frame, _ in zip(reader, range(DRIVER_FRAMES), strict=False)]
    return list(steady(Recorder(needs=MeshEngine.needs).record(frames))), driver


def changed(original: Shot) -> Iterator[Shot]:
    """The picture in another light, and badly kept; the face is looked for again."""
    for way, change in CHANGES.items():
        image = change(original.image)
        for face in find_faces(image, limit=1):
            yield shot(original.person, original.file, way, image, face)


def smaller(original: Shot, size_px: int) -> Iterator[Shot]:
    """The picture with a face of this size, compressed; nothing where it was hardly larger, or is lost."""
    scale = size_px / original.face.size_px
    if scale < 0.8:
        image = _jpeg(resized(original.image, scale), quality=50)
        for face in find_faces(image, limit=1):
            yield shot(original.person, original.file, f"{size_px} px", image, face)


def _light(gain: np.ndarray | float, gamma: float = 1.0) -> Callable[[Picture], Picture]:
    return lambda image: np.clip(255 * (image / 255) ** gamma * gain, 0, 255).astype(np.uint8)


def _from_one_side(image: Picture) -> Picture:
    ramp = np.linspace(1.2, 0.15, image.shape[1])[:, None]
    return _light(ramp)(image)


def _jpeg(image: Picture, quality: int = 15) -> Picture:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    with Image.open(file) as picture:
        return np.asarray(picture.convert("RGB"))


def _noisy(image: Picture) -> Picture:
    noise = np.random.default_rng(0).normal(0, 20, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def _grey(image: Picture) -> Picture:
    return np.asarray(cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB))


CHANGES: dict[str, Callable[[Picture], Picture]] = {
    "dark (gamma 2)": _light(1.0, 2.0),
    "bright (gamma 0.5)": _light(1.0, 0.5),
    "overexposed (× 1.6)": _light(1.6),
    "warm lamp": _light(np.array([1.15, 0.9, 0.55])),
    "cold lamp": _light(np.array([0.6, 0.9, 1.15])),
    "lit from one side": _from_one_side,
    "black and white": _grey,
    "JPEG, quality 15": _jpeg,
    "noise, σ = 20": _noisy,
    "blurred, σ = 2": lambda image: np.asarray(cv2.GaussianBlur(image, (0, 0), 2)),
    "mirrored": lambda image: np.ascontiguousarray(image[:, ::-1]),
}


def at_most(image: Picture, side_px: int) -> Picture:
    return resized(image, min(1.0, side_px / max(image.shape[:2])))


def resized(image: Picture, scale: float) -> Picture:
    if scale == 1:
        return image
    return np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))


def spread(count: int, wanted: int) -> list[int]:
    """Up to `wanted` of the numbers below `count`, evenly."""
    return sorted({int(at) for at in np.linspace(0, count - 1, wanted)})
