"""List the faces of a picture or video, and number them in a copy of it."""

from __future__ import annotations

import mimetypes
import os
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from likeness.errors import NoFace
from likeness.faces import FaceTracker, find_faces
from likeness.faces.nets import LANDMARKER
from likeness.media.files import check_input
from likeness.media.image import encode_png, read_image
from likeness.media.video import VideoReader
from likeness.models import fetch
from likeness.pipelines.output import check_plain_output, plain_output
from likeness.types import Face, Picture

_MOST_FACES = 20
_SEARCHED_FRAMES = 250
_INK, _PAPER = (20, 20, 20), (255, 214, 10)


def list_faces(
    path: str | os.PathLike[str],
    *,
    numbered: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    offline: bool = False,
) -> tuple[Face, ...]:
    """The faces in a picture, or in the first frame of a video that shows any; number 1 comes first.

    Args:
        path: a picture or a video.
        numbered: where to write a copy of the picture with every face framed and numbered; a `.png`.
        overwrite: replace that copy if it exists.
        offline: fetch nothing.

    Raises:
        NoFace: there is none, or none in the first 250 frames.
        MediaError: the file cannot be read.
        UsageError, OutputError: the numbered copy cannot be written.
    """
    path = check_input(Path(path))
    if numbered is not None:
        check_plain_output(Path(numbered), ".png", overwrite=overwrite, source=path)
    fetch(LANDMARKER, offline=offline or None)
    image, faces = _look(path)
    if numbered is not None:
        data = encode_png(draw_numbers(image, faces))
        with plain_output(Path(numbered)) as temporary:
            temporary.write_bytes(data)
    return faces


def draw_numbers(image: Picture, faces: tuple[Face, ...]) -> Picture:
    """A copy of `image`, (h, w, 3) uint8 RGB, with every face framed and numbered from 1."""
    canvas = image.copy()
    height, width = canvas.shape[:2]
    line_px = max(2, round(max(height, width) / 400))
    for number, face in enumerate(faces, 1):
        left, top, right, bottom = (round(side) for side in face.box)
        cv2.rectangle(canvas, (left, top), (right, bottom), _PAPER, line_px)
        scale = max(0.5, face.size_px / 200)
        thickness = max(1, round(scale * 2))
        (text_w, text_h), base = cv2.getTextSize(str(number), cv2.FONT_HERSHEY_SIMPLEX, scale, thickness)
        # The tag stays inside the picture even where the face does not.
        x = min(max(left, 0), max(width - text_w - base, 0))
        y = min(max(top, 0), max(height - text_h - 2 * base, 0))
        cv2.rectangle(canvas, (x, y), (x + text_w + base, y + text_h + 2 * base), _PAPER, cv2.FILLED)
        origin = (x + base // 2, y + text_h + base)
        cv2.putText(
            canvas, str(number), origin, cv2.FONT_HERSHEY_SIMPLEX, scale, _INK, thickness, cv2.LINE_AA
        )
    return np.asarray(canvas, np.uint8)


def _look(path: Path) -> tuple[Picture, tuple[Face, ...]]:
    kind = mimetypes.guess_type(path.name)[0] or ""
    if kind.startswith("image/") and kind != "image/gif":
        image = read_image(path).image
        if faces := find_faces(image):
            return image, faces
    else:
        # As the pipelines follow a driver, so that both number its faces alike.
        tracker = FaceTracker(faces=_MOST_FACES)
        with VideoReader(path) as video:
            video.check_whole()
            for frame in islice(video, _SEARCHED_FRAMES):
                if faces := tracker.track(frame.image):
                    return frame.image, faces
    raise NoFace(
        f"No face was found in {path.name}.",
        "Use a picture that shows a face from the front, large enough and well lit.",
    )
