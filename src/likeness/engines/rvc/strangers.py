"""Files that people bring for a voice, told apart from what is commonly taken for them."""

from __future__ import annotations

import zipfile
from pathlib import Path

from likeness.engines.checkpoints import read_head
from likeness.errors import MediaNotFound, ModelFormat

_ZIP = b"PK\x03\x04"


def check_kind(path: Path, what: str, *, largest_bytes: int, hint: str) -> None:
    """Refuse what is surely no `what`, by its size and its first bytes; nothing of it is interpreted.

    Args:
        what: "content model" or "index", for the errors.
        hint: what to give instead.

    Raises:
        MediaNotFound: there is no such file.
        ModelFormat: it is empty, too large, a web page, a pointer of Git LFS, a pickle, or of another kind.
    """
    if not path.is_file():
        raise MediaNotFound(f"There is no file {path}.", "Check the path.")
    if path.stat().st_size > largest_bytes:
        raise ModelFormat(f"{path.name} is larger than any {what}.", "Check that it is one.")
    head = read_head(path)
    if _is_pickle(path, head):
        raise ModelFormat(
            f"{path.name} is a pickle (a checkpoint of PyTorch or the like), which may run code: it was not "
            "opened.",
            hint,
        )
    if kind := _other_kind(head):
        raise ModelFormat(f"{path.name} is {kind}, and no {what}.", hint)


def _is_pickle(path: Path, head: bytes) -> bool:
    """Of protocol 2 and later, bare or within the zip file that torch makes."""
    if len(head) > 1 and head[0] == 0x80 and 2 <= head[1] <= 5:
        return True
    if not head.startswith(_ZIP):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith(".pkl") for name in archive.namelist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return False


def _other_kind(head: bytes) -> str:
    if head.startswith(_ZIP):
        return "a zip archive"
    if head[8:10] in (b'{"', b"{}") and int.from_bytes(head[:8], "little") < 1 << 27:
        return "a file of safetensors"
    if head[4:8] == b"TFL3":
        return "a network of TensorFlow Lite"
    return ""
