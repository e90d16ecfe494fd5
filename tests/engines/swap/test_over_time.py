"""What goes from frame to frame: steady points, and which look is shown."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.engines.swap.nearest import LARGEST_PX, Choice, Gallery, Look, look_at, traits_of
from likeness.engines.swap.steady import reach_frames, steady
from likeness.types import Face, Floats

from ...puppet import Puppet

REACH = 5


def smoothed(points: list[Floats]) -> list[Floats]:
    return [steady(points[max(0, at - REACH) : at + REACH + 1], min(at, REACH)) for at in range(len(points))]


def test_trembling_is_taken_off() -> None:
    still = Puppet().points
    rng = np.random.default_rng(0)
    noisy = [still + rng.normal(0, 0.15, still.shape).astype(np.float32) for _ in range(40)]
    calm = smoothed(noisy)[REACH:-REACH]

    def jitter(frames: list[Floats]) -> float:
        return float(np.mean([np.abs(b - a).mean() for a, b in pairwise(frames)]))

    assert jitter(calm) < 0.45 * jitter(noisy)


def test_movement_is_kept_without_delay() -> None:
    """Steady movement is where it was, and a blink as deep."""
    drift = [Puppet().points + np.float32(n * 0.3) for n in range(20)]
    for before, after in zip(drift, smoothed(drift), strict=True):
        assert np.abs(after - before).max() < 1e-3
    blink = [Puppet(blink=1.0 if n == 10 else 0.0, px_per_cm=14).points for n in range(20)]
    closed = smoothed(blink)[10]
    gap = [float(np.abs(frame[159, 1] - frame[145, 1])) for frame in (blink[0], blink[10], closed)]
    assert gap[2] < gap[1] + 0.15 * gap[0]


def test_frames_beyond_a_gap_do_not_count() -> None:
    a, b = Puppet().points, Puppet(x=96.2).points
    assert np.array_equal(steady([b, None, a, None, b], 2), a)
    assert not np.array_equal(steady([b, b, a, b, b], 2), a)


@given(st.floats(1, 240))
def test_the_reach_is_bounded(rate_hz: float) -> None:
    assert 1 <= reach_frames(rate_hz) <= 12


# Looks


def looking(**what: object) -> Look:
    puppet = Puppet(**what)  # type: ignore[arg-type]
    return look_at(puppet.draw(), puppet.face)


def test_a_gallery_keeps_what_is_different() -> None:
    """Of many pictures of hardly anything and three of something, the three stay."""
    gallery = Gallery(most=4)
    rare = [Puppet(turn_deg=(0, 20, 0)), Puppet(lips=0.1), Puppet(blink=1.0)]
    for n in range(12):
        puppet = rare[n // 4] if n % 4 == 0 else Puppet(x=96 + 0.1 * n)
        gallery.add(puppet.draw(), puppet.face)
        assert len(gallery) <= 4
    kept = np.array([look.traits for look in gallery.looks])
    for puppet in rare:
        assert np.linalg.norm(kept - traits_of(puppet.face), axis=1).min() < 1e-4


def test_of_two_alike_the_sharper_stays() -> None:
    puppet = Puppet()
    sharp = puppet.draw()
    blurred = np.repeat(np.repeat(sharp[::4, ::4], 4, 0), 4, 1)
    blurred = np.asarray((blurred.astype(np.uint16) + np.roll(blurred, 2, 1)) // 2, np.uint8)
    for order in ((sharp, blurred), (blurred, sharp)):
        gallery = Gallery(most=1)
        for image in order:
            gallery.add(image, puppet.face)
        assert gallery.looks[0].sharpness == pytest.approx(
            max(look_at(image, puppet.face).sharpness for image in order)
        )


def test_a_look_is_no_larger_than_allowed() -> None:
    puppet = Puppet(px_per_cm=40, x=500, y=500)
    look = look_at(np.full((1000, 1000, 3), 128, np.uint8), puppet.face)
    assert look.texture.shape == (LARGEST_PX, LARGEST_PX, 4)


def faces_between(start: Face, end: Face, steps: int) -> list[Face]:
    return [
        replace(start, blendshapes=start.blendshapes + share * (end.blendshapes - start.blendshapes))
        for share in np.linspace(0, 1, steps)
    ]


def test_one_look_goes_softly_into_another() -> None:
    looks = (looking(), looking(lips=0.12))
    choice = Choice(looks, 25)
    shares = []
    for face in faces_between(Puppet().face, Puppet(lips=0.12).face, 30) + [Puppet(lips=0.12).face] * 10:
        mixed = choice.choose(face)
        assert sum(share for _, share in mixed) == pytest.approx(1)
        shares.append(sum(share for look, share in mixed if look is looks[1]))
    assert (shares[0], shares[-1]) == (0, pytest.approx(1))
    assert np.abs(np.diff(shares)).max() < 0.3
    assert (np.diff(shares) >= -1e-9).all()


def test_an_eye_that_shuts_is_not_mixed_with_an_open_one() -> None:
    """A blink is over in five frames: the look with shut eyes is there at once, and gone at once."""
    looks = (looking(), looking(blink=1.0))
    choice = Choice(looks, 25)
    shown = []
    for blink in (0, 0, 0.6, 1, 1, 0.5, 0, 0):
        mixed = choice.choose(Puppet(blink=blink).face)
        shown.append(sum(share for look, share in mixed if look is looks[1]))
    assert shown[3] > 0.8
    assert shown[4] == pytest.approx(1)
    assert shown[7] < 0.05


def test_in_doubt_the_look_stays() -> None:
    """A face that trembles in the middle between two looks does not change them."""
    looks = (looking(), looking(lips=0.12))
    choice = Choice(looks, 25)
    middle = faces_between(Puppet().face, Puppet(lips=0.12).face, 3)[1]
    rng = np.random.default_rng(1)
    first = choice.choose(middle)[0][0]
    for _ in range(60):
        face = replace(middle, blendshapes=middle.blendshapes + rng.normal(0, 0.02, 52).astype(np.float32))
        mixed = choice.choose(face)
        assert [look for look, _ in mixed] == [first]


def test_after_a_cut_nothing_is_faded() -> None:
    looks = (looking(), looking(lips=0.12))
    choice = Choice(looks, 25)
    choice.choose(Puppet().face)
    choice.forget()
    assert choice.choose(Puppet(lips=0.12).face) == [(looks[1], 1.0)]
