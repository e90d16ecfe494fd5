"""Source, driver and result beside each other, as a sealed clip."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from likeness.disclosure.seal import Sealed, SealedVideo
from likeness.errors import Unsupported
from likeness.media import AudioSource, VideoReader, check_output, probe, read_image
from likeness.motion.file import SUFFIX
from likeness.pipelines.show import video_html
from likeness.types import Ingredient, Picture

if TYPE_CHECKING:
    from likeness.pipelines.animation import Animation

GAP_PX = 8


@dataclass(frozen=True, slots=True)
class Comparison:
    """A finished side-by-side clip; a notebook shows it."""

    path: Path
    sealed: Sealed

    def _repr_html_(self) -> str:
        return video_html(self.path)


def compare(animation: Animation, out: Path | None = None, *, overwrite: bool = True) -> Comparison:
    """Write source | driver | result beside each other (without the driver where it was a `.motion` file).

    Args:
        out: where to write it; None = beside the result, with "-compare.mp4" added to its name.

    Raises:
        Unsupported: the result is a folder of pictures.
        OutputError: `out` cannot be written.
    """
    if animation.path.is_dir():
        raise Unsupported("A folder of pictures cannot be compared.", "Animate into an .mp4 first.")
    out = out or animation.path.with_name(f"{animation.path.name}-compare.mp4")
    inputs = [animation.path, animation.source, animation.driving]
    check_output(out, overwrite=overwrite, inputs=inputs)
    with ExitStack() as stack:
        result = stack.enter_context(VideoReader(animation.path))
        # A GIF counts in hundredths of a second, so the result's own rate may differ from the driver's.
        rate, height = result.info.rate, result.info.height // 2 * 2
        still = _fit(read_image(animation.source).image, height)
        columns: list[Iterator[Picture]] = [repeat(still)]
        names = ["source"]
        if animation.driving.suffix.lower() != SUFFIX:
            driver = VideoReader(
                animation.driving, start_s=animation.config.start_s, end_s=animation.config.end_s
            )
            frames = (_fit(frame.image, height) for frame in stack.enter_context(driver))
            columns.append(_hold(frames))
            names.append("driver")
        columns.append(_fit(frame.image, height) for frame in result)
        names.append("result")
        rows = zip(*columns, strict=False)
        pictures = next(rows)
        strip = _strip([picture.shape[1] for picture in pictures], names, height)
        first = _beside(pictures, strip)
        making = replace(
            animation.making,
            act="compare",
            ingredients=(Ingredient(animation.path, "source"), *animation.making.ingredients),
        )
        audio = AudioSource(animation.path) if probe(animation.path).has_audio else None
        with SealedVideo(
            out,
            making,
            width=first.shape[1],
            height=first.shape[0],
            rate=Fraction(rate),
            audio=audio,
            overwrite=overwrite,
            language=animation.config.label_language,
        ) as video:
            for row in chain([pictures], rows):
                video.write(_beside(row, strip))
        return Comparison(out, video.sealed)


def _hold(frames: Iterator[Picture]) -> Iterator[Picture]:
    """The frames, and then the last one for as long as it takes."""
    last: Picture | None = None
    for last in frames:
        yield last
    if last is not None:
        yield from repeat(last)


def _fit(picture: Picture, height: int) -> Picture:
    """As high as all others, with an even width."""
    width = max(2, round(picture.shape[1] * height / picture.shape[0] / 2) * 2)
    shrinks = height < picture.shape[0]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (width, height), interpolation=how), np.uint8)


def _beside(pictures: tuple[Picture, ...], strip: Picture) -> Picture:
    gap = np.full((pictures[0].shape[0], GAP_PX, 3), 255, np.uint8)
    parts = [part for picture in pictures for part in (gap, picture)]
    return np.vstack([np.hstack(parts[1:]), strip])


def _strip(widths: list[int], names: list[str], height: int) -> Picture:
    """A white strip that names the columns; the label of the whole clip finds its place there."""
    letter_px = max(14, round(height * 0.032))
    strip = Image.new("RGB", (sum(widths) + GAP_PX * (len(widths) - 1), 4 * letter_px // 2 * 2), "white")
    draw, font, x = ImageDraw.Draw(strip), ImageFont.load_default(letter_px), 0
    for width, name in zip(widths, names, strict=True):
        draw.text((x + letter_px, 2 * letter_px), name, font=font, fill=(60, 60, 60), anchor="lm")
        x += width + GAP_PX
    return np.asarray(strip, np.uint8)
