"""The neural networks of the face model, run by LiteRT on the CPU."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from likeness.errors import ModelFormat
from likeness.types import Floats

LANDMARKER = "face-landmarker"
MAX_NETWORK_BYTES = 64 << 20


class Net:
    """One network: arrays in, arrays out.

    An instance belongs to one thread at a time; several instances may run in several threads, since LiteRT
    lets go of Python's lock while it computes.
    """

    def __init__(self, content: bytes, *, threads: int) -> None:
        try:
            self._net = Interpreter(model_content=content, num_threads=threads)
            self._net.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ModelFormat(
                f"The network could not be loaded: {error}.", "Run `likeness models pull` to fetch it again."
            ) from error
        self._input: int = self._net.get_input_details()[0]["index"]
        self._outputs: list[int] = [d["index"] for d in self._net.get_output_details()]
        self.input_shape: tuple[int, ...] = tuple(self._net.get_input_details()[0]["shape"])

    def run(self, array: Floats) -> list[NDArray[np.float32]]:
        """Computes all outputs, in the order of the file, for one input of `input_shape`."""
        self._net.set_tensor(self._input, array)
        self._net.invoke()
        return [self._net.get_tensor(index) for index in self._outputs]


def read_member(bundle: Path, name: str) -> bytes:
    """Reads one file out of a `.task` bundle (a zip).

    Raises:
        ModelFormat: the bundle is damaged, or has no such member.
    """
    try:
        with zipfile.ZipFile(bundle) as archive:
            if archive.getinfo(name).file_size > MAX_NETWORK_BYTES:
                raise ModelFormat(
                    f"{name} in {bundle.name} is too large.", "Delete the file and fetch it again."
                )
            return archive.read(name)
    except (zipfile.BadZipFile, KeyError) as error:
        raise ModelFormat(
            f"{bundle.name} is not a face model bundle: {error}.", "Delete the file and fetch it again."
        ) from error
