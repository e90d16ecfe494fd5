"""Finding the picture watermark, without the original, in what was cropped, scaled, turned or mirrored.

What moves averages out over frames, what is strong is clipped, and the spectrum is made flat, which leaves
noise and the pattern. A guess at scale and rotation folds the picture onto one tile; the pilot's correlation
with it (one FFT) tells how good the guess is and where the tile begins. The best guesses are refined, and the
coded bits are read and decoded. Only what `is_mark` accepts is reported.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.disclosure.watermark.code import Decoded, decode
from likeness.disclosure.watermark.tile import (
    PICTURE_CHIPS,
    SIDE_CHIPS,
    chip_tile,
    layout,
    oversampled,
    pilot_tile,
)
from likeness.errors import UsageError
from likeness.types import Floats, Picture

MIN_CONFIDENCE = 0.56
"""Three words in a thousand exceed it that are read where there is no mark (of 93,512). A search reads ten at
most, and one in 65,536 has a fitting checksum: less than one unmarked picture in two million is taken for
marked."""

_CHIP_PX = 4  # in the working size, at scale 1
_SAMPLES = 2  # per chip and direction, on the folded tile
_FOLD = SIDE_CHIPS * _SAMPLES
_FRAMES_PER_STRIDE = 16
_MAX_ASPECT = 3

# Steps that cost the pilot a tenth at most: the outermost chips are off by half a chip halfway between them.
_SCALES = 0.90 * 1.012 ** np.arange(37)  # to 1.38
_ROTATIONS_DEG = np.linspace(-2.8, 2.8, 9)
_CANDIDATES = 6
# How far `_refine` steps, round by round: scale, rotation in degrees.
_STEPS = ((0.006, 0.35), (0.003, 0.18), (0.0015, 0.09), (0.0008, 0.05))


@dataclass(frozen=True, slots=True)
class Found:
    """A mark that was found.

    Attributes:
        payload: the 32 bits.
        confidence: cosine between what was read and what was written, MIN_CONFIDENCE…1.
        scale: size of the tile against that of an uncropped picture of this size; a crop makes it larger.
        rotation_deg: how far the picture was turned, counter-clockwise, before it was mirrored.
        mirrored: left and right are exchanged.
        frames: how many were looked at.
    """

    payload: int
    confidence: float
    scale: float
    rotation_deg: float
    mirrored: bool
    frames: int


class Guess(NamedTuple):
    """Scale as in `Found`, and rotation the other way round, of the picture as it is or mirrored."""

    scale: float = 1.0
    rotation_deg: float = 0.0
    mirrored: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """How well a guess fits.

    Attributes:
        guess: the guess.
        score: the pilot's highest correlation, in standard deviations.
        tile: (128, 128) float32, the folded picture.
        shift: (y, x) of the tile's origin, samples.
    """

    guess: Guess
    score: float
    tile: Floats
    shift: tuple[float, float]


def find_in_picture(image: Picture) -> Found | None:
    """The mark of a single picture, (h, w, 3) uint8 RGB, or None."""
    return find_in_frames([image])


def find_in_frames(frames: Iterable[Picture], *, thorough: bool = True) -> Found | None:
    """The mark that pictures of one video have in common, or None.

    Looks at the first frames closely and then at fewer and fewer: at some 60 of 250.

    Args:
        frames: (h, w, 3) uint8 RGB each, all of one size.
        thorough: as for `attempts`; without it, a mark is found or not in a tenth of the time.

    Raises:
        UsageError: pictures of different sizes.
    """
    total: Floats | None = None
    count = 0
    for image in _thinned(frames):
        part = residual(image)
        if total is None:
            total = part
        elif total.shape != part.shape:
            raise UsageError("The frames differ in size.", "Look at one video at a time.")
        else:
            total += part
        count += 1
    if total is None:
        return None
    flat = whitened(total)
    for guess, decoded in attempts(flat, thorough=thorough):
        if is_mark(decoded):
            scale, turned, mirrored = guess
            return Found(decoded.payload, decoded.confidence, scale, 0.0 - turned, mirrored, count)
    return None


def is_mark(decoded: Decoded) -> bool:
    """Whether this is a mark and not noise."""
    return decoded.crc_ok and decoded.confidence > MIN_CONFIDENCE


def _thinned(frames: Iterable[Picture]) -> Iterator[Picture]:
    """Every frame, then every second, every fourth …, as many each time."""
    stride, taken, wanted = 1, 0, 0
    for index, image in enumerate(frames):
        if index == wanted:
            yield image
            taken += 1
            if taken % _FRAMES_PER_STRIDE == 0:
                stride *= 2
            wanted += stride


def residual(image: Picture) -> Floats:
    """What is finer than five working pixels, in units of its surroundings: a picture 320 px high or wide.

    Returns:
        float32, the shorter side 320, −2.2…2.2.
    """
    image = _middle(image)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    factor = PICTURE_CHIPS * _CHIP_PX / min(height, width)
    size = (round(width * factor), round(height * factor))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    small = cv2.resize(grey.astype(np.float32), size, interpolation=how)
    fine = cv2.GaussianBlur(small, (0, 0), 0.6) - cv2.GaussianBlur(small, (0, 0), 5)
    spread = np.sqrt(cv2.GaussianBlur(fine * fine, (0, 0), 3)) + 0.2
    clipped: Floats = np.clip(fine / spread, -2.2, 2.2)
    return clipped


def _middle(image: Picture) -> Picture:
    """Of a very long picture the middle, which is enough, so that none needs more memory than others."""
    height, width = image.shape[:2]
    y, x = ((side - _MAX_ASPECT * other) // 2 for side, other in ((height, width), (width, height)))
    return np.ascontiguousarray(image[max(y, 0) : height - max(y, 0), max(x, 0) : width - max(x, 0)])


def whitened(image: Floats) -> Floats:
    """`image` with a spectrum that is flat in the large: the matched filter's answer to coloured noise."""
    spectrum = np.fft.rfft2(image)
    power = cv2.GaussianBlur((np.abs(spectrum) ** 2).astype(np.float32), (0, 0), 2.5)
    amplitude = np.sqrt(power)
    amplitude += amplitude.max() * 0.04 + 1e-9
    flat: Floats = np.fft.irfft2(spectrum / amplitude, s=image.shape).astype(np.float32)
    return flat


