"""Starting weights: the encoder of another model of ours, and nothing else of it.

Whose face a model shows lies in its decoders, and no decoder is taken over. An encoder trained on other
people halves the time to the same reconstruction, and lets a little more of them through.
"""

from __future__ import annotations

from pathlib import Path

from likeness.errors import ModelFormat, UsageError
from likeness.models.tensors import open_tensors
from likeness.nn.swap import SwapNet

_PREFIXES = ("encoder.", "net.encoder.")


def start_encoder(net: SwapNet, path: Path) -> None:
    """Fill the encoder of `net` from a model or training file.

    Raises:
        MediaNotFound: there is no such file.
        ModelFormat: it is damaged, or holds no encoder.
        UsageError: it is the encoder of a model of another size.
    """
    hint = "Give model.safetensors of another training."
    with open_tensors(path, hint) as file:
        names = {
            key.removeprefix(prefix): key
            for key in file.keys()  # noqa: SIM118 - no mapping
            for prefix in _PREFIXES
            if key.startswith(prefix)
        }
        weights = {name: file.get_tensor(key) for name, key in names.items()}
    if not weights:
        raise ModelFormat(f"{path.name} holds no encoder.", hint)
    try:
        net.encoder.load_state_dict(weights)
    except RuntimeError as error:
        raise UsageError(
            f"The encoder in {path.name} is of another size than this model's.",
            "Give one that was trained with the same --model (model= in Python).",
        ) from error
