"""The network that mends bent faces."""

from __future__ import annotations

import pytest
import torch

from likeness.nn.swap_warp import INPUTS, WARP_MODELS, WarpConfig, WarpNet


@pytest.mark.parametrize("name", ["warp64", "warp128"])
def test_it_begins_by_changing_nothing(name: str) -> None:
    config = WARP_MODELS[name]
    added = WarpNet(config)(torch.rand(2, INPUTS, config.size_px, config.size_px))
    assert added.shape == (2, 3, config.size_px, config.size_px)
    assert not added.any()


def test_every_layer_is_moved() -> None:
    with torch.inference_mode(False), torch.enable_grad():
        net = WarpNet(WarpConfig(32, (4, 8, 8)))
        torch.nn.init.normal_(net.out.weight)
        net(torch.rand(1, INPUTS, 32, 32)).square().sum().backward()  # type: ignore[no-untyped-call]
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_all_sizes_stay_below_a_million_parameters() -> None:
    for config in WARP_MODELS.values():
        with torch.device("meta"):
            assert 300_000 < sum(p.numel() for p in WarpNet(config).parameters()) < 1_000_000
        assert WarpConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"size_px": 64},
        {"size_px": 64, "channels": [8]},
        {"size_px": 64, "channels": [8, 16], "more": 1},
        {"size_px": 64.0, "channels": [8, 16]},
        {"size_px": True, "channels": [8, 16]},
        {"size_px": 65, "channels": [8, 16]},
        {"size_px": 64, "channels": [8, "16"]},
        {"size_px": 64, "channels": [8, 10**9]},
        {"size_px": 10**9, "channels": [8, 16]},
        {"size_px": 64, "channels": "88"},
    ],
)
def test_dimensions_from_anybody_are_checked(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"no size|no row|no numbers"):
        WarpConfig.from_json(values)
