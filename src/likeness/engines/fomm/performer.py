"""A portrait of any size: its head is cut out, moved at the model's size, and put back."""

from __future__ import annotations

from collections.abc import Generator, Iterable

import cv2
import numpy as np

from likeness.config import AnimateConfig
from likeness.engines.base import Source
from likeness.engines.fomm.animator import Animator, Settings, render_ahead
from likeness.engines.fomm.checkpoint import Pair
from likeness.faces.align import Crop
from likeness.motion.calibrate import Calibration
from likeness.motion.frame import MotionFrame
from likeness.types import Floats, Picture

SOFT = 0.08
"""The crop fades into the picture over this share of its side."""
COARSE = 1.2
"""From this enlargement on, people are told."""


class FommPerformer:
    """One source, prepared; see `likeness.engines.base.Performer`.

    Args:
        side_px: of the squares that the model works on.
    """

    def __init__(self, pair: Pair, source: Source, config: AnimateConfig, side_px: int) -> None:
        height, width = source.image.shape[:2]
        self._source, self._side_px = source.image, side_px
        self._crop = Crop.around(source.face.points, side_px).within(width, height)
        settings = Settings(relative=config.relative, adapt_scale=config.adapt_scale)
        self._still = self._crop.cut(source.image)
        self._animator = Animator(pair, self._still, settings)
        self._driver_crop: Crop | None = None
        self._box, self._to_crop, self._share = _place(self._crop, width, height)

    def begin(self, calibration: Calibration) -> None:
        """The driver's head is cut out where it is in its best frame; the cut stays there, and it moves."""
        reference = calibration.reference
        image = _image_of(reference)
        self._driver_crop = Crop.around(reference.points, self._side_px).within(
            image.shape[1], image.shape[0]
        )
        self._animator.begin(self._driver_crop.cut(image))

    def render(self, motion: MotionFrame) -> Picture:
        """The source doing what the driver's picture shows."""
        assert self._driver_crop is not None, "begin comes first"
        frame = self._animator.render(self._driver_crop.cut(_image_of(motion)))
        out = self._source.copy()
        left, top, right, bottom = self._box
        moved = _fit_box(frame, self._to_crop, right - left, bottom - top)
        below = out[top:bottom, left:right].astype(np.float32)
        mixed = below + self._share * (moved * 255 - below)
        out[top:bottom, left:right] = np.clip(np.rint(mixed), 0, 255).astype(np.uint8)
        return out

    def render_all(self, motions: Iterable[MotionFrame]) -> Generator[Picture]:
        """The same for one frame after another, several at once; to be closed."""
        return render_ahead(self.render, motions)

    def warnings(self) -> tuple[str, ...]:
        """Whether the face had to be enlarged."""
        return warn_if_enlarged(self._crop.scale, self._side_px)


def warn_if_enlarged(times: float, side_px: int) -> tuple[str, ...]:
    """What people are told of a result that is so many times larger than the model, of this side, made it."""
    if times < COARSE:
        return ()
    return (
        f"The model works at {side_px}×{side_px} px: what it makes was enlarged {times:.1f} times, "
        "and is as much less sharp.",
    )


def _image_of(motion: MotionFrame) -> Picture:
    assert motion.image is not None, "this engine asks for pictures"
    return motion.image


def _place(crop: Crop, width: int, height: int) -> tuple[tuple[int, int, int, int], Floats, Floats]:
    """Where the crop lies in the picture: its box (left, top, right, bottom), px; the matrix (2, 3) from the
    box's pixels to the crop's; and how much of the crop counts there, (h, w, 1), 0 … 1.

    At edges of the picture itself nothing fades: there is nothing to fade into.
    """
    to_picture = crop.to_picture
    step, x, y = to_picture[0, 0], to_picture[0, 2], to_picture[1, 2]
    left, top = max(round(x - step / 2 + 0.5), 0), max(round(y - step / 2 + 0.5), 0)
    right, bottom = min(left + round(crop.side_px), width), min(top + round(crop.side_px), height)
    to_crop = np.array([[1 / step, 0, (left - x) / step], [0, 1 / step, (top - y) / step]], np.float32)
    fade = SOFT * crop.side_px

    def ramp(first: int, last: int, end: int) -> Floats:
        at = np.arange(first, last, dtype=np.float32)
        near_first = np.ones_like(at) if first == 0 else (at - first + 0.5) / fade
        near_last = np.ones_like(at) if last == end else (last - at - 0.5) / fade
        t = np.clip(np.minimum(near_first, near_last), 0, 1)
        return np.asarray(t * t * (3 - 2 * t), np.float32)

    share = ramp(top, bottom, height)[:, None] * ramp(left, right, width)[None]
    return (left, top, right, bottom), to_crop, share[:, :, None]


def _fit_box(frame: Floats, to_crop: Floats, width: int, height: int) -> Floats:
    """(height, width, 3) float32 0 … 1: the model's frame as the box shows it, larger or smaller."""
    if to_crop[0, 0] > 1:
        return np.asarray(cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA), np.float32)
    how = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(frame, to_crop, (width, height), flags=how, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(np.clip(moved, 0, 1), np.float32)
