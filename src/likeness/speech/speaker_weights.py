"""The weights of the speaker encoder, taken from the checkpoint at known places, without unpickling it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from likeness.errors import ModelFormat
from likeness.models import converted
from likeness.types import Floats

MODEL = "speaker-encoder"
REVISION = 1
SIZE = 256  # hidden units, and length of an embedding
MELS = 40
LAYERS = 3

# The file is of PyTorch's old format: pickles, then one storage after another, each a count (int64) and that
# many numbers (float32). Its SHA-256 is pinned, so these are the places, and nothing is unpickled.
_LSTM_AT, _LINEAR_WEIGHT_AT, _LINEAR_BIAS_AT = 269_875, 7_723, 6_691


def load_weights(*, offline: bool | None = None) -> dict[str, Floats]:
    """`weight_ih_l{n}`, `weight_hh_l{n}`, `bias_l{n}` of each layer, `linear_weight` and `linear_bias`.

    Raises:
        ModelMissing, ChecksumMismatch, NotWritable, DiskFull: as `likeness.models.fetch` does.
    """
    return converted(MODEL, take_apart, revision=REVISION, offline=offline)


def take_apart(checkpoint: bytes) -> dict[str, NDArray[np.float32]]:
    """Read the tensors out of the bytes of Resemblyzer's `pretrained.pt`.

    Raises:
        ModelFormat: other bytes.
    """
    shapes = [
        (f"weight_{kind}_l{layer}", (4 * SIZE, MELS if kind == "ih" and layer == 0 else SIZE))
        for layer in range(LAYERS)
        for kind in ("ih", "hh")
    ] + [(f"bias_{kind}_l{layer}", (4 * SIZE,)) for layer in range(LAYERS) for kind in ("ih", "hh")]
    # All of the LSTM lies in one storage, in the order in which cuDNN wants it.
    numbers = _storage(checkpoint, _LSTM_AT, sum(math.prod(shape) for _, shape in shapes))
    tensors, at = {}, 0
    for name, shape in shapes:
        tensors[name] = numbers[at : (at := at + math.prod(shape))].reshape(shape)
    for layer in range(LAYERS):  # two biases that are only ever added
        tensors[f"bias_l{layer}"] = tensors.pop(f"bias_ih_l{layer}") + tensors.pop(f"bias_hh_l{layer}")
    tensors["linear_weight"] = _storage(checkpoint, _LINEAR_WEIGHT_AT, SIZE * SIZE).reshape(SIZE, SIZE)
    tensors["linear_bias"] = _storage(checkpoint, _LINEAR_BIAS_AT, SIZE)
    return tensors


def _storage(checkpoint: bytes, at: int, count: int) -> NDArray[np.float32]:
    if checkpoint[at : at + 8] != count.to_bytes(8, "little") or len(checkpoint) < at + 8 + 4 * count:
        raise ModelFormat(
            "The speaker encoder's file is not laid out as expected.",
            f"Run `likeness models pull {MODEL}` to fetch it again.",
        )
    return np.frombuffer(checkpoint, "<f4", count, at + 8).astype(np.float32)
