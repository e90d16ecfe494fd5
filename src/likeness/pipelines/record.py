"""Record a driver's motion: read ▸ track ▸ `.motion`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from likeness.errors import UsageError
from likeness.faces.nets import LANDMARKER
from likeness.media.files import check_input
from likeness.models import fetch
from likeness.motion.file import SUFFIX, write_motion
from likeness.motion.frame import MotionFrame, Need
from likeness.pipelines.ahead import run_ahead
from likeness.pipelines.driver import DAMAGED, Driver
from likeness.pipelines.output import check_plain_output, plain_output
from likeness.progress import OnProgress, Progress, silent

_AHEAD_FRAMES = 32


@dataclass(frozen=True, slots=True)
class Recording:
    """What was recorded.

    Attributes:
        path: the finished `.motion` file.
        driving: the video it was recorded from.
        frames, rate: how many, and how many a second.
        held_frames: frames in which the face was not seen, and its last place was held.
        warnings: what a person should know of it.
    """

    path: Path
    driving: Path
    frames: int
    rate: Fraction
    held_frames: int
    warnings: tuple[str, ...] = ()


def record_motion(
    driving: str | os.PathLike[str],
    *,
    out: str | os.PathLike[str],
    start_s: Fraction | None = None,
    end_s: Fraction | None = None,
    face: int | None = None,
    geometry_only: bool = False,
    overwrite: bool = False,
    offline: bool = False,
    on_progress: OnProgress = silent,
) -> Recording:
    """Follow the face in the video `driving`, and write how it moves to `out`, without the video.

    Args:
        driving: a video of a person.
        out: a name that ends in `.motion`.
        start_s, end_s: the part to record, in seconds.
        face: which face, as numbered by `likeness faces`; None = the largest.
        geometry_only: leave out shading, mouth and skin colour: smaller, and nothing of the face's look is
            kept, but folds and teeth are then not carried over.
        overwrite: replace an output that exists.
        offline: fetch nothing.
        on_progress: called with `Progress` as the work goes on.

    Raises:
        NoFrames: it is a picture, or a video of one; that would move nobody.
        LikenessError: see `likeness.errors`; nothing is written then.
    """
    driving, out = check_input(Path(driving)), Path(out)
    if driving.suffix.lower() == SUFFIX:
        raise UsageError(f"{driving} is a recorded motion already.", "Give a video.")
    check_plain_output(out, SUFFIX, overwrite=overwrite, source=driving)
    fetch(LANDMARKER, on_progress=on_progress, offline=offline or None)
    needs: frozenset[Need] = frozenset() if geometry_only else frozenset({"appearance"})
    with (
        Driver(driving, needs=needs, start_s=start_s, end_s=end_s, face=face) as driver,
        run_ahead(driver.frames(), _AHEAD_FRAMES) as frames,
    ):
        with plain_output(out) as path:
            count = write_motion(path, _tell(frames, driver, on_progress), driver.info)
            driver.check_moves(count)
        warnings = (DAMAGED,) if driver.damaged else ()
        return Recording(out, driving, count, driver.info.rate, driver.held, warnings)


def _tell(frames: Iterator[MotionFrame], driver: Driver, on_progress: OnProgress) -> Iterator[MotionFrame]:
    for done, frame in enumerate(frames, 1):
        on_progress(Progress("record", done, driver.info.frames))
        yield frame
