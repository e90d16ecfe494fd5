"""What the watermark's benchmark does to marked media: encoding again, scaling, cropping, turning, tone."""

from __future__ import annotations

import io
from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeAlias

import av
import cv2
import numpy as np
from PIL import Image

from likeness.types import Picture

Change: TypeAlias = Callable[[list[Picture]], list[Picture]]

_ENCODERS: dict[str, tuple[str, str, dict[str, str]]] = {
    "h264": ("mp4", "libx264", {"preset": "medium", "threads": "1"}),
    "hevc": ("mp4", "libx265", {"preset": "fast", "x265-params": "log-level=none:pools=1:frame-threads=1"}),
    "vp9": ("webm", "libvpx-vp9", {"b": "0", "cpu-used": "4", "deadline": "good", "threads": "1"}),
}


def encode(codec: str, crf: int) -> Change:
    """Encode as video at a constant quality, 4:2:0, and decode again."""
    container_format, encoder, options = _ENCODERS[codec]

    def change(frames: list[Picture]) -> list[Picture]:
        memory = io.BytesIO()
        height, width = (side - side % 2 for side in frames[0].shape[:2])
        with av.open(memory, "w", format=container_format) as output:
            stream: Any = output.add_stream(encoder, rate=Fraction(25), options={**options, "crf": str(crf)})
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            for image in frames:
                picture = np.ascontiguousarray(image[:height, :width])
                output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            output.mux(stream.encode(None))
        memory.seek(0)
        with av.open(memory) as source:
            return [frame.to_ndarray(format="rgb24") for frame in source.decode(video=0)]

    return change


def jpeg(quality: int) -> Change:
    """Save as JPEG (4:2:0 below quality 90, as is usual) and read again."""

    def save(image: Picture) -> Picture:
        memory = io.BytesIO()
        Image.fromarray(image).save(memory, "JPEG", quality=quality)
        return np.asarray(Image.open(memory).convert("RGB"))

    return lambda frames: [save(image) for image in frames]


def resize(factor: float) -> Change:
    """Scale both sides."""

    def scale(image: Picture) -> Picture:
        height, width = image.shape[:2]
        size = (round(width * factor), round(height * factor))
        how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(image, size, interpolation=how))

    return lambda frames: [scale(image) for image in frames]


def crop(share: float) -> Change:
    """Take `share` off the width and off the height, more of it on the left and at the bottom."""

    def cut(image: Picture) -> Picture:
        height, width = image.shape[:2]
        x, y = round(width * share * 0.7), round(height * share * 0.2)
        return image[y : y + round(height * (1 - share)), x : x + round(width * (1 - share))]

    return lambda frames: [cut(image) for image in frames]


def crop_upright(frames: list[Picture]) -> list[Picture]:
    """9:16 at full height, a little left of the middle."""
    height, width = frames[0].shape[:2]
    wanted = round(height * 9 / 16)
    x = round((width - wanted) * 0.4)
    return [image[:, x : x + wanted] for image in frames]


def mirror(frames: list[Picture]) -> list[Picture]:
    """Exchange left and right."""
    return [np.ascontiguousarray(image[:, ::-1]) for image in frames]


def rotate(degrees: float) -> Change:
    """Turn counter-clockwise; the corners that come free are black."""

    def turn(image: Picture) -> Picture:
        height, width = image.shape[:2]
        matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1)
        return np.asarray(cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_CUBIC))

    return lambda frames: [turn(image) for image in frames]


def tone(brightness: float = 0, contrast: float = 1, gamma: float = 1) -> Change:
    """Change the tone curve: `brightness` is added to values of 0…1."""
    levels = np.arange(256) / 255
    curve = ((levels**gamma - 0.5) * contrast + 0.5 + brightness) * 255
    table = np.clip(np.round(curve), 0, 255).astype(np.uint8)
    return lambda frames: [table[image] for image in frames]


def chain(*changes: Change) -> Change:
    """One after the other."""

    def change(frames: list[Picture]) -> list[Picture]:
        for each in changes:
            frames = each(frames)
        return frames

    return change


_USUAL = encode("h264", 23)

VIDEO: dict[str, Change] = {
    "H.264 crf 23": _USUAL,
    "H.264 crf 28": encode("h264", 28),
    "H.264 crf 32": encode("h264", 32),
    "HEVC crf 28": encode("hevc", 28),
    "HEVC crf 32": encode("hevc", 32),
    "VP9 crf 33": encode("vp9", 33),
    "VP9 crf 40": encode("vp9", 40),
    "resize 0.5": chain(resize(0.5), _USUAL),
    "resize 0.75": chain(resize(0.75), _USUAL),
    "resize 1.5": chain(resize(1.5), _USUAL),
    "crop 10 %": chain(crop(0.1), _USUAL),
    "crop 10 %, crf 28": chain(crop(0.1), encode("h264", 28)),
    "mirror": chain(mirror, _USUAL),
    "rotate +2°": chain(rotate(2), _USUAL),
    "rotate −2°": chain(rotate(-2), _USUAL),
    "brightness +20 %": chain(tone(brightness=0.2), _USUAL),
    "brightness −20 %": chain(tone(brightness=-0.2), _USUAL),
    "contrast +20 %": chain(tone(contrast=1.2), _USUAL),
    "contrast −20 %": chain(tone(contrast=0.8), _USUAL),
    "gamma 1.2": chain(tone(gamma=1.2), _USUAL),
    "gamma 0.8": chain(tone(gamma=0.8), _USUAL),
}
"""Geometry and tone are followed by H.264 at crf 23, since a changed video has to be encoded again."""

UPRIGHT = {"16:9 to 9:16": chain(crop_upright, _USUAL)}

HARDER: dict[str, Change] = {
    "resize 0.5, crf 28": chain(resize(0.5), encode("h264", 28)),
    "resize 0.5, crf 32": chain(resize(0.5), encode("h264", 32)),
    "crop 25 %": chain(crop(0.25), _USUAL),
    "H.264 crf 36": encode("h264", 36),
    "H.264 crf 40": encode("h264", 40),
    "resize 0.25": chain(resize(0.25), _USUAL),
    "crop 50 %": chain(crop(0.5), _USUAL),
    "rotate +5°": chain(rotate(5), _USUAL),
}
"""Beyond what is promised."""

STILLS: dict[str, Change] = {
    "nothing": lambda frames: frames,
    "JPEG q75": jpeg(75),
    "JPEG q50": jpeg(50),
    "JPEG q30": jpeg(30),
    "resize 0.5": resize(0.5),
    "resize 1.5": resize(1.5),
    "crop 10 %": crop(0.1),
    "mirror": mirror,
    "rotate +2°": rotate(2),
    "rotate −2°": rotate(-2),
}

HARDER_STILLS: dict[str, Change] = {
    "crop 10 %, JPEG q50": chain(crop(0.1), jpeg(50)),
    "resize 0.5, JPEG q75": chain(resize(0.5), jpeg(75)),
    "crop 25 %": crop(0.25),
    "JPEG q20": jpeg(20),
}
