"""Sharpness, and the hash that a frame is known by."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from likeness.facesets.measure import SAME_FRAME_BITS, bits_apart, frame_hash, sharpness
from likeness.types import Picture

from ..puppet import Puppet


@pytest.fixture(scope="module")
def face() -> Picture:
    return Puppet(px_per_cm=12, x=150, y=150).draw(300, 300)


def test_blur_is_seen(face: Picture) -> None:
    blurred = [np.asarray(cv2.GaussianBlur(face, (0, 0), sigma), np.uint8) for sigma in (1, 2, 4, 8)]
    found = [sharpness(image) for image in (face, *blurred)]
    assert found == sorted(found, reverse=True)
    assert found[0] > 4 * found[3]


def test_light_and_contrast_do_not_count(face: Picture) -> None:
    darker = np.rint(20 + 0.5 * face).astype(np.uint8)
    assert sharpness(darker) == pytest.approx(sharpness(face), rel=0.02)


def test_nothing_is_not_sharp() -> None:
    assert sharpness(np.full((64, 64, 3), 128, np.uint8)) == 0


@pytest.mark.parametrize("quality", [90, 20])
def test_a_frame_is_known_again(face: Picture, quality: int) -> None:
    data = io.BytesIO()
    Image.fromarray(face).save(data, "JPEG", quality=quality)
    packed = np.asarray(Image.open(data))
    assert bits_apart(frame_hash(packed), frame_hash(face)) <= SAME_FRAME_BITS
    small = np.asarray(cv2.resize(face, (160, 160), interpolation=cv2.INTER_AREA), np.uint8)
    assert bits_apart(frame_hash(small), frame_hash(face)) <= SAME_FRAME_BITS


def test_other_pictures_are_not(face: Picture) -> None:
    turned = np.ascontiguousarray(face[:, ::-1].transpose(1, 0, 2))
    noise = np.random.default_rng(1).integers(0, 256, face.shape).astype(np.uint8)
    for other in (turned, noise):
        assert bits_apart(frame_hash(other), frame_hash(face)) > 2 * SAME_FRAME_BITS


def test_the_hash_of_a_slope() -> None:
    """Brighter to the right everywhere: all bits are one."""
    slope = np.repeat(np.arange(90, dtype=np.uint8)[None], 80, axis=0)
    assert frame_hash(np.dstack([slope] * 3)) == "f" * 16
    assert frame_hash(np.dstack([slope[:, ::-1]] * 3)) == "0" * 16


@given(first=st.integers(0, 2**64 - 1), second=st.integers(0, 2**64 - 1))
def test_bits_apart(first: int, second: int) -> None:
    a, b = f"{first:016x}", f"{second:016x}"
    assert bits_apart(a, b) == bits_apart(b, a) == bin(first ^ second).count("1")
