"""The First Order Motion Model under the names that its notebooks use.

::

    from likeness.fomm import load_checkpoints, make_animation, display

    generator, kp_detector = load_checkpoints(config_path="vox-256.yaml", checkpoint_path="vox-cpk.pth.tar")
    predictions = make_animation(source_image, driving_video, generator, kp_detector)
    HTML(display(source_image, driving_video, predictions).to_html5_video())

`likeness.animate(…, engine="fomm:NAME")` is the whole way instead: it finds the face, keeps the sound, writes
a sealed file, and needs no more memory for a long video. This module needs `likeness[fomm]`.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from likeness.disclosure.seal import SealedVideo
from likeness.engines.fomm.animator import Animator, Settings, check_picture, render_all
from likeness.engines.fomm.checkpoint import Pair, load_pair
from likeness.engines.fomm.configuration import read_configuration
from likeness.engines.fomm.library import import_model
from likeness.errors import UsageError
from likeness.nn.fomm import Generator, KeypointDetector
from likeness.pipelines.show import video_html
from likeness.types import Floats, Making, Picture

__all__ = ["Display", "display", "import_model", "load_checkpoints", "make_animation"]

MOST_FPS = 240


def load_checkpoints(
    config_path: str | os.PathLike[str],
    checkpoint_path: str | os.PathLike[str],
    cpu: bool = True,
    *,
    align_corners: bool | None = None,
) -> tuple[Generator, KeypointDetector]:
    """The two networks of a published checkpoint, ready to use on the CPU.

    Nothing in the file is run: it is read with `weights_only=True`.

    Args:
        cpu: for old notebooks; it makes no difference.
        align_corners: the corner rule of `grid_sample`. None is what the published weights were trained with
            (torch 1.0, whose rule is today's True); weights trained with torch 1.3 or later need False.

    Raises:
        MediaNotFound, ModelFormat: a file is missing, is not what it should be, or belongs to another.
    """
    del cpu
    config = read_configuration(Path(config_path))
    return load_pair(config, Path(checkpoint_path), align_corners=align_corners)


def make_animation(
    source_image: Floats | Picture,
    driving_video: Iterable[Floats | Picture],
    generator: Generator,
    kp_detector: KeypointDetector,
    relative: bool = True,
    adapt_movement_scale: bool = True,
    cpu: bool = True,
) -> list[Floats]:
    """The source, moved as the driver moves.

    These are bare frames, **not sealed**: nothing in them says that they are synthetic. `display` and
    `likeness.animate` make files that do. Do not publish these frames without such marks.

    Args:
        source_image: (h, w, 3), float 0 … 1 or uint8, RGB; the published models take 256 × 256.
        driving_video: frames of the same size; the first is what the source's own picture stands for.
        relative: add the driver's movements to the source's own pose (the original's name for both flags).
        adapt_movement_scale: fit movements to the source's size.
        cpu: for old notebooks; it makes no difference.

    Returns:
        One (h, w, 3) float32 array for each driver frame, 0 … 1.

    Raises:
        UsageError: a picture is no such array, or its size does not fit.
    """
    del cpu
    pair = Pair(generator, kp_detector)
    animator = Animator(pair, source_image, Settings(relative=relative, adapt_scale=adapt_movement_scale))
    return render_all(animator, driving_video)


@dataclass(frozen=True, slots=True, eq=False)
class Display:
    """Pictures beside each other, as a sealed clip."""

    _frames: tuple[Picture, ...]
    _rate: Fraction

    def to_html5_video(self) -> str:
        """A `<video>` element with the clip in it: labelled, watermarked, with Content Credentials.

        Raises:
            DisclosureError, OutputError: it could not be sealed or written.
        """
        with tempfile.TemporaryDirectory(prefix="likeness-", ignore_cleanup_errors=True) as folder:
            return video_html(self.save(Path(folder) / "animation.mp4"))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the sealed clip: `.mp4`, `.webm` or `.gif`. Errors as above, and `OutputExists`."""
        height, width, _ = self._frames[0].shape
        making = Making("animate", "fomm", "1", (), parameters={"through": "likeness.fomm.display"})
        with SealedVideo(Path(path), making, width=width, height=height, rate=self._rate) as video:
            for frame in self._frames:
                video.write(frame)
        return Path(path)

    def _repr_html_(self) -> str:
        return self.to_html5_video()


def display(
    source: Floats | Picture,
    driving: Sequence[Floats | Picture],
    generated: Sequence[Floats | Picture] | None = None,
    *,
    fps: float | Fraction = 20,
) -> Display:
    """Source, driver and result beside each other.

    Args:
        source, driving, generated: as given to and by `make_animation`; all of one size.
        fps: the original shows 20 frames a second.

    Raises:
        UsageError: there is no frame, the numbers of frames differ, a picture is no such array or of another
            size, or there is no such rate.
    """
    if not 0 < fps <= MOST_FPS:
        raise UsageError(f"{fps} is no number of frames a second.", f"Give one up to {MOST_FPS}.")
    if not len(driving) or (generated is not None and len(generated) != len(driving)):
        raise UsageError(
            f"There are {len(driving)} driver frames, and {len(generated or ())} generated ones.",
            "Give as many generated frames as driver frames, and at least one.",
        )
    still = _picture(source)
    frames = []
    for index, frame in enumerate(driving):
        row = [still, _picture(frame)]
        if generated is not None:
            row.append(_picture(generated[index]))
        if any(picture.shape != still.shape for picture in row):
            raise UsageError("The pictures differ in size.", "Bring all of them to one size first.")
        frames.append(_even(np.concatenate(row, axis=1)))
    return Display(tuple(frames), Fraction(fps).limit_denominator(1001))


def _picture(image: Floats | Picture) -> Picture:
    return np.asarray(np.clip(np.rint(check_picture(image) * 255), 0, 255), np.uint8)


def _even(image: Picture) -> Picture:
    """Without the last row or column where there is an odd number of them: H.264 wants even sides."""
    height, width = image.shape[:2]
    return np.ascontiguousarray(image[: height // 2 * 2, : width // 2 * 2])
