"""The index: what faiss would find, without faiss; and files of unknown origin."""

from __future__ import annotations

import os
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
torch = pytest.importorskip("torch")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from likeness.engines.rvc.index import VoiceIndex, load_index  # noqa: E402
from likeness.errors import LikenessError, MediaNotFound, ModelFormat  # noqa: E402
from likeness.types import Floats  # noqa: E402

from .index_files import index_bytes  # noqa: E402

GOLDEN = Path(__file__).parent / "golden"
CHANNELS = 16
PROBES_AT = 4 + 33 + 8


def expected() -> dict[str, Any]:
    with np.load(GOLDEN / "drawn.npz") as file:
        return dict(file)


def known(count: int = 40, channels: int = CHANNELS, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).standard_normal((count, channels)).astype(np.float32)


def mean_of_nearest(content: Floats, vectors: Floats) -> Floats:
    """What RVC computes, spelled out."""
    out = []
    for frame in content.astype(np.float64):
        squares = np.square(vectors - frame).sum(1)
        near = np.argsort(squares)[:8]
        weights = 1 / squares[near] ** 2
        out.append((weights[:, None] * vectors[near]).sum(0) / weights.sum())
    return np.asarray(out, np.float32)


def whole() -> bytes:
    vectors = known()
    return index_bytes([vectors[:15], vectors[:0], vectors[15:]], known(3, seed=1))


def read(tmp_path: Path, data: bytes, channels: int = CHANNELS) -> VoiceIndex:
    path = tmp_path / "added_IVF3_Flat.index"
    path.write_bytes(data)
    return load_index(path, channels)


@pytest.mark.parametrize("probes", [1, 3])
def test_the_same_is_found_as_by_faiss(tmp_path: Path, probes: int) -> None:
    data = bytearray((GOLDEN / "added.index").read_bytes())
    assert data[PROBES_AT] == 1
    data[PROBES_AT] = probes
    index, golden = read(tmp_path, bytes(data)), expected()
    assert index.count == 320
    drawn, wanted = index.draw_near(golden["queries"]), golden[f"drawn_{probes}"]
    certain = np.isfinite(wanted).all(1)
    assert certain.sum() == 20
    np.testing.assert_allclose(drawn[certain], wanted[certain], atol=1e-5)
    # A frame of the index itself: RVC divides by its distance, which is 0.
    np.testing.assert_array_equal(drawn[~certain], golden["queries"][~certain])


def test_hand_written_files_are_what_faiss_writes() -> None:
    """So that the tests below are about the format."""
    index = load_index(GOLDEN / "added.index", CHANNELS)
    lists = index._lists
    assert lists.centres is not None
    ours, theirs = index_bytes(lists.vectors, lists.centres), (GOLDEN / "added.index").read_bytes()
    assert len(ours) == len(theirs)
    assert ours[: len(ours) // 20] == theirs[: len(ours) // 20]


def test_an_array_of_vectors_is_searched_whole(tmp_path: Path) -> None:
    vectors, content = known(100), known(20, seed=2)
    np.save(tmp_path / "total_fea.npy", vectors)
    index = load_index(tmp_path / "total_fea.npy", CHANNELS)
    np.testing.assert_allclose(index.draw_near(content), mean_of_nearest(content, vectors), atol=1e-5)
    assert index.draw_near(content[:0]).shape == (0, CHANNELS)


def test_many_vectors_and_frames_are_searched_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("likeness.engines.rvc.index._BLOCK", 7)
    monkeypatch.setattr("likeness.engines.rvc.index._BATCH", 3)
    vectors, content = known(100), known(20, seed=2)
    np.save(tmp_path / "a.npy", vectors.astype(np.float16))
    drawn = load_index(tmp_path / "a.npy", CHANNELS).draw_near(content)
    wanted = mean_of_nearest(content, vectors.astype(np.float16).astype(np.float32))
    np.testing.assert_allclose(drawn, wanted, atol=1e-5)


def test_sparse_lists_are_read(tmp_path: Path) -> None:
    vectors, content = known(5), known(9, seed=2)
    empty = vectors[:0]
    data = index_bytes([empty, empty, vectors, empty], known(4, seed=1), probes=4, sparse=True)
    np.testing.assert_allclose(
        read(tmp_path, data).draw_near(content), mean_of_nearest(content, vectors), atol=1e-5
    )


def test_a_frame_near_an_empty_list_stays_as_it_is(tmp_path: Path) -> None:
    centres = np.stack((np.zeros(CHANNELS), np.full(CHANNELS, 9.0))).astype(np.float32)
    index = read(tmp_path, index_bytes([known(4), known(0)], centres))
    content = np.concatenate((known(1, seed=3), known(1, seed=4) + 9))
    drawn = index.draw_near(content)
    np.testing.assert_array_equal(drawn[1], content[1])
    assert (drawn[0] != content[0]).any()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is empty"),
        (b"<html><body>", "is a web page"),
        (pickle.dumps({"a": 1}), "is a pickle .* not opened"),
        (b"PK\x03\x04" + bytes(40), "is a zip archive, and no index"),
        (b"IxPq" + bytes(100), "no index of the kind that RVC makes"),
        (whole()[:-1], "cut off or damaged"),
        (whole()[:700], "cut off or damaged"),
        (index_bytes([known(4)], known(1), metric=0), "does not measure the distances"),
        (index_bytes([known(4)], known(1), probes=0), "is damaged"),
        (index_bytes([known(4) * np.nan], known(1)), "what is no content"),
        (index_bytes([known(4) * 1e30], known(1)), "what is no content"),
        (index_bytes([known(4)], known(1) * np.inf), "what is no content"),
        (
            b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (1, 52), }",
            "array of numpy",
        ),
    ],
)
def test_other_files_are_refused(tmp_path: Path, data: bytes, why: str) -> None:
    with np.errstate(all="ignore"), pytest.raises(ModelFormat, match=why):
        read(tmp_path, data)


