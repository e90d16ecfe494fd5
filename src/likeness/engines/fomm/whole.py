"""Models that know no faces (bodies, clothes, drawings, robots): they are shown the whole picture.

A picture that is not square is put into one, with bars of its own border's colours, and taken out again.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from likeness.engines.fomm.animator import Animator, Settings, render_ahead
from likeness.engines.fomm.checkpoint import Pair
from likeness.engines.fomm.performer import warn_if_enlarged
from likeness.types import Floats, Picture


@dataclass(frozen=True, slots=True)
class Letterbox:
    """Where a picture lies in the model's square: the square's side; left, top, width, height, px."""

    side: int
    left: int
    top: int
    width: int
    height: int

    @classmethod
    def of(cls, image: Picture, side: int) -> Letterbox:
        """The largest place for a picture (h, w, 3) in a square of this side, in the middle."""
        height, width = image.shape[:2]
        scale = side / max(height, width)
        w, h = max(1, round(width * scale)), max(1, round(height * scale))
        return cls(side, (side - w) // 2, (side - h) // 2, w, h)

    def put_in(self, image: Picture) -> Picture:
        """(side, side, 3) uint8: the picture in its place; beside it, its border repeated."""
        small = cv2.resize(image, (self.width, self.height), interpolation=cv2.INTER_AREA)
        right, below = self.side - self.left - self.width, self.side - self.top - self.height
        bars = (self.top, below, self.left, right)
        return np.asarray(cv2.copyMakeBorder(small, *bars, cv2.BORDER_REPLICATE), np.uint8)

    def take_out(self, frame: Floats, width: int, height: int) -> Picture:
        """The place's content (height, width, 3) uint8 of a frame (side, side, 3), 0 … 1."""
        part = frame[self.top : self.top + self.height, self.left : self.left + self.width]
        shrinking = width < self.width
        how = cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC
        large = cv2.resize(np.ascontiguousarray(part), (width, height), interpolation=how)
        return np.asarray(np.clip(np.rint(large * 255), 0, 255), np.uint8)


class WholePerformer:
    """A whole picture, moved by whole driver frames.

    Args:
        image: (h, w, 3) uint8 RGB; results have its size.
        side_px: of the squares that the model works on.
    """

    def __init__(self, pair: Pair, image: Picture, settings: Settings, side_px: int) -> None:
        self._shape, self._side_px = image.shape[:2], side_px
        self._place = Letterbox.of(image, side_px)
        self._animator = Animator(pair, self._place.put_in(image), settings)
        self._driver_place: Letterbox | None = None

    def begin(self, frame: Picture) -> None:
        """The driver frame that the source's own picture stands for, (h, w, 3) uint8 RGB."""
        self._driver_place = Letterbox.of(frame, self._side_px)
        self._animator.begin(self._driver_place.put_in(frame))

    def render(self, frame: Picture) -> Picture:
        """The source doing what the frame shows, (h, w, 3) uint8 RGB. It is not sealed."""
        assert self._driver_place is not None, "begin comes first"
        made = self._animator.render(self._driver_place.put_in(frame))
        height, width = self._shape
        return self._place.take_out(made, width, height)

    def render_all(self, frames: Iterable[Picture]) -> Generator[Picture]:
        """The same for one frame after another, several at once; to be closed."""
        return render_ahead(self.render, frames)

    def warnings(self) -> tuple[str, ...]:
        """Whether the picture had to be enlarged."""
        return warn_if_enlarged(max(self._shape) / self._side_px, self._side_px)
