"""Animate with a model that knows no faces: nobody is looked for, whole pictures go in and come out."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from likeness.config import AnimateConfig
from likeness.consent.permission import Permission
from likeness.engines.base import Engine
from likeness.errors import NoFrames, UsageError
from likeness.media import VideoReader, read_image
from likeness.pipelines.ahead import opencv_on_one_thread
from likeness.pipelines.animation import Animation, choose_sound, describe, write_animation
from likeness.pipelines.driver import DAMAGED
from likeness.pipelines.portrait import fit_picture
from likeness.progress import OnProgress
from likeness.types import Picture


class WholePerformer(Protocol):
    """What such an engine prepares; see `engines.fomm.whole`."""

    def begin(self, frame: Picture) -> None: ...

    def render_all(self, frames: Iterable[Picture]) -> Generator[Picture]: ...

    def warnings(self) -> tuple[str, ...]: ...


class WholeEngine(Engine, Protocol):
    """An engine whose model was trained on whole pictures."""

    def prepare_whole(self, image: Picture, config: AnimateConfig) -> WholePerformer: ...


def animate_whole(
    engine: WholeEngine,
    source: Path,
    driving: Path,
    out: Path,
    config: AnimateConfig,
    inputs: list[Path],
    permission: Permission | None,
    on_progress: OnProgress,
) -> Animation:
    """The rest of `animate`, once everything was checked."""
    if permission is not None and permission.record.kind != "corpus":
        from likeness.consent.match import unknown_face

        permission = permission.compare(unknown_face(source.name, "this model looks for no face"))
    image = fit_picture(read_image(source).image, config.max_side)
    height, width = image.shape[:2]
    first = config.best_frame if isinstance(config.best_frame, int) else 0
    with opencv_on_one_thread(), VideoReader(driving, start_s=config.start_s, end_s=config.end_s) as reader:
        reader.check_whole()
        audio = choose_sound(config, driving, has_audio=reader.info.has_audio, start_s=reader.start_s)
        performer = engine.prepare_whole(image, config)
        performer.begin(_frame_at(driving, first, config))
        with closing(performer.render_all(_pictures(reader, driving))) as pictures:
            made = write_animation(
                pictures,
                source=source,
                driving=driving,
                out=out,
                config=config,
                making=describe(engine, config, inputs, driving, first, permission),
                width=width,
                height=height,
                rate=reader.info.rate,
                frames_expected=reader.frames_expected,
                best_frame=first,
                audio=audio,
                on_progress=on_progress,
            )
        notes = permission.notes if permission else ()
        damaged = [DAMAGED] if reader.damaged else []
        return replace(made, warnings=(*notes, *performer.warnings(), *damaged, *made.warnings))


def _pictures(reader: VideoReader, driving: Path) -> Iterator[Picture]:
    frame = None
    for frame in reader:
        yield frame.image
    if frame is not None and frame.index == 0:
        raise NoFrames(f"{driving.name} holds one picture only, which moves nobody.", "Give a video.")


def _frame_at(driving: Path, number: int, config: AnimateConfig) -> Picture:
    """One frame of the chosen part, counted from 0."""
    with VideoReader(driving, start_s=config.start_s, end_s=config.end_s) as reader:
        for frame in reader:
            if frame.index == number:
                return frame.image.copy()
    raise UsageError(
        f"The driver has no frame {number}.", "Choose a smaller --best-frame (best_frame in Python)."
    )