def attempts(flat: Floats, *, thorough: bool = True) -> Iterator[tuple[Guess, Decoded]]:
    """All that `find_in_frames` tries, in its order: likely guesses first, then the best of a search.

    Args:
        flat: the `whitened` sum of residuals.
        thorough: also search; otherwise the mark is found only if nothing but the sides or the top were cut
            off, or left and right exchanged.
    """
    height, width = flat.shape
    aspect = max(height, width) / min(height, width)
    # What had its sides cut off keeps the chips of its longer side, such as 9:16 out of 16:9.
    bases = [1.0, aspect] if aspect > 1.2 else [1.0]
    mirror = np.ascontiguousarray(flat[:, ::-1])
    for base in bases:
        for image, mirrored in ((flat, False), (mirror, True)):
            guess = Guess(base, 0.0, mirrored)
            yield guess, read(fit(image, guess))
    if not thorough:
        return
    scales = np.unique(np.concatenate([base * _SCALES for base in bases]))
    for guess in _best_guesses(flat, scales):
        refined = _refine(mirror if guess.mirrored else flat, guess)
        yield refined.guess, read(refined)


def _best_guesses(flat: Floats, scales: NDArray[np.float64]) -> list[Guess]:
    """The guesses with the highest pilot, no two of which are the same but for a step."""
    plain, mirrored = _pilot_spectra()
    scored: list[tuple[float, Guess]] = []
    for scale in scales.tolist():
        for rotation in _ROTATIONS_DEG.tolist():
            spectrum = cv2.dft(folded(flat, scale, rotation))
            for pilot, is_mirrored in ((plain, False), (mirrored, True)):
                surface = _correlation(spectrum, pilot)
                guess = Guess(scale, -rotation if is_mirrored else rotation, is_mirrored)
                scored.append((float(surface.max()) / _rms(surface), guess))
    scored.sort(key=lambda pair: -pair[0])
    chosen: list[Guess] = []
    for _, guess in scored:
        if not any(_is_near(guess, other) for other in chosen):
            chosen.append(guess)
        if len(chosen) == _CANDIDATES:
            break
    return chosen


def _is_near(one: Guess, other: Guess) -> bool:
    return (
        one.mirrored == other.mirrored
        and abs(one.scale / other.scale - 1) < 0.013
        and abs(one.rotation_deg - other.rotation_deg) < 1.1
    )


