"""Models that come in another format: read once, then kept as safetensors beside what they were made from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from likeness.models import cache
from likeness.models.fetching import fetch
from likeness.models.manifest import info
from likeness.progress import OnProgress, silent

Arrays: TypeAlias = dict[str, NDArray[Any]]


def converted(
    name: str,
    convert: Callable[[bytes], Mapping[str, NDArray[Any]]],
    *,
    revision: int,
    offline: bool | None = None,
    on_progress: OnProgress = silent,
) -> Arrays:
    """The arrays of a model of the manifest, converted first where that has not been done here yet.

    They lie in `<cache>/models/<start of the SHA-256>/<stem>.<revision>.safetensors`. Once that file is
    there, the original is not needed any more. A damaged one is made anew. Safe to call from several
    processes at once.

    Args:
        name: as in `likeness models list`.
        convert: takes the bytes of the file, whose SHA-256 has been checked, apart into named arrays.
        revision: to be raised whenever `convert` changes what it returns.
        offline: True forbids fetching; None asks the environment variable `LIKENESS_OFFLINE`.
        on_progress: told in bytes while the original is fetched.

    Raises:
        UnknownModel, ModelMissing, ChecksumMismatch, NotWritable, DiskFull: as `fetch` does.
        ModelFormat: `convert` may raise it.
    """
    entry = info(name)
    path = cache.path_of(entry).with_suffix(f".{revision}.safetensors")
    if (arrays := _load(path)) is not None:
        return arrays
    source = fetch(name, offline=offline, on_progress=on_progress)
    with cache.lock():
        # Another process may have converted it while this one waited for the lock.
        if (arrays := _load(path)) is None:
            made = convert(source.read_bytes())
            arrays = {key: np.asarray(array, order="C") for key, array in made.items()}
            about = {
                "origin": f"{entry.file_name}, {entry.attribution}",
                "licence": entry.licence,
                "source_sha256": entry.sha256,
                "revision": str(revision),
                "arrays_sha256": _digest(arrays),
            }
            cache.write(path, save(arrays, about))
    return arrays


def _load(path: Path) -> Arrays | None:
    """The arrays of a whole file, or None where there is none or it is damaged."""
    try:
        with safe_open(path, framework="numpy") as file:
            about = file.metadata() or {}
            keys = file.keys()
            arrays = {key: file.get_tensor(key) for key in keys}
    except (OSError, SafetensorError):
        return None
    return arrays if about.get("arrays_sha256") == _digest(arrays) else None


def _digest(arrays: Arrays) -> str:
    """SHA-256 of names, types, shapes and contents."""
    digest = hashlib.sha256()
    for key in sorted(arrays):
        array = arrays[key]
        digest.update(f"{key} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.data)
    return digest.hexdigest()
