"""Reading checkpoints of PyTorch that strangers published: nothing in them is ever run.

Nor can they take more memory than is allowed: what unpacks to more, or claims more numbers than it holds, is
refused.
"""

from __future__ import annotations

import struct
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor, nn

from likeness.errors import MediaNotFound, ModelFormat

_AGAIN = "Download it again from where it was published."
_SHOWN_NAMES, _LONGEST_NAME = 3, 80
# What torch and the readers of archives answer to bytes that make no sense.
_DAMAGED = (
    RuntimeError, EOFError, OSError, ValueError, KeyError, TypeError, AttributeError, IndexError,
    AssertionError, OverflowError, MemoryError, struct.error, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def read_checkpoint(path: Path, *, largest_bytes: int) -> object:
    """What a checkpoint holds, not looked at yet; tensors are on the processor.

    The file is read with `weights_only=True`: a pickle that wants to run anything is refused.

    Raises:
        MediaNotFound: there is no such file.
        ModelFormat: it is something else, too large, cut off, or wants to run code.
    """
    if not path.is_file():
        raise MediaNotFound(f"There is no file {path}.", "Check the path.")
    if path.stat().st_size > largest_bytes:
        raise ModelFormat(f"{path.name} is larger than any such checkpoint.", "Check that it is one.")
    head = read_head(path)
    try:
        _refuse_others(path, head)
        if zipfile.is_zipfile(path):
            _refuse_archives(path, largest_bytes)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what torch thinks of a file's age helps nobody here
            return torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        if "global" not in str(error).lower():
            raise ModelFormat(f"{path.name} is damaged.", _AGAIN) from error
        raise ModelFormat(
            f"{path.name} holds more than weights, and what it holds may run code: it was not opened.",
            "Ask whoever made it for a file with tensors only.",
        ) from error
    except _DAMAGED as error:
        raise ModelFormat(f"{path.name} is damaged or cut off.", _AGAIN) from error


def tensors_in(values: Mapping[Any, Any], where: str) -> dict[str, Tensor]:
    """The tensors of a part, by name; `where` is used in errors.

    Raises:
        ModelFormat: something in it is no tensor, or not all there.
    """
    if not all(isinstance(key, str) and isinstance(value, Tensor) for key, value in values.items()):
        raise ModelFormat(f"{where} holds something else than tensors.", _AGAIN)
    for key, value in values.items():
        if not _is_whole(value):
            raise ModelFormat(f"{show(key)} in {where} does not hold the numbers that it claims.", _AGAIN)
    return dict(values)


def fill(net: nn.Module, tensors: Mapping[str, Tensor], where: str, hint: str) -> None:
    """Put tensors in their places, as float32; all places must be filled, and nothing may be left over.

    Args:
        net: may be on the device "meta".
        where, hint: of the errors.

    Raises:
        ModelFormat: names or shapes differ.
    """
    wanted = net.state_dict()
    missing = sorted(wanted.keys() - tensors.keys() - _counters(wanted))
    if missing:
        raise ModelFormat(f"{where} lacks {name_some(missing)}.", hint)
    if extra := sorted(tensors.keys() - wanted.keys()):
        raise ModelFormat(f"{where} has {name_some(extra)}, which the configuration has no place for.", hint)
    for key, value in wanted.items():
        if key in tensors and tensors[key].shape != value.shape:
            have, want = _shape(tensors[key]), _shape(value)
            raise ModelFormat(f"{key} in {where} is {have}, and the configuration makes it {want}.", hint)
    state = {key: _as_float(tensors[key]) if key in tensors else torch.zeros_like(value, device="cpu")
             for key, value in wanted.items()}  # fmt: skip
    net.load_state_dict(state, assign=True)


def name_some(names: Iterable[str]) -> str:
    """The first few of them, and how many more there are; on one line, whatever they are."""
    names = [show(name) for name in names]
    more = len(names) - _SHOWN_NAMES
    return ", ".join(names[:_SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")


def show(value: object) -> str:
    """Something out of a file, short, and without what could control a terminal."""
    text = str(value)
    text = text if len(text) <= _LONGEST_NAME else f"{text[:_LONGEST_NAME]}…"
    return text if text.isprintable() else ascii(text)


def read_head(path: Path) -> bytes:
    """The first bytes of a file.

    Raises:
        ModelFormat: it cannot be read, is empty, or is what a browser or Git saved in place of the file.
    """
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        raise ModelFormat(f"{path.name} cannot be read.", "Check that you may read it.") from error
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
    return head


def _refuse_others(path: Path, head: bytes) -> None:
    """What is commonly saved under a checkpoint's name and is none."""
    if head[:4] == b"PK\x03\x04" and not zipfile.is_zipfile(path):
        raise ModelFormat(f"{path.name} is cut off: its end is missing.", _AGAIN)
    if not head.startswith((b"PK\x03\x04", b"\x80")) and not tarfile.is_tarfile(path):
        raise ModelFormat(f"{path.name} is not a checkpoint of PyTorch.", _AGAIN)
    if tarfile.is_tarfile(path):
        raise ModelFormat(
            f"{path.name} is a tar archive. A checkpoint is no archive, in spite of the name .pth.tar.",
            "Unpack it, and give the file inside.",
        )


def _refuse_archives(path: Path, largest_bytes: int) -> None:
    """A checkpoint is a zip file too, of which torch makes much: other zip files are told apart here."""
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    names = {entry.filename.rpartition("/")[2] for entry in entries}
    if "data.pkl" not in names:
        inside = sorted(entry.filename for entry in entries if not entry.is_dir())
        raise ModelFormat(
            f"{path.name} is a zip archive (it holds {name_some(inside) or 'nothing'}), not a checkpoint.",
            "Unpack it, and give the file inside.",
        )
    if "constants.pkl" in names:
        raise ModelFormat(
            f"{path.name} is a program in TorchScript, not a checkpoint: it was not opened.",
            "Ask whoever made it for a file with tensors only.",
        )
    if sum(entry.file_size for entry in entries) > largest_bytes:
        raise ModelFormat(f"{path.name} is larger, unpacked, than any such checkpoint.", _AGAIN)


def _is_whole(value: Tensor) -> bool:
    """A few bytes could claim to be any number of numbers, all of them the same ones."""
    if value.layout != torch.strided or value.device.type != "cpu" or value.is_quantized:
        return False
    return value.untyped_storage().nbytes() >= value.numel() * value.element_size()


def _as_float(value: Tensor) -> Tensor:
    value = value.detach()
    return value.float() if value.is_floating_point() else value


def _counters(state: Mapping[str, Any]) -> set[str]:
    """Names that only training needs, and that old files lack."""
    return {key for key in state if key.endswith("num_batches_tracked")}


def _shape(value: Tensor) -> str:
    return "×".join(map(str, value.shape)) or "a single number"
