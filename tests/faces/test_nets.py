from __future__ import annotations

import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from likeness.errors import ModelFormat
from likeness.faces import FaceTracker, find_faces
from likeness.faces.nets import Net, read_member
from likeness.faces.topology import canonical_mesh


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x05\x06" + bytes(18)])
def test_a_damaged_bundle_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "face_landmarker.task"
    path.write_bytes(content)
    picture = np.zeros((64, 64, 3), np.uint8)
    uses: tuple[Callable[[], object], ...] = (
        lambda: find_faces(picture, model=path),
        lambda: FaceTracker(model=path),
        lambda: canonical_mesh(path),
    )
    for use in uses:
        with pytest.raises(ModelFormat) as caught:
            use()
        assert "face_landmarker.task" in caught.value.what
        assert "likeness models pull" in caught.value.hint


def test_a_missing_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFormat):
        read_member(tmp_path / "nothing.task", "face_detector.tflite")


def test_a_bundle_with_damaged_networks_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.task"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("face_detector.tflite", "geometry_pipeline_metadata_landmarks.binarypb"):
            archive.writestr(name, b"\x08\xff" * 700)
    for use in (lambda: FaceTracker(model=path), lambda: canonical_mesh(path)):
        with pytest.raises(ModelFormat):
            use()


def test_a_member_too_large_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.task"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("face_detector.tflite", bytes(1 << 20))
    monkeypatch.setattr("likeness.faces.nets.MAX_NETWORK_BYTES", 1 << 19)
    with pytest.raises(ModelFormat, match="too large"):
        read_member(path, "face_detector.tflite")


def test_loading_prints_nothing(bundle: Path, capfd: pytest.CaptureFixture[str]) -> None:
    FaceTracker(model=bundle)
    assert capfd.readouterr() == ("", "")


def test_other_threads_run_while_a_network_computes(bundle: Path) -> None:
    """LiteRT lets go of Python's lock: another thread gets on while one long `run` lasts."""
    net = Net(read_member(bundle, "face_landmarks_detector.tflite"), threads=1)
    picture = np.zeros((1, 256, 256, 3), np.float32)
    started, progress, is_done = threading.Event(), [0], threading.Event()

    def count() -> None:
        started.set()
        while not is_done.is_set():
            progress[0] += 1

    counter = threading.Thread(target=count)
    counter.start()
    started.wait()
    gained = []
    for _ in range(10):
        before = progress[0]
        net.run(picture)
        gained.append(progress[0] - before)
    is_done.set()
    counter.join()
    assert np.median(gained) > 100
