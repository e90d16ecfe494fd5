"""From a portrait and a driver to a finished, sealed clip."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from PIL import Image

from likeness.config import AnimateConfig
from likeness.disclosure import seal
from likeness.engines.base import Source
from likeness.errors import (
    LikenessError,
    MissingExtra,
    NoFace,
    NoFrames,
    OutputExists,
    UnknownEngine,
    Unreadable,
    UsageError,
)
from likeness.media import AudioReader, VideoReader, probe
from likeness.motion.calibrate import Calibration
from likeness.motion.frame import MotionFrame
from likeness.pipelines import animate as module
from likeness.pipelines.animate import animate
from likeness.pipelines.animation import Animation
from likeness.progress import Progress
from likeness.types import ModelRef, Picture
from likeness.verification import verify

from ..puppet import HEIGHT, WIDTH, Puppet
from .conftest import FRAMES, RATE, frames_of, puppet_at, wall, write_clip
from .test_ahead import press_ctrl_c_in_a_callback


@pytest.fixture(scope="module")
def result(portrait: Path, talk: Path, tmp_path_factory: pytest.TempPathFactory) -> Animation:
    """The portrait doing as the puppet does."""
    return animate(portrait, talk, out=tmp_path_factory.mktemp("result") / "a.mp4")


# What comes out


def sound_s(path: Path) -> float:
    """How long it sounds."""
    with AudioReader(path) as sound:
        return sum(block.shape[1] for block in sound) / sound.rate_hz


def test_size_rate_and_number_of_frames_are_kept(result: Animation) -> None:
    assert (result.frames, result.rate) == (FRAMES, RATE)
    assert (result.width, result.height) == (WIDTH, HEIGHT)
    info = probe(result.path)
    assert (info.width, info.height, info.rate, info.variable_rate) == (WIDTH, HEIGHT, RATE, False)
    with VideoReader(result.path) as video:
        assert sum(1 for _ in video) == FRAMES


def test_the_sound_comes_along_and_is_as_long(result: Animation) -> None:
    assert probe(result.path).has_audio
    assert sound_s(result.path) == pytest.approx(float(FRAMES / RATE), abs=float(1 / RATE))


def test_the_label_speaks_the_language_that_was_asked_for(portrait: Path, talk: Path, tmp_path: Path) -> None:
    config = AnimateConfig(label_language="de", end_s=Fraction(1, 5))
    made = animate(portrait, talk, out=tmp_path / "o.mp4", config=config)
    assert verify(made.path).label == "KI-generiert"


def test_it_says_how_it_was_made(result: Animation, portrait: Path, talk: Path) -> None:
    assert (result.source, result.driving) == (portrait, talk)
    assert (result.held_frames, result.warnings) == (0, ())
    assert {"label", "credentials"} <= set(result.sealed.layers)
    assert result.sealed.frames == FRAMES
    making = result.making
    assert (making.act, making.engine) == ("animate", "mesh")
    assert [(each.path, each.role) for each in making.ingredients] == [
        (portrait, "source"),
        (talk, "driver"),
    ]
    assert making.parameters["best_frame"] == result.best_frame
    assert {model.name for model in making.models} == {"face-landmarker", "selfie-segmentation"}


def test_the_portrait_moves_as_the_driver(portrait: Path, talk: Path, folder: Path) -> None:
    """When the driver's mouth is open there is dark between the painted lips, and else not."""
    out = folder / "frames"
    result = animate(portrait, talk, out=out, best_frame="first")
    pictures = frames_of(out)
    face = Puppet(px_per_cm=8, turn_deg=(2, 5, -4), smile=0.3).points
    x, y = np.round((face[13, :2] + face[14, :2]) / 2).astype(int)
    dark = [float(picture[y - 1 : y + 12, x - 5 : x + 6].min(2).mean()) for picture in pictures]
    driver = [puppet_at(n).lips for n in range(FRAMES)]
    assert np.corrcoef(dark, driver)[0, 1] < -0.7
    assert result.best_frame == 0


def test_the_notebook_shows_it(result: Animation) -> None:
    html = result._repr_html_()
    assert html.startswith("<video ")
    assert len(html) > result.path.stat().st_size


# Choices


@pytest.mark.parametrize(("start_s", "end_s"), [("1/5", None), ("101/1000", "11/25")])
def test_a_part(start_s: str, end_s: str | None, portrait: Path, talk: Path, folder: Path) -> None:
    start, end = Fraction(start_s), None if end_s is None else Fraction(end_s)
    wanted = [n for n in range(FRAMES) if start <= n / RATE and (end is None or n / RATE < end)]
    out = folder / "a.mp4"
    assert animate(portrait, talk, out=out, start_s=start, end_s=end).frames == len(wanted)
    with VideoReader(out) as video:
        assert sum(1 for _ in video) == len(wanted)
    assert sound_s(out) == pytest.approx(float(len(wanted) / RATE), abs=float(1 / RATE))


