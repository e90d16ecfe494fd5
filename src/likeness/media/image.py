"""Reading and encoding still pictures."""

from __future__ import annotations

import io
import struct
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, UnidentifiedImageError

from likeness.errors import MediaError, TooLarge, Unreadable, Unsupported
from likeness.media.files import check_input
from likeness.types import Picture

MAX_PIXELS = 100_000_000

# Formats whose decoders only decode: others of Pillow's run programs (EPS) or read further files.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "PPM", "AVIF", "JPEG2000", "TGA")
# What Pillow's decoders raise on damaged files; they know no common base.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, struct.error, IndexError, KeyError, TypeError)
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"}
_EXIF_ORIENTATION = 0x0112
_UPRIGHT = {  # EXIF 2.32, section 4.6.4: how to turn each orientation upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True, eq=False)
class Still:
    """A picture as it is meant to be seen.

    Attributes:
        image: (h, w, 3) uint8 sRGB, upright.
        alpha: (h, w) uint8, 0 transparent … 255 opaque, or None where all is opaque. `image` keeps the
            colours under transparent pixels.
        path: where it was read from.
    """

    image: Picture
    alpha: NDArray[np.uint8] | None
    path: Path


def read_image(path: str | Path, *, max_pixels: int = MAX_PIXELS) -> Still:
    """Read a picture: any of the usual formats, grey, palette, 16 bit, CMYK or with alpha; upright, in sRGB.

    Of an animation the first frame is read. The size is checked before anything is decoded.

    Raises:
        MediaNotFound, Unreadable, Unsupported: see the message.
        TooLarge: more than `max_pixels` pixels.
    """
    path = check_input(path)
    with warnings.catch_warnings():
        # Pillow warns of large pictures (which are measured below) and of odd metadata (which is not used).
        warnings.simplefilter("ignore")
        try:
            with Image.open(path, formats=_FORMATS) as file:
                _check_size(path, file.size, max_pixels)
                file.load()  # turns TIFFs upright by itself, and finds in PNGs what comes after the pixels
                orientation = _orientation(file)
                upright = file.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else file
                rgb, alpha = _to_rgb(upright, file.info.get("icc_profile"))
        except Image.DecompressionBombError:
            raise _too_large(path, max_pixels) from None
        except UnidentifiedImageError:
            raise _unknown(path) from None
        except _DAMAGE as error:
            raise Unreadable(
                f"{path} is damaged: {error}.", "Export it again from the program that made it."
            ) from error
    return Still(rgb, alpha, path)


def image_size(path: Path) -> tuple[int, int] | None:
    """Width and height from the head of a picture, or None if it is none that `read_image` knows.

    Raises:
        TooLarge: beyond what Pillow considers possible.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(path, formats=_FORMATS) as file:
                return file.size
        except Image.DecompressionBombError:
            raise _too_large(path, MAX_PIXELS) from None
        except _DAMAGE:
            return None


def encode_png(image: Picture, alpha: NDArray[np.uint8] | None = None) -> bytes:
    """A PNG file's bytes. `image` is (h, w, 3) uint8 RGB, `alpha` (h, w) uint8."""
    pixels = image if alpha is None else np.dstack([image, alpha])
    out = io.BytesIO()
    # Level 1 takes a quarter of the time of the default 6 for a sixth more bytes (12 against 46 ms at 512²).
    Image.fromarray(np.ascontiguousarray(pixels)).save(out, "PNG", compress_level=1)
    return out.getvalue()


def encode_jpeg(image: Picture, quality: int = 90) -> bytes:
    """A JPEG file's bytes. `image` is (h, w, 3) uint8 RGB; `quality` 1…95 as in libjpeg."""
    out = io.BytesIO()
    # Chroma at full size where quality is asked for: lips and label edges show its loss first.
    subsampling = "4:4:4" if quality >= 90 else "4:2:0"
    Image.fromarray(np.ascontiguousarray(image)).save(out, "JPEG", quality=quality, subsampling=subsampling)
    return out.getvalue()


def _check_size(path: Path, size: tuple[int, int], max_pixels: int) -> None:
    if size[0] * size[1] > max_pixels:
        raise _too_large(path, max_pixels, f"{size[0]}×{size[1]} px")


def _too_large(path: Path, max_pixels: int, size: str = "far too large") -> TooLarge:
    return TooLarge(
        f"{path} is {size}; at most {max_pixels / 1e6:g} million pixels are read.", "Make it smaller first."
    )


def _unknown(path: Path) -> MediaError:
    with path.open("rb") as file:
        head = file.read(12)
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS:
        return Unsupported(f"{path} is a HEIC picture, which is not read here.", "Export it as JPEG or PNG.")
    return Unreadable(
        f"{path} is not a picture this package knows.", "Give a JPEG, PNG, WebP, TIFF or GIF file."
    )


def _orientation(file: Image.Image) -> int:
    try:
        return int(file.getexif().get(_EXIF_ORIENTATION, 1))
    except _DAMAGE:
        return 1  # Broken metadata is no reason to refuse a picture.


def _to_rgb(file: Image.Image, icc_profile: bytes | None) -> tuple[Picture, NDArray[np.uint8] | None]:
    if file.mode == "F" or file.mode.startswith("I"):
        grey = _grey_to_8_bits(np.asarray(file))
        return np.repeat(grey[..., None], 3, axis=2), None
    alpha = None
    if file.has_transparency_data:
        file = file.convert("RGBA")
        plane = np.array(file.getchannel("A"))
        alpha = None if plane.min() == 255 else plane
        file = file.convert("RGB")
    elif file.mode not in ("RGB", "CMYK", "LAB"):
        file = file.convert("RGB")
    return np.array(_to_srgb(file, icc_profile)), alpha


def _grey_to_8_bits(grey: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Grey of 16 or 32 bits or of floats to 0…255, rounded; full scale is 65535, for floats 1."""
    values = grey.astype(np.float32)
    if grey.dtype.kind == "f":
        full = 1.0 if np.nanmax(values, initial=0.0) <= 1.0 else 255.0
    else:
        full = 65535.0 if grey.dtype == np.uint16 or values.max() > 255 else 255.0
    levels: NDArray[np.uint8] = (np.clip(np.nan_to_num(values) / full, 0, 1) * 255 + 0.5).astype(np.uint8)
    return levels


def _to_srgb(file: Image.Image, icc_profile: bytes | None) -> Image.Image:
    """Colours as sRGB: through the embedded profile if it is there, fits and is not sRGB already."""
    if icc_profile:
        try:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
            if file.mode == "RGB" and "srgb" in ImageCms.getProfileDescription(profile).lower():
                return file
            converted = ImageCms.profileToProfile(
                file, profile, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except (ImageCms.PyCMSError, OSError):
            return file.convert("RGB")  # A broken profile, or a grey one on a picture turned into RGB.
        return converted if converted is not None else file.convert("RGB")
    return file.convert("RGB")
