from __future__ import annotations

import numpy as np
import pytest

from likeness.engines.mesh.shading import LIMIT, ShadingRatio, bind
from likeness.faces.topology import canonical_mesh
from likeness.motion.appearance import uv_pixels
from likeness.motion.frame import SHADING_PX
from likeness.types import Picture

from ..puppet import HEIGHT, WIDTH, Puppet, look


@pytest.fixture(scope="module")
def reference(home: object) -> Picture:
    shading = look(Puppet()).shading
    assert shading is not None
    return shading


def wrinkled(shading: Picture, gain: float) -> Picture:
    """With a fold across the forehead."""
    folded = shading.astype(float)
    folded[22:25, 40:88] *= gain
    return np.clip(folded, 0, 255).astype(np.uint8)


def test_the_reference_changes_nothing(reference: Picture) -> None:
    assert np.array_equal(ShadingRatio(canonical_mesh(), reference)(reference), np.ones((128, 128)))


def test_a_fold_is_carried_over_in_its_place(reference: Picture) -> None:
    ratio = ShadingRatio(canonical_mesh(), reference)(wrinkled(reference, 0.7))
    assert ratio[23, 64] < 0.93
    assert np.abs(ratio[70:, :] - 1).max() < 0.05


def test_strength(reference: Picture) -> None:
    depths = [
        1 - ShadingRatio(canonical_mesh(), reference)(wrinkled(reference, 0.8), strength)[23, 64]
        for strength in (0.0, 0.5, 1.0)
    ]
    assert depths[0] == 0
    assert 0 < depths[1] < depths[2]


@pytest.mark.parametrize("gain", [0.6, 1.4])
def test_the_light_of_the_drivers_room_is_not(reference: Picture, gain: float) -> None:
    """Darker or brighter as a whole, or from one side to the other: no expression."""
    dimmed = np.clip(reference * gain, 0, 255).astype(np.uint8)
    assert np.abs(ShadingRatio(canonical_mesh(), reference)(dimmed) - 1).mean() < 0.02
    sideways = np.clip(reference * np.linspace(0.7, 1.1, SHADING_PX), 0, 255).astype(np.uint8)
    assert np.abs(ShadingRatio(canonical_mesh(), reference)(sideways) - 1).mean() < 0.03


def test_it_is_limited(reference: Picture) -> None:
    rng = np.random.default_rng(0)
    shading = ShadingRatio(canonical_mesh(), reference)
    for _ in range(5):
        ratio = shading(rng.integers(0, 256, reference.shape, dtype=np.uint8), 2.0)
        assert ratio.dtype == np.float32
        assert np.abs(np.log(ratio)).max() <= LIMIT + 1e-6


def test_a_flicker_is_calmed(reference: Picture) -> None:
    shading = ShadingRatio(canonical_mesh(), reference)
    shading(reference)
    first = shading(wrinkled(reference, 0.7))[23, 64]
    settled = [shading(wrinkled(reference, 0.7))[23, 64] for _ in range(10)][-1]
    assert settled < first < 1


@pytest.mark.parametrize("puppet", [Puppet(), Puppet(turn_deg=(0, 25, 15)), Puppet(x=10, y=220)], ids=str)
def test_each_pixel_of_the_face_knows_its_place_in_the_map(puppet: Puppet) -> None:
    map_u, map_v, left, top = bind(puppet.points, canonical_mesh(), (WIDTH, HEIGHT))
    assert map_u.shape == map_v.shape
    assert left + map_u.shape[1] <= WIDTH
    assert top + map_u.shape[0] <= HEIGHT
    uv = uv_pixels(canonical_mesh(), SHADING_PX)
    errors = []
    # The nose's ridge and the forehead are always seen.
    for point in (1, 4, 5, 195, 6, 168, 9, 151):
        x, y = np.round(puppet.points[point, :2]).astype(int) - [left, top]
        if 0 <= x < map_u.shape[1] and 0 <= y < map_u.shape[0] and map_u[y, x] >= 0:
            errors.append(np.hypot(map_u[y, x] - uv[point, 0], map_v[y, x] - uv[point, 1]))
    assert len(errors) >= 2
    assert np.median(errors) < 2
    assert map_u.max() <= SHADING_PX - 1