def test_sound_may_be_left_out_or_come_from_a_file(
    portrait: Path, talk: Path, motion: Path, folder: Path
) -> None:
    silent = animate(portrait, talk, out=folder / "silent.mp4", audio="none", end_s=Fraction(1, 5))
    assert not probe(silent.path).has_audio
    spoken = animate(portrait, motion, out=folder / "spoken.mp4", audio=talk, end_s=Fraction(1, 5))
    assert probe(spoken.path).has_audio
    assert [each.role for each in spoken.making.ingredients] == ["source", "driver", "audio"]


def test_a_crop(portrait: Path, motion: Path, folder: Path) -> None:
    made = animate(portrait, motion, out=folder / "a.gif", crop=True, size=160, end_s=Fraction(1, 8))
    assert (made.width, made.height) == (160, 160)
    with Image.open(made.path) as gif:
        assert gif.size == (160, 160)
        assert getattr(gif, "n_frames", 1) == made.frames


def test_a_number_chooses_the_frame_that_stands_for_the_source(
    portrait: Path, motion: Path, folder: Path
) -> None:
    made = animate(portrait, motion, out=folder / "a.mp4", best_frame=7)
    assert made.best_frame == 7
    with pytest.raises(UsageError, match="number 50, which the driver does not have"):
        animate(portrait, motion, out=folder / "b.mp4", best_frame=50)
    assert [path.name for path in folder.iterdir()] == ["a.mp4"]


