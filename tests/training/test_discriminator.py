"""The discriminator's tensors are those of the published checkpoints."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from likeness.nn.discriminator import Discriminator, DiscriminatorConfig
from likeness.training.settings import read_plan

VARIANTS = (
    "vox",
    "vox-adv",
    "taichi",
    "taichi-adv",
    "fashion",
    "mgif",
    "nemo",
    "bair",
    "edge-rect",
    "edge-plain",
)


@pytest.mark.parametrize("name", VARIANTS)
def test_it_takes_the_golden_tensors(shared: Path, name: str) -> None:
    folder = shared / "golden" / "fomm"
    if not folder.is_dir():
        pytest.skip("needs ../shared/golden")
    tensors = torch.load(folder / f"{name}-cpk.pth.tar", map_location="cpu", weights_only=True)[
        "discriminator"
    ]
    net = Discriminator(read_plan(folder / f"{name}.yaml").discriminator)
    assert {key: value.shape for key, value in net.state_dict().items()} == {
        key: value.shape for key, value in tensors.items()
    }
    net.load_state_dict(tensors)


def test_its_names_and_shapes() -> None:
    """Those of vox-adv, small, as in the published layout; and two scales."""
    net = Discriminator(
        DiscriminatorConfig(
            block_expansion=4, max_features=8, num_blocks=2, use_kp=True, num_kp=10, scales=(1.0, 0.5)
        )
    )
    one = {
        "down_blocks.0.conv.weight": (8, 13, 4, 4), "down_blocks.0.conv.bias": (8,),
        "down_blocks.1.conv.weight": (8, 8, 4, 4), "down_blocks.1.conv.bias": (8,),
        "down_blocks.1.norm.weight": (8,), "down_blocks.1.norm.bias": (8,),
        "conv.weight": (1, 8, 1, 1), "conv.bias": (1,),
    }  # fmt: skip
    assert {key: tuple(value.shape) for key, value in net.state_dict().items()} == {
        f"discs.{scale}.{key}": shape for scale in ("1", "0-5") for key, shape in one.items()
    }


def test_it_judges_patches_at_every_scale() -> None:
    config = DiscriminatorConfig(block_expansion=4, max_features=8, num_blocks=2, num_kp=2, scales=(1.0, 0.5))
    pyramid = {1.0: torch.rand(2, 3, 32, 32), 0.5: torch.rand(2, 3, 16, 16)}
    judged = Discriminator(config)(pyramid)
    # 32 → 29 → 14 → 11, and 16 → 13 → 6 → 3
    assert [tuple(j.score.shape) for j in judged] == [(2, 1, 11, 11), (2, 1, 3, 3)]
    assert [len(j.features) for j in judged] == [2, 2]


def test_points_change_its_mind() -> None:
    torch.manual_seed(0)
    net = Discriminator(
        DiscriminatorConfig(block_expansion=4, max_features=8, num_blocks=2, num_kp=2, use_kp=True)
    )
    pyramid = {1.0: torch.rand(1, 3, 32, 32)}
    here, there = (net(pyramid, torch.full((1, 2, 2), at))[0].score for at in (0.0, 0.5))
    assert not torch.equal(here, there)


def test_spectral_norm_keeps_the_gain_at_one() -> None:
    net = Discriminator(DiscriminatorConfig(block_expansion=4, max_features=8, num_blocks=2, sn=True))
    with torch.no_grad():
        for name, tensor in net.named_parameters():
            if name.endswith("weight_orig"):
                tensor.mul_(50)
    for _ in range(30):
        net({1.0: torch.rand(1, 3, 32, 32)})
    conv = net.discs["1"].down_blocks[1].conv
    assert torch.linalg.matrix_norm(conv.weight.flatten(1), 2).item() == pytest.approx(1, abs=0.02)
