"""The two kinds of models, as the loop sees them: what learns, what is saved of it, what is shown of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import cv2
import numpy as np
import torch
from torch import nn

from likeness.config import QuickSwapConfig
from likeness.engines.swap.finish import Finisher
from likeness.engines.swap.model import save_model
from likeness.engines.swap.model_file import Header, Side
from likeness.engines.swap.nearest import Gallery, Look
from likeness.engines.swap.warp_model import save_warp_model
from likeness.engines.swap.warped import WarpedSwap
from likeness.errors import UsageError
from likeness.faces.aligned import Alignment
from likeness.faces.topology import canonical_mesh
from likeness.nn.swap import MODELS, SwapConfig
from likeness.nn.swap_warp import WARP_MODELS, WarpConfig
from likeness.training.swap.faces import Faces
from likeness.training.swap.learner import SwapLearner
from likeness.training.swap.settings import SwapSettings
from likeness.training.swap.sheet import ROWS, draw_columns
from likeness.training.swap.warp_learner import WarpLearner
from likeness.training.world import World
from likeness.types import Face, Floats, Picture

if TYPE_CHECKING:
    from likeness.training.swap.permit import Permits

NAMES: Final = (*WARP_MODELS, *MODELS)
DEFAULT: Final = "warp128"
"""See docs/swap-training.md, which compares the two kinds."""
LOOKS: Final = 48
SHOWN_PX: Final = 160
STEPS: Final = {
    "warp64": 800,
    "warp128": 800,
    "warp256": 2000,
    "slim64": 3000,
    "slim128": 6000,
    "df128": 100_000,
    "df256": 200_000,
}
"""How long a training is if nobody says otherwise."""


class Coding:
    """A shared encoder and decoders.

    Attributes:
        learner: what the loop drives.
        sides: of whom the model holds something.
        limits: what the model card says.
    """

    sides: tuple[Side, ...] = ("A", "B")
    limits = (
        "Made for these two people and for light and poses like those in their clips. Whatever it makes is "
        "synthetic and has to be marked as such; `likeness swap convert` does."
    )

    def __init__(self, learner: SwapLearner, permits: Permits) -> None:
        self.learner, self._both = learner, permits.a is not None
        self._shown = tuple(
            faces.squares(learner.config.size_px, _spread(faces))
            for faces in (permits.faces_a, permits.faces_b)
        )

    def what(self, *, both: bool) -> str:
        """What the model card says that it is."""
        what = "A face swap: shows the face of person B with the performance of person A"
        return what + (", or the other way round." if both else ".")

    def save(self, path: Path, header: Header) -> None:
        """Write the model; errors as `save_model`."""
        save_model(path, header, self.learner.net)

    def draw(self) -> Picture:
        """Rows of: A · A again · A as B · B · B again (· B as A); (h, w, 3) uint8."""
        (a, b), swap = self._shown, self.learner.swap
        columns = [_unit(a), swap(a, "a")[0], swap(a, "b")[0], _unit(b), swap(b, "b")[0]]
        return draw_columns([*columns, swap(b, "a")[0]] if self._both else columns)


class Warping:
    """Pictures of B, and a network that mends them when they are bent. Of A it learns nothing.

    Attributes:
        learner: what the loop drives.
        sides: of whom the model holds something.
        limits: what the model card says.
    """

    sides: tuple[Side, ...] = ("B",)
    limits = (
        "Made for one person's face, and for light and poses like those in that person's clips. Whatever it "
        "makes is synthetic and has to be marked as such; `likeness swap convert` does."
    )

    def __init__(self, learner: WarpLearner, permits: Permits) -> None:
        self.learner = learner
        self._looks = gather_looks(permits.faces_b)
        self._a = permits.faces_a.take(_spread(permits.faces_a))

    def what(self, *, both: bool) -> str:
        """What the model card says that it is."""
        del both
        return "A face swap: shows the face of person B with anybody's performance."

    def save(self, path: Path, header: Header) -> None:
        """Write the model; errors as `save_warp_model`."""
        save_warp_model(path, header, self._looks, self.learner.net)

    def draw(self) -> Picture:
        """Rows of: A · A as B · B · another B bent onto its points · the same mended; (h, w, 3) uint8."""
        bent, wanted = self.learner.batches.batch(0)
        mended = torch.from_numpy(self.learner.mend(bent)).permute(0, 3, 1, 2)
        # Beyond the face, and where no picture of B reaches, nothing that is made is ever shown.
        shown = mended * wanted.mask + wanted.target * (1 - wanted.mask)
        of_b = (wanted.target, bent[:, :3], shown)
        tiles = [_enlarge(one.permute(0, 2, 3, 1).numpy()) for one in of_b]
        swapped = [self._swap(number) for number in range(len(self._a))]
        rows = min(ROWS, len(bent), len(swapped))
        columns = [np.stack([pair[side] for pair in swapped]) for side in (0, 1)]
        return draw_columns([column[:rows] for column in (*columns, *tiles)])

    def _swap(self, number: int) -> tuple[Floats, Floats]:
        """One of A's faces, and with B's: (SHOWN_PX, SHOWN_PX, 3) float32 each."""
        image, face = self._a.pictures[number], self._a.face(number)
        square = Alignment.of(face.points, canonical_mesh())
        new = WarpedSwap(self._looks, 25.0, self.learner.net).render(image, face, square)
        finisher = Finisher(QuickSwapConfig(colour="light"), 25.0)
        made = finisher.finish(
            image, square, face.points, new.face, new.mask, new.shown, (), new.inside, new.points
        )
        return _unit(square.cut(image, SHOWN_PX)), _unit(square.cut(made, SHOWN_PX))


Kind: TypeAlias = Coding | Warping


def make_kind(
    model: str,
    permits: Permits,
    settings: SwapSettings,
    share_of: Callable[[int], float],
    features: nn.Module | None,
    device: torch.device,
    world: World,
) -> Kind:
    """A new model of this name, ready to learn."""
    if model in WARP_MODELS:
        return Warping(
            WarpLearner(
                permits.faces_b,
                WARP_MODELS[model],
                settings,
                share_of=share_of,
                features=features,
                device=device,
                world=world,
            ),
            permits,
        )
    return Coding(
        SwapLearner(
            permits.faces_a,
            permits.faces_b,
            MODELS[model],
            settings,
            share_of=share_of,
            features=features,
            device=device,
            world=world,
        ),
        permits,
    )


def config_of(model: str) -> SwapConfig | WarpConfig:
    """The dimensions of a model.

    Raises:
        UsageError: there is no such model.
    """
    known: dict[str, SwapConfig | WarpConfig] = {**WARP_MODELS, **MODELS}
    if model not in known:
        raise UsageError(f"There is no model {model!r}.", f"Choose one of {', '.join(NAMES)}.")
    return known[model]


def gather_looks(faces: Faces) -> tuple[Look, ...]:
    """Pictures of a set, as different as can be, each no larger than it was filmed."""
    gallery = Gallery(LOOKS)
    for number in range(len(faces)):
        image, face = faces.pictures[number], faces.face(number)
        share = min(1.0, faces.zoom * float(faces.filmed_px[number]) / len(image))
        if share < 1:
            side = max(32, round(share * len(image)))
            points = face.points.copy()
            points[:, :2] = (points[:, :2] + 0.5) * (side / len(image)) - 0.5
            points[:, 2] *= side / len(image)
            image = np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
            face = Face(points, face.blendshapes, face.score)
        gallery.add(image, face)
    return gallery.looks


def _spread(faces: Faces) -> list[int]:
    found: list[int] = np.linspace(0, len(faces) - 1, ROWS).round().astype(int).tolist()
    return found


def _unit(pictures: Picture) -> Floats:
    return np.asarray(pictures * np.float32(1 / 255), np.float32)


def _enlarge(pictures: Floats) -> Floats:
    return np.stack(
        [cv2.resize(one, (SHOWN_PX, SHOWN_PX), interpolation=cv2.INTER_CUBIC) for one in pictures]
    )
