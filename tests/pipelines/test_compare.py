from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from likeness.errors import OutputExists, Unsupported, UsageError
from likeness.media import VideoReader, probe
from likeness.pipelines.animate import animate
from likeness.pipelines.animation import Animation
from likeness.pipelines.compare import GAP_PX
from likeness.types import Picture

from ..puppet import HEIGHT, WIDTH
from .conftest import FRAMES, RATE


@pytest.fixture(scope="module")
def animation(portrait: Path, talk: Path, tmp_path_factory: pytest.TempPathFactory) -> Animation:
    return animate(portrait, talk, out=tmp_path_factory.mktemp("a") / "a.mp4", start_s=Fraction(1, 10))


def pictures_of(path: Path) -> list[Picture]:
    with VideoReader(path) as video:
        return [frame.image for frame in video]


def test_source_driver_and_result_side_by_side(animation: Animation, talk: Path) -> None:
    comparison = animation.compare()
    assert comparison.path.parent == animation.path.parent
    assert re.fullmatch(r"a.*-compare\.mp4", comparison.path.name)
    info = probe(comparison.path)
    assert info.width == 3 * WIDTH + 2 * GAP_PX
    assert info.rate == RATE
    assert info.has_audio
    pictures = pictures_of(comparison.path)
    assert len(pictures) == animation.frames == FRAMES - 3
    columns = [slice(k * (WIDTH + GAP_PX), k * (WIDTH + GAP_PX) + WIDTH) for k in range(3)]
    results, drivers = pictures_of(animation.path), pictures_of(talk)[3:]
    for picture, driver, result in zip(pictures, drivers, results, strict=True):
        top = slice(0, HEIGHT // 2)  # its own label is further down
        assert np.abs(picture[top, columns[1]].astype(int) - driver[top]).mean() < 4
        assert np.abs(picture[top, columns[2]].astype(int) - result[top]).mean() < 4
        assert np.abs(picture[top, columns[0]].astype(int) - pictures[0][top, columns[0]]).mean() < 4


def test_it_is_sealed_as_well_and_names_what_it_was_made_from(animation: Animation, folder: Path) -> None:
    comparison = animation.compare(folder / "b.mp4")
    assert {"label", "credentials"} <= set(comparison.sealed.layers)
    assert comparison._repr_html_().startswith("<video ")


def test_a_recorded_motion_has_no_picture_to_show(portrait: Path, motion: Path, folder: Path) -> None:
    animation = animate(portrait, motion, out=folder / "a.gif", end_s=Fraction(1, 5))
    comparison = animation.compare()
    info = probe(comparison.path)
    assert info.width == 2 * WIDTH + GAP_PX
    assert len(pictures_of(comparison.path)) == len(pictures_of(animation.path))


def test_what_is_refused(animation: Animation, portrait: Path, motion: Path, folder: Path) -> None:
    (folder / "b.mp4").write_text("precious")
    with pytest.raises(OutputExists):
        animation.compare(folder / "b.mp4", overwrite=False)
    for path in (animation.path, animation.driving):
        with pytest.raises(UsageError):
            animation.compare(path)
    frames = animate(portrait, motion, out=folder / "frames", end_s=Fraction(1, 10))
    with pytest.raises(Unsupported) as caught:
        frames.compare()
    assert caught.value.hint
    assert sorted(path.name for path in folder.iterdir()) == ["b.mp4", "frames"]
