"""Every face in the same place: a square that turns and grows with the head, cut out and put back."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from likeness.faces.pose import head_pose
from likeness.faces.sampling import Affine, sample, transform
from likeness.faces.topology import CanonicalMesh
from likeness.types import Floats, Picture

SIDE_CM = 21.0
"""Side of the square, on the average face: from the hairline to below a chin whose mouth is open."""

MIDDLE_CM = np.array([0.0, 1.2, -3.0])
"""What its middle shows, in the canonical mesh: a point under the nose, so deep in the head that the face
stays in the square when the head turns."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """Where a face's square lies in a picture.

    It follows the head's bones and not its expression: an open mouth does not move it, a turned head does not
    shrink it.

    Attributes:
        x, y: what the middle of the square shows, indices of the picture.
        side_px: of the square, in the picture.
        roll_deg: how the square is turned, clockwise as seen.
    """

    x: float
    y: float
    side_px: float
    roll_deg: float

    @classmethod
    def of(cls, points: Floats, mesh: CanonicalMesh) -> Alignment:
        """The square of the face with these (478, 3) points, px."""
        pose = head_pose(points, mesh)
        x, y, _ = pose(MIDDLE_CM[None])[0].tolist()
        rotation = pose.rotation
        # Of both axes that are seen: yaw shortens one of them, pitch the other.
        roll = math.atan2(rotation[1, 0] - rotation[0, 1], rotation[0, 0] + rotation[1, 1])
        return cls(x, y, SIDE_CM * pose.scale, math.degrees(roll))

    def to_picture(self, size_px: int, *, zoom: float = 1.0) -> Affine:
        """(2, 3) float64, indices of a `size_px` square cut to indices of the picture.

        Args:
            zoom: how much more than the square is shown, such as 1.25 for an eighth on every side.
        """
        step = self.side_px * zoom / size_px
        cos, sin = step * math.cos(math.radians(self.roll_deg)), step * math.sin(math.radians(self.roll_deg))
        middle = (size_px - 1) / 2
        turn = np.array([[cos, -sin], [sin, cos]])
        return np.column_stack([turn, np.array([self.x, self.y]) - turn @ [middle, middle]])

    def from_picture(self, size_px: int, *, zoom: float = 1.0) -> Affine:
        """The reverse of `to_picture`."""
        return invert(self.to_picture(size_px, zoom=zoom))

    def cut(self, image: Picture, size_px: int, *, zoom: float = 1.0) -> Picture:
        """The face, (size_px, size_px, …) uint8; what lies outside the picture repeats its border."""
        return sample(image, self.to_picture(size_px, zoom=zoom), size_px, size_px)

    def cut_points(self, points: Floats, size_px: int, *, zoom: float = 1.0) -> Floats:
        """Points (n, 3) of the picture, px, in the cut; depth is scaled alike."""
        flat = transform(points[:, :2].astype(np.float64), self.from_picture(size_px, zoom=zoom))
        depth = points[:, 2:] * (size_px / (self.side_px * zoom))
        return np.concatenate([flat, depth], axis=1).astype(np.float32)


def invert(matrix: Affine) -> Affine:
    """The (2, 3) matrix that undoes another."""
    back = np.asarray(np.linalg.inv(matrix[:, :2]), np.float64)
    return np.column_stack([back, -back @ matrix[:, 2]])
