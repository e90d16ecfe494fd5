from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from safetensors import safe_open

from likeness.errors import ModelFormat, ModelMissing, NotWritable, UnknownModel
from likeness.models import cache, converted, info
from likeness.models import converting as module

from .conftest import CONTENTS

Arrays = Mapping[str, NDArray[np.generic]]
Reader = Callable[[bytes], Arrays]


@pytest.fixture
def read() -> Reader:
    """A converter that counts how often it runs, in `calls`."""

    def reader(data: bytes) -> Arrays:
        reader.calls.append(data)  # type: ignore[attr-defined]
        return {"bytes": np.frombuffer(data, np.uint8), "size": np.array([len(data)], np.float32)}

    reader.calls = []  # type: ignore[attr-defined]
    return reader


def place(own_home: Path, revision: int = 1) -> Path:
    return own_home / "cache" / "models" / info("one").sha256[:12] / f"one.{revision}.safetensors"


def test_it_is_converted_once(in_wheel: Path, own_home: Path, read: Reader) -> None:
    first = converted("one", read, revision=1)
    cache.path_of(info("one")).unlink()
    in_wheel.unlink()
    second = converted("one", read, revision=1, offline=True)
    assert read.calls == [CONTENTS["one"]]  # type: ignore[attr-defined]
    for arrays in (first, second):
        assert arrays["bytes"].tobytes() == CONTENTS["one"]
        assert arrays["size"].dtype == np.float32
        assert set(arrays) == {"bytes", "size"}


def test_another_revision_is_another_file(in_wheel: Path, own_home: Path, read: Reader) -> None:
    for revision in (1, 2, 2):
        converted("one", read, revision=revision)
    assert len(read.calls) == 2  # type: ignore[attr-defined]
    assert place(own_home, 1).is_file()
    assert place(own_home, 2).is_file()


def test_the_file_says_what_it_was_made_from(in_wheel: Path, own_home: Path, read: Reader) -> None:
    converted("one", read, revision=7)
    with safe_open(place(own_home, 7), framework="numpy") as file:
        about = file.metadata()
    assert about["source_sha256"] == info("one").sha256
    assert about["licence"] == "CC0-1.0"
    assert about["revision"] == "7"
    assert "nobody" in about["origin"]


@pytest.mark.parametrize("where", [0, 9, -5000, -1, "short", "empty"])
def test_a_damaged_file_is_made_anew(in_wheel: Path, own_home: Path, read: Reader, where: int | str) -> None:
    converted("one", read, revision=1)
    path = place(own_home)
    data = bytearray(path.read_bytes())
    if isinstance(where, int):
        data[where] ^= 1
    else:
        del data[{"short": -5, "empty": 0}[where] :]
    path.write_bytes(data)
    assert converted("one", read, revision=1)["bytes"].tobytes() == CONTENTS["one"]
    assert path.read_bytes() != data
    assert converted("one", read, revision=1)["bytes"].tobytes() == CONTENTS["one"]
    assert len(read.calls) == 2  # type: ignore[attr-defined]


def test_threads_wait_for_each_other(in_wheel: Path, read: Reader) -> None:
    threads = [threading.Thread(target=converted, args=("one", read), kwargs={"revision": 1}) for _ in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read.calls) == 1  # type: ignore[attr-defined]


def test_what_cannot_be_converted_leaves_nothing(in_wheel: Path, own_home: Path, read: Reader) -> None:
    def refuse(data: bytes) -> Arrays:
        raise ModelFormat("It is no such model.", "Fetch it again.")

    with pytest.raises(ModelFormat):
        converted("one", refuse, revision=1)
    assert [path.name for path in place(own_home).parent.iterdir()] == ["one.bin"]
    assert converted("one", read, revision=1)


def test_nothing_at_hand_and_offline(in_wheel: Path, read: Reader) -> None:
    with pytest.raises(ModelMissing) as caught:
        converted("one", read, revision=1, offline=True)
    assert "models pull one" in caught.value.hint
    with pytest.raises(UnknownModel):
        converted("three", read, revision=1)


def test_a_cache_that_cannot_be_written(
    in_wheel: Path, own_home: Path, read: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    converted("two", read, revision=1)

    def refuse(self: Path, target: Path) -> Path:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(NotWritable):
        converted("two", read, revision=2)
    assert not [path for path in own_home.rglob("*") if path.suffix == ".part"]


@given(
    hnp.arrays(
        st.sampled_from([np.float32, np.float64, np.float16, np.int64, np.uint8, np.bool_]),
        hnp.array_shapes(min_dims=0, max_dims=4, min_side=0),
    ),
    st.booleans(),
)
def test_arrays_come_back_as_they_were(array: NDArray[np.generic], turned: bool) -> None:
    given_arrays = {"a": np.asarray(array.T if turned else array, order="C"), "b.é": np.zeros(3, np.float32)}
    data = module.save(given_arrays, {"arrays_sha256": module._digest(given_arrays)})
    path = Path(cache.paths.cache_dir()) / "property.safetensors"
    cache.write(path, data)
    found = module._load(path)
    assert found is not None
    for key, expected in given_arrays.items():
        assert found[key].dtype == expected.dtype
        np.testing.assert_array_equal(found[key], expected)


def test_no_numba_or_opencv_is_needed() -> None:
    program = "import sys, likeness.models; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {"cv2", "numba", "torch"}.isdisjoint(done.stdout.split())
