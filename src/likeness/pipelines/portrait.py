"""The picture that is animated: read, face chosen, brought to its working size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.config import AnimateConfig
from likeness.engines.base import Source
from likeness.errors import FaceIndex, FaceTooSmall, NoFace
from likeness.faces import find_faces
from likeness.faces.align import Crop
from likeness.media import Still, read_image
from likeness.motion.record import SMALLEST_FACE_PX
from likeness.types import Face, Picture


def read_portrait(path: Path, config: AnimateConfig) -> Source:
    """The source picture and its face, as large as it will be rendered.

    Raises:
        NoFace, FaceIndex, FaceTooSmall: there is no usable face.
        MediaError: the picture cannot be read.
    """
    still = read_image(path)
    face = choose_face(find_faces(still.image), config.source_face, path)
    if config.crop:
        source = _head_square(still, face, config.size // 2 * 2)
        remedy = "--size (size in Python)"
    else:
        source = _whole(still, face, config.max_side)
        remedy = "--max-side, or --crop (max_side or crop in Python)"
    if source.face.size_px < SMALLEST_FACE_PX:
        height, width = source.image.shape[:2]
        raise FaceTooSmall(
            f"At {width}×{height} px, the face in {path.name} would be {source.face.size_px:.0f} px large; "
            f"{SMALLEST_FACE_PX} are needed.",
            f"Choose a larger {remedy}.",
        )
    return source


def choose_face(faces: tuple[Face, ...], number: int | None, path: Path) -> Face:
    """The face with this number (from 1), or the largest."""
    if not faces:
        raise NoFace(
            f"No face was found in {path.name}.",
            "Use a picture that shows a face from the front; `likeness faces FILE` (list_faces in "
            "Python) shows what is found.",
        )
    if number is not None and number > len(faces):
        raise FaceIndex(
            f"{path.name} shows {len(faces)} face{'s'[: len(faces) > 1]}, so there is no face {number}.",
            "`likeness faces FILE` (list_faces in Python) lists the faces with their numbers.",
        )
    face = faces[(number or 1) - 1]
    if face.size_px < SMALLEST_FACE_PX:
        raise FaceTooSmall(
            f"The face in {path.name} is {face.size_px:.0f} px large; {SMALLEST_FACE_PX} are needed.",
            "Use a larger picture, or one taken from nearer.",
        )
    return face


def fit_picture(image: Picture, max_side_px: int) -> Picture:
    """A picture, or a map (h, w), uint8, with even sides, none of them longer than this."""
    height, width = image.shape[:2]
    # An H.264 picture has even sides. A row or column less keeps all other pixels as they are.
    columns, rows, limit = width // 2 * 2, height // 2 * 2, max_side_px // 2 * 2
    if max(columns, rows) <= limit:
        return np.ascontiguousarray(image[:rows, :columns])
    scale = limit / max(width, height)
    size = max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _head_square(still: Still, face: Face, size_px: int) -> Source:
    height, width = still.image.shape[:2]
    crop = Crop.around(face.points, size_px).within(width, height)
    alpha = None if still.alpha is None else crop.cut(still.alpha)
    return _source(crop.cut(still.image), face, crop.cut_points(face.points), alpha)


def _whole(still: Still, face: Face, max_side_px: int) -> Source:
    image = fit_picture(still.image, max_side_px)
    alpha = None if still.alpha is None else fit_picture(still.alpha, max_side_px)
    (height, width), (rows, columns) = still.image.shape[:2], image.shape[:2]
    if (width // 2 * 2, height // 2 * 2) == (columns, rows):
        return _source(image, face, face.points, alpha)
    steps = np.array([columns / width, rows / height, columns / width])
    # Pixel edges map to pixel edges, and pixel centres are at integers.
    edge = np.array([0.5, 0.5, 0.0])
    return _source(image, face, (face.points + edge) * steps - edge, alpha)


def _source(
    image: Picture, face: Face, points: NDArray[np.floating], alpha: NDArray[np.uint8] | None
) -> Source:
    share = None if alpha is None else alpha.astype(np.float32) / np.float32(255)
    return Source(image, replace(face, points=points.astype(np.float32)), share)
