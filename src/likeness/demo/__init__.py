"""The demo: a portrait of Grace Hopper, driven by the clip Carphone, and a page that shows all of it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from likeness.config import AnimateConfig
from likeness.demo.page import build_page
from likeness.demo.posted import post
from likeness.demo.tracked import track
from likeness.errors import NotWritable
from likeness.media.files import temporary_beside, write_error
from likeness.models import fetch_all
from likeness.pipelines.animate import animate
from likeness.pipelines.animation import Animation
from likeness.progress import OnProgress, silent
from likeness.verification import Verification

PORTRAIT, DRIVER = "grace-hopper", "carphone"
NEEDED = (PORTRAIT, DRIVER, "face-landmarker", "selfie-segmentation")


@dataclass(frozen=True, slots=True)
class Demo:
    """What the demo made.

    Attributes:
        animation: the clip.
        side_by_side, page: beside it.
        verification: what the clip says of itself.
        seconds: what `animate` took.
    """

    animation: Animation
    side_by_side: Path
    page: Path
    verification: Verification
    seconds: float


def make_demo(
    out: str | os.PathLike[str], *, offline: bool = False, on_progress: OnProgress = silent
) -> Demo:
    """Animate the demo's portrait, and write `hopper.mp4`, `side_by_side.mp4` and `index.html` to a folder.

    Files of an earlier demo there are replaced.

    Raises:
        ModelError: the portrait, the driver or a model is not here and cannot be fetched.
        OutputError: the folder cannot be written.
    """
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotWritable(
            f"The folder {folder} cannot be made: {error.strerror}.", "Choose another --out."
        ) from error
    paths = fetch_all(NEEDED, on_progress=on_progress, offline=offline or None)
    started_s = time.monotonic()
    animation = animate(
        paths[PORTRAIT],
        paths[DRIVER],
        out=folder / "hopper.mp4",
        config=AnimateConfig(overwrite=True, offline=offline),
        on_progress=on_progress,
    )
    seconds = time.monotonic() - started_s
    side_by_side = folder / "side_by_side.mp4"
    animation.compare(side_by_side, overwrite=True)
    copies = post(animation.path)
    page = build_page(animation, track(paths[DRIVER]), copies, seconds)
    with temporary_beside(folder / "index.html") as pending:
        try:
            pending.path.write_text(page, encoding="utf-8")
        except OSError as error:
            raise write_error(pending.target, error) from error
        pending.commit()
    return Demo(animation, side_by_side, folder / "index.html", copies[0].verification, seconds)
