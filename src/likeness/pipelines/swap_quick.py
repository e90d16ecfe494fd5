"""Swap without training: consent ▸ looks of B ▸ A's clip, followed and repainted ▸ seal."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from likeness.config import QuickSwapConfig
from likeness.consent.gathering import is_still
from likeness.consent.permission import Consent, Permission, check, require
from likeness.engines.swap.nearest import Gallery, Look
from likeness.engines.swap.quick import NAME, VERSION, QuickSwap
from likeness.errors import MediaNotFound, NoFace
from likeness.faces import FaceTracker, find_faces
from likeness.faces.nets import LANDMARKER
from likeness.facesets.alignments import FILE_NAME as ALIGNMENTS
from likeness.media import VideoReader, check_input, check_output, read_image
from likeness.models import fetch_all, ref
from likeness.pipelines.ahead import opencv_on_one_thread, run_ahead
from likeness.pipelines.choose_face import Chooser
from likeness.pipelines.swap_bent import Bent, without_effect
from likeness.pipelines.swap_clip import follow, nobody_was_followed, open_clip, open_hands, write_swapped
from likeness.pipelines.swapped import Swapped, check_label, options_of
from likeness.progress import OnProgress, Progress, silent
from likeness.types import Ingredient, Making


def quick(
    clip: str | os.PathLike[str],
    *,
    face: str | os.PathLike[str],
    consent: Consent | None,
    out: str | os.PathLike[str],
    config: QuickSwapConfig | None = None,
    on_progress: OnProgress = silent,
    **options: Any,
) -> Swapped:
    """Show the performance in `clip` with the face in `face`, at once and without training.

    The record is checked before any media are opened; then every face in `face` is compared with it.

    Args:
        clip: a video of person A.
        face: a picture or video of person B, alone.
        consent: B's record, for the act "swap".
        out: `.mp4`, `.webm`, `.gif`, or a folder for PNGs.
        config: all other choices, or
        options: some of them by name, such as `colour="lab"`; see `QuickSwapConfig`.
        on_progress: called with `Progress` as the work goes on.

    Raises:
        ConsentError: the record does not allow it, or somebody else is in `face`.
        LikenessError: see `likeness.errors`; nothing is written then.
    """
    config = options_of(QuickSwapConfig, config, options)
    check_label(check(consent, act="swap"), config)
    clip, face, out = check_input(Path(clip)), _check_face(Path(face)), Path(out)
    check_output(out, overwrite=config.overwrite, inputs=[clip, face])
    offline = config.offline or None
    permission = require(consent, "swap", media=[face], offline=offline)
    fetch_all([LANDMARKER], on_progress=on_progress, offline=offline)
    hands, notes = open_hands(config, on_progress)
    with open_clip(clip, config) as reader, opencv_on_one_thread():
        looks = gather_looks(face, config.looks, on_progress)
        rate_hz = float(reader.info.rate)
        chooser = Chooser(config.face, None, rate_hz, offline=offline)
        bent = Bent(QuickSwap(looks, rate_hz), config, rate_hz)
        return write_swapped(
            reader,
            follow(reader, chooser, hands),
            bent.swap,
            out,
            _describe(config, clip, face, len(looks), permission),
            config,
            on_progress,
            nobody=lambda: nobody_was_followed(chooser, config.face, clip.name),
            notes=(*permission.notes, *notes, *without_effect(config)),
        )


def _check_face(path: Path) -> Path:
    """The file that shows the face.

    Raises:
        MediaNotFound, Unreadable: see `check_input`; of a face set it says what to do with that.
    """
    if path.is_dir() and (path / ALIGNMENTS).is_file():
        raise MediaNotFound(
            f"{path} is a face set, from which a model is trained.",
            "Give the clip that it was extracted from, or one of its pictures; or train with it: "
            "`likeness swap train` (likeness.swap.train in Python).",
        )
    return check_input(path)


def gather_looks(face: Path, most: int, on_progress: OnProgress = silent) -> tuple[Look, ...]:
    """Pictures of the one face in a picture or video, as different as can be.

    Raises:
        NoFace: there is none.
        MediaError: the file cannot be read.
    """
    gallery = Gallery(most)
    if is_still(face):
        image = read_image(face).image
        for found in find_faces(image, limit=1):
            gallery.add(image, found)
    else:
        tracker = FaceTracker(faces=1, threads=1)
        with VideoReader(face) as reader, run_ahead(reader, 2) as frames:
            for frame in frames:
                for found in tracker.track(frame.image):
                    gallery.add(frame.image, found)
                on_progress(Progress("look", frame.index + 1, reader.frames_expected))
    if not len(gallery):
        raise NoFace(
            f"No face was found in {face.name}.",
            "Use a picture or clip that shows it from the front, large enough and well lit.",
        )
    return gallery.looks


def _describe(config: QuickSwapConfig, clip: Path, face: Path, looks: int, permission: Permission) -> Making:
    return Making(
        act="swap",
        engine=NAME,
        engine_version=VERSION,
        ingredients=(Ingredient(clip, "source"), Ingredient(face, "source")),
        models=(ref(LANDMARKER),),
        parameters={
            "colour": config.colour,
            "looks": looks,
            "shape": config.shape,
            "face_scale": config.face_scale,
        },
        rights=config.rights,
        label=config.label,
        tsa_url=config.tsa_url,
        consent=permission.describe(),
    )
