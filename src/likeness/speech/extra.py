"""The packages of the extra "speech", imported when they are needed and not before."""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from likeness.errors import MissingExtra, UsageError
from likeness.media.mono import resample
from likeness.models import fetch
from likeness.types import Floats

RATE_HZ = 16_000
"""What all of the models listen to."""


def require(module: str) -> Any:
    """The module, imported.

    Raises:
        MissingExtra: the extra "speech" is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtra(
            f"Listening to speech needs the package {module}, which is not installed here.",
            'Install it with `pip install "likeness[speech]"`.',
        ) from error


def check_installed() -> None:
    """Whether all that listening needs is there, before anybody is asked to speak.

    Raises:
        MissingExtra
    """
    for module in ("onnxruntime", "pocketsphinx"):
        require(module)


def run_network(name: str, inputs: dict[str, Any], *, offline: bool | None = None) -> list[NDArray[Any]]:
    """The outputs of an ONNX network of the manifest, in its order, computed in one thread.

    Raises:
        MissingExtra, ModelMissing, ChecksumMismatch
    """
    require("onnxruntime")
    outputs: list[NDArray[Any]] = _session(fetch(name, offline=offline)).run(None, inputs)
    return outputs


def to_listen(samples: Floats, rate_hz: int) -> Floats:
    """Sound as the models want it: (n,) float32 at 16 kHz, within −1…1.

    Raises:
        UsageError: not one channel of numbers.
    """
    if samples.ndim != 1:
        raise UsageError(f"Sound of shape {samples.shape} is not one channel.", "Give (n,) float32.")
    return np.clip(resample(samples, rate_hz, RATE_HZ), -1, 1).astype(np.float32)


@cache
def _session(path: Path) -> Any:
    runtime = require("onnxruntime")
    options = runtime.SessionOptions()
    options.enable_cpu_mem_arena = False  # it keeps the most that was ever needed at once, 0.4 GB
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
