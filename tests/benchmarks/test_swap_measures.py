"""The measures of the swap benchmark say what they are said to say."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import swap_measures as measures
from likeness.faces.topology import canonical_mesh
from swap_aims import recognisable_minutes, times_faster

SIDE = 64


def pictures(seed: int = 0, count: int = 2) -> np.ndarray:
    """Something with edges and fine grain, (count, 64, 64, 3)."""
    chance = np.random.default_rng(seed)
    coarse = chance.integers(40, 215, (count, 8, 8, 3)).astype(np.uint8)
    large = np.stack([cv2.resize(one, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST) for one in coarse])
    return np.clip(large + chance.normal(0, 6, large.shape), 0, 255).astype(np.uint8)


def soft(images: np.ndarray, sigma: float) -> np.ndarray:
    return np.stack([cv2.GaussianBlur(one, (0, 0), sigma) for one in images])


MASKS = np.ones((2, SIDE, SIDE), np.float32)


def test_the_same_is_the_same() -> None:
    images = pictures()
    assert measures.l1(images, images, MASKS) == 0
    assert measures.ssim(images, images, MASKS) == pytest.approx(1, abs=1e-5)
    assert measures.gmsd(images, images, MASKS) == pytest.approx(0, abs=1e-3)


@given(st.integers(1, 40))
def test_l1_is_the_mean_difference_inside_the_mask(shift: int) -> None:
    dark = np.full((2, SIDE, SIDE, 3), 100, np.uint8)
    light = dark.copy()
    light[:, :, : SIDE // 2] += shift
    left = np.zeros((2, SIDE, SIDE), np.float32)
    left[:, :, : SIDE // 2] = 1
    assert measures.l1(dark, light, left) == pytest.approx(shift / 255, rel=1e-5)
    assert measures.l1(dark, light, 1 - left) == 0


def test_more_blur_is_worse_and_less_fine() -> None:
    images = pictures()
    blurred = [soft(images, sigma) for sigma in (0.7, 1.5, 3.0)]
    assert np.all(np.diff([measures.ssim(one, images, MASKS) for one in blurred]) < 0)
    assert np.all(np.diff([measures.gmsd(one, images, MASKS) for one in blurred]) > 0)
    assert np.all(np.diff([measures.fineness(one, MASKS) for one in [images, *blurred]]) < 0)


def test_an_unsharp_mask_is_made_as_fine_as_wanted() -> None:
    images = soft(pictures(), 1.0)
    wanted = 2 * measures.fineness(images, MASKS)
    sharp, amount = measures.unsharp_to(images, MASKS, wanted)
    assert amount > 0
    assert measures.fineness(sharp, MASKS) == pytest.approx(wanted, rel=0.05)


def test_matched_colours_have_the_others_mean_and_keep_the_shapes() -> None:
    images = pictures()
    other = (images * 0.4 + 90).astype(np.uint8)
    matched = measures.match_colours(other, images, MASKS)
    assert measures.l1(other, images, MASKS) > 0.05
    assert measures.l1(matched, images, MASKS) < 0.01


def face(yaw: float = 0.0, jaw_px: float = 0.0) -> np.ndarray:
    """The canonical face as points of a picture, turned, its mouth open by so much."""
    mesh = canonical_mesh()
    points = mesh.vertices[:468].astype(np.float64)
    lower = [17, 84, 314, 14, 87, 317]
    points[lower, 1] += jaw_px / 10
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    return (10 * points @ turn.T + 100).astype(np.float32)


def test_expression_ignores_pose_and_shape() -> None:
    jaws = [0.0, 3.0, 6.0, 2.0]
    real = [face(0.3 * n, jaw) for n, jaw in enumerate(jaws)]
    assert measures.expression(real, real)["error"] == pytest.approx(0, abs=1e-4)
    wider = [face(0.0, jaw) * np.array([1.1, 1, 1], np.float32) for jaw in jaws]
    still = [face(0.0, 1.0) for _ in jaws]
    moving, static = measures.expression(real, wider), measures.expression(real, still)
    assert moving["error"] < 0.5 * static["error"]
    assert moving["mouth_r"] > 0.95
    assert static["error"] == pytest.approx(static["static"], rel=0.05)
    assert static["mouth_r"] == 0


def test_a_frame_without_a_face_is_left_out() -> None:
    real = [face(0, jaw) for jaw in (0, 1, 2, 3, 4)]
    found = measures.expression(real, [None, *real[1:]])
    assert found["seen"] == 0.8
    assert found["error"] == pytest.approx(0, abs=1e-4)


def test_movement_is_no_flicker_but_brightness_is() -> None:
    chance = np.random.default_rng(0)
    texture = cv2.GaussianBlur(chance.integers(0, 255, (128, 128, 3)).astype(np.uint8), (0, 0), 6)
    points = face()
    points = (points - points.mean(0)) * 5.0 / 10 + np.array([64, 64, 0], np.float32)
    full = np.concatenate([points, np.repeat(points[:1], 10, 0)]).astype(np.float32)
    moved, shifted = [], []
    for n in range(4):
        shift = np.array([[1, 0, 2.0 * n], [0, 1, n]])
        moved.append(cv2.warpAffine(texture, shift, (128, 128), borderMode=cv2.BORDER_REFLECT))
        shifted.append(full + np.array([2.0 * n, n, 0], np.float32))
    masks = [np.ones((128, 128), np.float32)] * 4
    steady = measures.flicker(moved, shifted, masks)
    blinking = [
        np.clip(one.astype(int) + 12 * (n % 2), 0, 255).astype(np.uint8) for n, one in enumerate(moved)
    ]
    assert steady < 0.01
    assert measures.flicker(blinking, shifted, masks) > 3 * steady


def row(cpu_s: float, to_b: float, to_a: float = 0.8, l1: float = 0.1) -> dict[str, float]:
    return {"cpu_s": cpu_s, "to_b": to_b, "to_a": to_a, "l1": l1}


def test_recognisable_is_from_when_it_stays() -> None:
    curve = [row(60, 0.45), row(120, 0.55), row(180, 0.4), row(240, 0.4)]
    assert recognisable_minutes(curve) == 1.5
    assert recognisable_minutes(curve[:2]) is None
    assert recognisable_minutes([row(60, 0.45, to_a=0.4)]) is None


def test_times_faster_goes_by_the_first_look_that_was_there_to_stay() -> None:
    slow = [row(100, 0.5, l1=0.05), row(200, 0.5, l1=0.04)]
    quick = [row(5, 0.5, l1=0.06), row(10, 0.5, l1=0.039), row(20, 0.5, l1=0.02)]
    assert times_faster(slow, quick)["at least"] == 20
    quick.insert(0, row(2, 0.5, l1=0.03))  # by chance
    assert times_faster(slow, quick)["at least"] == 20
    assert times_faster(slow, quick[:2])["at least"] == 0
