"""What the swap benchmark measures, of pictures and points. Pictures are uint8 RGB unless it is said."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.engines.swap.meshwarp import warp
from likeness.faces.pose import eye_openness, fit_similarity, mouth_openness
from likeness.faces.topology import EYES, LIPS, canonical_mesh
from likeness.types import Floats, Picture

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
C1, C2 = 0.01**2, 0.03**2
GMSD_C = 170 / 255**2
FINE_SIGMA_PX = 1.0
"""Of a face of the size that the network makes: what is finer counts as sharpness."""

EYE_POINTS = sorted({point for eye in EYES for point in eye.outline})


def distances(found: Floats, references: Floats) -> float:
    """Median distance of faces (n, 128) to those of somebody (m, 128): each with each."""
    return float(np.median(np.linalg.norm(found[:, None] - references[None], axis=2)))


def l1(a: Picture, b: Picture, masks: Floats) -> float:
    """Mean absolute difference, 0…1, of (n, s, s, 3) inside of masks (n, s, s) 0…1."""
    gap = np.abs(a.astype(np.float32) - b).mean(3) / 255
    return float((gap * masks).sum() / masks.sum())


def ssim(a: Picture, b: Picture, masks: Floats) -> float:
    """Mean structural similarity of luma inside of the masks (Wang et al., IEEE TIP 2004, eq. 13)."""
    maps = [ssim_map(luma(x), luma(y)) for x, y in zip(a, b, strict=True)]
    return float((np.stack(maps) * masks).sum() / masks.sum())


def ssim_map(x: Floats, y: Floats) -> Floats:
    def mean(values: Floats) -> Floats:
        return np.asarray(cv2.GaussianBlur(values, (11, 11), 1.5), np.float32)

    mx, my = mean(x), mean(y)
    vx, vy, both = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    return (2 * mx * my + C1) * (2 * both + C2) / ((mx**2 + my**2 + C1) * (vx + vy + C2))


def gmsd(a: Picture, b: Picture, masks: Floats, levels: int = 3) -> float:
    """Gradient magnitude similarity deviation, over three scales; 0 is the same, and more is worse.

    Nothing in it was trained. (Xue et al., IEEE TIP 2014, eq. 1–6, inside of a mask; the scales are weighed
    alike, as a root mean square: Zhang, Sun, Fang, ICASSP 2017 weigh them by fitted numbers.)
    """
    return float(np.mean([_gmsd_one(x, y, mask, levels) for x, y, mask in zip(a, b, masks, strict=True)]))


def _gmsd_one(a: Picture, b: Picture, mask: Floats, levels: int) -> float:
    x, y = luma(a), luma(b)
    deviations = []
    for _ in range(levels):
        gx, gy = _gradient(x), _gradient(y)
        similar = (2 * gx * gy + GMSD_C) / (gx**2 + gy**2 + GMSD_C)
        mean = (similar * mask).sum() / mask.sum()
        deviations.append(((similar - mean) ** 2 * mask).sum() / mask.sum())
        x, y, mask = (_halve(one) for one in (x, y, mask))
    return float(np.sqrt(np.mean(deviations)))


def _halve(x: Floats) -> Floats:
    return np.asarray(cv2.resize(x, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.float32)


def _gradient(x: Floats) -> Floats:
    """Magnitude, with Prewitt's filters."""
    across = np.array([[1, 0, -1]] * 3, np.float32) / 3
    return np.hypot(cv2.filter2D(x, -1, across), cv2.filter2D(x, -1, across.T))


def match_colours(a: Picture, b: Picture, masks: Floats) -> Picture:
    """`a` with the mean and the deviation that `b` has inside of the masks, in each picture and colour."""
    weight = masks[..., None] / masks.sum((1, 2))[:, None, None, None]
    x, y = a.astype(np.float32), b.astype(np.float32)
    mx, my = (x * weight).sum((1, 2), keepdims=True), (y * weight).sum((1, 2), keepdims=True)
    sx, sy = (np.sqrt(((z - m) ** 2 * weight).sum((1, 2), keepdims=True)) for z, m in ((x, mx), (y, my)))
    return np.clip(np.rint((x - mx) / np.maximum(sx, 1) * sy + my), 0, 255).astype(np.uint8)


def fineness(pictures: Picture, masks: Floats) -> float:
    """Energy of what is finer than `FINE_SIGMA_PX`, as a mean over the masks' insides of luma, 0…1."""
    energies = []
    for picture in pictures:
        y = luma(picture)
        energies.append((y - cv2.GaussianBlur(y, (0, 0), FINE_SIGMA_PX)) ** 2)
    inner = np.stack([erode(mask) for mask in masks])
    return float((np.stack(energies) * inner).sum() / inner.sum())


