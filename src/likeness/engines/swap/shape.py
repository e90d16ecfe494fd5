"""Whose bones: B's own shape moved as A moves, so that more than the paint of the face is B's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from likeness.engines.swap.nearest import TRAIT_WEIGHTS
from likeness.faces.pose import eye_openness, head_pose
from likeness.faces.topology import (
    EYES,
    INNER_LOWER_LIP,
    INNER_UPPER_LIP,
    LOWER_LIP_RINGS,
    UPPER_LIP_RINGS,
    CanonicalMesh,
)
from likeness.types import Face, Floats

Shape = NDArray[np.float64]
"""(478, 3), cm: a face at rest, as the canonical mesh is placed and sized."""

CALM_SHARE = 0.34
"""So many of a person's pictures, those with the least expression, are taken for the face at rest."""


def rest_shape(faces: Sequence[Face], mesh: CanonicalMesh) -> Shape:
    """What a face is like when it does nothing: the median of its calmest pictures, turned to the front."""
    effort = [float(np.linalg.norm(TRAIT_WEIGHTS * face.blendshapes)) for face in faces]
    calm = np.argsort(effort)[: max(1, round(CALM_SHARE * len(faces)))]
    found = [head_pose(faces[i].points, mesh).undo(faces[i].points) for i in calm]
    return np.asarray(np.median(found, axis=0), np.float64)


SHUT, OPEN = 0.3, 0.6
"""Lids that are open by less than the first share of what they are at rest are shut, and from the second on
they are as they were seen: trackers leave a quarter of the eye open where it is shut."""
UPPER_SHARE = 0.85
"""So much of the way is the upper lid's."""


def lids_at_rest(faces: Sequence[Face]) -> tuple[float, ...]:
    """How far each eye of a person is open mostly: the median over these faces."""
    return tuple(float(np.median([eye_openness(face.points, eye) for face in faces])) for eye in EYES)


def shut_lids(points: Floats, at_rest: Sequence[float]) -> Floats:
    """Points (478, 3) with lids that are nearly shut quite shut, so that no slit of an open eye is drawn.

    Args:
        at_rest: see `lids_at_rest`; of the same person.
    """
    moved = points.copy()
    for eye, rest in zip(EYES, at_rest, strict=True):
        share = np.clip((eye_openness(points, eye) / (rest + 1e-6) - SHUT) / (OPEN - SHUT), 0, 1)
        upper, lower = list(eye.upper), list(eye.lower)
        apart = (1 - share * share * (3 - 2 * share)) * (points[upper] - points[lower])
        moved[upper] -= UPPER_SHARE * apart
        moved[lower] += (1 - UPPER_SHARE) * apart
    return moved


class OwnShape:
    """Moves one person's face as another's moves.

    Of A's points the pose stays as it is, and so does how far each of them is from where it rests; what rests
    is B's. With less than the whole share it is in between. The mouth is as open as A's, and lids that A
    closes are closed.

    Args:
        of_a, of_b: both at rest.
        share: 0 = A's shape, 1 = B's.
        mesh: the canonical one.
    """

    def __init__(self, of_a: Shape, of_b: Shape, share: float, mesh: CanonicalMesh) -> None:
        offset = share * (of_b - of_a)
        _move_lips_alike(offset)
        self._offset, self._mesh = offset, mesh
        self._eyes = tuple((eye, eye_openness(of_a.astype(np.float32), eye)) for eye in EYES)

    def move(self, points: Floats) -> Floats:
        """Points of A, (478, 3) px, as points of B, who does the same in the same place."""
        pose = head_pose(points, self._mesh)
        offset = self._offset.copy()
        for eye, at_rest in self._eyes:
            closed = 1 - min(eye_openness(points, eye) / (at_rest + 1e-6), 1.0)
            upper, lower = list(eye.upper), list(eye.lower)
            apart = closed * (offset[upper] - offset[lower]) / 2
            offset[upper] -= apart
            offset[lower] += apart
        return np.asarray(points + pose.scale * offset @ pose.rotation.T, np.float32)


def _move_lips_alike(offset: Shape) -> None:
    """Let opposite points of the inner lips move by the same, in place; the lips beyond follow them."""
    upper, lower = offset[list(INNER_UPPER_LIP)], offset[list(INNER_LOWER_LIP)]
    apart = (upper - lower) / 2
    for above, below in zip(UPPER_LIP_RINGS, LOWER_LIP_RINGS, strict=True):
        offset[list(above[1:-1])] -= apart[1:-1]
        offset[list(below[1:-1])] += apart[1:-1]
