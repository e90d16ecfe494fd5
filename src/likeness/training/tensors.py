"""Reading files of tensors: of unknown origin, so nothing in them is ever run."""

from __future__ import annotations

from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from likeness.errors import MediaNotFound, ModelFormat

LARGEST_BYTES = 8 << 30


def read_tensors(path: Path, hint: str) -> dict[str, Any]:
    """What a `.safetensors` file, or one of torch, holds; on the processor.

    Args:
        hint: of the errors.

    Raises:
        MediaNotFound: there is no such file.
        ModelFormat: it is damaged, too large, no mapping, or holds more than tensors and plain values.
    """
    if not path.is_file():
        raise MediaNotFound(f"There is no file {path}.", hint)
    if path.stat().st_size > LARGEST_BYTES:
        raise ModelFormat(f"{path.name} is larger than {LARGEST_BYTES >> 30} GB.", hint)
    try:
        if path.suffix.lower() == ".safetensors":
            return dict(load_file(path))
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, UnpicklingError, RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise ModelFormat(f"{path.name} is damaged, or holds more than weights.", hint) from error
    if not isinstance(content, dict):
        raise ModelFormat(f"{path.name} does not hold tensors by name.", hint)
    return content
