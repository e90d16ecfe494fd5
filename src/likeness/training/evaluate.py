"""How well a First Order Motion Model reconstructs clips that it has not learned from.

Siarohin et al. 2019, section 4, "Metrics": the first frame of a clip is moved by all later ones, and the
result compared with them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from likeness.engines.fomm.animator import check_size
from likeness.engines.fomm.checkpoint import Pair
from likeness.errors import FaceTooSmall, ModelMissing
from likeness.faces import FaceTracker
from likeness.faces.identity import FACE_MODEL, distance, embed_face
from likeness.progress import OnProgress, Progress, silent
from likeness.training.clips import Clip, Cut, prepare_clips
from likeness.types import Face, Picture

REFERENCE_PX = 256
"""Distances of points are told for pictures of this side, as in the paper."""
TOGETHER = 8
"""Frames that the networks are given at once."""


@dataclass(frozen=True, slots=True)
class FommScores:
    """How close reconstructions are. `None` where something cannot be measured.

    Attributes:
        l1: mean absolute difference of all pixels, 0 … 1.
        l1_static: the same if the first frame is left as it is: a model that has learned is below.
        akd_px: average keypoint distance, px at 256.
        mkr: missing keypoint rate: the share of frames with a face in whose reconstruction there is none.
        aed: average Euclidean distance of identity embeddings.
        clips, frames: how many; the first frames do not count.
        measured_with: what each of the measures was taken with, by its name.
        notes: clips that were left out, and why.
    """

    l1: float
    l1_static: float
    akd_px: float | None
    mkr: float | None
    aed: float | None
    clips: int
    frames: int
    measured_with: dict[str, str]
    notes: tuple[str, ...] = ()


class _Measured(NamedTuple):
    """One frame's share of the scores."""

    l1: float
    l1_static: float
    akd_px: float | None
    is_missed: bool | None
    aed: float | None


def evaluate_fomm(
    pair: Pair,
    data: str | os.PathLike[str],
    *,
    size_px: int = 256,
    crop: bool = True,
    faces: bool = True,
    cache: str | os.PathLike[str] | None = None,
    on_progress: OnProgress = silent,
) -> FommScores:
    """Reconstruct each clip below `data` from its first frame, with absolute movements, and measure.

    Args:
        pair: from `load_pair` or `load_checkpoints`.
        data: a folder of videos, or of folders of pictures.
        size_px: side of the pictures that the model was trained with.
        crop: follow the face and cut out head and shoulders, as in training; False takes whole frames.
        faces: the clips show faces: keypoints are those of our tracker, and identities are compared. False
            takes the model's own keypoints, which flatters it, and leaves out MKR and AED.
        cache: where prepared clips are kept; default: a temporary folder.

    Raises:
        MediaError, FaceError: the data cannot be used.
        UsageError: the model takes no pictures of this size.
    """
    check_size(pair.generator.config, size_px, size_px)
    with TemporaryDirectory(prefix="likeness-") as temporary:
        kept = Path(cache) if cache is not None else Path(temporary)
        found = prepare_clips(Path(data), kept, Cut(size_px, size_px, crop), on_progress=on_progress)
        measured: list[_Measured] = []
        for done, clip in enumerate(found.clips):
            on_progress(Progress("evaluate", done, len(found.clips), "clips"))
            measured += _by_tracker(pair, clip) if faces else _by_detector(pair, clip)
        on_progress(Progress("evaluate", len(found.clips), len(found.clips), "clips"))
        count, notes = len(found.clips), found.notes
        del found, clip  # Windows removes no file that is mapped
    missed = [one.is_missed for one in measured if one.is_missed is not None]
    return FommScores(
        l1=float(np.mean([one.l1 for one in measured])),
        l1_static=float(np.mean([one.l1_static for one in measured])),
        akd_px=_mean([one.akd_px for one in measured]),
        mkr=float(np.mean(missed)) if missed else None,
        aed=_mean([one.aed for one in measured]),
        clips=count,
        frames=len(measured),
        measured_with=_tell(faces),
        notes=notes,
    )


