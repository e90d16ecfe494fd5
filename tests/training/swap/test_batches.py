"""What is learned from: where faces land, what goes with what, and that it can be repeated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from likeness.errors import UsageError
from likeness.training.swap.batches import Batches, Prepared
from likeness.training.swap.faces import Faces, draw_mask, to_cut
from likeness.training.swap.settings import Augmentation

from ...swap_people import CUT_PX, make_faces

STILL = Augmentation(warp=0, turn_deg=0, scale=0, shift=0, flip=0, light=0, slope=0)
MANY = Augmentation(flip=0.5)


def batches(a: Faces, b: Faces, ways: Augmentation = MANY, size: int = 32, **more: int) -> Batches:
    values = {"batch_size": 8, "seed": 3, **more}
    return Batches(Prepared.of(a, size), Prepared.of(b, size), plain=ways, final=STILL, **values)


def test_without_variation_it_is_the_square() -> None:
    faces = make_faces(1, 8)
    half = batches(faces, faces, STILL).batch(0).a
    wanted = {image.tobytes() for image in faces.squares(32)}
    found = (half.target * 255).round().byte().permute(0, 2, 3, 1).contiguous().numpy()
    assert {image.tobytes() for image in found} == wanted
    assert torch.equal(half.seen, half.target)


def test_the_square_lies_where_the_alignment_says() -> None:
    """A cut shows an eighth more on every side; its middle is the square."""
    ramp = np.tile(np.arange(250, dtype=np.uint8)[None, :, None], (1, 250, 1, 3))[0]
    faces = Faces(ramp[None], np.zeros((1, 478, 3), np.float32), 1.25)
    row = faces.squares(100)[0, 50, :, 0].astype(float)
    # Two pixels of the cut a pixel; the first shows 25 and 26.
    assert row == pytest.approx(25.5 + 2 * np.arange(100), abs=1)
    assert to_cut(100, 250, 1.25)[:, 2] == pytest.approx([25.5, 25.5])
    points = Faces(ramp[None], np.full((1, 478, 3), 25.5, np.float32), 1.25).square_points(100)
    assert points == pytest.approx(np.zeros((1, 478, 2)), abs=1e-5)


def test_maps_follow_the_picture() -> None:
    """Where the picture is white, there the mask is, however both were turned, moved and mirrored."""
    plain = make_faces(1, 4)
    white = np.stack([np.repeat(draw_mask(points, CUT_PX)[..., None], 3, 2) for points in plain.points])
    faces = Faces(white, plain.points, plain.zoom)
    ways = Augmentation(warp=0, turn_deg=20, scale=0.1, shift=0.05, flip=0.5, light=0, slope=0)
    for half in batches(faces, faces, ways).batch(5):
        assert (half.target.mean(1, keepdim=True) - half.mask).abs().max() < 0.02
        assert 0.2 < float(half.mask.mean()) < 0.8
        inside = half.mask > 0.99
        for part in (half.eyes, half.mouth):
            assert 0 < float(part.mean()) < 0.2
            assert bool(inside[part > 0.9].all())


def test_both_people_are_flipped_alike() -> None:
    sides = np.zeros((4, CUT_PX, CUT_PX, 3), np.uint8)
    sides[:, :, : CUT_PX // 2] = 255
    faces = Faces(sides, make_faces(1, 4).points, 1.25)
    ways = Augmentation(warp=0, flip=0.5, light=0, slope=0)
    seen = set()
    for step in range(3):
        batch = batches(faces, faces, ways).batch(step)
        is_left = [half.target[:, 0, :, :8].mean((1, 2)) > 0.5 for half in batch]
        assert torch.equal(*is_left)
        seen |= set(is_left[0].tolist())
    assert seen == {True, False}


def test_a_batch_is_a_function_of_seed_and_step() -> None:
    a, b = make_faces(1, 9), make_faces(2, 12)
    one, other = batches(a, b), batches(a, b)
    for step in (4, 0):
        for x, y in zip(one.batch(step), other.batch(step), strict=True):
            assert all(map(torch.equal, x, y))
    assert not torch.equal(one.batch(0).a.seen, batches(a, b, seed=4).batch(0).a.seen)
    stream = one.stream(2, lambda step: step >= 3)
    assert torch.equal(next(stream)[1].b.seen, one.batch(2).b.seen)
    step, last = next(stream)
    assert step == 3
    assert torch.equal(last.b.seen, one.batch(3, is_final=True).b.seen)


@given(st.integers(1, 40), st.integers(1, 12), st.integers(1, 3))
def test_all_faces_come_equally_often(count: int, batch_size: int, world: int) -> None:
    faces = Prepared(
        np.zeros((count, 4, 4, 4), np.uint8),
        np.zeros((count, 4, 4, 2), np.uint8),
        4,
        1,
        1.0,
    )
    shares = [Batches(faces, faces, batch_size, 0, MANY, STILL, rank, world) for rank in range(world)]
    steps = count  # so many batches of all processes hold each face batch_size · world times
    found = [number for one in shares for step in range(steps) for number in one._numbers(count, step, 3)]
    assert np.bincount(found, minlength=count).tolist() == [batch_size * world] * count


def test_the_warp_bends_what_is_seen_and_not_the_target() -> None:
    faces = make_faces(1, 6)
    ways = Augmentation(warp=0.05, turn_deg=0, scale=0, shift=0, flip=0, light=0, slope=0)
    half = batches(faces, faces, ways).batch(0).a
    plain = batches(faces, faces, STILL).batch(0).a
    assert torch.equal(half.target, plain.target)
    assert (half.seen - half.target).abs().mean() > 0.01


def test_one_persons_faces_alone() -> None:
    one = batches(make_faces(1, 6), make_faces(2, 6), MANY)
    assert all(torch.equal(x, y) for x, y in zip(one.half("b", 3), one.half("b", 3), strict=True))
    assert not torch.equal(one.half("b", 3).seen, one.half("b", 4).seen)
    skins = {side: one.half(side, 0).target.mean((0, 2, 3)) for side in ("a", "b")}
    whole = one.batch(0)
    assert torch.allclose(skins["a"], whole.a.target.mean((0, 2, 3)), atol=0.05)
    assert torch.allclose(skins["b"], whole.b.target.mean((0, 2, 3)), atol=0.05)


def test_other_colours_are_seen_and_not_wanted() -> None:
    faces = make_faces(1, 6)
    half = batches(faces, faces, replace(STILL, light=0.3)).batch(0).a
    assert torch.equal(half.target, batches(faces, faces, STILL).batch(0).a.target)
    assert (half.seen - half.target).abs().mean() > 0.02


def test_light_falls_off_across_both_alike() -> None:
    faces = make_faces(1, 6)
    half = batches(faces, faces, replace(STILL, slope=0.2)).batch(0).a
    assert torch.equal(half.seen, half.target)
    assert (half.target - batches(faces, faces, STILL).batch(0).a.target).abs().mean() > 0.02
    assert 0 <= float(half.target.min()) <= float(half.target.max()) <= 1


def test_what_is_no_face_is_refused() -> None:
    points = np.zeros((2, 478, 3), np.float32)
    with pytest.raises(UsageError, match="no pictures"):
        Faces(np.zeros((2, 8, 9, 3), np.uint8), points)
    with pytest.raises(UsageError, match="no points"):
        Faces(np.zeros((2, 8, 8, 3), np.uint8), points[:1])
