"""Where the person is in a picture."""

from __future__ import annotations

import cv2
import numpy as np

from likeness.faces.nets import Net
from likeness.models import fetch
from likeness.types import Face, Floats, Picture

SEGMENTATION = "selfie-segmentation"

WINDOW_FACES = 5.0
"""Side of the square that the network looks at around a face, in sizes of the face."""

WORK_SIDE_PX = 640
GUIDE_EPSILON = 1e-3  # variance below which the guide counts as flat: a step of 3 % of white

# The network's "perhaps" and the filter's halo are cut off: this much counts as nothing, this much as all.
NOTHING, ALL = 0.1, 0.85


def person_mask(image: Picture, *, around: Face | None = None, threads: int = 2) -> Floats:
    """How much of each pixel is person.

    The network (selfie segmentation, MediaPipe) sees 256 × 256 pixels; a guided filter brings its edge to the
    edges of the picture.

    Args:
        image: (h, w, 3) uint8 RGB.
        around: look only at this person's head and shoulders, for someone small in a large picture.

    Returns:
        (h, w) float32, 0…1.

    Raises:
        ModelMissing, ModelFormat: the model cannot be fetched or read.
    """
    net = Net(fetch(SEGMENTATION).read_bytes(), threads=threads)
    left, top, right, bottom = _window(image, around)
    part = image[top:bottom, left:right]
    rows, columns = net.input_shape[1:3]
    seen = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    mask = net.run(np.asarray(seen[None], np.float32))[0].reshape(rows, columns)
    refined = (refine(mask, part) - NOTHING) / (ALL - NOTHING)
    result = np.zeros(image.shape[:2], np.float32)
    result[top:bottom, left:right] = np.clip(refined, 0, 1)
    return result


def refine(mask: Floats, image: Picture) -> Floats:
    """Brings a coarse mask, of any size, to the edges of `image`; (h, w) float32.

    A guided filter (He, Sun, Tang, PAMI 2013, algorithm 1) whose coefficients are found on a small copy of
    the picture and applied to the large one (He, Sun, "Fast guided filter", 2015).
    """
    height, width = image.shape[:2]
    scale = min(1.0, WORK_SIDE_PX / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    guide = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) / np.float32(255)
    small = _resized(guide, size)
    slope, offset = guide_coefficients(small, _resized(mask, size), radius_px=max(2, max(size) // 64))
    refined = _resized(slope, (width, height)) * guide + _resized(offset, (width, height))
    return np.asarray(refined, np.float32)


def guide_coefficients(
    guide: Floats, picture: Floats, *, radius_px: int, epsilon: float = GUIDE_EPSILON
) -> tuple[Floats, Floats]:
    """Slope and offset, per pixel, of the line from `guide` to `picture`; all (h, w) float32, 0…1."""
    window = (2 * radius_px + 1, 2 * radius_px + 1)

    def mean(array: Floats) -> Floats:
        return np.asarray(cv2.blur(array, window), np.float32)

    guide_mean, picture_mean = mean(guide), mean(picture)
    covariance = mean(guide * picture) - guide_mean * picture_mean
    variance = mean(guide * guide) - guide_mean * guide_mean
    slope = np.asarray(covariance / (variance + epsilon), np.float32)
    return mean(slope), mean(np.asarray(picture_mean - slope * guide_mean, np.float32))


def _window(image: Picture, face: Face | None) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what the network is shown."""
    height, width = image.shape[:2]
    if face is None:
        return 0, 0, width, height
    left, top, right, bottom = face.box
    half = WINDOW_FACES * face.size_px / 2
    x, y = (left + right) / 2, (top + bottom) / 2
    # A face at the very border, or beyond it, still gets a window of one pixel at least.
    first_column, first_row = (
        min(max(round(x - half), 0), width - 1),
        min(max(round(y - half), 0), height - 1),
    )
    last_column = max(min(round(x + half), width), first_column + 1)
    last_row = max(min(round(y + half), height), first_row + 1)
    return first_column, first_row, last_column, last_row


def _resized(array: Floats, size: tuple[int, int]) -> Floats:
    smaller = size[0] < array.shape[1] or size[1] < array.shape[0]
    how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(array, size, interpolation=how), np.float32)
