"""What is made small in training, by properties that it must have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor

from likeness.errors import ModelFormat
from likeness.nn.blocks import grid_of
from likeness.nn.discriminator import Judgement
from likeness.nn.fomm import Keypoints
from likeness.nn.losses import (
    PlainFeatures,
    Pyramid,
    discriminator_gan_loss,
    equivariance_jacobian_loss,
    equivariance_value_loss,
    feature_matching_loss,
    generator_gan_loss,
    perceptual_loss,
)
from likeness.nn.thin_plate import ThinPlate, ThinPlateConfig
from likeness.nn.vgg import VggFeatures
from likeness.training.perceptual import read_vgg


def thin_plate(seed: int, batch: int = 2, **config: float) -> ThinPlate:
    like = torch.zeros(1, dtype=torch.float64)
    generator = torch.Generator().manual_seed(seed)
    return ThinPlate.draw(ThinPlateConfig(**config), batch, generator=generator, like=like)  # type: ignore[arg-type]


def points(seed: int, batch: int = 2, count: int = 5) -> Tensor:
    draw = torch.Generator().manual_seed(seed)
    return (torch.rand(batch, count, 2, generator=draw, dtype=torch.float64) * 1.6) - 0.8


@given(seed=st.integers(0, 10_000))
def test_the_deformations_jacobian_is_its_derivative(seed: int) -> None:
    transform, at = thin_plate(seed, sigma_tps=0.05), points(seed)
    step = 1e-6
    columns = [
        (transform.move(at + step * axis) - transform.move(at - step * axis)) / (2 * step)
        for axis in torch.eye(2, dtype=torch.float64)
    ]
    torch.testing.assert_close(transform.jacobian(at), torch.stack(columns, -1), atol=1e-6, rtol=1e-5)


def test_no_strength_deforms_nothing() -> None:
    transform = thin_plate(0, sigma_affine=0, sigma_tps=0)
    picture = torch.rand(2, 3, 17, 23, dtype=torch.float64)
    torch.testing.assert_close(transform.move(points(1)), points(1))
    torch.testing.assert_close(transform.warp(picture), picture)


@given(seed=st.integers(0, 10_000))
def test_an_equivariant_detector_costs_nothing(seed: int) -> None:
    transform, deformed = thin_plate(seed), points(seed)
    draw = torch.Generator().manual_seed(seed)
    noise = torch.randn(2, 5, 2, 2, generator=draw, dtype=torch.float64)
    jacobian = torch.eye(2, dtype=torch.float64) + 0.2 * noise
    after = Keypoints(deformed, jacobian)
    before = Keypoints(transform.move(deformed), transform.jacobian(deformed) @ jacobian)
    assert equivariance_value_loss(before.value, after.value, transform) < 1e-12
    assert equivariance_jacobian_loss(before, after, transform) < 1e-9
    # One that finds the same numbers in every picture is not, and pays.
    assert equivariance_value_loss(deformed, deformed, transform) > 1e-3
    assert equivariance_jacobian_loss(after, after, transform) > 1e-3


def test_a_deformed_picture_and_its_points_belong_together() -> None:
    """The middle of a dot, found in both pictures, and not just in numbers."""
    transform = thin_plate(3, batch=1, sigma_affine=0.08)
    grid = grid_of(65, 65, torch.zeros(1, dtype=torch.float64))

    def find(picture: Tensor) -> Tensor:
        return torch.einsum("bhw,hwc->bc", picture[:, 0] / picture.sum(), grid)[:, None]

    picture = torch.exp(-((grid - torch.tensor([0.3, -0.2])) ** 2).sum(-1) / 0.01)[None, None]
    before, after = find(picture), find(transform.warp(picture))
    assert equivariance_value_loss(before, after, transform) < 2e-3
    assert (before - after).abs().mean() > 2e-2
    assert equivariance_value_loss(after, before, transform) > 2e-2


def test_equal_pictures_cost_nothing_and_blur_costs_edges() -> None:
    pyramid = Pyramid((1.0, 0.5))
    real = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    weights = (1.0, 1.0, 1.0)
    assert perceptual_loss(PlainFeatures(), pyramid(real), pyramid(real), weights) == 0
    grey = pyramid(real.mean((2, 3), keepdim=True).expand_as(real))
    colours = perceptual_loss(PlainFeatures(), grey, pyramid(real), (1.0, 0.0, 0.0))
    edges = perceptual_loss(PlainFeatures(), grey, pyramid(real), (0.0, 1.0, 1.0))
    assert edges > colours > 0


def test_a_pyramid_keeps_colours_and_shrinks() -> None:
    shown = Pyramid((1.0, 0.5, 0.25))(torch.full((1, 3, 64, 64), 0.7))
    assert {scale: tuple(p.shape[2:]) for scale, p in shown.items()} == {
        1: (64, 64),
        0.5: (32, 32),
        0.25: (16, 16),
    }
    assert all((p[..., 8:-8, 8:-8] - 0.7).abs().max() < 1e-5 for p in shown.values() if p.shape[-1] > 16)


def test_the_discriminators_losses_have_their_known_values() -> None:
    sure = [Judgement([], torch.ones(2, 1, 3, 3))]
    unsure = [Judgement([], torch.full((2, 1, 3, 3), 0.5))]
    none = [Judgement([], torch.zeros(2, 1, 3, 3))]
    assert generator_gan_loss(sure) == 0
    assert generator_gan_loss(none) == 1
    assert discriminator_gan_loss(none, sure) == 0
    assert discriminator_gan_loss(unsure, unsure) == 0.5


def test_feature_matching_moves_what_was_made_only() -> None:
    made, real = (torch.rand(1, 2, 3, 3, requires_grad=True) for _ in range(2))
    score = torch.zeros(1)
    loss = feature_matching_loss([Judgement([made], score)], [Judgement([real], score)], (10.0,))
    loss.backward()
    assert loss.item() == pytest.approx(10 * (made - real).detach().abs().mean().item())
    assert made.grad is not None
    assert real.grad is None


def test_vgg_is_read_from_a_file_of_tensors(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = VggFeatures().eval()
    names = list(net.state_dict())
    assert names[:2] == ["features.0.weight", "features.0.bias"]
    assert names[-1] == "features.28.bias"
    save_file({**net.state_dict(), "classifier.0.weight": torch.zeros(1)}, tmp_path / "vgg.safetensors")
    read = read_vgg(tmp_path / "vgg.safetensors")
    picture = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        maps = read(picture)
        assert [tuple(m.shape[1:]) for m in maps] == [
            (64, 32, 32), (128, 16, 16), (256, 8, 8), (512, 4, 4), (512, 2, 2)
        ]  # fmt: skip
        assert all(torch.equal(a, b) for a, b in zip(maps, net(picture), strict=True))
        assert len(read(picture[..., :8, :8])) == 4
    assert not any(p.requires_grad for p in read.parameters())


def test_other_files_are_no_vgg(tmp_path: Path) -> None:
    save_file({"features.0.weight": torch.zeros(3)}, tmp_path / "other.safetensors")
    (tmp_path / "text.pth").write_text("hello")
    torch.save([np.float64(1)], tmp_path / "list.pth")
    for name in ("other.safetensors", "text.pth", "list.pth"):
        with pytest.raises(ModelFormat):
            read_vgg(tmp_path / name)