def _refine(image: Floats, guess: Guess) -> Fit:
    """Climb to the highest pilot nearby; `image` is mirrored already if the guess says so."""
    best = fit(image, guess)
    for scale_step, rotation_step in _STEPS:
        for _ in range(2):
            before = best.score
            for scale, rotation in (
                (scale_step, 0),
                (-scale_step, 0),
                (0, rotation_step),
                (0, -rotation_step),
            ):
                at = best.guess
                there = fit(image, Guess(at.scale * (1 + scale), at.rotation_deg + rotation, at.mirrored))
                if there.score > best.score:
                    best = there
            if best.score <= before * 1.001:
                break
    return best


def fit(image: Floats, guess: Guess) -> Fit:
    """Fold `image` (mirrored already if the guess says so) and find the tile's origin."""
    tile = folded(image, guess.scale, guess.rotation_deg)
    surface = _correlation(cv2.dft(tile), _pilot_spectra()[0])
    y, x = divmod(int(surface.argmax()), _FOLD)
    shift = (y + _peak_offset(surface[:, x], y), x + _peak_offset(surface[y], x))
    return Fit(guess, float(surface[y, x]) / _rms(surface), tile, shift)


def folded(image: Floats, scale: float, rotation_deg: float) -> Floats:
    """All tiles of `image` laid on each other, (128, 128) float32, the image's centre at the origin."""
    height, width = image.shape
    step = _CHIP_PX * scale / _SAMPLES
    columns, rows = (int(np.ceil(side / step * 1.03 / _FOLD)) * _FOLD for side in (width, height))
    angle = np.radians(rotation_deg)
    turn = step * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    matrix = np.column_stack([turn, centre - turn @ np.array([columns // 2, rows // 2])])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    laid: NDArray[Any] = cv2.warpAffine(image, matrix, (columns, rows), flags=flags)
    tile: Floats = laid.reshape(rows // _FOLD, _FOLD, columns // _FOLD, _FOLD).sum((0, 2))
    return np.roll(tile, (-(rows // 2 % _FOLD), -(columns // 2 % _FOLD)), (0, 1))


def soft_values(found: Fit) -> Floats:
    """(192,) float32: how much each coded bit looks like 1, on no particular scale."""
    dy, dx = found.shift
    y, x = np.fft.fftfreq(_FOLD)[:, None], np.fft.rfftfreq(_FOLD)[None]
    moved = np.fft.rfft2(found.tile) * np.exp(2j * np.pi * (y * dy + x * dx)) * _chip_spectrum()
    chips = np.fft.irfft2(moved)[::_SAMPLES, ::_SAMPLES].ravel()
    known = layout()
    values: Floats = (chips[known.data] * known.data_signs).sum(1).astype(np.float32)
    return values


def read(found: Fit) -> Decoded:
    """What the tile says if the fit is right."""
    return decode(soft_values(found))


def measure_in_place(image: Picture) -> Floats:
    """The `soft_values` of a picture that was not moved or scaled: what the embedder needs to know."""
    tile = folded(whitened(residual(image)), 1, 0)
    return soft_values(Fit(Guess(), 0, tile, (0, 0)))


@cache
def _pilot_spectra() -> tuple[Floats, Floats]:
    """Spectra, packed as OpenCV does, of the pilot and of its mirror image about chip 0."""
    pilot = oversampled(pilot_tile(), _SAMPLES)
    mirror = np.roll(pilot[:, ::-1], 1, 1)
    return cv2.dft(pilot), cv2.dft(mirror)


@cache
def _chip_spectrum() -> NDArray[Any]:
    """Conjugate spectrum of one chip."""
    return np.conj(np.fft.rfft2(oversampled(chip_tile(), _SAMPLES)))


def _correlation(spectrum: Floats, reference: Floats) -> Floats:
    """Circular cross-correlation; `cv2.dft` takes a fifth of the time of NumPy's on tiles of this size."""
    product = cv2.mulSpectrums(spectrum, reference, 0, conjB=True)
    surface: Floats = cv2.dft(product, flags=cv2.DFT_INVERSE | cv2.DFT_SCALE | cv2.DFT_REAL_OUTPUT)
    return surface


def _peak_offset(line: Floats, at: int) -> float:
    """Where between −.5 and .5 a parabola through the highest sample and its neighbours has its top."""
    left, top, right = float(line[at - 1]), float(line[at]), float(line[(at + 1) % len(line)])
    bend = left - 2 * top + right
    return 0.0 if bend >= 0 else min(max(0.5 * (left - right) / bend, -0.5), 0.5)


def _rms(surface: Floats) -> float:
    return max(float(np.linalg.norm(surface)) / math.sqrt(surface.size), 1e-9)
