"""Opening `.safetensors` files of unknown origin: nothing in them is ever run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from likeness.errors import MediaNotFound, ModelFormat

LARGEST_BYTES = 16 << 30


@contextmanager
def open_tensors(
    path: Path, hint: str, *, largest_bytes: int = LARGEST_BYTES, framework: Literal["pt", "numpy"] = "pt"
) -> Iterator[Any]:
    """A `.safetensors` file, open for reading: `.metadata()`, `.keys()`, `.get_tensor(name)`.

    Args:
        hint: of the errors.
        largest_bytes: what is larger is not opened.
        framework: what tensors come as.

    Raises:
        MediaNotFound: there is no such file.
        ModelFormat: it is too large, or damaged; also of what is found so while it is read.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise MediaNotFound(f"There is no file {path}.", hint)
    if path.stat().st_size > largest_bytes:
        raise ModelFormat(f"{path.name} is larger than {largest_bytes >> 30} GB.", hint)
    try:
        with safe_open(path, framework=framework) as file:
            yield file
    except (SafetensorError, OSError) as error:
        raise ModelFormat(f"{path.name} is damaged.", hint) from error


def read_all(file: Any) -> dict[str, Any]:
    """Every tensor of an open file, by name."""
    return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
