"""A model of a swap by warping: pictures of B, and the network that mends them when they are bent.

It holds nothing of A, and so serves for anybody's performance.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from likeness.consent import Permission
from likeness.engines.swap.model import TrainedModel
from likeness.engines.swap.model_file import Header, Side, spell_header, write_tensors
from likeness.engines.swap.nearest import LARGEST_PX, TRAITS, Look
from likeness.engines.swap.warped import WarpedSwap
from likeness.errors import ConsentMissing

if TYPE_CHECKING:
    from likeness.nn.swap_warp import WarpNet

MOST_LOOKS: Final = 200


class WarpModel(TrainedModel):
    """One person's looks, and a network that mends them when bent; `model.open_model` makes one.

    Attributes:
        looks: pictures of B.
    """

    def __init__(
        self,
        header: Header,
        looks: tuple[Look, ...],
        net: WarpNet,
        sha256: str,
        notes: tuple[str, ...] = (),
    ) -> None:
        super().__init__(header, sha256, notes)
        self.looks, self._net = looks, net

    @classmethod
    def of(cls, header: Header, tensors: Mapping[str, Any], sha256: str, notes: tuple[str, ...]) -> WarpModel:
        """From what a file holds.

        Raises:
            KeyError, RuntimeError, ValueError: something is missing or does not fit.
        """
        from likeness.nn.swap_warp import WarpConfig, WarpNet

        assert isinstance(header.config, WarpConfig)
        net = WarpNet(header.config)
        net.load_state_dict({key[4:]: value for key, value in tensors.items() if key.startswith("net.")})
        net.requires_grad_(False).eval()
        count = sum(key.endswith(".texture") for key in tensors)
        if not 1 <= count <= MOST_LOOKS:
            raise ValueError("no looks, or too many")
        looks = tuple(
            _look({name: tensors[f"looks.{i}.{name}"].numpy() for name in _NAMES}) for i in range(count)
        )
        return cls(header, looks, net, sha256, notes)

    def permission(self, to: Side) -> Permission:
        """Under which one person's face may be shown.

        Raises:
            ConsentMissing: it is A, of whom such a model holds nothing.
        """
        if to not in self.sides:
            raise ConsentMissing(
                f"A model that warps holds nothing of person {to}, only pictures of B and B's consent.",
                "Train another one with the face sets the other way round, and that person's record.",
            )
        return super().permission(to)

    def renderer(self, rate_hz: float) -> WarpedSwap:
        """What swaps the faces of one clip, frame by frame."""
        return WarpedSwap(self.looks, rate_hz, self._net)


_NAMES = ("texture", "points", "traits", "sharpness")


def save_warp_model(path: Path, header: Header, looks: tuple[Look, ...], net: WarpNet) -> None:
    """Write a model completely or not at all; the one that was there is kept beside it.

    Raises:
        OutputError
    """
    import torch

    tensors = {
        f"net.{name}": value.detach().to("cpu", torch.float32, memory_format=torch.contiguous_format)
        for name, value in net.state_dict().items()
    }
    for i, look in enumerate(looks):
        for name in _NAMES:
            tensors[f"looks.{i}.{name}"] = torch.from_numpy(np.array(getattr(look, name), copy=True))
    write_tensors(path, tensors, spell_header(header))


def _look(arrays: Mapping[str, np.ndarray]) -> Look:
    """A look of anybody's making, checked."""
    texture, points, traits = arrays["texture"], arrays["points"], arrays["traits"]
    side = len(texture)
    if texture.dtype != np.uint8 or texture.shape != (side, side, 4) or not 16 <= side <= LARGEST_PX:
        raise ValueError("a picture of a wrong shape")
    numbers = (points, traits, arrays["sharpness"])
    shapes = [one.shape for one in numbers]
    if shapes != [(478, 3), (TRAITS,), ()] or any(one.dtype.kind != "f" for one in numbers):
        raise ValueError("numbers of a wrong shape")
    if not all(np.isfinite(one).all() for one in numbers) or abs(points).max() > 4 * LARGEST_PX:
        raise ValueError("numbers that make no sense")
    return Look(texture, points.astype(np.float32), traits.astype(np.float32), float(arrays["sharpness"]))
