"""What is said in a recording, as far as possible apart from who says it: 144 numbers, 50 times a second.

They are what the second block of hama's conformer hands on, a small network that was trained to hear the
phonemes of English. Later blocks know less of the voice, but also less of how exactly a sound was made. What
is left of the voice in them, `engines.voice.disguise` takes away.
"""

from __future__ import annotations

import struct
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from likeness.errors import MissingExtra, ModelFormat
from likeness.models import Access, converted
from likeness.speech.extra import RATE_HZ, to_listen

if TYPE_CHECKING:
    from likeness.nn.conformer import ContentEncoder
    from likeness.types import Floats

MODEL: Final = "speech-content"
CONTENT_MODEL: Final = f"{MODEL}/hama-1.7.0/2"
"""Goes into voices, so that content of different models is never compared."""
SIZE: Final = 144
FRAME: Final = 320
"""Samples at 16 kHz from one frame to the next."""

_REVISION, _BLOCKS = 1, 2
_KEPT, _CONTEXT = 1000, 100  # frames computed at once, and seen before and after them
_TYPES = {0: "<f4", 1: "<f2", 2: "<i8", 3: "<i4", 4: "u1"}
# Names in the published file; matrices of block n count from 829 + 9 n, its convolution from 804 + 3 n.
_MATRICES = {0: "before.1", 1: "before.3", 2: "project_in", 6: "project_out", 7: "after.1", 8: "after.3"}
_VECTORS = {
    "ffn1.norm.weight": "before.0.weight",
    "ffn1.norm.bias": "before.0.bias",
    "ffn1.fc1.bias": "before.1.bias",
    "ffn1.fc2.bias": "before.3.bias",
    "attn_norm.weight": "attention_norm.weight",
    "attn_norm.bias": "attention_norm.bias",
    "attn.in_proj_bias": "project_in.bias",
    "attn.out_proj.bias": "project_out.bias",
    "conv.norm.weight": "convolution_norm.weight",
    "conv.norm.bias": "convolution_norm.bias",
    "conv.pointwise1.weight": "widen.weight",
    "conv.pointwise1.bias": "widen.bias",
    "conv.pointwise2.weight": "narrow.weight",
    "conv.pointwise2.bias": "narrow.bias",
    "ffn2.norm.weight": "after.0.weight",
    "ffn2.norm.bias": "after.0.bias",
    "ffn2.fc1.bias": "after.1.bias",
    "ffn2.fc2.bias": "after.3.bias",
    "norm.weight": "norm.weight",
    "norm.bias": "norm.bias",
}


def encode_content(samples: Floats, rate_hz: int, *, offline: bool | None = None) -> Floats:
    """What is said, frame by frame of 20 ms.

    Long sound goes through in pieces of 20 s, each heard with 2 s before and after it, so memory stays flat.

    Args:
        samples: (n,) float32, one channel, nominally −1…1; its level matters a little.
        rate_hz: their sampling rate.
        offline: as for `likeness.models.fetch`.

    Returns:
        (n16 // 320 + 1, 144) float32, where n16 counts samples at 16 kHz; frame k is centred on sample 320 k.

    Raises:
        UsageError: not one channel of numbers.
        MissingExtra: the extra "voice" is not installed.
        ModelMissing, ChecksumMismatch, ModelFormat
    """
    sound = to_listen(samples, rate_hz)
    encoder = _encoder(Access(offline))
    count = len(sound) // FRAME + 1
    padded = np.pad(sound, (0, max(0, RATE_HZ // 10 - len(sound))))
    pieces = []
    for begin in range(0, count, _KEPT):
        end = min(begin + _KEPT, count)
        first, last = max(0, begin - _CONTEXT), end + _CONTEXT
        heard = encoder.listen(padded[first * FRAME : last * FRAME])
        pieces.append(heard[begin - first : end - first])
    return np.concatenate(pieces)


@cache
def _encoder(access: Access) -> ContentEncoder:
    try:
        from likeness.nn.conformer import ContentEncoder
    except ImportError as error:
        raise MissingExtra(
            "Hearing what is said needs the package torch, which is not installed here.",
            'Install it with `pip install "likeness[voice]"`.',
        ) from error
    weights = converted(MODEL, convert, revision=_REVISION, offline=access.offline)
    return ContentEncoder.of(weights, blocks=_BLOCKS)


def convert(data: bytes) -> dict[str, Floats]:
    """The weights that are needed, as float32 under the names of `nn.conformer`, out of a file of hama's.

    Raises:
        ModelFormat: it is none.
    """
    try:
        found = _unpack(data)
        weights = {
            "cosines.weight": found["stft_real_kernel"],
            "sines.weight": found["stft_imag_kernel"],
            "mel.weight": found["mel_fb"].T,
            "stem.weight": found["onnx::Conv_801"],
            "stem.bias": found["onnx::Conv_802"],
        }
        for number in range(_BLOCKS):
            weights |= {f"blocks.{number}.{name}": array for name, array in _block(found, number).items()}
    except (struct.error, KeyError, ValueError, UnicodeDecodeError) as error:
        raise ModelFormat(
            "The file is not the phoneme network of hama 1.7.0.", f"Run `likeness models pull {MODEL}`."
        ) from error
    return {name: np.ascontiguousarray(array, np.float32) for name, array in weights.items()}


def _block(found: dict[str, NDArray[Any]], number: int) -> dict[str, NDArray[Any]]:
    prefix, matrix, convolution = f"acoustic_model.model.blocks.{number}.", 829 + 9 * number, 804 + 3 * number
    block = {ours: found[prefix + theirs] for theirs, ours in _VECTORS.items()}
    for name in ("widen.weight", "narrow.weight"):
        block[name] = block[name][:, :, 0]  # a convolution of one frame
    for place, name in _MATRICES.items():
        block[f"{name}.weight"] = found[f"onnx::MatMul_{matrix + place}"].T
    block["depthwise.weight"] = found[f"onnx::Conv_{convolution}"]
    block["depthwise.bias"] = found[f"onnx::Conv_{convolution + 1}"]
    return block


def _unpack(data: bytes) -> dict[str, NDArray[Any]]:
    """The arrays of the container: a table of names, types, shapes and places, then the numbers."""
    if data[:6] != b"HAMAPK":
        raise ValueError("another format")
    (count,), at = struct.unpack_from("<I", data, 8), 12
    table = []
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode()
        kind, rank = struct.unpack_from("<BB", data, at + 2 + length)
        at += 4 + length
        shape = struct.unpack_from(f"<{rank}I", data, at)
        place, size = struct.unpack_from("<QQ", data, at + 4 * rank)
        at += 4 * rank + 16
        table.append((name, np.dtype(_TYPES[kind]), shape, place, size))
    base = -(-at // 16) * 16
    return {
        name: np.frombuffer(data, kind, size // kind.itemsize, base + place).reshape(shape)
        for name, kind, shape, place, size in table
    }
