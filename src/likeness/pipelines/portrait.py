"""The picture that is animated: read, face chosen, brought to its working size."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from likeness.config import AnimateConfig
from likeness.engines.base import Source
from likeness.errors import FaceIndex, FaceTooSmall, NoFace
from likeness.faces import find_faces
from likeness.media import read_image
from likeness.types import Face, Floats, Picture

SMALLEST_FACE_PX = 48
HEAD_AND_SHOULDERS = 2.3
"""Side of the square of `--crop`, in heights of the face."""


def read_portrait(path: Path, config: AnimateConfig) -> Source:
    """The source picture and its face, as large as it will be rendered.

    Raises:
        NoFace, FaceIndex, FaceTooSmall: there is no usable face.
        MediaError: the picture cannot be read.
    """
    still = read_image(path)
    face = choose_face(find_faces(still.image), config.source_face, path)
    height, width = still.image.shape[:2]
    alpha = None if still.alpha is None else (still.alpha / 255).astype(np.float32)
    if config.crop:
        matrix, size = _head_square(face, config.size), (config.size, config.size)
    else:
        scale = min(1.0, config.max_side / max(width, height))
        # An H.264 picture has even sides.
        size = (max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2))
        matrix = np.array([[size[0] / width, 0, 0], [0, size[1] / height, 0]])
    image = np.asarray(_warp(still.image, matrix, size), np.uint8)
    if alpha is not None:
        alpha = np.asarray(_warp(alpha, matrix, size), np.float32)
    return Source(image, _move(face, matrix), alpha)


def choose_face(faces: tuple[Face, ...], number: int | None, path: Path) -> Face:
    """The face with this number (from 1), or the largest."""
    if not faces:
        raise NoFace(
            f"No face was found in {path.name}.",
            "Use a picture that shows a face from the front; `likeness faces FILE` shows what is found.",
        )
    if number is not None and number > len(faces):
        raise FaceIndex(
            f"{path.name} shows {len(faces)} face{'s'[: len(faces) > 1]}, so there is no face {number}.",
            "`likeness faces FILE` lists the faces with their numbers.",
        )
    face = faces[(number or 1) - 1]
    if face.size_px < SMALLEST_FACE_PX:
        raise FaceTooSmall(
            f"The face in {path.name} is {face.size_px:.0f} px large; {SMALLEST_FACE_PX} are needed.",
            "Use a larger picture, or one taken from nearer.",
        )
    return face


def _head_square(face: Face, size: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    left, top, right, bottom = face.box
    side = HEAD_AND_SHOULDERS * max(right - left, bottom - top)
    scale = size / side
    x, y = (left + right) / 2, (top + bottom) / 2 - 0.02 * side
    # Pixel centres are at integers: the middle of the square is (size - 1) / 2.
    return np.array([[scale, 0, (size - 1) / 2 - scale * x], [0, scale, (size - 1) / 2 - scale * y]])


def _warp(
    picture: Picture | Floats,
    matrix: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    size: tuple[int, int],
) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    """Scale and shift; averages where it becomes smaller, repeats the border where it ends."""
    scale_x, scale_y = float(matrix[0, 0]), float(matrix[1, 1])
    if (size[1], size[0]) == picture.shape[:2] and matrix[0, 2] == matrix[1, 2] == 0:
        return picture
    if not matrix[:, 2].any():
        # A plain change of size keeps edges on edges.
        return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
    if min(scale_x, scale_y) < 0.5:
        half = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        moved = matrix.copy()
        # Centres: x = 2 x' + 0.5 for the halved picture's x'.
        moved[:, 2] += 0.5 * np.array([scale_x, scale_y])
        moved[:, :2] *= 2
        return _warp(half, moved, size)
    return np.asarray(
        cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    )


def _move(face: Face, matrix: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Face:
    points = face.points.copy()
    if matrix[:, 2].any():
        points[:, :2] = points[:, :2] * [matrix[0, 0], matrix[1, 1]] + matrix[:, 2]
    else:
        # As `cv2.resize` does it: pixel edges map to pixel edges.
        points[:, :2] = (points[:, :2] + 0.5) * [matrix[0, 0], matrix[1, 1]] - 0.5
    points[:, 2] *= matrix[0, 0]
    return Face(points.astype(np.float32), face.blendshapes, face.score, face.id)
