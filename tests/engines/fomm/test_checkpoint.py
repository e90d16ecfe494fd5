"""Checkpoints and configurations of unknown origin: what is read, and what is refused with which words."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
yaml = pytest.importorskip("yaml")

from likeness.engines.fomm.checkpoint import Pair, load_pair, read_checkpoint  # noqa: E402
from likeness.engines.fomm.configuration import (  # noqa: E402
    parse_configuration,
    parse_frame_shape,
    read_configuration,
    write_configuration,
)
from likeness.errors import MediaNotFound, ModelFormat  # noqa: E402

from ...fomm_models import VALUES, changed, content  # noqa: E402


def load(path: Path, values: dict[str, Any] = VALUES) -> Pair:
    return load_pair(parse_configuration(values, "a.yaml"), path)


@pytest.mark.parametrize("legacy", [False, True])
def test_both_ways_of_saving_are_read(tmp_path: Path, legacy: bool) -> None:
    path, saved = tmp_path / "a-cpk.pth.tar", content()
    torch.save(saved, path, _use_new_zipfile_serialization=not legacy)
    pair = load(path)
    state = pair.generator.state_dict()
    assert all(torch.equal(state[key], value) for key, value in saved["generator"].items())
    assert not pair.generator.training
    assert pair.generator.align_corners, "what the published weights were trained with"


def test_names_of_parallel_training_and_half_floats_are_understood(tmp_path: Path) -> None:
    path, saved = tmp_path / "a.pth", content()
    saved["generator"] = {f"module.{key}": value for key, value in saved["generator"].items()}
    saved["kp_detector"] = {
        key: value.half() if value.is_floating_point() else value
        for key, value in saved["kp_detector"].items()
        if not key.endswith("num_batches_tracked")
    }
    torch.save(saved, path)
    assert all(p.dtype == torch.float32 for p in load(path).kp_detector.parameters())


class Dangerous:
    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return (print, ("this must never be printed",))


def a_program(path: Path) -> None:
    torch.save({**content(), "extra": Dangerous()}, path)


def a_legacy_program(path: Path) -> None:
    torch.save({**content(), "extra": Dangerous()}, path, _use_new_zipfile_serialization=False)


def a_tar(path: Path) -> None:
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("generator")
        info.size = 4
        archive.addfile(info, io.BytesIO(b"1234"))


def a_half(path: Path) -> None:
    torch.save(content(), path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def a_legacy_half(path: Path) -> None:
    torch.save(content(), path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def without_generator(path: Path) -> None:
    torch.save({"kp_detector": content()["kp_detector"]}, path)


def of_numbers(path: Path) -> None:
    torch.save({**content(), "generator": {"first.conv.weight": 3.0}}, path)


REFUSED: list[tuple[str, Callable[[Path], object]]] = [
    ("is empty", lambda path: path.write_bytes(b"")),
    ("web page", lambda path: path.write_bytes(b"\n<!DOCTYPE html><html>Google Drive - Quota exceeded")),
    ("Git LFS", lambda path: path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0")),
    ("tar archive", a_tar),
    ("cut off", a_half),
    ("cut off", a_legacy_half),
    ("run code", a_program),
    ("run code", a_legacy_program),
    ("no part “generator”", without_generator),
    ("else than tensors", of_numbers),
    ("not a checkpoint", lambda path: path.write_bytes(b"hello, this is text\n" * 50)),
    ("no part “generator”", lambda path: torch.save([1, 2], path)),
]


@pytest.mark.parametrize(("says", "make"), REFUSED, ids=[make.__name__ for _, make in REFUSED])
def test_what_is_no_checkpoint_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], says: str, make: Callable[[Path], object]
) -> None:
    path = tmp_path / "vox-cpk.pth.tar"
    make(path)
    with pytest.raises(ModelFormat, match=says) as found:
        read_checkpoint(path)
    assert found.value.hint
    assert "never" not in capsys.readouterr().out


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(MediaNotFound):
        read_checkpoint(tmp_path / "none.pth.tar")
    with pytest.raises(MediaNotFound):
        read_configuration(tmp_path / "none.yaml")


def test_missing_tensors_are_named(tmp_path: Path) -> None:
    saved = content()
    del saved["generator"]["final.weight"]
    torch.save(saved, tmp_path / "a.pth")
    with pytest.raises(ModelFormat, match=r"lacks final\.weight"):
        load(tmp_path / "a.pth")


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("model_params.common_params.num_kp", 5, "the configuration makes it"),
        ("model_params.kp_detector_params.num_blocks", 3, "lacks predictor"),
        ("model_params.generator_params.estimate_occlusion_map", False, "occlusion"),
        ("model_params.kp_detector_params.scale_factor", 1, "has down.weight"),
    ],
)
def test_another_checkpoints_configuration_is_noticed(
    tmp_path: Path, path: str, value: object, says: str
) -> None:
    torch.save(content(), tmp_path / "a.pth")
    with pytest.raises(ModelFormat, match=says) as found:
        load(tmp_path / "a.pth", changed(path, value))
    assert "configuration" in found.value.hint


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("model_params", None, "not a section"),
        ("model_params.generator_params", [1], "not a section"),
        ("model_params.common_params.num_kp", None, "“num_kp” in .* is missing"),
        ("model_params.common_params.num_kp", 10**9, "a whole number"),
        ("model_params.common_params.num_kp", True, "a whole number"),
        ("model_params.common_params.estimate_jacobian", "yes", "true or false"),
        ("model_params.kp_detector_params.scale_factor", 0.3, "0.25"),
        ("model_params.kp_detector_params.temperature", float("nan"), "a number above 0"),
    ],
)
def test_a_wrong_configuration_says_what_is_wrong(path: str, value: object, says: str) -> None:
    with pytest.raises(ModelFormat, match=says):
        parse_configuration(changed(path, value), "a.yaml")


@pytest.mark.parametrize(
    ("data", "shape"),
    [
        (None, (256, 256)),
        ({"frame_shape": [64, 96, 3]}, (64, 96)),
        ({"frame_shape": [128, 128]}, (128, 128)),
        ({"root_dir": "clips"}, (256, 256)),
        ({"frame_shape": [128, 128, 4]}, None),
        ({"frame_shape": [128]}, None),
        ({"frame_shape": [128.0, 128.0, 3]}, None),
        ({"frame_shape": [True, 128, 3]}, None),
        ({"frame_shape": [8, 128, 3]}, None),
        ({"frame_shape": 10**9}, None),
        ([1], None),
    ],
)
def test_the_size_of_the_pictures_is_read(data: object, shape: tuple[int, int] | None) -> None:
    values = {**VALUES, "dataset_params": data}
    if shape is None:
        with pytest.raises(ModelFormat):
            parse_frame_shape(values, "a.yaml")
    else:
        assert parse_frame_shape(values, "a.yaml") == shape


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("model_params.common_params.num_kp", 5),
        ("model_params.common_params.estimate_jacobian", False),
        ("model_params.kp_detector_params.pad", 3),
        ("model_params.kp_detector_params.single_jacobian_map", True),
        ("model_params.kp_detector_params.num_blocks", 3),
        ("model_params.generator_params.num_bottleneck_blocks", 0),
        ("model_params.generator_params.dense_motion_params.kp_variance", 0.03),
        ("model_params.generator_params.dense_motion_params.scale_factor", 1),
    ],
)
def test_a_configuration_is_read_back_as_it_was_written(path: str, value: object) -> None:
    config = parse_configuration(changed(path, value), "a.yaml")
    assert config != parse_configuration(VALUES, "a.yaml")
    assert parse_configuration(json.loads(json.dumps(write_configuration(config))), "b.yaml") == config


@pytest.mark.parametrize(
    "text", ["{", "!!python/object/apply:os.system [echo]", "[1, 2]", "\0", "[" * 5000, "a: *b"]
)
def test_a_file_that_is_no_configuration_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "vox-256.yaml"
    path.write_text(text)
    with pytest.raises(ModelFormat):
        read_configuration(path)


def test_a_huge_configuration_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "vox-256.yaml"
    path.write_bytes(b"a: 1\n" * 100_000)
    with pytest.raises(ModelFormat, match="too large"):
        read_configuration(path)
