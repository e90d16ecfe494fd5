"""`animate` with the engine `fomm`, and models under a name."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import av
import numpy as np
import pytest
import yaml
from PIL import Image

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
torch = pytest.importorskip("torch")

from likeness import animate, verify  # noqa: E402
from likeness.cli.main import run  # noqa: E402
from likeness.engines.fomm.library import (  # noqa: E402
    import_model,
    list_models,
    open_files,
    open_model,
    path_of,
)
from likeness.errors import DiskFull, ModelFormat, OutputExists, UnknownModel, UsageError  # noqa: E402

from ..fomm_models import write_files  # noqa: E402

FRAMES = 20


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_files(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def model(files: tuple[Path, Path], home: Path) -> str:
    import_model(*files, "tiny", licence="CC0-1.0", overwrite=True)
    return "fomm:tiny"


def frames_of(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_a_portrait_of_any_size_is_animated_and_sealed(
    portrait: Path, talk: Path, model: str, files: tuple[Path, Path], tmp_path: Path
) -> None:
    done = animate(portrait, talk, out=tmp_path / "out.mp4", engine=model)
    source = np.asarray(Image.open(portrait).convert("RGB"))
    made = frames_of(done.path)
    assert len(made) == FRAMES
    assert abs(made[0].shape[0] - source.shape[0]) <= 1
    assert np.abs(made[12].astype(int) - made[0]).max() > 10, "something moves"
    assert done.making.models[0].name == "fomm:tiny"
    assert done.making.models[0].sha256 == hashlib.sha256(files[0].read_bytes()).hexdigest()
    found = verify(done.path)
    assert found.state == "valid"
    assert found.engine == "likeness fomm 1"
    assert found.watermark.found


def test_the_files_themselves_make_the_same(
    portrait: Path, talk: Path, model: str, files: tuple[Path, Path], tmp_path: Path
) -> None:
    checkpoint, configuration = files
    named = animate(portrait, talk, out=tmp_path / "a", engine=model, end_s=0.2)
    direct = animate(
        portrait, talk, out=tmp_path / "b", engine="fomm", end_s=0.2,
        checkpoint=checkpoint, checkpoint_config=configuration,
    )  # fmt: skip
    for first, second in zip(
        sorted(named.path.glob("*.png")), sorted(direct.path.glob("*.png")), strict=True
    ):
        difference = np.asarray(Image.open(first), int) - np.asarray(Image.open(second), int)
        assert np.abs(difference).mean() < 4, "no more than the watermarks' different payloads"


@pytest.mark.parametrize(
    ("engine", "options", "says"),
    [
        ("fomm", {}, "needs a checkpoint"),
        ("fomm", {"checkpoint": Path("a.pth")}, "needs a checkpoint"),
        ("fomm:tiny", {"checkpoint": Path("a.pth")}, "Both"),
        ("fomm:tiny", {"region": "lips"}, "no region"),
        ("fomm:tiny", {"strength": 0.5}, "no strength"),
        ("fomm:tiny", {"device": "cuda"}, "processor only"),
        ("mesh", {"checkpoint": Path("a.pth")}, "takes no model"),
        ("mesh:tiny", {}, "takes no model"),
        ("fomm:../tiny", {}, "cannot be a model's name"),
    ],
)
def test_contradictions_are_refused_before_any_work(
    portrait: Path, talk: Path, model: str, tmp_path: Path, engine: str, options: dict[str, object], says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        animate(portrait, talk, out=tmp_path / "out.mp4", engine=engine, **options)
    assert list(tmp_path.iterdir()) == []


def test_a_recorded_motion_has_no_pictures(portrait: Path, motion: Path, model: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="pictures"):
        animate(portrait, motion, out=tmp_path / "out.mp4", engine=model)


def test_an_unknown_model_is_named_with_those_there_are(
    portrait: Path, talk: Path, model: str, tmp_path: Path
) -> None:
    with pytest.raises(UnknownModel, match="tiny") as found:
        animate(portrait, talk, out=tmp_path / "out.mp4", engine="fomm:vox")
    assert "models import" in found.value.hint


def test_an_imported_model_is_the_same_model(files: tuple[Path, Path], model: str) -> None:
    wanted, got = open_files(*files), open_model("tiny")
    assert got.licence == "CC0-1.0"
    assert got.sha256 == wanted.sha256
    assert got.pair.generator.config == wanted.pair.generator.config
    for mine, theirs in zip(got.pair, wanted.pair, strict=True):
        state = theirs.state_dict()
        assert all(torch.equal(state[key], value) for key, value in mine.state_dict().items())


def test_the_corner_rule_is_kept(files: tuple[Path, Path], home: Path) -> None:
    import_model(*files, "new-rule", align_corners=False)
    assert not open_model("new-rule").pair.generator.dense_motion_network.align_corners
    path_of("new-rule").unlink()


@pytest.mark.parametrize(
    "odd", ["2020-01-01", ".nan", "!!set {a, b}", "!!binary aGVsbG8=", "&a [*a]", '"\\ud800"']
)
def test_what_the_networks_do_not_need_of_a_configuration_is_not_kept(
    files: tuple[Path, Path], home: Path, tmp_path: Path, odd: str
) -> None:
    """JSON could hold none of these."""
    checkpoint, configuration = files
    text = configuration.read_text().replace("num_kp: 3", f"num_kp: 3\n    odd: {odd}")
    (tmp_path / "odd.yaml").write_text(text)
    path = import_model(checkpoint, tmp_path / "odd.yaml", "odd")
    assert open_model("odd").pair.generator.config == open_files(*files).pair.generator.config
    path.unlink()


def test_import_says_what_it_made_and_replaces_nothing_unasked(
    files: tuple[Path, Path], model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint, configuration = map(str, files)
    assert run(["models", "import", checkpoint, "--config", configuration, "--name", "second"]) == 0
    assert "--engine fomm:second" in capsys.readouterr().out
    assert {"second", "tiny"} <= set(list_models())
    with pytest.raises(OutputExists):
        import_model(*files, "second")
    path_of("second").unlink()


def test_own_models_are_listed_with_their_licences(
    files: tuple[Path, Path], model: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    odd = import_model(*files, "odd", licence="[red]\x1b[2JCC0[/]", overwrite=True)
    path_of("broken").write_bytes(b"nothing")
    assert run(["models", "list"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if ":" in line}
    assert "CC0-1.0" in lines["fomm:tiny"]
    assert "yours, from tiny-cpk.pth.tar" in lines["fomm:tiny"]
    assert "[red][2JCC0[/]" in lines["fomm:odd"], "shown as it is, but for what would move the cursor"
    assert "damaged" in lines["fomm:broken"]
    assert run(["models", "info", model]) == 0
    told = capsys.readouterr().out
    assert hashlib.sha256(files[0].read_bytes()).hexdigest() in told
    assert str(path_of("tiny")) in told
    assert run(["models", "info", "fomm:none"]) == UnknownModel.exit_code
    assert "fomm:tiny" in capsys.readouterr().err
    odd.unlink()
    path_of("broken").unlink()


def test_a_full_disk_is_called_one(files: tuple[Path, Path], home: Path) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with pytest.raises(DiskFull):
            import_model(*files, "too-large")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "too-large" not in list_models()


def test_a_damaged_model_is_refused(files: tuple[Path, Path], home: Path) -> None:
    path = import_model(*files, "damaged")
    whole = path.read_bytes()
    for part in (whole[:100], whole[: len(whole) // 2], b"", b"{}" + whole):
        path.write_bytes(part)
        with pytest.raises(ModelFormat):
            open_model("damaged")
    path.unlink()


@pytest.mark.parametrize(("height", "width"), [(90, 160), (300, 200), (256, 256)])
def test_models_of_whole_pictures_look_for_no_face(
    talk: Path, files: tuple[Path, Path], tmp_path: Path, height: int, width: int
) -> None:
    ramp = np.linspace(0, 255, width).astype(np.uint8)
    nobody = np.repeat(np.stack([ramp, ramp[::-1], np.full(width, 90)], -1)[None], height, 0).astype(np.uint8)
    Image.fromarray(nobody).save(tmp_path / "nobody.png")
    import_model(*files, "body", whole_frame=True, overwrite=True)
    done = animate(tmp_path / "nobody.png", talk, out=tmp_path / "out.mp4", engine="fomm:body", best_frame=3)
    made = frames_of(done.path)
    assert (len(made), made[0].shape) == (FRAMES, (height, width, 3))
    assert done.best_frame == 3
    assert ("enlarged" in " ".join(done.warnings)) == (max(height, width) > 300)
    assert verify(done.path).state == "valid"
    with av.open(str(done.path)) as container:
        assert container.streams.audio, "the driver's sound is kept"


@pytest.mark.parametrize("whole", [False, True])
def test_a_model_works_at_the_size_it_was_trained_with(
    portrait: Path, talk: Path, files: tuple[Path, Path], tmp_path: Path, whole: bool
) -> None:
    checkpoint, configuration = files
    values = yaml.safe_load(configuration.read_text())
    values["dataset_params"] = {"frame_shape": [128, 128, 3]}
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(values))
    import_model(checkpoint, tmp_path / "small.yaml", "small", overwrite=True)
    assert (open_model("small").side_px, open_files(*files).side_px) == (128, 256)
    done = animate(
        portrait, talk, out=tmp_path / "out.mp4", engine="fomm:small", end_s=0.2, whole_frame=whole
    )
    assert "128×128 px" in " ".join(done.warnings)
    path_of("small").unlink()


def test_whole_pictures_have_no_face_to_choose(
    portrait: Path, talk: Path, files: tuple[Path, Path], tmp_path: Path
) -> None:
    checkpoint, configuration = files
    with pytest.raises(UsageError, match="whole pictures"):
        animate(
            portrait, talk, out=tmp_path / "out.mp4", engine="fomm", checkpoint=checkpoint,
            checkpoint_config=configuration, whole_frame=True, crop=True,
        )  # fmt: skip


def test_a_picture_comes_out_of_its_letterbox_as_it_went_in() -> None:
    from likeness.engines.fomm.whole import Letterbox

    ramp = np.linspace(0, 255, 200)
    image = np.stack(np.broadcast_arrays(ramp[None], ramp[:100, None], 128), -1).astype(np.uint8)
    place = Letterbox.of(image, 256)
    square = place.put_in(image)
    assert square.shape == (256, 256, 3)
    back = place.take_out(square.astype(np.float32) / 255, 200, 100)
    assert np.abs(back.astype(int) - image).max() <= 3
