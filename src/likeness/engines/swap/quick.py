"""A swap without training: the nearest look of B, bent onto A's points by the mesh.

What moves is A's: the lips, the lids, where the eyes look. What it is painted with is B's, and the shape of
the face is B's in part: its outline stays A's, since it has to end where A's face ends. What is seen between
the lips is A's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from likeness.engines.swap.mask import face_mask, mouth_mask, soften
from likeness.engines.swap.meshwarp import bend, warp
from likeness.engines.swap.nearest import TRAIT_WEIGHTS, Choice, Look
from likeness.engines.swap.shape import OwnShape, lids_at_rest, rest_shape, shut_lids
from likeness.faces.aligned import Alignment
from likeness.faces.topology import canonical_mesh
from likeness.types import Face, Floats, Picture

NAME, VERSION = "mesh-swap", "1"
SMALLEST_PX, LARGEST_PX = 96, 512
CALM, LIVELY = 1.0, 2.2
"""How much expression a face that counts as resting may have. Beyond the second its shape says nothing of its
bones, between the two it counts in part: a smile on B's only photo shall not become A's."""


class Rendered(NamedTuple):
    """A new face, as `finish.Finisher` takes it.

    Attributes:
        face: (n, n, 3) uint8 RGB.
        mask: (n, n) float32, 0…1, where it is.
        shown: (n, n) float32, 0…1, what of it is to be seen.
        inside: what is seen between its lips in the scene's colours, and where that is; None = its own.
        points: (478, 3) float32 px, where it was drawn.
    """

    face: Picture
    mask: Floats
    shown: Floats
    inside: tuple[Picture, Floats] | None
    points: Floats


class QuickSwap:
    """One clip's new faces, in order. An instance belongs to one thread.

    Args:
        looks: of B.
        rate_hz: frames a second.
    """

    def __init__(self, looks: tuple[Look, ...], rate_hz: float) -> None:
        self._looks = looks
        self._choice = Choice(looks, rate_hz)
        self._shape: OwnShape | None = None
        self._lids: tuple[float, ...] | None = None

    def learn(self, faces: Sequence[Face], share: float) -> None:
        """Take on so much (0…1) of B's shape, as far as it and that of A, in these faces, can be told."""
        self._lids = lids_at_rest(faces) if faces else None
        theirs = [Face(look.points, look.traits[3:] / TRAIT_WEIGHTS, 1.0) for look in self._looks]
        share *= min(_calmness(faces), _calmness(theirs))
        if share > 0:
            mesh = canonical_mesh()
            self._shape = OwnShape(rest_shape(faces, mesh), rest_shape(theirs, mesh), share, mesh)

    def render(self, image: Picture, face: Face, square: Alignment) -> Rendered:
        """The new face in the old one's square, (n, n) px; n is about what it has in the picture, 96 to 512.

        Args:
            image: (h, w, 3) uint8 RGB, where the old face is.
        """
        size = int(np.clip(np.ceil(square.side_px / 16) * 16, SMALLEST_PX, LARGEST_PX))
        old = square.cut_points(face.points, size)
        seen_points = face.points if self._lids is None else shut_lids(face.points, self._lids)
        moved = seen_points if self._shape is None else self._shape.move(seen_points)
        points = square.cut_points(moved, size)
        mixed, seen = bend(self._choice.choose(face), points, size)
        colours = self._paint(mixed, seen, points)
        mask = face_mask(points, size) * face_mask(old, size)
        mask *= soften((seen > 0.5).astype(np.float32), erode=0.0, blur=0.01)
        shown = np.asarray(mixed[:, :, 3] / np.float32(255), np.float32)
        return Rendered(colours, mask, shown, self._inside(square.cut(image, size), old, points), points)

    def _paint(self, mixed: Floats, seen: Floats, points: Floats) -> Picture:
        """The new face's colours, from those of B's looks as they were bent."""
        del seen, points
        return np.asarray(mixed[:, :, :3] + 0.5, np.uint8)

    def _inside(self, scene: Picture, old: Floats, points: Floats) -> tuple[Picture, Floats] | None:
        """What is seen between A's lips, moved to between the new ones, and where that is."""
        mouth = mouth_mask(points, len(scene))
        if self._shape is not None and mouth.any():
            scene = warp(scene, old, points, len(scene))[0]
        return scene, mouth

    def forget(self) -> None:
        """The face was gone: begin anew."""
        self._choice.forget()


def _calmness(faces: Sequence[Face]) -> float:
    """Whether a face at rest is among these, 0…1."""
    effort = sorted(float(np.linalg.norm(TRAIT_WEIGHTS * face.blendshapes)) for face in faces)
    return float(np.clip((LIVELY - effort[len(effort) // 6]) / (LIVELY - CALM), 0, 1))
