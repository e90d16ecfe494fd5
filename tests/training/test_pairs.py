"""Which pairs are learned from."""

from __future__ import annotations

from collections import Counter

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from likeness.training.clips import Clip
from likeness.training.pairs import Augmentation, Pairs


def flat_clips(count: int, frames: int = 5) -> list[Clip]:
    """Every pixel of frame f of clip c is 10 c + f: each frame says who it is."""
    return [
        Clip(
            str(c),
            np.tile(np.arange(frames, dtype=np.uint8)[:, None, None, None] + np.uint8(10 * c), (4, 4, 3)),
        )
        for c in range(count)
    ]


def who(batch: torch.Tensor) -> list[tuple[int, int]]:
    return [divmod(round(float(value) * 255), 10) for value in batch[:, 0, 0, 0]]


@given(seed=st.integers(0, 2**31), step=st.integers(0, 10**6), rank=st.integers(0, 3))
def test_a_batch_follows_from_seed_step_and_process(seed: int, step: int, rank: int) -> None:
    def batch(step: int = step, rank: int = rank) -> torch.Tensor:
        augmentation = Augmentation(True, True, 0.1, 0.1, 0.1, 0.1)
        noise = np.random.default_rng(0).integers(0, 256, (2, 4, 8, 8, 3)).astype(np.uint8)
        clips = [Clip(str(i), frames) for i, frames in enumerate(noise)]
        return torch.stack(Pairs(clips, 2, seed, augmentation, rank, 4).batch(step))

    assert torch.equal(batch(), batch())
    assert not torch.equal(batch(), batch(step=step + 1))
    assert not torch.equal(batch(), batch(rank=rank + 1))


def test_a_pair_is_two_frames_of_one_clip() -> None:
    pairs = Pairs(flat_clips(6), 6, 0)
    for step in range(20):
        source, driving = map(who, pairs.batch(step))
        assert [clip for clip, _ in source] == [clip for clip, _ in driving]
        assert all(a[1] != b[1] for a, b in zip(source, driving, strict=True))


def test_an_epoch_shows_every_clip_equally_often() -> None:
    """Over two processes, each with its own share."""
    shares = [Pairs(flat_clips(6), 2, 3, rank=rank, world=2, repeats=4) for rank in range(2)]
    assert shares[0].steps_per_epoch == 6
    seen = Counter(clip for pairs in shares for step in range(6) for clip, _ in who(pairs.batch(step).source))
    assert seen == dict.fromkeys(range(6), 4)


def test_the_stream_is_the_batches_in_order() -> None:
    pairs = Pairs(flat_clips(3), 2, 1)
    steps = list(pairs.stream(5, 17))
    assert [step for step, _ in steps] == list(range(5, 17))
    assert all(torch.equal(batch.source, pairs.batch(step).source) for step, batch in steps)


def test_both_frames_are_varied_alike() -> None:
    chance = np.random.default_rng(0)
    one = chance.random((4, 5, 3)).astype(np.float32)
    strong = Augmentation(True, False, 0.5, 0.5, 0.5, 0.3)
    for seed in range(10):
        a, b = strong.apply(np.stack([one, one]), np.random.default_rng(seed))
        assert np.array_equal(a, b)
        assert a.min() >= 0
        assert a.max() <= 1
        assert not np.array_equal(a, one)


def test_hue_leaves_grey_and_brightness_alone() -> None:
    grey = np.full((2, 2, 2, 3), 0.4, np.float32)
    turned = Augmentation(hue=0.5).apply(grey, np.random.default_rng(0))
    np.testing.assert_allclose(turned, grey, atol=1e-3)
    red = np.zeros((2, 1, 1, 3), np.float32) + np.float32([0.5, 0.3, 0.3])
    other = Augmentation(hue=0.5).apply(red, np.random.default_rng(1))
    luma = np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(other @ luma, red @ luma, atol=1e-3)
    assert np.abs(other - red).max() > 0.02
