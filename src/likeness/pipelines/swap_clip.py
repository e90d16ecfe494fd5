"""A clip with another face in it: read ▸ follow ▸ swap ▸ seal, whatever the new face is made with.

The clip is decoded in one thread, its face followed in a second, replaced in this one, and encoded in
another, with short queues between them; memory does not grow with its length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import numpy as np

from likeness.config import PasteConfig
from likeness.disclosure.seal import SealedVideo
from likeness.engines.swap.meshwarp import MESH, warp
from likeness.engines.swap.paste import paste
from likeness.errors import FaceIndex, ModelMissing, NoFace
from likeness.faces.aligned import Alignment
from likeness.faces.hands import HANDS, PALMS, HandTracker
from likeness.media import AudioSource, VideoReader, check_sound
from likeness.models import fetch_all
from likeness.pipelines.ahead import opencv_on_one_thread, run_ahead, run_apart
from likeness.pipelines.choose_face import Chooser
from likeness.pipelines.driver import DAMAGED
from likeness.pipelines.follow_face import Followed, Found, follow_face
from likeness.pipelines.swapped import Swapped
from likeness.progress import OnProgress, Progress
from likeness.types import Face, Making, Picture

Swap: TypeAlias = Callable[[Iterable[Followed]], Iterator[tuple[Followed, Picture]]]
"""Replaces the face in frame after frame; yields every frame, and its finished picture."""

_DECODED, _FOLLOWED = 2, 4
"""So many pictures wait between the stages; they may be large."""
MOST_BEFORE = 16
"""So many frames are looked at for a face that the label stays clear of."""


@contextmanager
def open_clip(path: Path, config: PasteConfig) -> Iterator[VideoReader]:
    """The part of a clip that is wanted, refused early where it breaks off."""
    with VideoReader(path, start_s=config.start_s, end_s=config.end_s) as reader:
        reader.check_whole()
        yield reader


def open_hands(config: PasteConfig, on_progress: OnProgress) -> tuple[HandTracker | None, tuple[str, ...]]:
    """What finds hands before the face, or a note why nothing does."""
    if not config.occlusion:
        return None, ()
    try:
        fetch_all([PALMS, HANDS], on_progress=on_progress, offline=config.offline or None)
    except ModelMissing:
        return None, ("The networks that see hands are not here and may not be fetched: hands are not kept.",)
    return HandTracker(), ()


def follow(
    reader: VideoReader, chooser: Chooser, hands: HandTracker | None, found: Found | None = None
) -> Iterator[Followed]:
    """The frames, with the face that is to be replaced; see `follow_face`."""
    with run_ahead(reader, _DECODED) as pictures:
        yield from follow_face(pictures, chooser, float(reader.info.rate), found, hands)


def write_swapped(
    reader: VideoReader,
    followed: Iterable[Followed],
    swap: Swap,
    out: Path,
    making: Making,
    config: PasteConfig,
    on_progress: OnProgress,
    *,
    nobody: Callable[[], NoFace | FaceIndex],
    notes: tuple[str, ...] = (),
) -> Swapped:
    """Run all stages, and seal what comes out.

    Args:
        nobody: the error where no frame showed the face.
        notes: what a person should know, besides what is found here.

    Raises:
        NoFace, FaceIndex: see `nobody`; nothing is written then.
    """
    info = reader.info
    run_apart(_compile)
    with opencv_on_one_thread(), run_ahead(followed, _FOLLOWED) as stream:
        face, before = _until_the_face(stream)
        with SealedVideo(
            out,
            making,
            width=info.width,
            height=info.height,
            rate=info.rate,
            audio=_audio(reader, config),
            overwrite=config.overwrite,
            face_box=None if face is None else face.box,
            language=config.label_language,
        ) as video:
            done = swapped = 0
            for done, (item, picture) in enumerate(swap(_drain(before, stream)), 1):
                video.write(picture)
                swapped += item.face is not None
                on_progress(Progress("swap", done, reader.frames_expected))
            if not swapped:
                raise nobody()
    return Swapped(
        path=out,
        clip=info.path,
        frames=done,
        rate=info.rate,
        width=info.width,
        height=info.height,
        swapped_frames=swapped,
        warnings=(
            *notes,
            *_passed(done - swapped),
            *([DAMAGED] if reader.damaged else []),
            *video.sealed.notes,
        ),
        config=config,
        making=making,
        sealed=video.sealed,
    )


def nobody_was_followed(chooser: Chooser, number: int | None, name: str) -> NoFace | FaceIndex:
    """Why no frame showed the face."""
    if number is not None and chooser.most:
        return FaceIndex(
            f"{name} never shows {number} faces at once, only {chooser.most}.",
            "`likeness faces FILE` (list_faces in Python) lists the faces with their numbers.",
        )
    return NoFace(
        f"No face was found in {name}.",
        "Use a clip that shows a face from the front, large enough and well lit.",
    )


def _compile() -> None:
    """Have numba compile the inner loops, or read them from its cache, before there is anything to lose."""
    image, points = np.zeros((32, 32, 3), np.uint8), np.zeros((MESH + 10, 3), np.float32)
    warp(image, points, points, 16)
    paste(image, image[:8, :8], np.zeros((8, 8), np.float32), Alignment(16, 16, 8, 0))


def _until_the_face(stream: Iterator[Followed]) -> tuple[Face | None, list[Followed]]:
    """The first face, which says where the label must not be, and the frames that were read for that."""
    before: list[Followed] = []
    for item in islice(stream, MOST_BEFORE):
        before.append(item)
        if item.face is not None:
            return item.face, before
    return None, before


def _drain(first: list[Followed], stream: Iterator[Followed]) -> Iterator[Followed]:
    """The first frames, each forgotten once it is handed on, then the rest."""
    first.reverse()
    while first:
        yield first.pop()
    yield from stream


def _audio(reader: VideoReader, config: PasteConfig) -> AudioSource | None:
    if config.audio == "none" or not reader.info.has_audio:
        return None
    check_sound(reader.info.path, config.end_s)
    return AudioSource(reader.info.path, start_s=reader.start_s)


def _passed(frames: int) -> tuple[str, ...]:
    if not frames:
        return ()
    return (f"In {frames} frames the face to replace was not seen; they are as they were filmed.",)
