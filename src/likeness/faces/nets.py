"""The neural networks of the face model, run by LiteRT on the CPU."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from likeness.errors import ModelFormat
from likeness.types import Floats

LANDMARKER = "face-landmarker"
MAX_NETWORK_BYTES = 64 << 20

_STDERR = 2
_stderr_lock = threading.Lock()


class Net:
    """One network: an array in, arrays out.

    An instance belongs to one thread at a time; several instances may run in several threads, since LiteRT
    lets go of Python's lock while it computes.

    Args:
        content: the network, a TensorFlow Lite flat buffer.
        threads: CPU threads.

    Raises:
        ModelFormat: `content` is not a network that LiteRT can run.
    """

    def __init__(self, content: bytes, *, threads: int) -> None:
        try:
            with _without_chatter():
                self._net = Interpreter(model_content=content, num_threads=threads)
                self._net.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ModelFormat(
                f"The network could not be loaded: {error}.", "Run `likeness models pull` to fetch it again."
            ) from error
        source = self._net.get_input_details()[0]
        self._input: int = source["index"]
        self._outputs: list[int] = [output["index"] for output in self._net.get_output_details()]
        self.input_shape: tuple[int, ...] = tuple(int(n) for n in source["shape"])

    def run(self, array: Floats) -> list[NDArray[np.float32]]:
        """Computes all outputs, in the order of the file, for one float32 input of `input_shape`."""
        self._net.set_tensor(self._input, array)
        self._net.invoke()
        return [self._net.get_tensor(index) for index in self._outputs]


def read_member(bundle: Path, name: str) -> bytes:
    """Reads one file out of a `.task` bundle (a zip).

    Raises:
        ModelFormat: the bundle is damaged, or has no such member.
    """
    hint = "Delete the file and run `likeness models pull`."
    try:
        with zipfile.ZipFile(bundle) as archive:
            if archive.getinfo(name).file_size > MAX_NETWORK_BYTES:
                raise ModelFormat(f"{name} in {bundle.name} is too large.", hint)
            return archive.read(name)
    except (OSError, zipfile.BadZipFile, KeyError) as error:
        raise ModelFormat(f"{bundle.name} is not a face model: {error}.", hint) from error


@contextmanager
def _without_chatter() -> Iterator[None]:
    """Keeps LiteRT's "INFO:" lines off standard error; it has no switch for them. Other lines pass."""
    with _stderr_lock:
        try:
            saved = os.dup(_STDERR)
        except OSError:  # there is no standard error, as under pythonw
            yield
            return
        with tempfile.TemporaryFile() as captured:
            try:
                os.dup2(captured.fileno(), _STDERR)
                yield
            finally:
                os.dup2(saved, _STDERR)
                os.close(saved)
                captured.seek(0)
                for line in captured:
                    if not line.startswith(b"INFO:"):
                        sys.stderr.write(line.decode(errors="replace"))
