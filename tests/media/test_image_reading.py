from __future__ import annotations

import io
import struct
import warnings
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, ImageCms

from likeness.errors import MediaError, MediaNotFound, TooLarge, Unreadable, Unsupported
from likeness.media import encode_jpeg, encode_png, read_image

GREY = np.linspace(0, 255, 40 * 30).reshape(30, 40).round().astype(np.uint8)
RGB = np.dstack([GREY, GREY[::-1], np.full_like(GREY, 90)])
# How each EXIF orientation is stored, written out from the standard: rows of the stored picture are …
STORED = {
    1: RGB,
    2: RGB[:, ::-1],
    3: RGB[::-1, ::-1],
    4: RGB[::-1],
    5: RGB.transpose(1, 0, 2),
    6: RGB[:, ::-1].transpose(1, 0, 2),
    7: RGB[::-1, ::-1].transpose(1, 0, 2),
    8: RGB[::-1].transpose(1, 0, 2),
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("suffix", ["png", "webp", "tiff"])
def test_exif_orientation(tmp_path: Path, orientation: int, suffix: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(np.ascontiguousarray(STORED[orientation])).save(path, exif=exif, lossless=True)
    still = read_image(path)
    np.testing.assert_array_equal(still.image, RGB)
    assert still.alpha is None


MODES = {"png": ("L", "P", "RGB", "I;16"), "jpg": ("L", "RGB", "CMYK"), "gif": ("L", "P", "RGB")}
MODES |= {"tiff": ("L", "P", "RGB", "CMYK", "I;16"), "bmp": ("L", "P", "RGB"), "webp": ("RGB",)}
TOLERANCE = {"P": 8, "CMYK": 3}


@pytest.mark.parametrize(("suffix", "mode"), [(suffix, mode) for suffix in MODES for mode in MODES[suffix]])
def test_modes(tmp_path: Path, suffix: str, mode: str) -> None:
    source = Image.fromarray(GREY)
    if mode == "I;16":
        source = Image.fromarray(GREY.astype(np.uint16) * 257)
    elif mode == "P":
        source = source.convert("RGB").quantize(256)
    elif mode != "L":
        source = source.convert("RGB").convert(mode)
    path = tmp_path / f"a.{suffix}"
    source.save(path, **{"jpg": {"quality": 100}, "webp": {"lossless": True}}.get(suffix, {}))
    image = read_image(path).image
    assert (image.shape, image.dtype) == ((30, 40, 3), np.uint8)
    tolerance = max(TOLERANCE.get(mode, 0), 3 if suffix == "jpg" else 0)
    np.testing.assert_allclose(image, np.dstack([GREY] * 3), atol=tolerance)


@pytest.mark.parametrize("suffix", ["png", "tiff", "bmp"])
def test_one_bit(tmp_path: Path, suffix: str) -> None:
    black_and_white = np.where(np.add.outer(np.arange(6), np.arange(9)) % 3, 255, 0).astype(np.uint8)
    Image.fromarray(black_and_white).convert("1").save(tmp_path / f"a.{suffix}")
    np.testing.assert_array_equal(read_image(tmp_path / f"a.{suffix}").image[..., 1], black_and_white)


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_16_bits_a_channel(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    cv2.imwrite(str(path), RGB[..., ::-1].astype(np.uint16) * 257)
    np.testing.assert_allclose(read_image(path).image, RGB, atol=1)


def test_float_tiff(tmp_path: Path) -> None:
    Image.fromarray(GREY.astype(np.float32) / 255).save(tmp_path / "a.tiff")
    np.testing.assert_array_equal(read_image(tmp_path / "a.tiff").image[..., 0], GREY)


@pytest.mark.parametrize("name", ["rgba.png", "la.png", "rgba.webp", "rgba.tiff", "palette.png", "key.png"])
def test_alpha_is_kept_apart(tmp_path: Path, name: str) -> None:
    alpha = np.where(np.add.outer(np.arange(30), np.arange(40)) < 30, 0, 255).astype(np.uint8)
    path = tmp_path / name
    match name.split(".")[0]:
        case "rgba":
            Image.fromarray(np.dstack([RGB, alpha])).save(path, lossless=True, exact=True)
        case "la":
            Image.merge("LA", [Image.fromarray(RGB[..., 0]), Image.fromarray(alpha)]).save(path)
        case "palette":
            Image.fromarray(alpha // 255).convert("P").save(path, transparency=0)
        case "key":
            Image.fromarray(np.dstack([alpha] * 3)).save(path, transparency=(0, 0, 0))
    still = read_image(path)
    assert still.alpha is not None
    np.testing.assert_array_equal(still.alpha, alpha)
    if name.startswith("rgba"):
        np.testing.assert_array_equal(still.image, RGB)


def test_opaque_alpha_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encode_png(RGB, np.full(RGB.shape[:2], 255, np.uint8)))
    assert read_image(tmp_path / "a.png").alpha is None


def other_profile() -> bytes:
    """The sRGB profile with red and blue exchanged, under another name."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile.replace("sRGB".encode("utf-16-be"), "TEST".encode("utf-16-be"))
    return profile.replace(b"rXYZ", b"----").replace(b"bXYZ", b"rXYZ").replace(b"----", b"bXYZ")


def test_embedded_profile_is_applied(tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "other.png", icc_profile=other_profile())
    np.testing.assert_allclose(read_image(tmp_path / "other.png").image, RGB[..., ::-1], atol=2)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(RGB).save(tmp_path / "srgb.png", icc_profile=srgb)
    np.testing.assert_array_equal(read_image(tmp_path / "srgb.png").image, RGB)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_useless_profile_is_ignored(tmp_path: Path, mode: str) -> None:
    Image.fromarray(GREY).convert(mode).save(tmp_path / "a.jpg", icc_profile=b"no profile", quality=100)
    assert read_image(tmp_path / "a.jpg").image.shape == (30, 40, 3)
    Image.fromarray(GREY).convert(mode).save(tmp_path / "b.jpg", icc_profile=other_profile(), quality=100)
    assert read_image(tmp_path / "b.jpg").image.shape == (30, 40, 3)


@pytest.mark.parametrize("suffix", ["gif", "png", "webp"])
def test_first_frame_of_an_animation(tmp_path: Path, suffix: str) -> None:
    frames = [Image.new("RGB", (20, 10), colour) for colour in ("red", "blue", "green")]
    frames[0].save(tmp_path / f"a.{suffix}", save_all=True, append_images=frames[1:], lossless=True)
    np.testing.assert_array_equal(
        read_image(tmp_path / f"a.{suffix}").image, np.full((10, 20, 3), (255, 0, 0))
    )


def png_of_size(width: int, height: int) -> bytes:
    """A PNG whose header claims this size; there are no pixels in it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(20000, 20000), (15000, 7000), (12000, 8400)])
def test_too_large_is_refused_before_decoding(tmp_path: Path, size: tuple[int, int]) -> None:
    (tmp_path / "a.png").write_bytes(png_of_size(*size))
    with pytest.raises(TooLarge, match="100 million"):  # decoding would find that the pixels are missing
        read_image(tmp_path / "a.png")


def test_the_limit_can_be_set(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encode_png(RGB))
    read_image(tmp_path / "a.png", max_pixels=1200)
    with pytest.raises(TooLarge, match="40×30"):
        read_image(tmp_path / "a.png", max_pixels=1199)


def test_bad_input(tmp_path: Path) -> None:
    jpeg = encode_jpeg(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))
    files = {
        "empty.png": b"",
        "text.jpg": b"This is no picture.\n" * 50,
        "cut.jpg": jpeg[: len(jpeg) // 2],
        "cut.png": encode_png(RGB)[:-60],
        "head.png": encode_png(RGB)[:20],
        "phone.heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100),
        "a.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
        "a.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        expected: type[MediaError] = Unsupported if name == "phone.heic" else Unreadable
        with pytest.raises(expected) as caught:
            read_image(tmp_path / name)
        assert name in caught.value.what
        assert caught.value.hint.endswith(".")
    for path in (tmp_path, tmp_path / "missing.png"):
        with pytest.raises(MediaNotFound):
            read_image(path)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_damage_never_escapes(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Whatever is broken in a file, there is a picture or an error of ours."""
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP"]))
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(RGB).save(out, kind, **({} if kind in ("GIF", "BMP") else {"exif": exif}))
    content = bytearray(out.getvalue())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(1, len(content)))]
    path = tmp_path_factory.mktemp("damaged") / "a"
    path.write_bytes(content)
    try:
        image = read_image(path, max_pixels=10_000_000).image
    except MediaError:
        return
    assert image.ndim == 3


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_png_is_exact(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    shape = data.draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    image = data.draw(hnp.arrays(np.uint8, (*shape, 3)))
    alpha = data.draw(st.none() | hnp.arrays(np.uint8, shape, elements=st.integers(0, 254)))
    path = tmp_path_factory.mktemp("exact") / "a.png"
    path.write_bytes(encode_png(image, alpha))
    still = read_image(path)
    np.testing.assert_array_equal(still.image, image)
    np.testing.assert_array_equal(still.alpha, alpha) if alpha is not None else None
    assert (still.alpha is None) == (alpha is None)


def test_jpeg_quality() -> None:
    smooth = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8), (0, 0), 3)
    sizes = [len(encode_jpeg(smooth, quality)) for quality in (50, 80, 95)]
    assert sizes == sorted(sizes)
    back = np.asarray(Image.open(io.BytesIO(encode_jpeg(smooth, 95))))
    assert np.abs(back.astype(int) - smooth).mean() < 2


def test_no_setting_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encode_png(RGB))
    before = (Image.MAX_IMAGE_PIXELS, list(warnings.filters))
    read_image(tmp_path / "a.png")
    assert (Image.MAX_IMAGE_PIXELS, list(warnings.filters)) == before
