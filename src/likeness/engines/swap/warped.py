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
from likeness.engines.swap.nearest import Look
from likeness.engines.swap.quick import QuickSwap
from likeness.engines.swap.sane import check_numbers
from likeness.types import Floats, Picture

if TYPE_CHECKING:
    from likeness.nn.swap_warp import WarpNet


class WarpedSwap(QuickSwap):
    """One clip's new faces, in order, with B's own mouth. An instance belongs to one thread.

    Args:
        looks: of B.
        rate_hz: frames a second.
        net: mends what was bent.
    """

    def __init__(self, looks: tuple[Look, ...], rate_hz: float, net: WarpNet) -> None:
        super().__init__(looks, rate_hz)
        self._net = net

    def _paint(self, mixed: Floats, seen: Floats, points: Floats) -> Picture:
        mended = mend(self._net, mixed, seen, points)
        check_numbers(mended)
        return np.asarray(np.clip(mended + 0.5, 0, 255), np.uint8)

    def _inside(self, scene: Picture, old: Floats, points: Floats) -> None:
        return None


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
