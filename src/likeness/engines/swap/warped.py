"""A swap by warping: B's looks bent onto B's own shape that moves as A does, mended by a small network.

The bending is done as finely as the picture is; the network looks at a smaller copy, and what it adds is
enlarged and added. So the result keeps the sharpness of B's pictures, whatever size the network has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.engines.swap.bent import maps_of
from likeness.engines.swap.mask import face_mask, soften
from likeness.engines.swap.meshwarp import warp
from likeness.engines.swap.nearest import Choice, Look
from likeness.engines.swap.quick import LARGEST_PX, SMALLEST_PX
from likeness.engines.swap.shape import OwnShape
from likeness.faces.aligned import Alignment
from likeness.types import Face, Floats, Picture

if TYPE_CHECKING:
    from likeness.nn.swap_warp import WarpNet


class WarpedSwap:
    """One clip's new faces, in order. An instance belongs to one thread.

    Args:
        looks: of B.
        rate_hz: frames a second.
        shape: how A's points become B's; None leaves A's.
        net: mends what was bent; None leaves it as it is.
    """

    def __init__(
        self, looks: tuple[Look, ...], rate_hz: float, shape: OwnShape | None, net: WarpNet | None
    ) -> None:
        self._choice, self._shape, self._net = Choice(looks, rate_hz), shape, net

    def render(self, face: Face, square: Alignment) -> tuple[Picture, Floats, Floats]:
        """The new face in the old one's square, where it is, and what of it is to be seen.

        Returns:
            (n, n, 3) uint8 RGB, (n, n) float32 and (n, n) float32, 0…1. n is about what the square has in the
            picture, from 96 to 512 px.
        """
        size = int(np.clip(np.ceil(square.side_px / 16) * 16, SMALLEST_PX, LARGEST_PX))
        wanted = face.points if self._shape is None else self._shape.move(face.points)
        points = square.cut_points(wanted, size)
        mixed, seen = bend(self._choice.choose(face), points, size)
        colours = mixed[:, :, :3] if self._net is None else mend(self._net, mixed, seen, points)
        mask = face_mask(points, size) * soften((seen > 0.5).astype(np.float32), erode=0.0, blur=0.01)
        return (
            np.asarray(np.clip(colours + 0.5, 0, 255), np.uint8),
            np.asarray(mask, np.float32),
            np.asarray(mixed[:, :, 3] / np.float32(255), np.float32),
        )

    def forget(self) -> None:
        """The face was gone: begin anew."""
        self._choice.forget()


def bend(looks: list[tuple[Look, float]], points: Floats, size_px: int) -> tuple[Floats, Floats]:
    """Looks bent onto one set of points, and mixed.

    Args:
        looks: with their shares.
        points: (478, 3) float32 px in the square.

    Returns:
        (n, n, 4) float32, 0…255: colours, and what is skin and not hair; (n, n) float32, 0…1: how much of it
        was drawn.
    """
    mixed, seen = np.zeros((size_px, size_px, 4), np.float32), np.zeros((size_px, size_px), np.float32)
    for look, share in looks:
        bent, there = warp(look.texture, look.points, points, size_px)
        weight = np.float32(share) * there
        mixed += weight[:, :, None] * bent
        seen += weight
    mixed /= np.maximum(seen, 1e-3)[:, :, None]
    return mixed, seen


def mend(net: WarpNet, mixed: Floats, seen: Floats, points: Floats) -> Floats:
    """The colours, (n, n, 3) float32, with what the network adds."""
    import torch

    size, small = len(mixed), net.config.size_px
    shown = np.dstack([mixed[:, :, :3] * (seen > 0.5)[:, :, None], 255 * (seen > 0.5).astype(np.float32)])
    how = cv2.INTER_AREA if small < size else cv2.INTER_LINEAR
    shown = cv2.resize(shown, (small, small), interpolation=how)
    at = (points[:, :2] + np.float32(0.5)) * np.float32(small / size) - np.float32(0.5)
    given: NDArray[np.float32] = np.dstack([shown, maps_of(at, small)]).astype(np.float32)
    with torch.inference_mode():
        tensor = torch.from_numpy(given)[None].permute(0, 3, 1, 2) / 255
        added = net(tensor)[0].permute(1, 2, 0).numpy() * np.float32(255)
    return np.asarray(mixed[:, :, :3] + cv2.resize(added, (size, size), interpolation=cv2.INTER_CUBIC))