def erode(mask: Floats) -> Floats:
    """The mask without its rim, whose edge would count as something fine."""
    side = max(3, len(mask) // 24) | 1
    return np.asarray(cv2.erode(mask, np.ones((side, side))), np.float32)


def unsharp(pictures: Picture, amount: float) -> Picture:
    """Made sharper by the plain way: what is finer than `FINE_SIGMA_PX` counts more."""
    blurred = np.stack([cv2.GaussianBlur(picture, (0, 0), FINE_SIGMA_PX) for picture in pictures])
    sharp = pictures + amount * (pictures.astype(np.float32) - blurred)
    return np.clip(np.rint(sharp), 0, 255).astype(np.uint8)


def unsharp_to(pictures: Picture, masks: Floats, wanted: float) -> tuple[Picture, float]:
    """An unsharp mask that makes pictures as fine as `wanted`, and its amount (0 where they are already)."""
    low, high = 0.0, 16.0
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if fineness(unsharp(pictures, middle), masks) < wanted else (low, middle)
    return unsharp(pictures, low), low


def flicker(pictures: Sequence[Picture], points: Sequence[Floats], masks: Sequence[Floats]) -> float:
    """Mean change of a face from frame to frame that its movement does not explain, 0…1.

    Args:
        pictures: (s, s, 3) consecutive squares.
        points: (478, 3) of the filmed face in each, px: the next picture is bent back by them.
        masks: (s, s) where to look.
    """
    changes = []
    for n in range(len(pictures) - 1):
        bent, there = warp(pictures[n + 1], points[n + 1], points[n], len(pictures[n]))
        weight = erode(np.asarray(masks[n] * there, np.float32))
        gap = np.abs(luma(bent) - luma(pictures[n]))
        changes.append((gap * weight).sum() / max(weight.sum(), 1.0))
    return float(np.mean(changes))


def expression(real: Sequence[Floats | None], made: Sequence[Floats | None]) -> dict[str, float]:
    """How a swap's face moves, against the performance it was made from.

    Args:
        real, made: (468, 3) points of the same frames, by the judge; None where it saw no face.

    Returns:
        error: RMS over the points of lips and lids, in percent of the distance of the eyes, of how
            the points' deviation from the person's own mean differs; pose is taken out, and so is shape.
        static: the same of a face that does not move.
        mouth_r, lids_r: correlation of how far mouth and eyes are open.
        seen: share of the frames where the judge sees the swap's face.
    """
    both = [(a, b) for a, b in zip(real, made, strict=True) if a is not None and b is not None]
    if len(both) < 3:
        return {"seen": len(both) / max(1, len(real))}
    chosen = sorted({*LIPS, *EYE_POINTS})
    a = np.stack([at_rest(points)[chosen] for points, _ in both])
    b = np.stack([at_rest(points)[chosen] for _, points in both])
    a, b = a - a.mean(0), b - b.mean(0)
    return {
        "error": float(100 * np.sqrt(((a - b) ** 2).sum(2).mean())),
        "static": float(100 * np.sqrt((a**2).sum(2).mean())),
        "mouth_r": correlate([mouth_openness(p) for p, _ in both], [mouth_openness(p) for _, p in both]),
        "lids_r": correlate([lids(p) for p, _ in both], [lids(p) for _, p in both]),
        "seen": len(both) / len(real),
    }


def at_rest(points: Floats) -> NDArray[np.float64]:
    """Points as if the head looked straight ahead, (468, 2), in distances of the eyes."""
    mesh = canonical_mesh()
    rigid = mesh.rigid[mesh.rigid < len(points)]
    weights = mesh.rigid_weights[mesh.rigid < len(points)]
    pose = fit_similarity(mesh.vertices[rigid], points[rigid], weights)
    eyes = [mesh.vertices[list(eye.outline)].mean(0) for eye in EYES]
    return pose.undo(points)[:, :2] / np.linalg.norm(eyes[0] - eyes[1])


def lids(points: Floats) -> float:
    return float(np.mean([eye_openness(points, eye) for eye in EYES]))


def correlate(x: Sequence[float], y: Sequence[float]) -> float:
    """Pearson's r; 0 where one of them stays the same."""
    if min(np.std(x), np.std(y)) < 1e-6:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])


def luma(picture: Picture) -> Floats:
    """(h, w) float32, 0…1."""
    return np.asarray(picture.astype(np.float32) @ LUMA / 255, np.float32)