def test_mistakes_that_people_make(tmp_path: Path) -> None:
    with pytest.raises(MediaNotFound):
        load_index(tmp_path / "none.index", CHANNELS)
    with pytest.raises(ModelFormat, match="holds no vectors: it is what RVC calls trained_") as refused:
        load_index(GOLDEN / "trained.index", CHANNELS)
    assert "added_" in refused.value.hint
    data = index_bytes([known(4, 256)], known(1, 256))
    with pytest.raises(ModelFormat, match=r"vectors of 256 numbers \(of version 1\), and the voice .* 768"):
        read(tmp_path, data, 768)
    np.save(tmp_path / "objects.npy", np.array([{}, {}], object), allow_pickle=True)
    with pytest.raises(ModelFormat, match="no array of numpy"):
        load_index(tmp_path / "objects.npy", CHANNELS)
    np.save(tmp_path / "whole.npy", np.arange(8))
    with pytest.raises(ModelFormat, match="no table"):
        load_index(tmp_path / "whole.npy", CHANNELS)


@pytest.mark.parametrize("header", [b"''' ", b"(1,\n(", b"\0\0\0\0", b"{'descr': 0}", b"[" * 500])
def test_headers_that_are_no_python(tmp_path: Path, header: bytes) -> None:
    """Numpy takes them apart as Python source, and raises whatever that does."""
    whole = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header
    (tmp_path / "a.npy").write_bytes(whole)
    with pytest.raises(ModelFormat, match="no array of numpy"):
        load_index(tmp_path / "a.npy", CHANNELS)


def test_what_claims_more_than_there_is_takes_no_memory(tmp_path: Path) -> None:
    """A terabyte of vectors in a hundred bytes."""
    head = struct.pack("<iqqq?i", CHANNELS, 1 << 34, 0, 0, True, 1)
    for data in (
        b"IwFl" + head + struct.pack("<QQ", 1 << 60, 1),
        b"IwFl" + head + struct.pack("<QQ", 8, 1) + b"IxF2" + head,
        b"IwFl" + head + struct.pack("<QQ", 1 << 17, 1) + b"IxF2"
        + struct.pack("<iqqq?i", 16, 1 << 17, 0, 0, 1, 1) + struct.pack("<Q", 1 << 21),
    ):  # fmt: skip
        with pytest.raises(ModelFormat):
            read(tmp_path, data)


@settings(max_examples=300, database=None)
@given(at=st.integers(0, len(whole()) - 1), new=st.binary(min_size=1, max_size=9))
def test_any_change_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, at: int, new: bytes) -> None:
    data = whole()
    path = tmp_path_factory.getbasetemp() / "changed.index"
    path.write_bytes(data[:at] + new + data[at + len(new) :])
    with np.errstate(all="ignore"):
        try:
            drawn = load_index(path, CHANNELS).draw_near(known(6, seed=5))
        except LikenessError:
            return
    assert np.isfinite(drawn).all()
