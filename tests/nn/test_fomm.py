"""The networks of the First Order Motion Model: against golden files, and what must hold of any weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch")

from torch import Tensor  # noqa: E402

from likeness.engines.fomm.checkpoint import load_pair  # noqa: E402
from likeness.engines.fomm.configuration import read_configuration  # noqa: E402
from likeness.engines.fomm.transfer import transfer  # noqa: E402
from likeness.nn import quick as quick_networks  # noqa: E402
from likeness.nn.fomm import Generator, KeypointDetector, Keypoints  # noqa: E402
from likeness.nn.quick import quicken_detector, quicken_generator  # noqa: E402

VARIANTS = (
    "vox", "vox-adv", "taichi", "taichi-adv", "fashion", "mgif", "nemo", "bair", "edge-rect", "edge-plain",
)  # fmt: skip


def tensor_of(image: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None]


def largest(found: Tensor, wanted: NDArray[np.float32]) -> float:
    return float(np.abs(found.numpy() - wanted).max())


@pytest.fixture
def golden(shared: Path) -> Path:
    folder = shared / "golden" / "fomm"
    if not folder.is_dir():
        pytest.skip("the golden files are not here")
    return folder


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("quick", [False, True], ids=["plain", "quick"])
@pytest.mark.parametrize("corners", [False, True], ids=["corners-off", "corners-on"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_published_layouts_give_the_published_pictures(
    golden: Path, variant: str, corners: bool, quick: bool, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.set_num_threads(threads)
    # These models are small, and small convolutions are left as they are; here all are made quick.
    monkeypatch.setattr(quick_networks, "MANY_CHANNELS", 1)
    monkeypatch.setattr(quick_networks, "LARGE_PX", 1)
    config = read_configuration(golden / f"{variant}.yaml")
    pair = load_pair(config, golden / f"{variant}-cpk.pth.tar", align_corners=corners)
    generator, detector = pair
    if quick:
        generator, detector = quicken_generator(generator, 64), quicken_detector(detector, 64)
    with np.load(golden / f"{variant}.npz") as file:
        known = dict(file)
    tag = "_ac1" if corners else ""
    source = tensor_of(known["source"])
    seen, driven = detector(source), [detector(tensor_of(frame)) for frame in known["driving"]]
    assert largest(seen.value[0], known["kp_source_value"]) < 1e-5
    assert largest(torch.cat([points.value for points in driven]), known["kp_driving_value"]) < 1e-5
    if config.estimate_jacobian:
        jacobians = torch.cat([points.jacobian for points in driven if points.jacobian is not None])
        assert largest(jacobians, known["kp_driving_jacobian"]) < 1e-5
    features, small = generator.encode(source), generator.dense_motion_network.shrink(source)
    for mode in ("TT",) if corners else ("FF", "TF", "TT"):
        frames = []
        for index, points in enumerate(driven):
            target = transfer(seen, points, driven[0], relative=mode[0] == "T", adapt_scale=mode[1] == "T")
            motion = generator.dense_motion_network(small, seen, target)
            frames.append(generator.decode(features, motion)[0].permute(1, 2, 0))
            if index == 1:
                assert largest(motion.field[0], known[f"deformation{tag}_{mode}"]) < 2e-5
                if not corners:
                    assert largest(target.value[0], known[f"norm_value_{mode}"]) < 1e-5
                    if motion.occlusion is not None:
                        assert largest(motion.occlusion[0], known[f"occlusion_{mode}"]) < 2e-5
                if mode == "TF" and not corners:
                    assert largest(motion.mask[0], known["mask_TF"]) < 2e-5
                    assert largest(motion.warped[0], known["sparse_deformed_TF"]) < 3e-4
        error = np.abs(torch.stack(frames).numpy() - known[f"pred{tag}_{mode}"])
        assert error.max() < 3e-4
        assert error.mean() < 1e-5


@pytest.mark.parametrize("packed", [True, False], ids=["packed", "plain"])
def test_quick_networks_are_the_same_function(
    pair: tuple[Generator, KeypointDetector], packed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if packed and not quick_networks.can_pack():
        pytest.skip("this build of torch has no oneDNN")
    monkeypatch.setattr(quick_networks, "can_pack", lambda: packed)
    generator, detector = pair
    draw = torch.Generator().manual_seed(5)
    source, driving = torch.rand(1, 3, 128, 96, generator=draw), torch.rand(1, 3, 128, 96, generator=draw)
    seen, now = detector(source), detector(driving)
    quick, quick_detector = quicken_generator(generator, 128), quicken_detector(detector, 128)
    assert (quick_detector(driving).value - now.value).abs().max() < 1e-5
    wanted, got = generator(source, seen, now), quick(source, seen, now)
    assert wanted.std() > 0.01, "a picture without any detail would show no mistake"
    assert (got - wanted).abs().max() < 3e-4
    assert (got - wanted).abs().mean() < 1e-5
    # What they were made from still works as before.
    assert torch.equal(generator(source, seen, now), wanted)


def test_quick_networks_ask_for_little_memory(
    pair: tuple[Generator, KeypointDetector], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What each frame asks for and gives back leaves holes: memory grew by half over a long video."""
    monkeypatch.setattr(quick_networks, "MANY_CHANNELS", 1)
    monkeypatch.setattr(quick_networks, "LARGE_PX", 1)
    generator, detector = pair
    source = torch.rand(1, 3, 128, 128, generator=torch.Generator().manual_seed(6))
    points = detector(source)

    def asked_for(net: Generator) -> int:
        features = net.encode(source)
        motion = net.dense_motion_network(net.dense_motion_network.shrink(source), points, points)
        net.decode(features, motion)
        with torch.profiler.profile(profile_memory=True) as profile:
            net.decode(features, motion)
        return sum(max(event.self_cpu_memory_usage, 0) for event in profile.events() or [])

    assert asked_for(quicken_generator(generator, 128)) < 0.25 * asked_for(generator)


def test_standing_still_is_no_motion(pair: tuple[Generator, KeypointDetector]) -> None:
    generator, detector = pair
    source = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    points = detector(source)
    motion = generator.dense_motion_network(generator.dense_motion_network.shrink(source), points, points)
    side = torch.linspace(-1, 1, 32)
    grid = torch.stack(torch.meshgrid(side, side, indexing="xy"), -1)
    assert (motion.field[0] - grid).abs().max() < 1e-4


def test_relative_motion_begins_at_the_source(pair: tuple[Generator, KeypointDetector]) -> None:
    _, detector = pair
    draw = torch.Generator().manual_seed(4)
    source, first = (detector(torch.rand(1, 3, 64, 64, generator=draw)) for _ in range(2))
    same = transfer(source, first, first, relative=True, adapt_scale=True)
    assert (same.value - source.value).abs().max() < 1e-6
    assert source.jacobian is not None and same.jacobian is not None
    assert (same.jacobian - source.jacobian).abs().max() < 1e-4


def test_scale_is_the_root_of_the_areas() -> None:
    square = torch.tensor([[[0.0, 0.0], [1, 0], [1, 1], [0, 1], [0.4, 0.5]]])
    source, first = Keypoints(2 * square, None), Keypoints(square, None)
    moved = Keypoints(square + 0.1, None)
    target = transfer(source, moved, first, relative=True, adapt_scale=True)
    assert torch.allclose(target.value, 2 * square + 0.2)
    target = transfer(source, moved, first, relative=True, adapt_scale=False)
    assert torch.allclose(target.value, 2 * square + 0.1)
    assert transfer(source, moved, first, relative=False, adapt_scale=True) is moved
