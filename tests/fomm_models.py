"""Small checkpoints of the First Order Motion Model, with random but lively weights, as files."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

VALUES: dict[str, Any] = {
    "model_params": {
        "common_params": {"num_kp": 3, "num_channels": 3, "estimate_jacobian": True},
        "kp_detector_params": {
            "temperature": 0.1, "scale_factor": 0.25,
            "block_expansion": 4, "max_features": 8, "num_blocks": 2,
        },
        "generator_params": {
            "block_expansion": 4, "max_features": 8, "num_down_blocks": 1, "num_bottleneck_blocks": 1,
            "estimate_occlusion_map": True,
            "dense_motion_params": {
                "block_expansion": 4, "max_features": 8, "num_blocks": 2, "scale_factor": 0.25,
            },
        },
    },
}  # fmt: skip


def changed(path: str, value: object) -> dict[str, Any]:
    """`VALUES` with one of them replaced; `path` as in "model_params.common_params.num_kp"."""
    values = copy.deepcopy(VALUES)
    *sections, name = path.split(".")
    section = values
    for one in sections:
        section = section[one]
    section[name] = value
    return values


def content() -> dict[str, Any]:
    """What `torch.save` is given."""
    import torch

    from likeness.engines.fomm.configuration import parse_configuration
    from likeness.nn.fomm import Generator, KeypointDetector

    config = parse_configuration(VALUES, "a.yaml")
    draw = torch.Generator().manual_seed(3)
    parts: dict[str, Any] = {"epoch": 7}
    for name, net in (("generator", Generator(config, True)), ("kp_detector", KeypointDetector(config))):
        state = net.state_dict()
        for key, tensor in state.items():
            if tensor.ndim == 4 and not key.endswith("down.weight"):
                bound = (3 / tensor[0].numel()) ** 0.5
                lively = 40 if key == "kp.weight" else 1.4  # so that points do not all lie in the middle
                tensor.copy_((2 * torch.rand(tensor.shape, generator=draw) - 1) * lively * bound)
        parts[name] = state
    return parts


def write_files(folder: Path) -> tuple[Path, Path]:
    """A checkpoint and its configuration, as they are published."""
    import torch
    import yaml

    checkpoint, configuration = folder / "tiny-cpk.pth.tar", folder / "tiny-256.yaml"
    torch.save(content(), checkpoint)
    configuration.write_text(yaml.safe_dump(VALUES))
    return checkpoint, configuration