def reconstruct(pair: Pair, frames: NDArray[np.uint8]) -> Iterator[Picture]:
    """The first frame of (n, h, w, 3) moved by each later one: n - 1 pictures (h, w, 3) uint8, not sealed."""
    source = _as_tensor(frames[:1])
    with torch.inference_mode():
        points = pair.kp_detector(source)
        for start in range(1, len(frames), TOGETHER):
            driving = _as_tensor(frames[start : start + TOGETHER])
            batch = len(driving)
            repeated = type(points)(
                *(None if part is None else part.expand(batch, *part.shape[1:]) for part in points)
            )
            made = pair.generator(source.expand_as(driving), repeated, pair.kp_detector(driving))
            yield from (made.permute(0, 2, 3, 1) * 255).round().byte().numpy()


def _by_tracker(pair: Pair, clip: Clip) -> Iterator[_Measured]:
    """Both videos are followed alike, each by a tracker of its own."""
    for_real, for_made = FaceTracker(), FaceTracker()
    scale = max(1.0, REFERENCE_PX / clip.frames.shape[2])
    for real, made in zip(clip.frames[1:], reconstruct(pair, clip.frames), strict=True):
        large = [_enlarge(picture, scale) for picture in (real, made)]
        face, other = (t.track(picture) for t, picture in zip((for_real, for_made), large, strict=True))
        l1 = _l1(made, real), _l1(clip.frames[0], real)
        if not face:
            yield _Measured(*l1, None, None, None)
        elif not other:
            yield _Measured(*l1, None, True, None)
        else:
            apart = np.linalg.norm(face[0].points[:, :2] - other[0].points[:, :2], axis=1).mean()
            at_reference = float(apart) * REFERENCE_PX / large[0].shape[1]
            aed = _identity_distance((large[0], face[0]), (large[1], other[0]))
            yield _Measured(*l1, at_reference, False, aed)


def _by_detector(pair: Pair, clip: Clip) -> Iterator[_Measured]:
    for real, made in zip(clip.frames[1:], reconstruct(pair, clip.frames), strict=True):
        with torch.inference_mode():
            points = pair.kp_detector(_as_tensor(np.stack([real, made]))).value
        apart = float((points[0] - points[1]).norm(dim=1).mean()) * REFERENCE_PX / 2
        yield _Measured(_l1(made, real), _l1(clip.frames[0], real), apart, None, None)


def _identity_distance(a: tuple[Picture, Face], b: tuple[Picture, Face]) -> float | None:
    """Between the embeddings of two faces; None where one is too small, or the network cannot be had."""
    try:
        return distance(embed_face(*a), embed_face(*b))
    except (FaceTooSmall, ModelMissing):
        return None


def _tell(faces: bool) -> dict[str, str]:
    l1 = "all pixels and colours, 0 to 1; the first frame drives nothing and is not counted"
    if not faces:
        return {"l1": l1, "akd_px": "the model's own keypoints, which flatters it; px of a 256 px picture"}
    tracker = "478 points of likeness.faces.FaceTracker"
    return {
        "l1": l1,
        "akd_px": f"{tracker} in the true and in the made video; px of a 256 px picture. (The paper used 68 "
        "points of another tracker: figures are not comparable across the two.)",
        "mkr": "frames where the tracker finds a face in the true but not in the made picture",
        "aed": f"{FACE_MODEL}, 128 numbers, Euclidean. (The paper used another network.)",
    }


def _enlarge(picture: Picture, scale: float) -> Picture:
    if scale == 1:
        return np.ascontiguousarray(picture)
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), np.uint8)


def _as_tensor(frames: NDArray[np.uint8]) -> Tensor:
    """(n, h, w, 3) uint8 to (n, 3, h, w) float32, 0 … 1."""
    return torch.from_numpy(np.array(frames)).permute(0, 3, 1, 2).float() / 255


def _l1(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    return float(np.abs(a.astype(np.float32) - b).mean() / 255)


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
