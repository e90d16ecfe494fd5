"""Small voice models of RVC, with random but lively weights, as they are published.

`python -m tests.rvc_models` makes `nn/golden/rvc.npz`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch

    from likeness.nn.rvc import RvcNet
    from likeness.types import Floats

GOLDEN = Path(__file__).parent / "nn" / "golden" / "rvc.npz"
LAYOUTS = (("v1", 0), ("v1", 1), ("v2", 0), ("v2", 1))

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
        if is_normed(key):
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


def is_normed(key: str) -> bool:
    """Whether the published files keep this weight as magnitude and direction."""
    return key.endswith(".weight") and _NORMED.search(key) is not None


def write_file(path: Path, **choices: Any) -> Path:
    """The same as a file."""
    import torch

    torch.save(content(**choices), path)
    return path


def net_of(*, version: str = "v2", f0: int = 1) -> RvcNet:
    """The network of `content`."""
    from likeness.engines.rvc.checkpoint import build_net, parse_voice

    return build_net(parse_voice(content(version=version, f0=f0), "a.pth"), "a.pth")


def fixed_waves(version: str, f0: int) -> dict[str, Floats]:
    """Always the same: twelve frames of a voice that comes and goes, and seven of them with noise."""
    import torch

    net = net_of(version=version, f0=f0)
    phone = torch.sin(torch.arange(12 * net.config.content_channels) * 0.37).view(1, 12, -1)
    hz = torch.tensor([[0, 0, 110, 112, 115, 120, 0, 0, 240, 260, 280, 0.0]])
    pitches = ((hz / 4).long() + 1, hz) if f0 else (None, None)
    asked = (phone, *pitches, torch.tensor([2]))
    noise = torch.sin(torch.arange(12 * SAMPLES_PER_FRAME).double() ** 1.3).float()[None]
    draws = {"latent_noise": noise[:, :48].view(1, 4, 12), "source_noise": noise}
    with torch.inference_mode():
        made = {"all": net(*asked), "part": net(*asked, **draws, head=3, length=7)}
    return {f"{version}_{f0}_{name}": np.asarray(wave[0].numpy()) for name, wave in made.items()}


def make_golden() -> None:
    """Keep those waves. To be done only while the golden files outside the repository are matched."""
    waves = [fixed_waves(version, f0) for version, f0 in LAYOUTS]
    np.savez_compressed(GOLDEN, **{name: wave for some in waves for name, wave in some.items()})


def _lively(tensor: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
    """Weights of no model that was trained, but none that hides a mistake either."""
    import torch

    bound = (3 / max(1, tensor[0].numel())) ** 0.5 if tensor.ndim > 1 else 0.1
    return (2 * torch.rand(tensor.shape, generator=draw) - 1) * bound


if __name__ == "__main__":
    make_golden()
