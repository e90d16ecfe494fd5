"""The weights that a perceptual loss needs, from a file that the user supplies."""

from __future__ import annotations

from pathlib import Path

from likeness.errors import ModelFormat
from likeness.nn.vgg import VggFeatures, build_vgg
from likeness.training.tensors import read_tensors

_HINT = "Give VGG19's weights, with tensors called features.0.weight …, as .safetensors or .pth."


def read_vgg(path: Path) -> VggFeatures:
    """VGG19's first layers from a file of tensors; nothing in it is run.

    Raises:
        MediaNotFound: there is no such file.
        ModelFormat: it is no such file, or another network's.
    """
    tensors = read_tensors(path, _HINT)
    try:
        return build_vgg(tensors)
    except (KeyError, RuntimeError, AttributeError, TypeError) as error:
        raise ModelFormat(f"{path.name} does not hold VGG19's weights.", _HINT) from error
