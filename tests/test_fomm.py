"""`likeness.fomm`: the names that notebooks of the First Order Motion Model use."""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
torch = pytest.importorskip("torch")

from likeness import verify  # noqa: E402
from likeness.errors import UsageError  # noqa: E402
from likeness.fomm import display, load_checkpoints, make_animation  # noqa: E402
from likeness.nn.fomm import Generator, KeypointDetector  # noqa: E402

from .fomm_models import write_files  # noqa: E402

Pair = tuple[Generator, KeypointDetector]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    checkpoint, configuration = write_files(tmp_path_factory.mktemp("weights"))
    return load_checkpoints(config_path=configuration, checkpoint_path=str(checkpoint))


@pytest.fixture
def video() -> list[np.ndarray]:
    draw = np.random.default_rng(0)
    ramp = np.linspace(0, 1, 64, dtype=np.float32)
    base = np.stack([np.tile(ramp, (64, 1)), np.tile(ramp[:, None], (1, 64)), np.full((64, 64), 0.5)], -1)
    return [np.clip(np.roll(base, 3 * n, 1) + 0.05 * draw.random((64, 64, 3)), 0, 1) for n in range(4)]


@pytest.mark.parametrize("relative", [True, False])
@pytest.mark.parametrize("adapt", [True, False])
def test_golden_animations_come_out_of_the_public_names(shared: Path, relative: bool, adapt: bool) -> None:
    golden = shared / "golden" / "fomm"
    if not golden.is_dir():
        pytest.skip("the golden files are not here")
    if adapt and not relative:
        pytest.skip("the scale plays no part in absolute motion")
    loaded = load_checkpoints(golden / "vox.yaml", golden / "vox-cpk.pth.tar", align_corners=False)
    with np.load(golden / "vox.npz") as file:
        known = dict(file)
    made = make_animation(
        known["source"], known["driving"], *loaded, relative=relative, adapt_movement_scale=adapt
    )
    wanted = known[f"pred_{'FT'[relative]}{'FT'[adapt]}"]
    error = np.abs(np.stack(made) - wanted)
    assert error.max() < 3e-4
    assert error.mean() < 1e-5


def test_what_only_training_needs_of_a_configuration_is_not_looked_at(tmp_path: Path) -> None:
    checkpoint, configuration = write_files(tmp_path)
    configuration.write_text(
        configuration.read_text() + "dataset_params: {frame_shape: odd}\ntrain_params: 3\n"
    )
    generator, _ = load_checkpoints(configuration, checkpoint)
    assert isinstance(generator, Generator)


def test_pictures_may_be_bytes(pair: Pair, video: list[np.ndarray]) -> None:
    as_bytes = [np.rint(frame * 255).astype(np.uint8) for frame in video]
    as_floats = [frame.astype(np.float32) / 255 for frame in as_bytes]
    first = make_animation(as_bytes[0], as_bytes, *pair)
    second = make_animation(as_floats[0], iter(as_floats), *pair)
    assert first[0].dtype == np.float32
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (np.zeros((64, 64)), "no picture"),
        (np.zeros((64, 64, 4)), "no picture"),
        (np.zeros((0, 64, 3)), "no picture"),
        (np.zeros((64, 64, 3), np.int64), "no picture"),
        (np.full((64, 64, 3), 200.0), "Divide"),
        (np.full((64, 64, 3), np.nan), "nan"),
        (np.zeros((60, 64, 3)), "multiples of 16"),
        (np.zeros((128, 64, 3)), "same size"),
    ],
)
def test_what_does_not_fit_is_refused(
    pair: Pair, video: list[np.ndarray], source: np.ndarray, says: str
) -> None:
    with pytest.raises(UsageError) as found:
        make_animation(source, video, *pair)
    assert says in found.value.what + found.value.hint


def test_what_is_displayed_is_sealed(pair: Pair, video: list[np.ndarray], tmp_path: Path, home: Path) -> None:
    wide = [np.tile(frame, (2, 2, 1)) for frame in video]
    shown = display(wide[0], wide, make_animation(wide[0], wide, *pair))
    found = re.search(r'src="data:video/mp4;base64,([^"]+)"', shown.to_html5_video())
    assert found
    path = tmp_path / "shown.mp4"
    path.write_bytes(base64.b64decode(found[1]))
    verification = verify(path)
    assert verification.state == "valid"
    assert verification.label
    assert shown.save(tmp_path / "saved.mp4").is_file()


def test_what_cannot_be_displayed_is_refused(video: list[np.ndarray]) -> None:
    with pytest.raises(UsageError):
        display(video[0], video, video[:2])
    with pytest.raises(UsageError):
        display(video[0], [])
    with pytest.raises(UsageError):
        display(video[0][:32], video)
    for fps in (0, -1, float("nan"), float("inf")):
        with pytest.raises(UsageError, match="a second"):
            display(video[0], video, fps=fps)
    with pytest.raises(UsageError, match="no picture"):
        display((video[0] * 255).astype(np.int64), video)
    with pytest.raises(UsageError, match="nan"):
        display(np.full_like(video[0], np.nan), video)
