"""Reading published checkpoints: files of unknown origin, so nothing in them is ever run."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from likeness.errors import MediaNotFound, ModelFormat
from likeness.nn.fomm import FommConfig, Generator, KeypointDetector

LARGEST_BYTES = 4 << 30
PARTS = ("generator", "kp_detector")
_AGAIN = "Download it again from where it was published."
_SHOWN_NAMES = 3


class Pair(NamedTuple):
    """A loaded model, ready to use: both in evaluation mode, on the CPU, float32."""

    generator: Generator
    kp_detector: KeypointDetector


def load_pair(config: FommConfig, path: Path, *, align_corners: bool | None = None) -> Pair:
    """The networks of a checkpoint.

    Args:
        align_corners: the corner rule of `grid_sample`. The published weights were trained with torch 1.0,
            whose only rule is today's True; None means that. Weights that somebody trained with a newer
            torch (1.3 or later) and the original code need False.

    Raises:
        MediaNotFound, ModelFormat: see `read_checkpoint`; also, tensors are missing or of another shape.
    """
    return build_pair(config, read_checkpoint(path), path.name, align_corners=align_corners)


def build_pair(
    config: FommConfig, tensors: Mapping[str, Mapping[str, Tensor]], name: str, *, align_corners: bool | None
) -> Pair:
    """The networks from tensors by part ("generator", "kp_detector"); `name` is used in errors."""
    corners = True if align_corners is None else align_corners
    with torch.device("meta"):
        pair = Pair(Generator(config, corners), KeypointDetector(config))
    for part, net in zip(PARTS, pair, strict=True):
        _fill(net, tensors[part], f"“{part}” of {name}")
        net.requires_grad_(False).eval()
    return pair


def read_checkpoint(path: Path) -> dict[str, dict[str, Tensor]]:
    """The tensors of a checkpoint, by part; parts that are not needed to animate are left out.

    The file is read with `weights_only=True`: a pickle that wants to run anything is refused.

    Raises:
        MediaNotFound: there is no such file.
        ModelFormat: it is something else, cut off, or wants to run code.
    """
    if not path.is_file():
        raise MediaNotFound(f"There is no file {path}.", "Check the path.")
    if path.stat().st_size > LARGEST_BYTES:
        raise ModelFormat(f"{path.name} is larger than any such checkpoint.", "Check that it is one.")
    _refuse_others(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        if "global" not in str(error).lower():
            raise ModelFormat(f"{path.name} is damaged.", _AGAIN) from error
        raise ModelFormat(
            f"{path.name} holds more than weights, and what it holds may run code: it was not opened.",
            "Ask whoever made it for a file with tensors only, or for safetensors.",
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelFormat(f"{path.name} is damaged or cut off.", _AGAIN) from error
    return {part: _tensors(content, part, path.name) for part in PARTS}


def _refuse_others(path: Path) -> None:
    """What is commonly saved under a checkpoint's name and is none."""
    with path.open("rb") as file:
        head = file.read(512)
    start = head.lstrip()[:64].lower()
    if not head:
        raise ModelFormat(f"{path.name} is empty.", _AGAIN)
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise ModelFormat(
            f"{path.name} is a web page: what was saved is the page that offers the file.",
            "Open it in a browser and download the file itself.",
        )
    if start.startswith(b"version https://git-lfs"):
        raise ModelFormat(
            f"{path.name} is a pointer of Git LFS, not the file it points to.", "Run `git lfs pull` there."
        )
    if head[:4] == b"PK\x03\x04" and not zipfile.is_zipfile(path):
        raise ModelFormat(f"{path.name} is cut off: its end is missing.", _AGAIN)
    if not head.startswith((b"PK\x03\x04", b"\x80")) and not tarfile.is_tarfile(path):
        raise ModelFormat(f"{path.name} is not a checkpoint of PyTorch.", _AGAIN)
    if tarfile.is_tarfile(path):
        raise ModelFormat(
            f"{path.name} is a tar archive. A checkpoint is no archive, in spite of the name .pth.tar.",
            "Unpack it, and give the file inside.",
        )


def _tensors(content: object, part: str, name: str) -> dict[str, Tensor]:
    tensors = content.get(part) if isinstance(content, dict) else None
    if not isinstance(tensors, Mapping) or not tensors:
        found = ", ".join(sorted(map(str, content))[:8]) if isinstance(content, dict) else "no parts"
        raise ModelFormat(
            f"{name} has no part “{part}” (it has: {found}).",
            "A checkpoint of the First Order Motion Model has generator and kp_detector.",
        )
    if not all(isinstance(key, str) and isinstance(value, Tensor) for key, value in tensors.items()):
        raise ModelFormat(f"“{part}” of {name} holds something else than tensors.", _AGAIN)
    # `DataParallel` puts its own name before all others.
    return {key.removeprefix("module."): value for key, value in tensors.items()}


def _fill(net: nn.Module, tensors: Mapping[str, Tensor], where: str) -> None:
    """Put tensors in their places; all places must be filled, and nothing may be left over."""
    wanted = net.state_dict()
    missing = sorted(wanted.keys() - tensors.keys() - _counters(wanted))
    if missing:
        raise _mismatch(f"{where} lacks {_list(missing)}")
    if extra := sorted(tensors.keys() - wanted.keys()):
        raise _mismatch(f"{where} has {_list(extra)}, which the configuration has no place for")
    for key, value in wanted.items():
        if key in tensors and tensors[key].shape != value.shape:
            have, want = _shape(tensors[key]), _shape(value)
            raise _mismatch(f"{key} in {where} is {have}, and the configuration makes it {want}")
    state = {key: _as_float(tensors[key]) if key in tensors else torch.zeros_like(value, device="cpu")
             for key, value in wanted.items()}  # fmt: skip
    net.load_state_dict(state, assign=True)


def _as_float(value: Tensor) -> Tensor:
    return value.float() if value.is_floating_point() else value


def _counters(state: Mapping[str, Any]) -> set[str]:
    """Names that only training needs, and that old files lack."""
    return {key for key in state if key.endswith("num_batches_tracked")}


def _mismatch(what: str) -> ModelFormat:
    return ModelFormat(f"{what}.", "The configuration is another checkpoint's: give the one it came with.")


def _list(names: list[str]) -> str:
    more = len(names) - _SHOWN_NAMES
    return ", ".join(names[:_SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")


def _shape(value: Tensor) -> str:
    return "×".join(map(str, value.shape)) or "a single number"
