"""Small random models of the First Order Motion Model, with lively weights."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

# Threads that wait must not keep the processor from those of the other test processes.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from likeness.nn.fomm import FommConfig, Generator, HourglassConfig, KeypointDetector  # noqa: E402


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.inference_mode():
        yield
    torch.set_num_threads(before)


def small_config(**changes: object) -> FommConfig:
    values: dict[str, object] = {
        "num_kp": 4, "num_channels": 3, "estimate_jacobian": True,
        "keypoints": HourglassConfig(8, 32, 2), "keypoint_scale": 0.25, "temperature": 0.1,
        "single_jacobian_map": False, "pad": 0,
        "block_expansion": 32, "max_features": 64, "num_down_blocks": 1, "num_bottleneck_blocks": 2,
        "estimate_occlusion_map": True, "motion": HourglassConfig(32, 64, 2), "motion_scale": 0.5,
        "kp_variance": 0.01,
    }  # fmt: skip
    return FommConfig(**{**values, **changes})  # type: ignore[arg-type]


def enliven(net: nn.Module, seed: int = 0) -> nn.Module:
    """Weights of no model that was trained, but none that hides a mistake either."""
    draw = torch.Generator().manual_seed(seed)
    for name, tensor in net.state_dict().items():
        if name.endswith(("down.weight", "num_batches_tracked")):
            continue
        if name.endswith("running_var"):
            tensor.copy_(0.5 + torch.rand(tensor.shape, generator=draw))
        elif tensor.ndim == 4:
            bound = (3 / tensor[0].numel()) ** 0.5
            tensor.copy_((2 * torch.rand(tensor.shape, generator=draw) - 1) * 1.4 * bound)
        else:
            tensor.copy_(
                0.3 * (2 * torch.rand(tensor.shape, generator=draw) - 1) + name.endswith("norm.weight")
            )
    return net.requires_grad_(False).eval()


@pytest.fixture
def pair() -> tuple[Generator, KeypointDetector]:
    config = small_config()
    generator, detector = Generator(config, True), KeypointDetector(config)
    enliven(generator)
    enliven(detector, 1)
    assert detector.jacobian is not None and detector.jacobian.bias is not None
    detector.jacobian.bias.add_(torch.tensor([1.0, 0, 0, 1.0] * config.num_kp))
    return generator, detector
