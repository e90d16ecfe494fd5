from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from likeness import AnimateConfig, Animation, animate
from likeness.demo.posted import Copy, post
from likeness.demo.tracked import Tracked, track


@pytest.fixture(scope="session")
def animation(tmp_path_factory: pytest.TempPathFactory, hopper_path: Path, carphone_path: Path) -> Animation:
    """Half a second of the demo's clip, small."""
    config = AnimateConfig(max_side=256, end_s=Fraction(1, 2))
    out = tmp_path_factory.mktemp("demo") / "hopper.mp4"
    return animate(hopper_path, carphone_path, out=out, config=config)


@pytest.fixture(scope="session")
def tracked(carphone_path: Path) -> Tracked:
    """What is tracked in all of the demo's driver."""
    return track(carphone_path)


@pytest.fixture(scope="session")
def copies(animation: Animation) -> tuple[Copy, ...]:
    """The clip, and what uploads leave of it."""
    return post(animation.path)
