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
SCALES = (Fraction(1), Fraction(1, 2))


@dataclass(frozen=True, slots=True, eq=False)
class Copy:
    """What somebody has who was sent a clip.

    Attributes:
        picture: a JPEG file of the frame a quarter of the way through it.
        verification: what `verify` says of it.
    """

    picture: bytes
    verification: Verification

    @classmethod
    def of(cls, clip: Path) -> Copy:
        return cls(_frame(clip), verify(clip))


def post(clip: Path) -> tuple[Copy, ...]:
    """`clip` as it is, encoded again (H.264, crf 32), and encoded again at half its width and height.

    They are written here and not by `media.writer`, since they have to be without credentials: they never
    leave the temporary folder, and still carry the visible label.
    """
    copies = [Copy.of(clip)]
    with tempfile.TemporaryDirectory(prefix="likeness-") as folder:
        for number, scale in enumerate(SCALES):
            path = Path(folder) / f"{number}.mp4"
            _encode(clip, path, scale)
            copies.append(Copy.of(path))
    return tuple(copies)


def _encode(clip: Path, copy: Path, scale: Fraction) -> None:
    with VideoReader(clip) as video, av.open(str(copy), "w") as output:
        stream = output.add_stream("libx264", rate=video.info.rate, options={"crf": str(CRF)})
        # H.264 wants even sides.
        width, height = (int(side * scale) // 2 * 2 for side in (video.info.width, video.info.height))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for frame in video:
            small = cv2.resize(frame.image, (width, height), interpolation=cv2.INTER_AREA)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(small, "rgb24")))
        output.mux(stream.encode(None))


def _frame(clip: Path) -> bytes:
    with VideoReader(clip) as video:
        wanted = (video.frames_expected or 1) // 4
        return next(encode_jpeg(frame.image) for frame in video if frame.index >= wanted)
