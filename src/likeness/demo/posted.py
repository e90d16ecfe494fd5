"""What is left of the marks when a clip is made smaller, compressed anew, and posted, as most clips are."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2

from likeness.media.image import encode_jpeg
from likeness.media.video import VideoReader
from likeness.verification import Verification, verify

CRF = 32
SCALE = Fraction(1, 2)


@dataclass(frozen=True, slots=True, eq=False)
class Posted:
    """A clip before and after.

    Attributes:
        before, after: JPEG files of the frame halfway through the clip.
        verification: what `verify` says afterwards.
    """

    before: bytes
    after: bytes
    verification: Verification


def post(clip: Path) -> Posted:
    """Encode `clip` again (H.264, crf 32, half as wide and high), look at what is left, and throw it away.

    It is written here and not by `media.writer`, since it has to be without credentials: it never leaves the
    temporary folder, and still carries the visible label.
    """
    with tempfile.TemporaryDirectory(prefix="likeness-") as folder:
        copy = Path(folder) / "posted.mp4"
        _encode(clip, copy)
        return Posted(_halfway(clip), _halfway(copy), verify(copy))


def _encode(clip: Path, copy: Path) -> None:
    with VideoReader(clip) as video, av.open(str(copy), "w") as output:
        stream = output.add_stream("libx264", rate=video.info.rate, options={"crf": str(CRF)})
        # H.264 wants even sides.
        width, height = (int(side * SCALE) // 2 * 2 for side in (video.info.width, video.info.height))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for frame in video:
            small = cv2.resize(frame.image, (width, height), interpolation=cv2.INTER_AREA)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(small, "rgb24")))
        output.mux(stream.encode(None))


def _halfway(clip: Path) -> bytes:
    with VideoReader(clip) as video:
        half = (video.frames_expected or 1) // 2
        return next(encode_jpeg(frame.image) for frame in video if frame.index >= half)
