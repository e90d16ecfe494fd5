"""The model of a swap by warping: whole or refused, and useless without consent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors import safe_open  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

from likeness import consent  # noqa: E402
from likeness.consent import ConsentKey, check  # noqa: E402
from likeness.engines.swap.model import FILE_NAME, SwapModel, open_model  # noqa: E402
from likeness.engines.swap.model_file import Header  # noqa: E402
from likeness.engines.swap.nearest import look_at  # noqa: E402
from likeness.engines.swap.warp_model import WarpModel, save_warp_model  # noqa: E402
from likeness.errors import ConsentMissing, ModelFormat  # noqa: E402
from likeness.faces.aligned import Alignment  # noqa: E402
from likeness.faces.topology import canonical_mesh  # noqa: E402
from likeness.nn.swap_warp import WarpConfig, WarpNet  # noqa: E402
from likeness.training.swap.permit import compare  # noqa: E402

from ...puppet import Puppet  # noqa: E402
from ...swap_people import make_faces, make_record  # noqa: E402

TINY = WarpConfig(32, (4, 8))
PUPPETS = [Puppet(turn_deg=(0.0, yaw, 0.0)) for yaw in (-8.0, 0.0, 8.0)]
LOOKS = tuple(look_at(puppet.draw(), puppet.face) for puppet in PUPPETS)


def make_net() -> WarpNet:
    net = WarpNet(TINY).requires_grad_(False)
    torch.nn.init.normal_(net.out.weight, std=0.3)
    return net


NET = make_net()


@pytest.fixture(scope="module")
def header(tmp_path_factory: pytest.TempPathFactory) -> Header:
    key: ConsentKey = consent.create_key(tmp_path_factory.mktemp("keys") / "key.pem")
    given = check(make_record(2, key), act="swap")
    permission = given.compare(compare(make_faces(2, 6), given), must_match=True)
    return Header("warp128", TINY, {"B": permission}, {"A": "", "B": "bb" * 32}, {"steps": 3})


def test_it_comes_back(tmp_path: Path, header: Header) -> None:
    save_warp_model(tmp_path / FILE_NAME, header, LOOKS, NET)
    model = open_model(tmp_path)
    assert isinstance(model, WarpModel)
    assert (model.name, model.size_px, model.sides, model.card) == ("warp128", 32, ("B",), {"steps": 3})
    with pytest.raises(ConsentMissing, match="holds nothing of person A"):
        model.permission("A")
    for look, known in zip(model.looks, LOOKS, strict=True):
        np.testing.assert_array_equal(look.texture, known.texture)
        np.testing.assert_array_equal(look.points, known.points)
        np.testing.assert_array_equal(look.traits, known.traits)
    puppet = PUPPETS[0]
    square, image = Alignment.of(puppet.face.points, canonical_mesh()), puppet.draw()
    made = model.renderer(25.0).render(image, puppet.face, square)
    assert made.inside is None  # its own mouth
    assert made.face.shape[:2] == made.mask.shape == made.shown.shape
    # What the network adds, it adds: without it the look lies where it came from.
    plain = (
        WarpModel(header, model.looks, WarpNet(TINY), "").renderer(25.0).render(image, puppet.face, square)
    )
    inside = plain.mask > 0.9
    scene = square.cut(image, len(plain.face))
    assert np.abs(plain.face[inside].astype(int) - scene[inside]).mean() < 3
    assert np.abs(made.face[inside].astype(int) - plain.face[inside]).mean() > 3


def test_it_is_no_model_with_decoders(tmp_path: Path, header: Header) -> None:
    save_warp_model(tmp_path / FILE_NAME, header, LOOKS, NET)
    with pytest.raises(ModelFormat, match="warp128"):
        SwapModel.load(tmp_path)


def test_without_a_record_it_does_not_load(tmp_path: Path, header: Header) -> None:
    save_warp_model(tmp_path / FILE_NAME, replace(header, permissions={}), LOOKS, NET)
    with pytest.raises(ConsentMissing):
        open_model(tmp_path)


def _nan(tensors: dict[str, Any]) -> None:
    tensors["looks.0.points"][3, 1] = float("nan")


def _far(tensors: dict[str, Any]) -> None:
    tensors["looks.0.points"][:] = 1e9


def _wide(tensors: dict[str, Any]) -> None:
    tensors["looks.0.texture"] = torch.zeros(20, 40, 4, dtype=torch.uint8)


def _huge(tensors: dict[str, Any]) -> None:
    tensors["looks.0.texture"] = torch.zeros(600, 600, 4, dtype=torch.uint8)


def _float(tensors: dict[str, Any]) -> None:
    tensors["looks.0.texture"] = tensors["looks.0.texture"].float()


def _short(tensors: dict[str, Any]) -> None:
    tensors["looks.0.traits"] = torch.zeros(3)


def _none(tensors: dict[str, Any]) -> None:
    for name in [name for name in tensors if name.startswith("looks.")]:
        del tensors[name]


def _half(tensors: dict[str, Any]) -> None:
    del tensors["looks.1.points"]


def _other_net(tensors: dict[str, Any]) -> None:
    tensors["net.out.weight"] = torch.zeros(3, 5, 3, 3)


@pytest.mark.parametrize("spoil", [_nan, _far, _wide, _huge, _float, _short, _none, _half, _other_net])
def test_what_does_not_fit_is_refused(
    spoil: Callable[[dict[str, Any]], None], tmp_path: Path, header: Header
) -> None:
    path = tmp_path / FILE_NAME
    save_warp_model(path, header, LOOKS, NET)
    tensors = load_file(path)
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    spoil(tensors)
    save_file(tensors, path, metadata)
    with pytest.raises(ModelFormat, match="do not fit"):
        open_model(path)
