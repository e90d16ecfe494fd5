"""Animate a portrait: read ▸ track ▸ engine ▸ seal.

The driver is decoded and tracked in one thread, rendered in this one, and encoded in a third, with short
queues between them; memory does not grow with the length of the driver.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, cast

from likeness.config import AnimateConfig, from_mapping
from likeness.engines.base import Engine, Performer
from likeness.errors import UsageError
from likeness.faces.nets import LANDMARKER
from likeness.faces.topology import canonical_mesh
from likeness.media import check_input, check_output, check_sound
from likeness.models import all_models, fetch_all
from likeness.motion.calibrate import calibrate
from likeness.motion.file import SUFFIX
from likeness.motion.frame import MotionFrame
from likeness.pipelines.ahead import opencv_on_one_thread, run_ahead, run_apart
from likeness.pipelines.allow import allow, compare_portrait
from likeness.pipelines.animate_whole import WholeEngine, animate_whole
from likeness.pipelines.animation import Animation, choose_sound, describe, write_animation
from likeness.pipelines.driver import DAMAGED, Driver
from likeness.pipelines.portrait import read_portrait
from likeness.progress import OnProgress, Progress, silent
from likeness.registry import get_engine, split_name
from likeness.types import Picture

LOOK_AHEAD_S = 4
"""So much of the driver is tracked before the first frame is rendered: its best frame is chosen there, and
what this face's closed eyes and lips look like is learnt there."""

MOST_PICTURES_BYTES = 256 << 20
"""Where an engine needs the driver's pictures, no more of them are kept than this."""

MOST_AHEAD = 3000
"""A best frame may lie so far ahead: all frames before it are kept meanwhile, 42 kB each."""


def animate(
    source: str | os.PathLike[str],
    driving: str | os.PathLike[str],
    *,
    out: str | os.PathLike[str],
    engine: str = "mesh",
    config: AnimateConfig | None = None,
    on_progress: OnProgress = silent,
    **options: Any,
) -> Animation:
    """Make the portrait `source` move like the person in `driving`, and write it, sealed, to `out`.

    Args:
        source: a picture with a face: photo, painting, drawing.
        driving: a video of a person, or a `.motion` file.
        out: `.mp4`, `.webm`, `.gif`, or a folder for PNGs.
        engine: the name of an installed engine.
        config: all other choices, or
        options: some of them by name, such as `strength=0.8`; see `AnimateConfig`.
        on_progress: called with `Progress` as the work goes on.

    Raises:
        LikenessError: see `likeness.errors`; nothing is written then.
    """
    if config is not None and options:
        raise UsageError("Both config and single options were given.", "Give one of them.")
    config = config or from_mapping(options)
    permission = None if config.consent is None else allow(config.consent, "animate", config)
    source, driving, out = check_input(Path(source)), check_input(Path(driving)), Path(out)
    audio_file = check_input(config.audio) if isinstance(config.audio, Path) else None
    inputs = [path for path in (source, driving, audio_file) if path is not None]
    check_output(out, overwrite=config.overwrite, inputs=inputs)
    if audio_file is not None:
        check_sound(audio_file)
    renderer = open_engine(engine, config)
    if driving.suffix.lower() == SUFFIX:
        _check_motion_suffices(renderer, config)
    ours = {entry.name for entry in all_models()}
    names = {LANDMARKER, *(model.name for model in renderer.models() if model.name in ours)}
    fetch_all(sorted(names), on_progress=on_progress, offline=config.offline or None)
    if getattr(renderer, "whole_frame", False):
        whole = cast(WholeEngine, renderer)
        return animate_whole(whole, source, driving, out, config, inputs, permission, on_progress)
    needs_pictures = "image" in renderer.needs
    with (
        opencv_on_one_thread(),
        Driver(
            driving,
            needs=renderer.needs,
            start_s=config.start_s,
            end_s=config.end_s,
            face=config.driving_face,
        ) as driver,
        run_ahead(driver.frames(), _count_ahead(driver, config, needs_pictures)) as stream,
    ):
        audio = choose_sound(config, driving, has_audio=driver.has_audio, start_s=driver.start_s)
        # All of this goes on while the driver's beginning is tracked.
        portrait = read_portrait(source, config)
        performer = run_apart(lambda: renderer.prepare(portrait, config))
        if permission is not None:
            permission = compare_portrait(permission, portrait, source.name, config)
        first = _look_ahead(stream, driver, config, on_progress, needs_pictures)
        calibration = calibrate(first, portrait.face, canonical_mesh(), driver.info, config.best_frame)
        performer.begin(calibration)
        making = describe(renderer, config, inputs, driving, calibration.index, permission)
        height, width = portrait.image.shape[:2]
        with closing(_render(performer, _drain(first, stream))) as pictures:
            made = write_animation(
                pictures,
                source=source,
                driving=driving,
                out=out,
                config=config,
                making=making,
                width=width,
                height=height,
                rate=driver.info.rate,
                frames_expected=driver.info.frames,
                best_frame=calibration.index,
                audio=audio,
                face_box=portrait.face.box,
                on_progress=on_progress,
            )
        notes = permission.notes if permission else ()
        return replace(
            made,
            held_frames=driver.held,
            warnings=(*notes, *performer.warnings(), *_driver_warnings(driver), *made.warnings),
        )


