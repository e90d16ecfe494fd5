"""The networks of a face swap, and what compares pictures."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from likeness.nn.ssim import C1, C2, SIGMA_PX, blur, ms_ssim, ssim, ssim_map
from likeness.nn.swap import MODELS, SwapConfig, SwapNet, count_parameters

TINY = SwapConfig(32, (8, 12, 16), 12, 16, 8, (8,), (1,))


@pytest.mark.parametrize(
    ("name", "millions"), [("slim64", 3.6), ("slim128", 5.8), ("df128", 50), ("df256", 96)]
)
def test_every_model_gives_faces_of_its_size(name: str, millions: float) -> None:
    config = MODELS[name]
    assert count_parameters(config) / 1e6 == pytest.approx(millions, rel=0.02)
    with torch.device("meta"):
        face = SwapNet(config)(torch.empty(2, 3, config.size_px, config.size_px), "b")
    assert face.rgb.shape == (2, 3, config.size_px, config.size_px)
    assert face.mask.shape == (2, 1, config.size_px, config.size_px)
    assert SwapConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


@torch.inference_mode(False)
def test_the_encoder_is_shared_and_decoders_are_not() -> None:
    net = SwapNet(TINY)
    a, b = torch.rand(2, 3, 3, 32, 32).unbind()
    made_a, made_b = net.learn(a, b)
    assert torch.allclose(made_a.rgb, net(a, "a").rgb, atol=1e-6)
    assert torch.allclose(made_b.mask, net(b, "b").mask, atol=1e-6)
    assert not torch.allclose(net(a, "a").rgb, net(a, "b").rgb, atol=1e-3)
    assert 0 <= made_a.rgb.min().item() <= made_a.rgb.max().item() <= 1
    made_a.rgb.sum().backward()
    assert all(p.grad is None for p in net.decoders["b"].parameters())
    assert all(p.grad is not None for p in net.encoder.parameters())


def test_the_encoder_cannot_tell_complexions_and_hair_apart() -> None:
    net = SwapNet(MODELS["slim64"])
    face = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    code = net.encoder(face)
    gain, shift = torch.tensor([0.5, 0.8, 0.3]).view(3, 1, 1), torch.tensor([0.1, 0.0, 0.4]).view(3, 1, 1)
    other = face * gain + shift
    other[..., :2, :] = other[..., -2:] = 0.0  # hair and a coat
    assert torch.nn.functional.cosine_similarity(net.encoder(other).flatten(), code.flatten(), 0) > 0.99
    other[..., 40:46, 24:40] = 0.0  # an open mouth
    assert torch.nn.functional.cosine_similarity(net.encoder(other).flatten(), code.flatten(), 0) < 0.97


def test_one_side_alone() -> None:
    net = SwapNet(TINY, ("b",))
    assert {name.split(".")[1] for name in net.state_dict() if name.startswith("decoders")} == {"b"}


@given(
    st.dictionaries(
        st.sampled_from(sorted(TINY.to_json())),
        st.one_of(st.none(), st.integers(-5, 10**9), st.text(max_size=3), st.floats(), st.booleans(),
                  st.lists(st.integers(-3, 5000), max_size=10)),
        min_size=1, max_size=3,
    )
)  # fmt: skip
def test_dimensions_from_strangers(changes: dict) -> None:
    """They make sense, or are refused; nothing is allocated to find out."""
    values = TINY.to_json() | changes
    try:
        config = SwapConfig.from_json(values)
    except ValueError:
        return
    assert config.size_px <= 512
    assert config.side * config.shuffle << (1 + len(config.decoder)) == config.size_px
    assert count_parameters(config) < 2_000_000_000


def test_ssim_as_it_is_written() -> None:
    """At one place, by the definition: Gaussian-weighted means, variances, covariance of 11 × 11 pixels."""
    draw = np.random.default_rng(0)
    a, b = draw.random((2, 32, 32))
    b = 0.5 * a + 0.5 * b
    at = np.arange(11) - 5
    bell = np.exp(-(at**2) / (2 * SIGMA_PX**2))
    window = np.outer(bell, bell) / bell.sum() ** 2
    x, y = (p[10:21, 12:23] for p in (a, b))
    mean_x, mean_y = (window * x).sum(), (window * y).sum()
    var_x, var_y = (window * (x - mean_x) ** 2).sum(), (window * (y - mean_y) ** 2).sum()
    both = (window * (x - mean_x) * (y - mean_y)).sum()
    wanted = (
        (2 * mean_x * mean_y + C1) * (2 * both + C2) / (mean_x**2 + mean_y**2 + C1) / (var_x + var_y + C2)
    )
    found, _ = ssim_map(*(torch.from_numpy(p)[None, None] for p in (a, b)))
    assert float(found[0, 0, 15, 17]) == pytest.approx(wanted, abs=1e-9)


def test_ssim_of_equals_is_one_and_falls_with_noise() -> None:
    picture = torch.rand(2, 3, 64, 48, dtype=torch.float64)
    for compare in (ssim, ms_ssim):
        assert compare(picture, picture) == pytest.approx(torch.ones(2), abs=1e-9)
        worse = [
            float(compare(picture, (picture + s * torch.randn_like(picture)).clamp(0, 1)).mean())
            for s in (0.02, 0.1, 0.4)
        ]
        assert 1 > worse[0] > worse[1] > worse[2]


def test_only_places_with_weight_count() -> None:
    a = torch.rand(1, 3, 32, 32)
    b = a.clone()
    b[..., 16:] = torch.rand(1, 3, 32, 16)
    weight = torch.zeros(1, 1, 32, 32)
    weight[..., :8] = 1
    assert float(ssim(a, b, weight)) == pytest.approx(1, abs=1e-5)
    assert float(ssim(a, b)) < 0.9
    assert float(ssim(a, b, 0 * weight)) == 0  # nothing to compare, and no division by nothing


def test_blur_keeps_what_is_flat_and_the_mean_of_what_is_mirrored() -> None:
    assert blur(torch.full((1, 2, 16, 24), 0.3)) == pytest.approx(torch.full((1, 2, 16, 24), 0.3), abs=1e-6)
    ramp = torch.arange(24, dtype=torch.float64).expand(1, 1, 16, 24)
    assert torch.allclose(blur(ramp)[..., 5:-5], ramp[..., 5:-5])


def test_small_pictures_have_fewer_scales() -> None:
    for side in (4, 8, 17, 100):
        picture = torch.rand(1, 1, side, side)
        assert 0 < float(ms_ssim(picture, 0.9 * picture)) <= 1


@torch.inference_mode(False)
def test_losses_have_gradients() -> None:
    a = torch.rand(1, 3, 32, 32, requires_grad=True)
    (1 - ms_ssim(a, torch.rand(1, 3, 32, 32))).sum().backward()
    assert a.grad is not None
    assert bool(a.grad.isfinite().all())
    assert float(a.grad.abs().sum()) > 0
