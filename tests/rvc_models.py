"""Small voice models of RVC, with random but lively weights, as they are published."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

CONFIG: list[Any] = [
    513, 32, 4, 8, 16, 2, 2, 3, 0, "1", [3, 5], [[1, 3], [1, 2]],
    [10, 8, 2, 2], 32, [20, 16, 4, 4], 109, 6, 32000,
]  # fmt: skip
SPEAKERS = 3
SAMPLES_PER_FRAME = 320
_NORMED = re.compile(r"dec\.(ups|resblocks)\.|\.(in_layers|res_skip_layers|cond_layer)\b")


def changed(index: int, value: object) -> list[Any]:
    """`CONFIG` with one value replaced."""
    return [value if at == index else old for at, old in enumerate(CONFIG)]


def content(*, version: str = "v2", f0: int = 1, half: bool = True, seed: int = 3) -> dict[str, Any]:
    """What `torch.save` is given; weight norm in two parts."""
    import torch

    from likeness.engines.rvc.configuration import parse_configuration
    from likeness.nn.rvc import RvcNet

    config = parse_configuration(CONFIG, version=version, has_pitch=bool(f0), speakers=SPEAKERS, name="a.pth")
    draw = torch.Generator().manual_seed(seed)
    weight: dict[str, torch.Tensor] = {}
    for key, tensor in RvcNet(config).state_dict().items():
        value = _lively(tensor, draw) + key.endswith("gamma")
        if key.endswith(".weight") and _NORMED.search(key):
            length = torch.linalg.vector_norm(value, dim=(1, 2), keepdim=True)
            weight[f"{key}_g"], weight[f"{key}_v"] = length, value * 1.7
        else:
            weight[key] = value
    if half:
        weight = {key: value.half() for key, value in weight.items()}
    return {
        "weight": weight, "config": list(CONFIG),
        "info": "10epoch", "sr": "32k", "f0": f0, "version": version,
    }  # fmt: skip


def write_file(path: Path, **choices: Any) -> Path:
    """The same as a file."""
    import torch

    torch.save(content(**choices), path)
    return path


def _lively(tensor: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
    """Weights of no model that was trained, but none that hides a mistake either."""
    import torch

    bound = (3 / max(1, tensor[0].numel())) ** 0.5 if tensor.ndim > 1 else 0.1
    return (2 * torch.rand(tensor.shape, generator=draw) - 1) * bound
