"""Eyes: the lids are moved in the source picture itself, and the mesh then carries the result.

A lid that comes down shows skin that the photo never showed, and warping the photo smears lashes and the
dark of the eye over it. So each eye is taken apart once into three layers:

    plate   the eye as it would look without eye: a membrane (Laplace) fill of skin over the opening and the
            lashes, no darker than most of the skin around it, with the skin's own noise
    ratio   picture / plate: lashes, crease, shadow. At openness 1, plate · ratio is the picture again
    lines   upper lid, lower lid and brow as curves over the line between the corners

For each frame the lines move, the plate follows a little, and the ratio rides on the lid and fades as it
closes, where a soft lash line takes over.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.engines.mesh.eye_kernel import paint_eye
from likeness.faces.topology import EyeIndex
from likeness.types import Floats, Picture

COLUMNS = 96
"""Samples of a lid line over its reach."""
REACH = 0.78
"""Half the width of the box around an eye, in eye widths."""
LOWER_SHARE = 0.2
"""How far the lower line rises when the eye closes, as a share of the opening."""
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class EyeTarget:
    """What one eye is to do.

    Attributes:
        openness: (COLUMNS,) float32 along the eye, 1 = as in the source, 0 = closed.
        lower_shift: (COLUMNS,) float32, how far the lower line moves down beside what closing does, in
            eye widths.
        gaze: (2,) float32 shift of the iris along and across the eye, in eye widths.
    """

    openness: Floats
    lower_shift: Floats
    gaze: Floats


class Eye:
    """One eye of the source picture, taken apart.

    Args:
        image: (h, w, 3) uint8 RGB.
        points: (478, 3) float32 px in that picture.
        index: which points make up this eye.
        seed: for the skin's noise.
    """

    def __init__(self, image: Picture, points: Floats, index: EyeIndex, seed: int = 0) -> None:
        first, second = points[index.corners[0], :2], points[index.corners[1], :2]
        if first[0] > second[0]:
            first, second = second, first
        self.width_px = max(float(np.linalg.norm(second - first)), 4.0)
        self._along = ((second - first) / self.width_px).astype(np.float32)
        self._across = np.array([-self._along[1], self._along[0]], np.float32)
        self._middle = (first + second) / 2
        inner = points[index.inner_corner, :2]
        self._inner_side = 1.0 if float((inner - self._middle) @ self._along) > 0 else -1.0
        self._lay_out(image.shape[0], image.shape[1])
        self._draw_lines(points, index)
        self._take_apart(image, seed)

    def _lay_out(self, height: int, width: int) -> None:
        """The box around the eye and every pixel's coordinates along and across it."""
        reach, above, below = REACH * self.width_px, -0.75 * self.width_px, 0.62 * self.width_px
        corners = np.array(
            [
                self._middle + x * self._along + y * self._across
                for x in (-reach, reach)
                for y in (above, below)
            ]
        )
        # Two pixels at least, and never outside: a portrait may cut through an eye, or leave it out.
        low = np.clip(np.floor(corners.min(0)).astype(int), 0, [width - 2, height - 2])
        high = np.clip(np.ceil(corners.max(0)).astype(int) + 1, low + 2, [width, height])
        self.box = (int(low[0]), int(low[1]), int(high[0]), int(high[1]))
        x, y = np.meshgrid(np.arange(self.box[0], self.box[2]), np.arange(self.box[1], self.box[3]))
        offset = np.stack([x - self._middle[0], y - self._middle[1]], 2).astype(np.float32)
        self._a = (offset @ self._along).astype(np.float32)
        self._d = (offset @ self._across).astype(np.float32)
        self._column = ((self._a / (reach * 1.3) + 1) / 2 * (COLUMNS - 1)).astype(np.float32)

    def _draw_lines(self, points: Floats, index: EyeIndex) -> None:
        """Upper lid, lower lid and brow over the line between the corners, px."""
        self.columns_px = np.linspace(-1.3 * REACH, 1.3 * REACH, COLUMNS).astype(np.float32) * self.width_px
        self.upper, self.lower = self.lid_lines(points[:, :2], index)
        brow = self._curve(points[list(index.brow), :2], COLUMNS * 0.04)
        self.brow = np.minimum(brow, self.upper - 0.10 * self.width_px)

    def lid_lines(self, points: Floats, index: EyeIndex) -> tuple[Floats, Floats]:
        """The two lid lines (COLUMNS,) px across the eye for (478, 2) points."""
        ends = self._middle + np.array([[-1.3 * REACH], [1.3 * REACH]]) * self.width_px * self._along
        corners = points[list(index.corners)]
        sigma = COLUMNS * 0.018
        upper = self._curve(np.vstack([points[list(index.upper)], corners, ends]), sigma)
        lower = self._curve(np.vstack([points[list(index.lower)], corners, ends]), sigma)
        return upper, np.maximum(lower, upper)

    def _curve(self, points: NDArray[np.floating], sigma: float) -> Floats:
        along, across = (points - self._middle) @ self._along, (points - self._middle) @ self._across
        order = np.argsort(along)
        line = np.interp(self.columns_px, along[order], across[order]).astype(np.float32)
        smooth: Floats = cv2.GaussianBlur(line[None], (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)[0]
        return smooth

    def _table(self, line: Floats) -> Floats:
        """A line's value at every pixel of the box."""
        flat = np.interp(self._column.ravel(), np.arange(COLUMNS), line)
        return flat.reshape(self._column.shape).astype(np.float32)

    def _take_apart(self, image: Picture, seed: int) -> None:
        left, top, right, bottom = self.box
        width = self.width_px
        self._skin = image[top:bottom, left:right].astype(np.float32)
        upper, lower, brow = self._table(self.upper), self._table(self.lower), self._table(self.brow)
        luma = cv2.GaussianBlur(self._skin @ LUMA, (0, 0), max(0.6, width * 0.008))
        near = np.abs(self._a) < 0.5 * width
        above = near & (self._d < upper - 0.35 * (upper - brow)) & (self._d > upper - 0.75 * (upper - brow))
        under = near & (self._d > lower + 0.10 * width) & (self._d < lower + 0.28 * width)
        light_above = float(np.percentile(luma[above], 60)) if above.any() else float(luma.mean())
        light_under = float(np.percentile(luma[under], 50)) if under.any() else light_above
        start = upper - 0.55 * (upper - brow)
        t = np.clip((self._d - start) / np.maximum(lower + 0.19 * width - start, 1e-3), 0, 1)
        expected = light_above * (1 - t) + light_under * t
        mask = self._opening(luma, expected, upper, lower, brow)
        fill = self._fill(mask, luma, expected, above | under, light_above, seed)
        feather = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), max(0.8, width * 0.028)) * 1.6
        feather = np.clip(feather, 0, 1)[:, :, None]
        softened = cv2.GaussianBlur(fill, (0, 0), max(0.8, width * 0.02))
        plate = np.where(mask[:, :, None] > 0, fill, softened)
        self._plate = (self._skin * (1 - feather) + plate * feather).clip(0, 255).astype(np.float32)
        self._ratio = np.clip((self._skin + 2) / (self._plate + 2), 0.05, 3).astype(np.float32)
        self._read_lashes(luma, near, upper, seed)
        self._layers = np.stack([self._skin, self._plate, self._ratio])
        self._places = np.stack([self._a, self._d, self._column, self._comb])

    def _opening(self, luma: Floats, expected: Floats, upper: Floats, lower: Floats, brow: Floats) -> Picture:
        """The eye's opening with its lashes and dark surroundings: (bh, bw) uint8, 0 or 1."""
        width = self.width_px
        opening = (lower - upper > 0.01 * width) & (self._d > upper) & (self._d < lower)
        rim = (self._d > upper - 0.075 * width) & (self._d < lower + 0.035 * width)
        base = opening | (rim & (np.abs(self._a) < 0.53 * width))
        reach = (self._d > upper - 0.55 * (upper - brow)) & (self._d < lower + 0.09 * width)
        dark = (luma < 0.84 * expected) & reach & (np.abs(self._a) < 0.54 * width)
        _, labels = cv2.connectedComponents((dark | base).astype(np.uint8))
        mask = np.isin(labels, np.unique(labels[base & (labels > 0)])).astype(np.uint8)
        k = max(1, round(width * 0.025))
        mask = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * k + 1, 2 * k + 1)))
        mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((2 * k + 1, 2 * k + 1), np.uint8))
        mask[[0, -1]] = 0
        mask[:, [0, -1]] = 0
        return np.asarray(mask, np.uint8)

    def _fill(
        self, mask: Picture, luma: Floats, expected: Floats, skin: NDArray[np.bool_], light: float, seed: int
    ) -> Floats:
        """Skin over the mask: a membrane from its border, lifted where the border is a shadow, with noise."""
        width = self.width_px
        lift = np.clip(0.86 * expected / np.maximum(luma, 1), 1, 1.4) - 1
        middle = np.clip(1 - (np.abs(self._a) / (0.56 * width)) ** 4, 0, 1)
        border = cv2.GaussianBlur(self._skin, (0, 0), max(0.8, width * 0.012))
        border = (border * (1 + lift * middle)[:, :, None]).astype(np.float32)
        fill = fill_membrane(border, mask)
        grain = np.abs(luma - cv2.GaussianBlur(luma, (0, 0), 1.5))
        amount = min(float(np.median(grain[skin])) * 1.48 if skin.any() else 0.0, 0.03 * light)
        noise = np.random.default_rng(seed).standard_normal(mask.shape).astype(np.float32)
        noise = cv2.GaussianBlur(noise, (0, 0), 0.8)
        return np.asarray(
            fill + (noise * (0.5 * amount / (float(noise.std()) + 1e-6)))[:, :, None], np.float32
        )

    def _read_lashes(self, luma: Floats, near: NDArray[np.bool_], upper: Floats, seed: int) -> None:
        """The lashes' colour and thickness, from the darkest pixels at the upper lid."""
        width = self.width_px
        rim = near & (self._d > upper - 0.07 * width) & (self._d < upper + 0.02 * width)
        if rim.any():
            order = np.argsort(luma[rim])
            colour = self._skin[rim][order[: max(3, len(order) // 12)]].mean(0) * 0.92
        else:
            colour = self._skin.reshape(-1, 3).min(0)
        self._lash = np.asarray(colour, np.float32)
        dark = np.minimum(self._ratio.mean(2), 1)
        band = (
            (np.abs(self._a) < 0.35 * width)
            & (self._d < upper + 0.01 * width)
            & (self._d > upper - 0.16 * width)
        )
        ink = float(((1 - dark) * band).sum()) / (0.7 * width) / width
        self._thick = float(np.clip(1.4 * ink / 0.66, 0.10, 0.17))
        wave = np.random.default_rng(seed + 1).standard_normal((1, 256)).astype(np.float32)
        wave = cv2.GaussianBlur(wave, (0, 0), 2.2)[0]
        outward = np.clip(-self._a / (0.5 * width) * self._inner_side, -0.6, 1)
        slanted = self._a + 0.55 * self._d * outward * self._inner_side
        at = np.clip((slanted / width + 0.8) / 1.6 * 255, 0, 255).astype(int)
        self._comb = (wave / (wave.std() + 1e-6))[at].astype(np.float32)

    def paint(self, out: Picture, target: EyeTarget) -> None:
        """Write this eye, doing what `target` says, into (h, w, 4) uint8 RGBA at its box."""
        tables = np.empty((6, COLUMNS), np.float32)
        q = np.maximum(target.openness, 0)
        aperture = self.lower - self.upper
        lower = (
            self.lower + target.lower_shift * self.width_px - LOWER_SHARE * np.maximum(1 - q, 0) * aperture
        )
        # No lid goes over the brow.
        upper = np.maximum(lower - q * aperture, self.brow)
        tables[:] = self.upper, self.lower, self.brow, upper, lower, q
        gaze = target.gaze * self.width_px * min(float(q[COLUMNS // 2]) * 2, 1.0)
        numbers = [self.width_px, gaze[0], gaze[1], self._thick, self._inner_side]
        settings = np.concatenate([numbers, self._along, self._across, self._lash]).astype(np.float32)
        paint_eye(out, self._layers, self._places, tables, settings, self.box[0], self.box[1])


def fill_membrane(image: Floats, mask: Picture, rounds: int = 400) -> Floats:
    """Fill `mask` with the smoothest surface that meets its border (Laplace equation), coarse to fine.

    Args:
        image: (h, w, 3) float32; values under the mask do not matter.
        mask: (h, w) uint8, 1 where to fill.
    """
    height, width = mask.shape
    known = (mask == 0).astype(np.float32)
    if min(height, width) > 24:
        size = (width // 2, height // 2)
        share = cv2.resize(known, size, interpolation=cv2.INTER_AREA)
        small = cv2.resize(image * known[:, :, None], size, interpolation=cv2.INTER_AREA)
        small = (small / np.maximum(share, 1e-3)[:, :, None]).astype(np.float32)
        coarse = fill_membrane(small, (share < 0.25).astype(np.uint8), rounds)
        guess = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
        rounds = 40
    elif known.any():
        guess = np.broadcast_to(image[known > 0].mean(0), image.shape).astype(np.float32)
    else:
        return image
    kernel = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32) / 4
    inside = mask[:, :, None] > 0
    filled = np.where(inside, guess, image).astype(np.float32)
    for _ in range(rounds):
        filled = np.where(inside, cv2.filter2D(filled, -1, kernel, borderType=cv2.BORDER_REPLICATE), image)
    return np.asarray(filled, np.float32)
