"""Cut the faces of one person out of videos and pictures: read ▸ track ▸ cut ▸ whose face ▸ face set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

from likeness import models
from likeness.errors import UsageError
from likeness.faces import identity
from likeness.faces.nets import LANDMARKER
from likeness.faces.resnet import read_dlib
from likeness.facesets.alignments import SIZE_PX, SIZES_PX
from likeness.facesets.collect import Collector
from likeness.facesets.finish import Person, Who, finish
from likeness.facesets.folder import check_folder, new_folder
from likeness.facesets.keep import Reason, References
from likeness.facesets.sheet import PEOPLE_NAME
from likeness.media.files import check_input
from likeness.pipelines.ahead import opencv_on_one_thread, run_ahead
from likeness.pipelines.lookout import Lookout, PathLike, check_apart, find_sources, listed
from likeness.progress import OnProgress, Progress, silent

SMALLEST_FACE_PX: Final = 48
FACES: Final = 5
_AHEAD_FRAMES: Final = 4


@dataclass(frozen=True, slots=True)
class Extraction:
    """What was extracted.

    Attributes:
        folder: the finished face set.
        faces: how many faces it holds.
        frames: how many frames and pictures were looked at.
        empty_frames: how many of them showed no face.
        dropped: how many faces were left out, by reason; one by one in `dropped.json`.
        people: those who were seen, the most seen first; `people.jpg` shows them if there are several.
        warnings: what a person should know of it.
    """

    folder: Path
    faces: int
    frames: int
    empty_frames: int
    dropped: dict[Reason, int]
    people: tuple[Person, ...]
    warnings: tuple[str, ...] = ()


def extract_faces(
    sources: PathLike | Sequence[PathLike],
    out: PathLike,
    *,
    keep: PathLike | Sequence[PathLike] = (),
    drop: PathLike | Sequence[PathLike] = (),
    person: Who = None,
    faces: int = FACES,
    min_size_px: float = SMALLEST_FACE_PX,
    every: int = 1,
    start_s: Fraction | None = None,
    end_s: Fraction | None = None,
    size_px: int = SIZE_PX,
    overwrite: bool = False,
    offline: bool = False,
    on_progress: OnProgress = silent,
) -> Extraction:
    """Cut the faces of one person out of videos and pictures into the folder `out`, and say where they were.

    People are told apart by identity. Where several are seen, the one with the most faces is kept, unless
    `keep`, `drop` or `person` say otherwise.

    Args:
        sources: videos and pictures, or folders of them.
        out: a new folder for the faces, `alignments.json`, `sheet.jpg` and `dropped.json`.
        keep, drop: pictures (or videos) of people to keep and to leave out, one person each.
        person: whom to keep: a number as in `people.jpg`, from 1, or "all".
        faces: follow at most so many at once, the largest.
        min_size_px: leave out faces whose box has a longer side smaller than this.
        every: look at every so many frames only.
        start_s, end_s: the part of each video to look at, in seconds.
        size_px: side of the cut pictures.
        overwrite: replace a face set that is there.
        offline: fetch nothing.
        on_progress: called with `Progress` as the work goes on.

    Raises:
        NoFace: no face is left; says what was seen instead.
        FaceIndex: there is no such person.
        LikenessError: see `likeness.errors`; nothing is written then.
    """
    _check_numbers(faces, min_size_px, every, size_px)
    if person not in (None, "all") and not (isinstance(person, int) and person >= 1):
        raise UsageError(f"“{person}” is no person.", f'Give a number from {PEOPLE_NAME}, or "all".')
    paths, out = find_sources(sources), Path(out)
    references = [[check_input(one) for one in listed(some)] for some in (keep, drop)]
    check_folder(out, overwrite=overwrite)
    check_apart(paths, out)
    may_fetch = offline or None
    bundle = models.fetch(LANDMARKER, on_progress=on_progress, offline=may_fetch)
    models.converted(
        identity.MODEL, read_dlib, revision=identity.REVISION, offline=may_fetch, on_progress=on_progress
    )
    whom = References.read(*references, offline=may_fetch)
    lookout = Lookout(paths, bundle, faces=faces, every=every, start_s=start_s, end_s=end_s)
    with (
        new_folder(out) as folder,
        opencv_on_one_thread(),
        Collector(
            folder, size_px=size_px, min_size_px=min_size_px, sources=len(paths), offline=may_fetch
        ) as collector,
    ):
        # One thread looks for faces while this one says whose they are and cuts them.
        with run_ahead(lookout.looks(), _AHEAD_FRAMES) as looks:
            for look in looks:
                collector.take(look)
                on_progress(Progress("extract", collector.frames, lookout.frames_expected))
        outcome = finish(collector, tuple(lookout.files), whom, person)
    return Extraction(
        out,
        outcome.kept,
        collector.frames,
        collector.empty_frames,
        dict(collector.dropped),
        outcome.people,
        (*lookout.warnings, *_tell(outcome.people, collector)),
    )


def _check_numbers(faces: int, min_size_px: float, every: int, size_px: int) -> None:
    limits = {
        "faces": (faces, 1, 20),
        "min size": (min_size_px, 16, 10_000),
        "every": (every, 1, 1_000_000),
        "size": (size_px, *SIZES_PX),
    }
    for name, (value, low, high) in limits.items():
        if not low <= value <= high:
            raise UsageError(f"“{name}” is {value}.", f"Choose a value from {low} to {high}.")


def _tell(people: tuple[Person, ...], collector: Collector) -> list[str]:
    """What should be looked at before the faces are used."""
    warnings = []
    others = [number for number, person in enumerate(people, 1) if not person.kept]
    if len(people) > 1:
        names = ", ".join(f"{n} ({_faces(people[n - 1].faces)})" for n in others[:5])
        left_out = f"; left out: {names}{', …' if len(others) > 5 else ''}" if others else "; all were kept"
        warnings.append(f"{len(people)} people were seen{left_out}. {PEOPLE_NAME} shows them.")
    if unsure := collector.dropped["cannot tell"]:
        warnings.append(f"{_faces(unsure)} were left out because nobody can tell whose they are.")
    return warnings


def _faces(count: int) -> str:
    return f"{count} face{'s'[: count != 1]}"
