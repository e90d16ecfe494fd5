"""Animate with a model that knows no faces: nobody is looked for, whole pictures go in and come out."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from likeness.config import AnimateConfig
from likeness.consent.permission import Permission
from likeness.disclosure.seal import SealedVideo
from likeness.engines.base import Engine
from likeness.errors import NoFrames, UsageError
from likeness.media import AudioSource, VideoReader, check_sound, read_image
from likeness.pipelines.animation import Animation, describe, sound_warnings
from likeness.pipelines.driver import DAMAGED
from likeness.progress import OnProgress, Progress
from likeness.types import Picture

COARSE = 1.2


class WholePerformer(Protocol):
    """What such an engine prepares; see `engines.fomm.whole`."""

    @property
    def enlargement(self) -> float: ...

    def begin(self, frame: Picture) -> None: ...

    def render(self, frame: Picture) -> Picture: ...


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
    image = _fit(read_image(source).image, config.max_side)
    height, width = image.shape[:2]
    first = config.best_frame if isinstance(config.best_frame, int) else 0
    with VideoReader(driving, start_s=config.start_s, end_s=config.end_s) as reader:
        reader.check_whole()
        audio = _audio(reader, driving, config)
        performer = engine.prepare_whole(image, config)
        performer.begin(_frame_at(driving, first, config))
        making = describe(engine, config, inputs, driving, first, permission)
        with SealedVideo(
            out,
            making,
            width=width,
            height=height,
            rate=reader.info.rate,
            audio=audio,
            overwrite=config.overwrite,
            language=config.label_language,
        ) as video:
            done = 0
            for done, frame in enumerate(reader, 1):
                video.write(performer.render(frame.image))
                on_progress(Progress("animate", done, reader.frames_expected))
            if done == 1:
                raise NoFrames(f"{driving.name} holds one picture only, which moves nobody.", "Give a video.")
        audio_file = config.audio if isinstance(config.audio, Path) else None
        return Animation(
            path=out,
            source=source,
            driving=driving,
            frames=done,
            rate=reader.info.rate,
            width=width,
            height=height,
            best_frame=first,
            held_frames=0,
            warnings=(
                *(permission.notes if permission else ()),
                *_coarse(performer.enlargement),
                *([DAMAGED] if reader.damaged else []),
                *sound_warnings(out, audio_file),
                *video.sealed.notes,
            ),
            config=config,
            making=making,
            sealed=video.sealed,
        )


def _fit(image: Picture, max_side_px: int) -> Picture:
    """With even sides, none longer than allowed."""
    height, width = image.shape[:2]
    scale = min(1.0, max_side_px / max(height, width))
    if scale == 1:
        return np.ascontiguousarray(image[: height // 2 * 2, : width // 2 * 2])
    size = max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _frame_at(driving: Path, number: int, config: AnimateConfig) -> Picture:
    """One frame of the chosen part, counted from 0."""
    with VideoReader(driving, start_s=config.start_s, end_s=config.end_s) as reader:
        for frame in reader:
            if frame.index == number:
                return frame.image.copy()
    raise UsageError(
        f"The driver has no frame {number}.", "Choose a smaller --best-frame (best_frame in Python)."
    )


def _audio(reader: VideoReader, driving: Path, config: AnimateConfig) -> AudioSource | None:
    if isinstance(config.audio, Path):
        return AudioSource(config.audio)
    if config.audio == "driving" and reader.info.has_audio:
        check_sound(driving, config.end_s)
        return AudioSource(driving, start_s=Fraction(reader.start_s))
    return None


def _coarse(times: float) -> tuple[str, ...]:
    if times < COARSE:
        return ()
    return (f"What the model makes was enlarged {times:.1f} times, and is as much less sharp.",)
