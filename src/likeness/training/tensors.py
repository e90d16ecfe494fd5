"""Reading files of tensors: of unknown origin, so nothing in them is ever run."""

from __future__ import annotations

from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from likeness.errors import MediaNotFound, ModelFormat
from likeness.models.tensors import open_tensors, read_all

LARGEST_BYTES = 8 << 30


def read_tensors(path: Path, hint: str) -> dict[str, Any]:
    """What a `.safetensors` file, or one of torch, holds; on the processor.

    Args:
        hint: of the errors.

    Raises:
        MediaNotFound: there is no such file.
        ModelFormat: it is damaged, too large, no mapping, or holds more than tensors and plain values.
    """
    if path.suffix.lower() == ".safetensors":
        with open_tensors(path, hint, largest_bytes=LARGEST_BYTES) as file:
            return read_all(file)
    if not path.is_file():
        raise MediaNotFound(f"There is no file {path}.", hint)
    if path.stat().st_size > LARGEST_BYTES:
        raise ModelFormat(f"{path.name} is larger than {LARGEST_BYTES >> 30} GB.", hint)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (UnpicklingError, RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise ModelFormat(f"{path.name} is damaged, or holds more than weights.", hint) from error
    if not isinstance(content, dict):
        raise ModelFormat(f"{path.name} does not hold tensors by name.", hint)
    return content
