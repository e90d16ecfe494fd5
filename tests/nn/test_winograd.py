"""Winograd convolutions give what direct ones give."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from likeness.nn import winograd  # noqa: E402
from likeness.nn.winograd import WinogradConv  # noqa: E402

SIDES = st.integers(1, 19)


@given(SIDES, SIDES, st.integers(1, 3), st.booleans(), st.integers(0, 2**31), st.booleans())
def test_equal_to_a_direct_convolution(
    height: int, width: int, batch: int, repeat: bool, seed: int, channels_last: bool
) -> None:
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(batch, 5, height, width, generator=draw)
    weight, bias = torch.randn(7, 5, 3, 3, generator=draw), torch.randn(7, generator=draw)
    larger = F.interpolate(x, scale_factor=2.0) if repeat else x
    wanted = F.conv2d(larger, weight, bias, padding=1)
    if channels_last:
        x = x.contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        got = WinogradConv(weight, bias, repeat=repeat)(x)
    assert got.shape == wanted.shape
    assert (got - wanted).abs().max() < 2e-4


def test_strips_meet_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = torch.Generator().manual_seed(3)
    x = torch.randn(1, 4, 40, 24, generator=draw)
    conv = WinogradConv(torch.randn(6, 4, 3, 3, generator=draw), torch.zeros(6))
    with torch.inference_mode():
        whole = conv(x).clone()  # the next result will lie where this one does
        monkeypatch.setattr(winograd, "STRIP", 1)
        assert torch.allclose(conv(x), whole, atol=1e-6)


def test_numbers_of_channels_last_pictures_lie_as_torch_expects() -> None:
    conv = WinogradConv(torch.randn(8, 8, 3, 3), torch.zeros(8))
    x = torch.randn(1, 8, 16, 16).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        assert conv(x).is_contiguous(memory_format=torch.channels_last)
