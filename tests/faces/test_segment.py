from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from likeness.faces import find_faces
from likeness.faces.segment import guide_coefficients, person_mask, refine
from likeness.models import find
from likeness.types import Picture

needs_model = pytest.mark.skipif(find("selfie-segmentation") is None, reason="needs selfie-segmentation")


@needs_model
def test_hopper_is_told_from_the_flag(hopper: Picture) -> None:
    mask = person_mask(hopper)
    assert mask.shape == (600, 512)
    assert mask.dtype == np.float32
    assert 0 <= mask.min() <= mask.max() <= 1
    face = find_faces(hopper)[0].points[:, :2].round().astype(int)
    assert np.percentile(mask[face[:, 1], face[:, 0]], 2) > 0.9
    assert mask[560, 256] > 0.9  # uniform
    assert max(mask[100, 60], mask[100, 460], mask[300, 40]) < 0.1  # flag, wall


@needs_model
def test_one_small_person_in_a_large_picture(hopper: Picture) -> None:
    small = np.asarray(Image.fromarray(hopper).resize((102, 120), Image.Resampling.BOX))
    canvas = np.full((1000, 1400, 3), 90, np.uint8)
    canvas[700:820, 900:1002] = small
    face = find_faces(canvas)[0]
    mask = person_mask(canvas, around=face)
    points = face.points[:468, :2].round().astype(int)
    assert mask[points[:, 1], points[:, 0]].mean() > 0.9
    assert mask[:500].max() == mask[:, :600].max() == 0


@needs_model
@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (500, 2)])
def test_odd_shapes(shape: tuple[int, int]) -> None:
    assert person_mask(np.full((*shape, 3), 50, np.uint8)).shape == shape


def test_an_edge_is_found_to_the_pixel() -> None:
    """A blurred mask, some pixels off, snaps to the edge of the picture."""
    picture = np.zeros((640, 640, 3), np.uint8)
    picture[:, 320:] = 200
    coarse = np.clip((np.arange(640, dtype=np.float32) - 311) / 12, 0, 1)[None].repeat(640, axis=0)
    assert coarse[300, 319] > 0.6
    refined = refine(coarse, picture)
    assert refined[300, 319] < 0.35
    assert refined[300, 320] > 0.65


def test_a_flat_guide_only_blurs() -> None:
    flat, mask = np.full((40, 40), 0.5, np.float32), np.eye(40, dtype=np.float32)
    slope, offset = guide_coefficients(flat, mask, radius_px=3)
    assert np.abs(slope).max() < 1e-3
    assert offset.mean() == pytest.approx(mask.mean(), abs=0.02)
