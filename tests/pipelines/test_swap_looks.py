"""What a swap without training looks like: B's shape in part, and no flicker that was not there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from likeness.config import QuickSwapConfig
from likeness.engines.swap.nearest import look_at
from likeness.engines.swap.quick import QuickSwap
from likeness.faces.aligned import Alignment
from likeness.faces.topology import canonical_mesh
from likeness.pipelines.follow_face import Followed
from likeness.pipelines.swap_bent import Bent
from likeness.types import Face, Frame, Picture

from ..puppet import Puppet

COUNT = 24


def wider(face: Face, times: float) -> Face:
    """The same with a wider nose and mouth: other bones."""
    points = face.points.copy()
    middle = points[4, 0]
    inner = np.abs(points[:, 0] - middle) < 25
    points[inner, 0] = middle + times * (points[inner, 0] - middle)
    return replace(face, points=points)


def swapped(
    pictures: Sequence[Picture], faces: Sequence[Face], faces_swap: QuickSwap, config: QuickSwapConfig
) -> list[Picture]:
    squares = [Alignment.of(face.points, canonical_mesh()) for face in faces]
    items = [
        Followed(Frame(picture, n, Fraction(n, 25)), face, square, starts=n == 0)
        for n, (picture, face, square) in enumerate(zip(pictures, faces, squares, strict=True))
    ]
    return [picture for _, picture in Bent(faces_swap, config, 25.0).swap(items)]


def test_light_that_trembles_and_noise_do_not_become_more() -> None:
    """The mean difference from frame to frame, of a face that stays where it is."""
    puppet, rng = Puppet(), np.random.default_rng(0)
    pictures = [
        np.clip(puppet.draw(seed=n) * (1 + 0.02 * rng.normal()), 0, 255).astype(np.uint8)
        for n in range(COUNT)
    ]
    # The tracker trembles, too.
    faces = [
        replace(puppet.face, points=puppet.points + rng.normal(0, 0.05, (478, 3)).astype(np.float32))
        for _ in range(COUNT)
    ]
    looks = tuple(
        look_at(one.draw(seed=90 + n), one.face)
        for n, one in enumerate((Puppet(), Puppet(turn_deg=(0, 4, 0))))
    )
    made = swapped(pictures, faces, QuickSwap(looks, 25), QuickSwapConfig())
    rows = slice(round(float(puppet.points[10, 1])), round(float(puppet.points[152, 1])))
    columns = slice(round(float(puppet.points[234, 0])), round(float(puppet.points[454, 0])))

    def flicker(frames: Sequence[Picture]) -> float:
        part = [frame[rows, columns].astype(np.float32).mean(2) for frame in frames]
        return float(np.mean([np.abs(b - a).mean() for a, b in pairwise(part)]))

    assert flicker(made) <= 1.15 * flicker(pictures)


def nose_width(swap: QuickSwap, face: Face) -> float:
    """How wide the nose is that would be painted, px."""
    shape = swap._shape
    points = face.points if shape is None else shape.move(face.points)
    return float(np.ptp(points[[98, 327], 0]))


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_face_takes_on_the_other_shape_in_part(share: float) -> None:
    own = Puppet().face
    other = wider(own, 1.3)
    swap = QuickSwap((look_at(Puppet().draw(), other),), 25)
    swap.learn([own] * 3, share)
    theirs, ours = float(np.ptp(other.points[[98, 327], 0])), float(np.ptp(own.points[[98, 327], 0]))
    assert theirs > 1.2 * ours
    assert nose_width(swap, own) == pytest.approx(ours + share * (theirs - ours), abs=0.25 * (theirs - ours))


def test_a_lively_photo_says_nothing_of_bones() -> None:
    own = Puppet().face
    lively = replace(wider(own, 1.3), blendshapes=np.full(52, 0.8, np.float32))
    swap = QuickSwap((look_at(Puppet().draw(), lively),), 25)
    swap.learn([own] * 3, 1.0)
    assert nose_width(swap, own) == float(np.ptp(own.points[[98, 327], 0]))


def test_frames_before_the_face_come_at_once_and_in_order() -> None:
    puppet = Puppet()
    frame = puppet.draw()
    square = Alignment.of(puppet.points, canonical_mesh())
    items = [
        Followed(Frame(frame, n, Fraction(n, 25)), *((puppet.face, square) if n >= 3 else ()), starts=n == 3)
        for n in range(8)
    ]
    bent = Bent(QuickSwap((look_at(frame, puppet.face),), 25), QuickSwapConfig(), 25.0)
    made = list(bent.swap(iter(items)))
    assert [item.frame.index for item, _ in made] == list(range(8))
    assert all(np.array_equal(picture, frame) for _, picture in made[:3])


def test_nothing_is_painted_beyond_what_was_bent() -> None:
    """A mask that is asked to grow would show a ring of what nobody drew."""
    puppet = Puppet()
    picture = puppet.draw()
    look = look_at(np.clip(picture * [0.5, 0.8, 1.3], 0, 255).astype(np.uint8), puppet.face)
    plain, grown = (
        swapped(
            [picture], [puppet.face], QuickSwap((look,), 25), QuickSwapConfig(mask_erode=erode, colour="none")
        )
        for erode in (0.0, -0.1)
    )
    assert np.array_equal(plain[0], grown[0])
