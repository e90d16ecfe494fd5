"""Tiny content models in ONNX, of all the shapes in which HuBERT and ContentVec are passed around."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import onnx

HOP, KERNEL = 320, 400
"""As HuBERT's convolutions together."""


def write_content(
    path: Path,
    channels: int = 768,
    *,
    axes: int = 3,
    sound: str = "source",
    outputs: tuple[str, ...] = ("embed",),
    last: bool = True,
    mask: str | None = None,
    kind: str = "FLOAT",
    hop: int = HOP,
    samples: int | None = None,
) -> Path:
    """A file whose network takes sound, and gives `channels` numbers every `hop` samples.

    Args:
        axes: of its input: (n,), (1, n) or (1, 1, n).
        outputs: their names; all give the same.
        last: the numbers are the last axis, as (1, frames, channels); else (1, channels, frames).
        mask: the name of a second input, of whole numbers, or None.
        kind: of numbers, "FLOAT" or "FLOAT16".
        samples: it takes so many and no others; None = any number.
    """
    import onnx

    model = content_model(channels, axes, sound, outputs, last, mask, kind, hop, samples)
    onnx.save(model, str(path))
    return path


def content_model(
    channels: int,
    axes: int,
    sound: str,
    outputs: tuple[str, ...],
    last: bool,
    mask: str | None,
    kind: str,
    hop: int,
    samples: int | None,
) -> onnx.ModelProto:
    """The same as a message."""
    from onnx import TensorProto, helper, numpy_helper

    type_ = getattr(TensorProto, kind)
    width = np.float16 if kind == "FLOAT16" else np.float32
    draw = np.random.default_rng(channels)
    weight = (draw.standard_normal((channels, 1, KERNEL)) / 4).astype(width)
    length: Any = "samples" if samples is None else samples
    inputs = [helper.make_tensor_value_info(sound, type_, [1] * (axes - 1) + [length])]
    start = sound
    constants = [
        numpy_helper.from_array(weight, "weight"),
        numpy_helper.from_array(np.array([1, 1, -1]), "whole"),
    ]
    nodes = []
    if mask is not None:
        inputs.append(helper.make_tensor_value_info(mask, TensorProto.INT64, [1, length]))
        nodes += [
            helper.make_node("Cast", [mask], ["kept"], to=type_),
            helper.make_node("Mul", [sound, "kept"], ["masked"]),
        ]
        start = "masked"
    nodes += [
        helper.make_node("Reshape", [start, "whole"], ["shaped"]),
        helper.make_node("Conv", ["shaped", "weight"], ["made"], strides=[hop]),
        helper.make_node("Tanh", ["made"], ["soft"]),
    ]
    turned = [0, 2, 1] if last else [0, 1, 2]
    nodes += [helper.make_node("Transpose", ["soft"], [name], perm=turned) for name in outputs]
    shape: list[Any] = [1, "frames", channels] if last else [1, channels, "frames"]
    given = [helper.make_tensor_value_info(name, type_, shape) for name in outputs]
    graph = helper.make_graph(nodes, "content", inputs, given, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def reference(sound: np.ndarray[Any, Any], channels: int = 768) -> np.ndarray[Any, Any]:
    """What such a network gives, computed here."""
    draw = np.random.default_rng(channels)
    weight = (draw.standard_normal((channels, 1, KERNEL)) / 4).astype(np.float32)[:, 0]
    frames = np.lib.stride_tricks.sliding_window_view(sound, KERNEL)[::HOP]
    return np.asarray(np.tanh(frames @ weight.T), np.float32)