def open_engine(engine: str, config: AnimateConfig) -> Engine:
    """The engine of this name, with the model that the name or `config` asks for.

    Raises:
        UsageError: a model was asked for of an engine that takes none.
        EngineError, ModelError: see `registry.get_engine`, and the engine itself.
    """
    name, model = split_name(engine)
    kind = get_engine(name)
    if hasattr(kind, "open"):
        opened: Engine = kind.open(model, config)
        return opened
    if model or config.checkpoint or config.checkpoint_config:
        raise UsageError(
            f"The engine {name} takes no model.",
            "Leave out the model, --checkpoint and --config (checkpoint in Python), or use the engine fomm.",
        )
    plain: Engine = kind()
    return plain


def _check_motion_suffices(engine: Engine, config: AnimateConfig) -> None:
    """Refuse what a `.motion` file cannot give: pictures, and any other face than the one it holds."""
    if "image" in engine.needs:
        raise UsageError(
            f"The engine {engine.name} needs the driver's pictures, and a .motion file holds none.",
            "Give the video itself, or choose the engine mesh.",
        )
    if config.driving_face is not None:
        raise UsageError(
            "A face of the driver was chosen, and a .motion file holds only one.",
            "Leave out the choice, or record the other face with `likeness motion record … --face N` "
            "(record_motion(…, face=N) in Python).",
        )


def _count_ahead(driver: Driver, config: AnimateConfig, pictures: bool) -> int:
    """How many frames are tracked before the first one is rendered.

    Raises:
        UsageError: the driver is too short for this best frame, or it lies too far ahead.
    """
    count = max(int(LOOK_AHEAD_S * driver.info.rate), 2)
    if pictures:
        frame_bytes = 3 * driver.info.width * driver.info.height
        count = max(min(count, MOST_PICTURES_BYTES // max(frame_bytes, 1)), 2)
    if not isinstance(config.best_frame, int):
        return count
    # Where more frames are expected than there are, `calibrate` refuses.
    most = min(driver.info.frames or MOST_AHEAD, MOST_AHEAD)
    if config.best_frame >= most:
        raise UsageError(
            f"The best frame is number {config.best_frame}, which "
            + ("is too far ahead." if most == MOST_AHEAD else "the driver does not have."),
            f"Choose a number from 0 to {most - 1}, or auto; they count from the start that is chosen.",
        )
    return max(count, config.best_frame + 1)


def _look_ahead(
    stream: Iterator[MotionFrame],
    driver: Driver,
    config: AnimateConfig,
    on_progress: OnProgress,
    pictures: bool,
) -> list[MotionFrame]:
    """The driver's beginning, from which the rest is judged."""
    count, total = _count_ahead(driver, config, pictures), driver.info.frames
    first = []
    for frame in islice(stream, count):
        first.append(frame)
        on_progress(Progress("track", len(first), total and min(count, total)))
    driver.check_moves(len(first))
    return first


def _render(performer: Performer, motions: Iterator[MotionFrame]) -> Generator[Picture]:
    """The pictures, in order; several at once where the performer knows how to."""
    if hasattr(performer, "render_all"):
        yield from performer.render_all(motions)
    else:
        yield from map(performer.render, motions)


def _drain(first: list[MotionFrame], stream: Iterator[MotionFrame]) -> Iterator[MotionFrame]:
    """The first frames, each forgotten once it is handed on, then the rest."""
    first.reverse()
    while first:
        yield first.pop()
    yield from chain(stream)


def _driver_warnings(driver: Driver) -> tuple[str, ...]:
    warnings = []
    if driver.held:
        warnings.append(
            f"The driver's face was not seen in {driver.held} frames; it was held and eased there."
        )
    if driver.damaged:
        warnings.append(DAMAGED)
    return tuple(warnings)
