from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.engines.mesh.mouth import paint_mouth
from likeness.faces.topology import INNER_LOWER_LIP, INNER_UPPER_LIP
from likeness.motion.frame import MOUTH_PX
from likeness.types import Floats, Picture

from ..puppet import HEIGHT, WIDTH, Puppet

FACE_PX = 120.0
PLAIN = np.ones(3, np.float32)


def mouth_with_tongue() -> Picture:
    """Dark above, red below."""
    inside = np.full((*MOUTH_PX, 3), (30, 10, 10), np.uint8)
    inside[MOUTH_PX[0] // 2 :] = (200, 60, 60)
    return inside


def paint(puppet: Puppet, shown: float = 1.0, gain: Floats = PLAIN) -> Picture:
    out = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    paint_mouth(out, puppet.points, mouth_with_tongue(), gain, FACE_PX, shown)
    return out


def between(puppet: Puppet) -> tuple[int, int, int]:
    """Column of the mouth's middle, and the rows of its lips."""
    points = puppet.points
    upper, lower = points[INNER_UPPER_LIP[5]], points[INNER_LOWER_LIP[5]]
    return round(float(upper[0])), round(float(upper[1])), round(float(lower[1]))


def test_it_lies_between_the_lips() -> None:
    puppet = Puppet(lips=0.12)
    out = paint(puppet)
    x, top, bottom = between(puppet)
    assert out[top + 4, x] == pytest.approx([30, 10, 10], abs=12)
    assert out[bottom - 4, x] == pytest.approx([200, 60, 60], abs=12)
    changed_rows, changed_columns = np.nonzero((out != 128).any(2))
    assert changed_rows.min() >= top - 5
    assert changed_rows.max() <= bottom + 5
    low, high = np.sort(puppet.points[[78, 308], 0])
    assert changed_columns.min() >= low - 5
    assert changed_columns.max() <= high + 5


def test_closed_lips_show_nothing() -> None:
    assert (paint(Puppet(lips=0.0)) == 128).all()
    assert (paint(Puppet(lips=0.12), shown=0.0) == 128).all()


def test_it_appears_gradually() -> None:
    puppet = Puppet(lips=0.12)
    x, top, _ = between(puppet)
    values = [float(paint(puppet, shown)[top + 4, x, 1]) for shown in (0, 0.25, 0.5, 0.75, 1)]
    assert (np.diff(values) < 0).all()


def test_it_takes_the_sources_colour() -> None:
    puppet = Puppet(lips=0.12)
    x, _, bottom = between(puppet)
    gain = np.array([0.5, 1.0, 2.0], np.float32)
    assert paint(puppet, gain=gain)[bottom - 4, x] == pytest.approx([100, 60, 120], abs=12)


@settings(deadline=None, max_examples=40)
@given(
    st.floats(-300, 500), st.floats(-300, 500), st.floats(0.5, 60), st.floats(-180, 180), st.floats(0, 0.3)
)
def test_a_mouth_may_lie_anywhere(x: float, y: float, size: float, roll: float, lips: float) -> None:
    puppet = Puppet(x=x, y=y, px_per_cm=size, turn_deg=(0, 0, roll), lips=lips)
    out = np.full((60, 80, 3), 128, np.uint8)
    paint_mouth(out, puppet.points, mouth_with_tongue(), PLAIN, 17 * size, 1.0)
