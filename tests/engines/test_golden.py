"""Grace Hopper driven by the demo's clip, against pictures that were looked at and found good.

The points are MediaPipe's own (`tests/faces/golden`), so that nothing but the engine is on trial. Where it
was changed on purpose, look at the new pictures, and commit them:

    LIKENESS_WRITE_GOLDEN=1 python -m pytest tests/engines/test_golden.py
"""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from likeness.config import AnimateConfig
from likeness.engines.base import Source
from likeness.engines.mesh import MeshEngine
from likeness.faces.topology import canonical_mesh
from likeness.motion.appearance import Unwrapper, skin_colour
from likeness.motion.calibrate import calibrate
from likeness.motion.frame import DriverInfo, MotionFrame
from likeness.types import Face, Floats, Picture

REPOSITORY = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden" / "hopper.png"
SHOWN = (24, 64, 88, 104)
"""Frames of the clip: at rest, brows raised, head tilted, mouth open."""
HEAD = (slice(10, 190), slice(34, 190))
"""Rows and columns of what is kept of each picture."""


@pytest.fixture(scope="module")
def rendered(hopper: Source, carphone_path: Path) -> list[Picture]:
    """The frames of `SHOWN`, after those before them."""
    stored = np.load(REPOSITORY / "tests" / "faces" / "golden" / "package.npz")
    points = dict(zip(stored["names"], stored["points"].astype(np.float32) / 16, strict=True))
    coefficients = dict(zip(stored["names"], stored["blendshapes"].astype(np.float32), strict=True))
    with av.open(str(carphone_path)) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    unwrapper = Unwrapper(canonical_mesh())
    frames = {}
    for name in points:
        if name.startswith("carphone#"):
            number = int(name.removeprefix("carphone#"))
            frames[number] = read(pictures[number], points[name], coefficients[name], unwrapper)
    height, width = hopper.image.shape[:2]
    # The points were found in the photo at its full size.
    own = points["grace-hopper"] * np.array([width / 512, height / 600, width / 512], np.float32)
    face = Face(own, coefficients["grace-hopper"], 1.0)
    driver = DriverInfo(Fraction(30000, 1001), 176, 144)
    performer = MeshEngine().prepare(Source(hopper.image, face), AnimateConfig())
    performer.begin(calibrate(list(frames.values()), face, canonical_mesh(), driver))
    made = {number: performer.render(frame) for number, frame in sorted(frames.items())}
    return [made[number] for number in SHOWN]


def read(image: Picture, points: Floats, coefficients: Floats, unwrapper: Unwrapper) -> MotionFrame:
    return MotionFrame(
        points,
        coefficients,
        unwrapper.shading(image, points),
        unwrapper.mouth(image, points),
        skin_colour(image, points),
    )


def test_the_pictures_are_those_found_good(rendered: list[Picture]) -> None:
    strip = np.hstack([picture[HEAD] for picture in rendered])
    if os.environ.get("LIKENESS_WRITE_GOLDEN"):
        GOLDEN.parent.mkdir(exist_ok=True)
        Image.fromarray(strip).save(GOLDEN, optimize=True)
    with Image.open(GOLDEN) as picture:
        golden = np.asarray(picture.convert("RGB"))
    difference = np.abs(strip.astype(int) - golden).max(2)
    # Decoders, networks and compilers round differently on different machines; an eye sees none of that.
    assert difference.mean() < 1.0
    assert np.percentile(difference, 99.5) < 12


def test_they_are_small() -> None:
    assert sum(path.stat().st_size for path in GOLDEN.parent.iterdir()) < 300_000


def test_each_shows_something_else(rendered: list[Picture], hopper: Source) -> None:
    """A golden picture that nobody animated would prove nothing."""
    pictures = [hopper.image, *rendered]
    for number, one in enumerate(pictures):
        for other in pictures[:number]:
            assert np.abs(one[HEAD].astype(int) - other[HEAD]).mean() > 2
