"""Models of a face swap, opened: a shared encoder and decoders here, pictures to bend in `warp_model`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from likeness.consent import Permission
from likeness.engines.swap.model_file import (
    AGAIN,
    SIDES,
    Header,
    Side,
    read_model,
    spell_header,
    write_tensors,
)
from likeness.errors import ConsentMissing, MediaNotFound, MissingExtra, ModelFormat, UsageError
from likeness.types import Floats, ModelRef, Picture

if TYPE_CHECKING:
    from likeness.engines.swap.warp_model import WarpModel
    from likeness.nn.swap import SwapNet

FILE_NAME, PREVIOUS_NAME = "model.safetensors", "model.previous.safetensors"
AT_ONCE: Final = 16


class TrainedModel:
    """What both kinds of models have in common.

    Attributes:
        notes: what a person should know, one sentence each.
    """

    def __init__(self, header: Header, sha256: str, notes: tuple[str, ...] = ()) -> None:
        self._header, self._sha256, self.notes = header, sha256, notes

    @property
    def name(self) -> str:
        """Of the family, such as "slim64"."""
        return self._header.name

    @property
    def size_px(self) -> int:
        """Of the faces that it takes and gives."""
        return self._header.config.size_px

    @property
    def sides(self) -> tuple[Side, ...]:
        """Whose face it can show."""
        return tuple(side for side in SIDES if side in self._header.permissions)

    @property
    def card(self) -> dict[str, Any]:
        """The model card: what it is, what it was trained on, how far, under whose consent."""
        return dict(self._header.card)

    @property
    def data(self) -> dict[Side, str]:
        """SHA-256 of the face sets, by side."""
        return dict(self._header.data)

    @property
    def refs(self) -> tuple[ModelRef, ...]:
        """For the credentials of what is made with it."""
        return (ModelRef(f"swap-{self.name}", self._sha256),)

    def permission(self, to: Side) -> Permission:
        """Under which one person's face may be shown.

        Raises:
            ConsentMissing: the model holds no consent of that person.
        """
        found = self._header.permissions.get(to)
        if found is None:
            raise ConsentMissing(
                f"The model holds no consent of person {to}, and so not that person's face.",
                f"Train it with that person's record, too: --consent {to}.json (consent=[…] in Python).",
            )
        return found


class SwapModel(TrainedModel):
    """A shared encoder and decoders, ready to swap faces that are cut out already. `open_model` makes one."""

    def __init__(self, header: Header, net: SwapNet, sha256: str, notes: tuple[str, ...] = ()) -> None:
        super().__init__(header, sha256, notes)
        self._net = net

    @classmethod
    def load(cls, path: Path | str, *, revocations: Iterable[Path | str] = ()) -> SwapModel:
        """`open_model`, for this kind alone.

        Raises:
            ModelFormat: it is a model of another kind; and see `open_model`.
        """
        model = open_model(path, revocations=revocations)
        if not isinstance(model, cls):
            raise ModelFormat(f"{path} has no encoder and decoders: it is {model.name}.", "Use open_model.")
        return model

    @classmethod
    def of(cls, header: Header, tensors: Mapping[str, Any], sha256: str, notes: tuple[str, ...]) -> SwapModel:
        """From what a file holds.

        Raises:
            RuntimeError: the weights do not fit the configuration.
        """
        from likeness.nn.swap import SwapConfig, SwapNet

        assert isinstance(header.config, SwapConfig)
        net = SwapNet(header.config, tuple(side.lower() for side in header.permissions))
        net.load_state_dict(tensors)
        net.requires_grad_(False).eval()
        return cls(header, net, sha256, notes)

    def swap(self, faces: Picture, to: Side = "B") -> tuple[Floats, Floats]:
        """Faces, shown as one person's.

        Args:
            faces: (n, size, size, 3) uint8 RGB, cut out by `Alignment.cut(image, size_px)`.

        Returns:
            (n, size, size, 3) float32, 0 … 1, RGB: bare pictures, **not sealed**; and
            (n, size, size) float32, 0 … 1: how much of the face each pixel is.

        Raises:
            ConsentMissing: see `permission`.
            UsageError: the faces have another size.
        """
        import torch

        self.permission(to)
        size = self.size_px
        if faces.dtype != np.uint8 or faces.ndim != 4 or faces.shape[1:] != (size, size, 3):
            raise UsageError(
                f"Faces of {faces.shape} {faces.dtype} cannot be swapped.",
                f"Give (n, {size}, {size}, 3) uint8.",
            )
        colours = np.empty(faces.shape, np.float32)
        masks = np.empty(faces.shape[:3], np.float32)
        with torch.inference_mode():
            for first in range(0, len(faces), AT_ONCE):
                part = slice(first, first + AT_ONCE)
                seen = torch.from_numpy(np.ascontiguousarray(faces[part]))
                made = self._net(seen.permute(0, 3, 1, 2).float() / 255, to.lower())
                colours[part] = made.rgb.permute(0, 2, 3, 1).numpy()
                masks[part] = made.mask[:, 0].numpy()
        return colours, masks


def open_model(path: Path | str, *, revocations: Iterable[Path | str] = ()) -> SwapModel | WarpModel:
    """A model from its file, or from the folder that it was trained in.

    The consent record is checked before any weight is read. A file in a run's folder that is damaged is
    replaced by the one that was saved before it; `notes` says so.

    Args:
        revocations: files, or folders of them, besides those in the user's folder and those that lie where
            the model does.

    Raises:
        MissingExtra: torch is not installed.
        MediaNotFound: there is no such file.
        ModelFormat: it is damaged, or no model of ours.
        ConsentError: there is no record in it that allows this now.
    """
    need_torch()
    path = Path(path)
    if not path.exists():
        raise MediaNotFound(f"There is no model {path}.", "`likeness swap train` makes one.")
    if not path.is_dir():
        return _open(path, revocations)
    current, previous = path / FILE_NAME, path / PREVIOUS_NAME
    if not current.is_file() and not previous.is_file():
        raise MediaNotFound(f"There is no model in {path}.", "`likeness swap train` makes one.")
    try:
        return _open(current, revocations)
    except (ModelFormat, MediaNotFound) as error:
        if not previous.is_file():
            raise
        note = f"{error.what} The one that was saved before it is used, {PREVIOUS_NAME}."
        return _open(previous, revocations, (note,))


def _open(
    path: Path, revocations: Iterable[Path | str], notes: tuple[str, ...] = ()
) -> SwapModel | WarpModel:
    from likeness.engines.swap.warp_model import WarpModel
    from likeness.nn.swap_warp import WarpConfig

    header, tensors = read_model(path, revocations=revocations)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    try:
        if isinstance(header.config, WarpConfig):
            return WarpModel.of(header, tensors, digest, notes)
        return SwapModel.of(header, tensors, digest, notes)
    except (RuntimeError, KeyError, ValueError) as error:
        raise ModelFormat(f"The weights in {path.name} do not fit its configuration.", AGAIN) from error


def need_torch() -> None:
    """Refuse where torch is missing.

    Raises:
        MissingExtra: the extra "swap" is not installed.
    """
    if find_spec("torch") is None:
        raise MissingExtra(
            "A trained face swap needs the package torch, which is not installed here.",
            'Install it with `pip install "likeness[swap]"`; `likeness swap quick` needs no training.',
        )


def save_model(path: Path, header: Header, net: SwapNet) -> None:
    """Write a model completely or not at all; the one that was there is kept beside it as "….previous…".

    Decoders of people without a permission are left out.

    Raises:
        OutputError
    """
    import torch

    sides = tuple(side.lower() for side in header.permissions)
    weights = {
        name: value.detach().to("cpu", torch.float32, memory_format=torch.contiguous_format)
        for name, value in net.state_dict().items()
        if not name.startswith("decoders.") or name.split(".")[1] in sides
    }
    write_tensors(path, weights, spell_header(header))
