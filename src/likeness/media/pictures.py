"""From decoded frames of any format to upright RGB pictures with square pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from av.video.reformatter import Colorspace, VideoReformatter

from likeness.types import Picture

# AVCOL_SPC_*: BT.709, FCC, BT.601 (625 and 525 lines), SMPTE 240M, BT.2020; all others are no such matrix.
_MATRICES = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
}
_HD_HEIGHT = 720


@dataclass(frozen=True, slots=True)
class Orientation:
    """How stored pictures are to be shown: turned counterclockwise, then mirrored left to right."""

    quarter_turns: int = 0
    mirrored: bool = False


class PictureMaker:
    """Makes pictures of one size, width × height px as shown, from all frames of a video."""

    def __init__(self, width: int, height: int, orientation: Orientation) -> None:
        self._orientation = orientation
        self._stored_size = (height, width) if orientation.quarter_turns % 2 else (width, height)
        self._reformatter = VideoReformatter()

    def make(self, frame: Any) -> Picture:
        """(h, w, 3) uint8 RGB of an `av.VideoFrame`; raises FFmpeg's errors."""
        # Without a tag, what players do: high definition is BT.709, anything smaller BT.601.
        usual = Colorspace.ITU709 if frame.height >= _HD_HEIGHT else Colorspace.ITU601
        matrix = _MATRICES.get(frame.colorspace, usual)
        width, height = self._stored_size
        # FFmpeg's quick conversion: a tenth of the time of its exact one, and about one level darker.
        rgb: Any = self._reformatter.reformat(
            frame, width=width, height=height, format="rgb24", src_colorspace=matrix, threads=1
        )
        image: Picture = rgb.to_ndarray()
        if self._orientation == Orientation():
            return np.ascontiguousarray(image)
        return self._upright(image)

    def _upright(self, image: Picture) -> Picture:
        import cv2  # numpy would take ten times as long to copy a turned picture

        turns = self._orientation.quarter_turns
        if turns:
            turn = (cv2.ROTATE_90_COUNTERCLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_CLOCKWISE)[turns - 1]
            image = np.asarray(cv2.rotate(image, turn))
        return np.asarray(cv2.flip(image, 1)) if self._orientation.mirrored else image


def shown_size(frame: Any, aspect: Fraction | None, orientation: Orientation) -> tuple[int, int]:
    """Width and height once pixels of this aspect ratio are square and the picture is upright."""
    if aspect is None or not Fraction(1, 8) <= aspect <= 8:
        aspect = Fraction(1)  # not known, or nonsense
    width, height = max(1, round(frame.width * aspect)), int(frame.height)
    return (height, width) if orientation.quarter_turns % 2 else (width, height)


def orientation_of(frame: Any) -> Orientation:
    """The orientation that the display matrix of a frame asks for, to the nearest quarter turn.

    The matrix (ISO/IEC 14496-12, 8.3.2) maps (x, y) to (a x + c y, b x + d y), y pointing down; its entries
    a, b, c, d are the first, second, fourth and fifth of nine numbers. A mirrored one is a turn and then a
    flip of left and right.
    """
    matrix = next((data for data in frame.side_data if data.type.name == "DISPLAYMATRIX"), None)
    if matrix is None:
        return Orientation()
    numbers = np.frombuffer(bytes(matrix), dtype=np.int32).astype(float)
    a, b, c, d = numbers[[0, 1, 3, 4]]
    mirrored = bool(a * d - b * c < 0)
    if mirrored:
        a, c = -a, -c
    return Orientation(round(math.degrees(math.atan2(-b, a)) / 90) % 4, mirrored)
