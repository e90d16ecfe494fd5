from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.motion.frame import MotionFrame, interpolate

from ..puppet import Puppet, look


def test_a_frame_is_a_face() -> None:
    puppet = Puppet(lips=0.03)
    assert np.array_equal(puppet.frame.face.points, puppet.points)
    assert puppet.frame.face.box == puppet.face.box


@settings(deadline=None)
@given(st.integers(0, 40))
def test_easing_goes_one_way_and_starts_and_ends_gently(count: int) -> None:
    before, after = Puppet(x=90).frame, Puppet(x=100).frame
    frames = list(interpolate(before, after, count))
    assert len(frames) == count
    assert all(frame.held for frame in frames)
    places = [float(frame.points[:, 0].mean()) for frame in (before, *frames, after)]
    steps = np.diff(places)
    assert (steps > 0).all()
    if count >= 3:
        assert max(steps[0], steps[-1]) < steps[len(steps) // 2]


def test_easing_shows_what_is_nearer() -> None:
    before, after = look(Puppet()), look(Puppet(lips=0.05))
    first, last = interpolate(before, after, 2)
    for name in ("shading", "mouth", "skin"):
        assert getattr(first, name) is getattr(before, name)
        assert getattr(last, name) is getattr(after, name)


def test_easing_mixes_the_coefficients() -> None:
    points = Puppet().points
    before, after = (MotionFrame(points, np.full(52, value, np.float32)) for value in (0.0, 1.0))
    (middle,) = interpolate(before, after, 1)
    assert np.allclose(middle.blendshapes, 0.5)
    assert middle.points.dtype == middle.blendshapes.dtype == np.float32
