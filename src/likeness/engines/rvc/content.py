"""What is said in a recording, heard by the content model that the user brings: HuBERT or ContentVec as ONNX.

RVC listens with a HuBERT of the base size (Hsu et al., IEEE/ACM TASLP 2021), mostly ContentVec (Qian et al.,
ICML 2022): 50 frames for a second of sound at 16 kHz, of 256 numbers for version 1 (the ninth layer,
projected) and 768 for version 2 (the twelfth). Those who exported it named and shaped its ends as they liked,
so it is tried out before it is believed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from likeness.engines.rvc.strangers import check_kind
from likeness.errors import MissingExtra, ModelFormat
from likeness.speech.extra import require
from likeness.types import Floats, ModelRef

RATE_HZ, HOP = 16_000, 320
"""What it listens to, and how many samples a frame of content lasts."""
LARGEST_BYTES = 2 << 30
"""More than a file of protocol buffers can hold; HuBERT base has 0.4 GB."""

_FRAMES_PER_S = RATE_HZ // HOP
_TRIALS = (RATE_HZ, RATE_HZ * 3 // 2)
_EDGE = 2  # so many frames may be missing at the end, or be too many
_TYPES: Mapping[str, type[np.generic]] = MappingProxyType(
    {
        "tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64,
        "tensor(int64)": np.int64, "tensor(int32)": np.int32, "tensor(bool)": np.bool_,
    }
)  # fmt: skip
_MOST_AXES = 3
# Where several outputs have the right size, the layer that RVC listens to, as exporters call it.
_LAYERS: Mapping[int, tuple[str, ...]] = MappingProxyType(
    {256: ("unit9", "units9"), 768: ("unit12", "units12", "last_hidden_state")}
)
_HINT = (
    "Give a HuBERT or ContentVec in the format ONNX that listens to 16 kHz: vec-256-layer-9 for models of "
    "version 1, vec-768-layer-12 for version 2, as other programs for RVC use them."
)


class ContentModel:
    """An ONNX network that was tried out, and says what RVC wants to hear.

    Args:
        path: its file.
        channels: numbers a frame that are wanted: 256 or 768.
        output: which of its outputs, by name; None: the one of that size.
        threads: of the computation; None: as many as torch uses.

    Attributes:
        name: of the file.
        channels: as above.
        output: the name of what is listened to.

    Raises:
        MediaNotFound: there is no such file.
        ModelFormat: it is something else, cannot be run, or gives something else than that.
        MissingExtra: onnxruntime is not installed.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        channels: int,
        *,
        output: str | None = None,
        threads: int | None = None,
    ) -> None:
        path = Path(path)
        check_kind(path, "content model", largest_bytes=LARGEST_BYTES, hint=_HINT)
        self.name, self.channels = path.name, channels
        self._runtime = _onnxruntime()
        self._session = self._open(path, threads or torch.get_num_threads())
        self._sound, self._others = self._inputs()
        self.output, self._axis = self._choose(output)
        with path.open("rb") as file:
            self._sha256 = hashlib.file_digest(file, "sha256").hexdigest()

    @property
    def ref(self) -> ModelRef:
        """What credentials say of it."""
        return ModelRef(self.name, self._sha256)

    def listen(self, sound: Floats) -> Floats:
        """What is said.

        Args:
            sound: (n,) float32 at 16 kHz, −1…1, n at least 800.

        Returns:
            (frames, channels) float32; frame k is what begins at sample k · `HOP`. A network without padding
            gives one frame less than n / `HOP`.

        Raises:
            ModelFormat: it cannot be run, or gives what is no number.
        """
        found = self._run(sound, [self.output])[self.output]
        content = np.moveaxis(found.reshape(found.shape[-2:]), self._axis, 0).astype(np.float32)
        if not np.isfinite(content).all():
            raise ModelFormat(f"{self.name} gives what is no number.", _HINT)
        return np.ascontiguousarray(content)

    def _open(self, path: Path, threads: int) -> Any:
        options = self._runtime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 4
        options.enable_mem_pattern = False  # pieces are of many lengths
        # Weights laid out a second time: 0.2 GB with a HuBERT of the base size, for a tenth of its time, and
        # that is little beside the voice model's.
        options.add_session_config_entry("session.disable_prepacking", "1")
        try:
            return self._runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except _failures(self._runtime) as error:
            raise ModelFormat(f"{path.name} is no ONNX network, or a damaged one.", _HINT) from error

    def _inputs(self) -> tuple[Any, list[Any]]:
        """The input for the sound, and those for masks and lengths."""
        inputs = self._session.get_inputs()
        sounds = [one for one in inputs if _is_float(one) and 1 <= len(one.shape) <= _MOST_AXES]
        others = [one for one in inputs if one not in sounds]
        known = all(_TYPES.get(one.type) is not None and _filler(one.name) for one in others)
        if len(sounds) != 1 or not known:
            asked = ", ".join(f"{one.name[:40]!r} {one.type} {one.shape}"[:100] for one in inputs[:6])
            raise ModelFormat(f"{self.name} wants something else than sound: it asks for {asked}.", _HINT)
        return sounds[0], others

    def _run(self, sound: Floats, outputs: list[str] | None = None) -> dict[str, NDArray[Any]]:
        axes = len(self._sound.shape)
        given = {self._sound.name: _shaped(sound, axes).astype(_TYPES[self._sound.type])}
        for one in self._others:
            given[one.name] = _fill(one, len(sound))
        names = outputs or [one.name for one in self._session.get_outputs()]
        try:
            return dict(zip(names, self._session.run(names, given, self._let_go()), strict=True))
        except _failures(self._runtime) as error:
            raise ModelFormat(
                f"{self.name} cannot be run on {len(sound) / RATE_HZ:g} s of sound at 16 kHz: "
                f"{_first_line(error)}.",
                "Give a network that was exported for sound of any length. " + _HINT,
            ) from error

    def _let_go(self) -> Any:
        """After each piece its memory is given back: what speaks next needs some as well."""
        options = self._runtime.RunOptions()
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        return options

    def _choose(self, wanted: str | None) -> tuple[str, int]:
        """Which output tells what is said, and which of its last two axes is time; found by two trials."""
        draw = np.random.default_rng(0)
        short, long = (
            self._run((0.01 * draw.standard_normal(length)).astype(np.float32)) for length in _TRIALS
        )
        seen = {name: _size(short[name], long[name]) for name in short if wanted in (None, name)}
        fits = {name: axis for name, (size, axis) in seen.items() if size == self.channels}
        if not fits:
            raise self._unfit(seen, wanted)
        named = [name for name in fits if name.lower() in _LAYERS.get(self.channels, ())]
        if len(fits) > 1 and len(named) != 1:
            raise ModelFormat(
                f"{self.name} gives {self.channels} numbers a frame {len(fits)} times: as "
                f"{', '.join(name[:40] for name in list(fits)[:6])}.",
                "Say which of them with --content-output (output in Python).",
            )
        name = named[0] if len(fits) > 1 else next(iter(fits))
        return name, fits[name]

    def _unfit(self, seen: Mapping[str, tuple[int, int]], wanted: str | None) -> ModelFormat:
        if not seen:
            names = ", ".join(one.name[:40] for one in self._session.get_outputs()[:6])
            return ModelFormat(f"{self.name} has no output “{wanted}”.", f"It has: {names}.")
        sizes = sorted({size for size, _ in seen.values() if size})
        if not sizes:
            return ModelFormat(
                f"{self.name} does not give {_FRAMES_PER_S} frames for a second of sound.", _HINT
            )
        return ModelFormat(
            f"{self.name} gives {' or '.join(map(str, sizes))} numbers a frame, and {self.channels} are "
            "wanted.",
            "Voices of version 1 take 256 numbers (layer 9), version 2 takes 768 (layer 12): choose the "
            "content model to match the voice.",
        )