def test_a_recorded_motion_makes_the_same_pictures(
    portrait: Path, talk: Path, motion: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The watermark says which manifest it belongs to: with one name for both, it is the same too.
    one_name = seal.new_manifest_id()
    monkeypatch.setattr(seal, "new_manifest_id", lambda: one_name)
    for name, driver in (("video", talk), ("motion", motion)):
        animate(portrait, driver, out=folder / name)
    one, other = frames_of(folder / "video"), frames_of(folder / "motion")
    assert len(one) == len(other) == FRAMES
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_choices_are_given_in_one_way(portrait: Path, motion: Path, folder: Path) -> None:
    with pytest.raises(UsageError, match="Both"):
        animate(portrait, motion, out=folder / "a.mp4", config=AnimateConfig(), strength=0.5)
    with pytest.raises(UsageError, match="sharpness"):
        animate(portrait, motion, out=folder / "a.mp4", sharpness=3)


@pytest.mark.parametrize("number", [FRAMES, 10**9])
def test_a_best_frame_that_is_not_there_is_refused_before_any_work(
    number: int, portrait: Path, talk: Path, motion: Path, folder: Path
) -> None:
    reports: list[Progress] = []
    for driver in (talk, motion):
        with pytest.raises(UsageError, match=f"{number}, which the driver does not have") as caught:
            animate(portrait, driver, out=folder / "a.mp4", best_frame=number, on_progress=reports.append)
        assert f"0 to {FRAMES - 1}" in caught.value.hint
    assert reports == []
    assert list(folder.iterdir()) == []


def test_a_best_frame_is_looked_for_no_further_than_memory_allows(
    monkeypatch: pytest.MonkeyPatch, portrait: Path, talk: Path, folder: Path
) -> None:
    monkeypatch.setattr(module, "MOST_AHEAD", FRAMES - 5)
    with pytest.raises(UsageError, match="too far ahead"):
        animate(portrait, talk, out=folder / "a.mp4", best_frame=FRAMES - 5)
    assert animate(portrait, talk, out=folder / "a.mp4", best_frame=FRAMES - 6).best_frame == FRAMES - 6


# What a person should know


def test_faces_that_were_not_seen_are_told(portrait: Path, folder: Path) -> None:
    pictures = [puppet_at(n).draw() for n in range(8)]
    pictures[3:5] = [wall()] * 2
    made = animate(portrait, write_clip(folder / "in.mp4", pictures), out=folder / "a.mp4")
    assert (made.frames, made.held_frames) == (8, 2)
    assert any("2 frames" in warning for warning in made.warnings)


def test_a_driver_without_index_that_breaks_off_is_told(portrait: Path, folder: Path) -> None:
    pictures = [puppet_at(n).draw(seed=n) for n in range(FRAMES)]
    whole = write_clip(folder / "whole.ts", pictures).read_bytes()
    broken = folder / "broken.ts"
    broken.write_bytes(whole[: int(0.7 * len(whole))])
    made = animate(portrait, broken, out=folder / "a.mp4")
    assert 2 <= made.frames < FRAMES
    assert any("damaged" in warning for warning in made.warnings)


@pytest.mark.parametrize("role", ["driver", "audio"])
def test_an_mp4_that_breaks_off_is_refused_before_any_work(
    role: str, portrait: Path, motion: Path, talk: Path, tmp_path: Path, folder: Path
) -> None:
    """Its sound may break off where its pictures do not; without sound, those are enough."""
    pictures = [puppet_at(n).draw(seed=n) for n in range(FRAMES)]
    whole = write_clip(tmp_path / "a.mp4", pictures, sound_s=3.0, options={"movflags": "faststart"})
    tail_lost, half = tmp_path / "tail_lost.mp4", tmp_path / "half.mp4"
    data = whole.read_bytes()
    tail_lost.write_bytes(data[:-2000])
    half.write_bytes(data[: len(data) // 2])
    reports: list[Progress] = []
    for path in (tail_lost, half):
        driver, choices = (path, {}) if role == "driver" else (motion, {"audio": path})
        with pytest.raises(Unreadable, match=r"is cut off: \d\.\d of \d\.\d s are there"):
            animate(portrait, driver, out=folder / "a.mp4", on_progress=reports.append, **choices)
    assert list(folder.iterdir()) == []
    assert reports == []
    if role == "driver":
        assert animate(portrait, tail_lost, out=folder / "a.mp4", audio="none").frames == FRAMES


def test_a_driver_of_one_picture_moves_nobody(portrait: Path, folder: Path) -> None:
    clip = write_clip(folder / "one.mp4", [Puppet().draw()])
    with pytest.raises(NoFrames) as caught:
        animate(portrait, clip, out=folder / "a.mp4")
    assert caught.value.hint
    assert [path.name for path in folder.iterdir()] == ["one.mp4"]


# Engines


class Mirror:
    """Shows the driver's own picture; an engine as others may write it."""

    name: ClassVar[str] = "mirror"
    version: ClassVar[str] = "3"
    needs: ClassVar[frozenset[Any]] = frozenset({"image"})
    begun: ClassVar[list[Calibration]] = []

    def prepare(self, source: Source, config: AnimateConfig) -> Mirror:
        self._height, self._width = source.image.shape[:2]
        return self

    def models(self) -> tuple[ModelRef, ...]:
        return ()

    def begin(self, calibration: Calibration) -> None:
        self.begun.append(calibration)

    def render(self, motion: MotionFrame) -> Picture:
        assert motion.image is not None
        return motion.image

    def warnings(self) -> tuple[str, ...]:
        return ("Nobody was animated.",)


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> type[Mirror]:
    monkeypatch.setattr(module, "get_engine", lambda name: Mirror)
    Mirror.begun.clear()
    return Mirror


def test_any_engine_gets_what_it_needs(
    mirror: type[Mirror], portrait: Path, talk: Path, folder: Path
) -> None:
    made = animate(portrait, talk, out=folder / "a", engine="mirror")
    assert (made.making.engine, made.making.engine_version) == ("mirror", "3")
    assert made.warnings == ("Nobody was animated.",)
    assert len(mirror.begun) == 1
    with VideoReader(talk) as video:
        for frame, picture in zip(video, frames_of(folder / "a"), strict=True):
            # All but the label; the watermark is faint.
            change = np.subtract(picture[: HEIGHT // 2], frame.image[: HEIGHT // 2], dtype=np.float64)
            assert np.square(change).mean() < 15


def test_a_motion_holds_one_face_only(portrait: Path, motion: Path, folder: Path) -> None:
    with pytest.raises(UsageError, match="holds only one") as caught:
        animate(portrait, motion, out=folder / "a.mp4", driving_face=1)
    assert "--face N" in caught.value.hint
    assert list(folder.iterdir()) == []


def test_an_engine_that_needs_pictures_takes_no_motion(
    mirror: type[Mirror], portrait: Path, motion: Path, folder: Path
) -> None:
    with pytest.raises(UsageError, match="mirror needs the driver's pictures") as caught:
        animate(portrait, motion, out=folder / "a.mp4", engine="mirror")
    assert caught.value.hint
    assert list(folder.iterdir()) == []


def test_no_such_engine(portrait: Path, motion: Path, folder: Path) -> None:
    with pytest.raises(UnknownEngine, match="mash") as caught:
        animate(portrait, motion, out=folder / "a.mp4", engine="mash")
    assert "mesh" in caught.value.hint
    assert not isinstance(caught.value, MissingExtra)


# Ends well, or leaves nothing


class Stop(Exception):  # noqa: N818
    """Raised on purpose."""


@pytest.mark.parametrize(
    ("error", "stage", "done", "name"),
    [
        (KeyboardInterrupt, "track", 1, "a.mp4"),
        (Stop, "track", 9, "a.mp4"),
        (KeyboardInterrupt, "animate", 1, "a.mp4"),
        (KeyboardInterrupt, "animate", FRAMES, "a.mp4"),
        (Stop, "animate", 9, "a.webm"),
        (KeyboardInterrupt, "animate", 9, "a.gif"),
        (KeyboardInterrupt, "animate", FRAMES, "frames"),
    ],
)
def test_stopped_in_the_middle_it_leaves_nothing(
    error: type[BaseException],
    stage: str,
    done: int,
    name: str,
    portrait: Path,
    talk: Path,
    folder: Path,
) -> None:
    """No file, and (see `no_thread_is_left`) no thread."""

    def stop(progress: Progress) -> None:
        if (progress.stage, progress.done) == (stage, done):
            raise error

    with pytest.raises(error):
        animate(portrait, talk, out=folder / name, on_progress=stop)
    assert list(folder.iterdir()) == []


def test_what_was_there_stays_when_it_fails(portrait: Path, talk: Path, folder: Path) -> None:
    out = folder / "a.mp4"
    out.write_text("precious")

    def stop(progress: Progress) -> None:
        if progress.stage == "animate" and progress.done == 5:
            raise Stop

    with pytest.raises(OutputExists):
        animate(portrait, talk, out=out)
    with pytest.raises(Stop):
        animate(portrait, talk, out=out, overwrite=True, on_progress=stop)
    assert out.read_text() == "precious"
    assert list(folder.iterdir()) == [out]


def failing(method: str) -> Callable[..., Any]:
    def fail(self: object, *args: object) -> None:
        raise Stop(method)

    return fail


@pytest.mark.parametrize("method", ["prepare", "begin", "render", "warnings"])
def test_an_engine_that_fails_leaves_nothing_half_done(
    method: str,
    mirror: type[Mirror],
    monkeypatch: pytest.MonkeyPatch,
    portrait: Path,
    talk: Path,
    folder: Path,
) -> None:
    monkeypatch.setattr(mirror, method, failing(method))
    with pytest.raises(Stop, match=method):
        animate(portrait, talk, out=folder / "a.mp4", engine="mirror")
    # What an engine has to say comes after the clip is finished.
    assert [path.name for path in folder.iterdir()] == (["a.mp4"] if method == "warnings" else [])


def test_ctrl_c_while_an_engine_compiles_leaves_nothing(
    mirror: type[Mirror], monkeypatch: pytest.MonkeyPatch, portrait: Path, talk: Path, folder: Path
) -> None:
    """It comes where numba calls back from C, which swallows it in the main thread; see `run_apart`."""
    prepare = mirror.prepare

    def compile_and_prepare(self: Mirror, source: Source, config: AnimateConfig) -> Mirror:
        press_ctrl_c_in_a_callback()
        return prepare(self, source, config)

    monkeypatch.setattr(mirror, "prepare", compile_and_prepare)
    with pytest.raises(KeyboardInterrupt):
        animate(portrait, talk, out=folder / "a.mp4", engine="mirror")
    assert list(folder.iterdir()) == []


def test_nobody_in_the_portrait_or_in_the_driver(
    portrait: Path, talk: Path, folder: Path, tmp_path: Path
) -> None:
    Image.fromarray(wall()).save(tmp_path / "wall.png")
    clip = write_clip(tmp_path / "wall.mp4", [wall()] * 5)
    for source, driving in ((tmp_path / "wall.png", talk), (portrait, clip)):
        with pytest.raises(NoFace) as caught:
            animate(source, driving, out=folder / "a.mp4")
        assert isinstance(caught.value, LikenessError)
        assert caught.value.hint
    assert list(folder.iterdir()) == []


def test_progress_is_told_for_every_frame(portrait: Path, talk: Path, folder: Path) -> None:
    told: list[Progress] = []
    animate(portrait, talk, out=folder / "a.mp4", on_progress=told.append)
    for stage in ("track", "animate"):
        assert [each.done for each in told if each.stage == stage] == list(range(1, FRAMES + 1))
        assert {each.total for each in told if each.stage == stage} == {FRAMES}


def test_a_number_of_frames_is_told_with_the_warning(portrait: Path, folder: Path) -> None:
    """In plain words: a sentence that ends with a point."""
    turned = [Puppet(turn_deg=(0, 60.0 * n / 9, 0)).draw() for n in range(10)]
    made = animate(portrait, write_clip(folder / "in.mp4", turned), out=folder / "a.mp4", best_frame="first")
    assert made.warnings
    assert all(re.fullmatch(r"[A-Z].*\.", warning) for warning in made.warnings)
