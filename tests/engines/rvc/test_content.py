"""Content models that people bring: what is understood, and what is refused with which words."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from safetensors.numpy import save_file  # noqa: E402

from likeness.engines.rvc.content import ContentModel  # noqa: E402
from likeness.errors import MediaNotFound, ModelFormat  # noqa: E402
from likeness.types import Floats  # noqa: E402

from ...content_models import reference, write_content  # noqa: E402


def sound(count: int = 16000) -> Floats:
    return (0.1 * np.random.default_rng(1).standard_normal(count)).astype(np.float32)


@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"axes": 2, "sound": "input_values", "outputs": ("last_hidden_state",)},
        {"axes": 1},
        {"last": False},
        {"axes": 2, "mask": "attention_mask"},
        {"outputs": ("units9", "unit12")},
    ],
)
@pytest.mark.parametrize("channels", [256, 768])
def test_all_usual_shapes_are_understood(tmp_path: Path, shape: dict[str, Any], channels: int) -> None:
    model = ContentModel(write_content(tmp_path / "a.onnx", channels, **shape), channels)
    heard = model.listen(sound())
    assert heard.shape == (49, channels)
    assert heard.dtype == np.float32
    np.testing.assert_allclose(heard, reference(sound(), channels), atol=1e-5)
    assert model.ref.name == "a.onnx"
    assert len(model.ref.sha256) == 64


def test_half_precision_is_understood(tmp_path: Path) -> None:
    model = ContentModel(write_content(tmp_path / "a.onnx", kind="FLOAT16"), 768)
    np.testing.assert_allclose(model.listen(sound()), reference(sound()), atol=0.02)


def test_a_mask_of_padding_masks_nothing(tmp_path: Path) -> None:
    """Of padding, nothing is marked; the tiny network multiplies by it, so nothing comes out."""
    model = ContentModel(write_content(tmp_path / "a.onnx", axes=2, mask="padding_mask"), 768)
    assert not model.listen(sound()).any()


def test_of_several_outputs_one_can_be_chosen(tmp_path: Path) -> None:
    path = write_content(tmp_path / "a.onnx", outputs=("hidden_1", "hidden_2"))
    with pytest.raises(ModelFormat, match="768 numbers a frame 2 times: as hidden_1, hidden_2") as refused:
        ContentModel(path, 768)
    assert "--content-output" in refused.value.hint
    assert ContentModel(path, 768, output="hidden_2").output == "hidden_2"
    with pytest.raises(ModelFormat, match="no output “hidden_3”"):
        ContentModel(path, 768, output="hidden_3")


def test_another_size_is_refused(tmp_path: Path) -> None:
    path = write_content(tmp_path / "vec.onnx", 256)
    with pytest.raises(
        ModelFormat, match=r"vec\.onnx gives 256 numbers a frame, and 768 are wanted"
    ) as refused:
        ContentModel(path, 768)
    assert "layer 9" in refused.value.hint


@pytest.mark.parametrize(
    ("shape", "why"),
    [
        ({"hop": 640}, "does not give 50 frames for a second"),
        ({"samples": 32000}, "cannot be run on 1 s of sound"),
        ({"axes": 2, "mask": "speaker"}, "asks for 'source' .*'speaker'"),
    ],
)
def test_networks_for_something_else_are_refused(tmp_path: Path, shape: dict[str, Any], why: str) -> None:
    with pytest.raises(ModelFormat, match=why):
        ContentModel(write_content(tmp_path / "a.onnx", **shape), 768)


def test_what_is_no_number_is_refused(tmp_path: Path) -> None:
    model = ContentModel(write_content(tmp_path / "a.onnx"), 768)
    with pytest.raises(ModelFormat, match="what is no number"):
        model.listen(np.full(16000, np.nan, np.float32))


def test_other_files_are_refused(tmp_path: Path) -> None:
    whole = write_content(tmp_path / "whole.onnx").read_bytes()
    pickled, tensors = tmp_path / "hubert_base.pt", tmp_path / "a.safetensors"
    torch.save({"model": torch.zeros(2)}, pickled)
    save_file({"a": np.zeros(2, np.float32)}, tensors)
    legacy = tmp_path / "legacy.pt"
    torch.save({"model": torch.zeros(2)}, legacy, _use_new_zipfile_serialization=False)
    for data, why in (
        (b"", "is empty"),
        (b"<!DOCTYPE html><html>", "is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "pointer of Git LFS"),
        (pickled.read_bytes(), "is a pickle .* it was not opened"),
        (legacy.read_bytes(), "is a pickle .* it was not opened"),
        (tensors.read_bytes(), "is a file of safetensors, and no content model"),
        (b"PK\x03\x04" + bytes(200), "is a zip archive, and no content model"),
        (bytes(4) + b"TFL3" + bytes(200), "TensorFlow Lite"),
        (whole[: len(whole) // 2], "no ONNX network, or a damaged one"),
        (b"abcdefgh" * 50, "no ONNX network, or a damaged one"),
    ):
        path = tmp_path / "hubert.onnx"
        path.write_bytes(data)
        with pytest.raises(ModelFormat, match=why):
            ContentModel(path, 768)
    with pytest.raises(MediaNotFound):
        ContentModel(tmp_path / "none.onnx", 768)


def test_nothing_is_read_from_beyond_its_folder(tmp_path: Path) -> None:
    """ONNX can keep numbers in other files; onnxruntime takes none from another folder."""
    import onnx

    (tmp_path / "a").mkdir()
    model = onnx.load(str(write_content(tmp_path / "plain.onnx")))
    (tmp_path / "secret").write_bytes(bytes(768 * 400 * 4))
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../secret")
    path = tmp_path / "a" / "a.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelFormat, match="no ONNX network, or a damaged one"):
        ContentModel(path, 768)