def _onnxruntime() -> Any:
    try:
        return require("onnxruntime")
    except MissingExtra as error:
        raise MissingExtra(error.what, 'Install it with `pip install "likeness[voice]"`.') from error


def _failures(runtime: Any) -> tuple[type[Exception], ...]:
    """All that onnxruntime raises; its errors have no common base of their own."""
    names = (
        "Fail", "InvalidArgument", "NoSuchFile", "NoModel", "EngineError", "RuntimeException",
        "InvalidProtobuf", "ModelLoaded", "NotImplemented", "InvalidGraph", "EPFail",
    )  # fmt: skip
    state = runtime.capi.onnxruntime_pybind11_state
    own = (getattr(state, name, None) for name in names)
    return (*(one for one in own if one is not None), RuntimeError, ValueError, MemoryError)


def _is_float(one: Any) -> bool:
    kind = _TYPES.get(one.type)
    return kind is not None and issubclass(kind, np.floating)


def _shaped(values: NDArray[Any], axes: int) -> NDArray[Any]:
    """(n,), (1, n) or (1, 1, n)."""
    return values.reshape((1,) * (axes - 1) + values.shape)


def _filler(name: str) -> str:
    """What an input is for that is no sound, by its name; empty where nobody knows."""
    lower = name.lower()
    if "mask" in lower:
        return "padding" if "pad" in lower else "mask"
    return "length" if "len" in lower else ""


def _fill(one: Any, samples: int) -> NDArray[Any]:
    """Everything is heard, and nothing is padding; or how long it is."""
    kind = _TYPES[one.type]
    match _filler(one.name):
        case "length":
            return np.full((1,) * len(one.shape), samples, kind)
        case "padding":
            return _shaped(np.zeros(samples, kind), len(one.shape))
        case _:
            return _shaped(np.ones(samples, kind), len(one.shape))


def _size(short: NDArray[Any], long: NDArray[Any]) -> tuple[int, int]:
    """Numbers a frame, and which of the last two axes (0, 1) is time; (0, 0) where there are no frames."""
    is_one = all(one.ndim in (2, 3) and one.shape[:-2] in ((), (1,)) for one in (short, long))
    if not is_one or short.dtype.kind != "f":
        return 0, 0
    for axis in (0, 1):
        counts = [one.shape[-2:][axis] for one in (short, long)]
        sizes = {one.shape[-2:][1 - axis] for one in (short, long)}
        missing = [samples // HOP - count for samples, count in zip(_TRIALS, counts, strict=True)]
        if len(sizes) == 1 and max(map(abs, missing)) <= _EDGE:
            return sizes.pop(), axis
    return 0, 0


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines()[:1]
    line = text[0].rpartition(" : ")[2] if text else type(error).__name__
    return "".join(letter for letter in line[:120] if letter.isprintable()).rstrip(".")
