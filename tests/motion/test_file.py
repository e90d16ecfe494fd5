"""The `.motion` format: it gives back what went in, and damage of any kind is a `ModelFormat` with a hint."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from likeness.errors import MediaNotFound, ModelFormat
from likeness.motion.file import CHUNK, FIELDS, FORMAT, VERSION, MotionFile, write_motion
from likeness.motion.frame import MOUTH_PX, SHADING_PX, DriverInfo, MotionFrame

from ..puppet import Puppet, look

STORED = tuple(FIELDS)
INFO = DriverInfo(Fraction(30000, 1001), 320, 240)
no_deadline = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def same(first: MotionFrame, second: MotionFrame) -> bool:
    """Alike to the last bit, in all that is stored."""
    for name in STORED:
        a, b = getattr(first, name), getattr(second, name)
        if (a is None) != (b is None) or np.asarray(a).dtype != np.asarray(b).dtype:
            return False
        if a is not None and np.asarray(a).tobytes() != np.asarray(b).tobytes():
            return False
    return True


finite = st.floats(-4096, 4096, width=32)
share = st.floats(0, 1, width=32)
small = st.integers(0, 255)


@st.composite
def any_frames(draw: st.DrawFn) -> list[MotionFrame]:
    """Some frames of any content that a tracker could have given, all with or all without the face's look."""
    has_look = draw(st.booleans())
    base = draw(st.sampled_from([Puppet(), Puppet(lips=0.1, x=10), Puppet(turn_deg=(9, 30, -60))])).points
    made = []
    for _ in range(draw(st.integers(1, 3))):
        frame: dict[str, Any] = {
            "points": base + draw(arrays.arrays(np.float32, (1, 3), elements=finite)),
            "blendshapes": draw(arrays.arrays(np.float32, 52, elements=share)),
            "held": draw(st.booleans()),
        }
        if has_look:
            shade, mouth = draw(small), draw(small)
            frame["shading"] = np.full((SHADING_PX, SHADING_PX), shade, np.uint8)
            frame["mouth"] = np.full((*MOUTH_PX, 3), mouth, np.uint8)
            frame["skin"] = draw(arrays.arrays(np.float32, 3, elements=st.floats(0, 255, width=32)))
        made.append(MotionFrame(**frame))
    return made


@settings(no_deadline, max_examples=25)
@given(any_frames(), st.integers(1, 60000), st.integers(1, 2000), st.sampled_from([1, 70, CHUNK]))
def test_a_round_trip_loses_no_bit(
    tmp_path: Path, frames: list[MotionFrame], numerator: int, denominator: int, repeat: int
) -> None:
    rate = min(Fraction(numerator, denominator), Fraction(1000))
    frames = frames * repeat
    path = tmp_path / "any.motion"
    assert write_motion(path, iter(frames), DriverInfo(rate, 1920, 1080)) == len(frames)
    file = MotionFile(path)
    assert file.info == DriverInfo(rate, 1920, 1080, len(frames))
    read = list(file.frames())
    assert len(read) == len(frames)
    assert all(map(same, read, frames))
    assert [frame.points.tobytes() for frame in file.frames()] == [f.points.tobytes() for f in read], "again"


def test_all_of_a_frame_is_stored_but_what_is_said_not_to_be() -> None:
    assert {field.name for field in fields(MotionFrame)} - set(STORED) == {"image", "steady"}


def test_frames_are_written_and_read_a_chunk_at_a_time(tmp_path: Path) -> None:
    path, alive, most = tmp_path / "long.motion", 0, 0

    class Counted:
        def __init__(self) -> None:
            nonlocal alive, most
            alive += 1
            most = max(most, alive)

        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def endless() -> Iterator[MotionFrame]:
        for _ in range(5 * CHUNK):
            yield MotionFrame(points, blendshapes, image=Counted())  # type: ignore[arg-type]

    points, blendshapes = Puppet().points, Puppet().face.blendshapes
    write_motion(path, endless(), INFO)
    assert most <= 2 * CHUNK
    frames = MotionFile(path).frames()
    next(frames)
    frames.close()  # a reader that stops early lets go of the file
    path.unlink()


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small file with everything in it."""
    path = tmp_path_factory.mktemp("recorded") / "a.motion"
    write_motion(path, [look(Puppet()), look(Puppet(lips=0.05))], INFO)
    return path


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small file with geometry alone."""
    path = tmp_path_factory.mktemp("bare") / "a.motion"
    write_motion(path, [Puppet().frame, Puppet(lips=0.05).frame], INFO)
    return path


def read(path: Path) -> list[MotionFrame]:
    return list(MotionFile(path).frames())


def is_refused(path: Path) -> bool:
    """A `ModelFormat` that names the file and says what to do; any other exception gets through."""
    try:
        read(path)
    except ModelFormat as error:
        assert path.name in error.what
        assert error.what.endswith(".")
        assert error.hint.endswith(".")
        return True
    return False


def test_no_file() -> None:
    with pytest.raises(MediaNotFound) as caught:
        MotionFile(Path("nowhere.motion"))
    assert caught.value.hint


@settings(no_deadline, max_examples=60)
@given(st.floats(0, 1, exclude_max=True))
def test_a_file_cut_off_anywhere_is_refused(tmp_path: Path, recorded: Path, where: float) -> None:
    data = recorded.read_bytes()
    cut = tmp_path / "cut.motion"
    cut.write_bytes(data[: int(where * len(data))])
    assert is_refused(cut)


def harmless_or_refused(path: Path, original: list[MotionFrame]) -> None:
    if not is_refused(path):
        assert all(map(same, read(path), original)), "damage went unnoticed"


@no_deadline
@given(st.floats(0, 1, exclude_max=True), st.integers(1, 255))
def test_a_flipped_byte_is_refused_or_harmless(
    tmp_path: Path, recorded: Path, where: float, change: int
) -> None:
    data = bytearray(recorded.read_bytes())
    data[int(where * len(data))] ^= change
    damaged = tmp_path / "damaged.motion"
    damaged.write_bytes(data)
    harmless_or_refused(damaged, read(recorded))


@settings(no_deadline, max_examples=200)
@given(st.data())
def test_a_flipped_byte_in_the_tables_is_refused_or_harmless(
    tmp_path: Path, bare: Path, data: st.DataObject
) -> None:
    """Names, sizes, offsets, flags, methods: the zip's own tables, where a few bytes matter most."""
    whole = bytearray(bare.read_bytes())
    with zipfile.ZipFile(bare) as archive:
        heads = [(entry.header_offset, 30 + len(entry.filename)) for entry in archive.infolist()]
        tables = [*heads, (archive.start_dir, len(whole) - archive.start_dir)]
    start, length = data.draw(st.sampled_from(tables))
    at = start + data.draw(st.integers(0, length - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    damaged = tmp_path / "damaged.motion"
    damaged.write_bytes(whole)
    harmless_or_refused(damaged, read(bare))


@no_deadline
@given(st.binary(max_size=400))
def test_noise_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "noise.motion"
    path.write_bytes(b"PK\x03\x04" + data)
    assert is_refused(path)


Change = Callable[[dict[str, bytes]], None]


def rebuilt(path: Path, target: Path, change: Change, method: int = zipfile.ZIP_DEFLATED) -> Path:
    """A whole zip with other entries, as somebody with bad intentions could make it."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    change(entries)
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return target


def header(**changes: object) -> Change:
    def change(entries: dict[str, bytes]) -> None:
        values = json.loads(entries["motion.json"])
        values.update(changes)
        kept = {key: value for key, value in values.items() if value != "REMOVED"}
        entries["motion.json"] = json.dumps(kept).encode()

    return change


def test_rebuilding_alone_is_no_damage(tmp_path: Path, recorded: Path) -> None:
    whole = rebuilt(recorded, tmp_path / "a.motion", lambda entries: None, zipfile.ZIP_STORED)
    assert all(map(same, read(whole), read(recorded)))


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "something else"},
        {"version": VERSION + 1},
        {"version": str(VERSION)},
        {"rate": "0"},
        {"rate": "-25"},
        {"rate": "1/0"},
        {"rate": "fast"},
        {"rate": 1e300},
        {"rate": [25]},
        {"rate": "REMOVED"},
        {"width": 0},
        {"width": -5},
        {"width": "wide"},
        {"width": None},
        {"height": "REMOVED"},
        {"frames": 0},
        {"frames": -1},
        {"frames": 3},
        {"frames": 10**12},
        {"frames": "1e400"},
        {"frames": float("inf")},
        {"frames": float("nan")},
        {"fields": []},
        {"fields": ["points", "blendshapes"]},
        {"fields": 7},
        {"fields": None},
    ],
    ids=str,
)
def test_a_header_that_makes_no_sense_is_refused(
    tmp_path: Path, bare: Path, changes: dict[str, object]
) -> None:
    assert is_refused(rebuilt(bare, tmp_path / "a.motion", header(**changes)))


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"null", b'"likeness"', b"{", b"\xff\xfe\x00", b"9" * 60000, b"[" * 60000]
)
def test_a_header_that_is_none_is_refused(tmp_path: Path, bare: Path, text: bytes) -> None:
    path = rebuilt(bare, tmp_path / "a.motion", lambda entries: entries.update({"motion.json": text}))
    assert is_refused(path)


def test_another_version_is_told_apart_from_damage(tmp_path: Path, bare: Path) -> None:
    path = rebuilt(bare, tmp_path / "a.motion", header(version=VERSION + 1))
    with pytest.raises(ModelFormat, match=f"version {VERSION + 1}") as caught:
        MotionFile(path)
    assert "Update" in caught.value.hint


@pytest.mark.parametrize("name", ["motion.json", *(f"{name}/00000.npy" for name in FIELDS)])
def test_a_missing_entry_is_refused(tmp_path: Path, recorded: Path, name: str) -> None:
    assert is_refused(rebuilt(recorded, tmp_path / "a.motion", lambda entries: entries.pop(name) and None))


@pytest.mark.parametrize("name", ["motion.json", *(f"{name}/00000.npy" for name in FIELDS)])
def test_an_entry_that_unpacks_to_far_too_much_is_refused_unread(
    tmp_path: Path, recorded: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A zip bomb: small in the file, 50 MB unpacked."""
    bomb = rebuilt(recorded, tmp_path / "a.motion", lambda entries: entries.update({name: bytes(50 << 20)}))
    assert bomb.stat().st_size < 2 << 20
    unpacked = 0
    original = zipfile.ZipExtFile.read

    def counted(self: zipfile.ZipExtFile, n: int | None = -1) -> bytes:
        nonlocal unpacked
        data = original(self, n)
        unpacked += len(data)
        return data

    monkeypatch.setattr(zipfile.ZipExtFile, "read", counted)
    assert is_refused(bomb)
    assert unpacked < 1 << 20


def test_an_entry_that_lies_about_its_size_is_refused(tmp_path: Path, bare: Path) -> None:
    """The tables say little, and the compressed data holds much."""
    big = rebuilt(bare, tmp_path / "a.motion", lambda e: e.update({"held/00000.npy": bytes(8 << 20)}))
    data = bytearray(big.read_bytes())
    with zipfile.ZipFile(big) as archive:
        entry = archive.getinfo("held/00000.npy")
    size = entry.file_size.to_bytes(4, "little")
    while (at := data.find(size)) >= 0:
        data[at : at + 4] = (130).to_bytes(4, "little")
    big.write_bytes(data)
    assert is_refused(big)


def npy(array: np.ndarray, version: tuple[int, int] | None = None, allow_pickle: bool = False) -> bytes:
    out = io.BytesIO()
    np.lib.format.write_array(out, array, version, allow_pickle=allow_pickle)
    return out.getvalue()


class Trap:
    """Unpickling it would be noticed."""

    sprung = False

    def __reduce__(self) -> tuple[Any, ...]:
        return setattr, (Trap, "sprung", True)


def test_nothing_is_ever_unpickled(tmp_path: Path, bare: Path) -> None:
    trap = npy(np.array([Trap(), Trap()], object), allow_pickle=True)
    for name in ("points", "blendshapes", "held"):
        path = rebuilt(
            bare,
            tmp_path / "a.motion",
            lambda e, name=name: e.update({f"{name}/00000.npy": trap}),
        )
        assert is_refused(path)
    assert not Trap.sprung


POINTS = np.stack([Puppet().points, Puppet().points])
BLENDSHAPES = np.zeros((2, 52), np.float32)


def with_one(array: np.ndarray, value: float) -> np.ndarray:
    changed = array.copy()
    changed.flat[7] = value
    return changed


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("points", with_one(POINTS, np.nan)),
        ("points", with_one(POINTS, np.inf)),
        ("points", with_one(POINTS, -np.inf)),
        ("points", with_one(POINTS, 1e30)),
        ("points", np.zeros_like(POINTS)),
        ("points", np.full_like(POINTS, 50)),
        ("points", POINTS.astype(np.float64)),
        ("points", POINTS.astype(">f4")),
        ("points", POINTS[:1]),
        ("points", POINTS[:, :468]),
        ("points", POINTS[..., :2]),
        ("points", POINTS.astype(np.complex64)),
        ("blendshapes", with_one(BLENDSHAPES, np.nan)),
        ("blendshapes", with_one(BLENDSHAPES, 7)),
        ("blendshapes", with_one(BLENDSHAPES, -7)),
        ("blendshapes", BLENDSHAPES.astype(np.float16)),
        ("held", np.zeros(2, np.uint8)),
        ("held", np.zeros((2, 1), bool)),
        ("held", np.array(True)),
        ("skin", np.full((2, 3), 1e9, np.float32)),
        ("skin", np.full((2, 3), np.nan, np.float32)),
        ("shading", np.zeros((2, 128, 64), np.uint8)),
        ("mouth", np.zeros((2, 48, 96, 3), np.int8)),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value.dtype}-{value.shape}",
)
def test_arrays_of_the_wrong_kind_are_refused(
    tmp_path: Path, recorded: Path, name: str, array: np.ndarray
) -> None:
    data = npy(array)
    path = rebuilt(recorded, tmp_path / "a.motion", lambda e: e.update({f"{name}/00000.npy": data}))
    assert is_refused(path)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x93NUMPY",
        b"\x93NUMPY\x09\x00\x10\x00{}",
        b"\x93NUMPY\x01\x00\xff\xff" + b" " * 100,
        npy(POINTS)[:200],
        npy(POINTS, (2, 0)).replace(b"'<f4'", b"'|O8'"),
        b"\x93NUMPY\x01\x00\x76\x00" + b"(" * 118,
        npy(POINTS, (2, 0)),
        npy(POINTS).replace(b"(2, 478, 3), }", b"(2L, 478, 3),}"),  # as Python 2 wrote; found by fuzzing
        npy(POINTS).replace(b" \n", b"x\n"),
    ],
)
def test_entries_that_are_no_arrays_are_refused(tmp_path: Path, bare: Path, data: bytes) -> None:
    path = rebuilt(bare, tmp_path / "a.motion", lambda e: e.update({"points/00000.npy": data}))
    assert is_refused(path)


def test_damage_further_on_is_met_there_and_not_before(tmp_path: Path) -> None:
    frames = [Puppet().frame] * (CHUNK + 2)
    whole, broken = tmp_path / "whole.motion", tmp_path / "broken.motion"
    write_motion(whole, frames, INFO)
    rebuilt(whole, broken, lambda entries: entries.update({"held/00001.npy": b"damaged"}))
    stream = MotionFile(broken).frames()
    assert sum(1 for _ in zip(range(CHUNK), stream, strict=False)) == CHUNK
    with pytest.raises(ModelFormat, match=f"from {CHUNK}"):
        next(stream)


def test_the_format_says_what_it_is(bare: Path) -> None:
    with zipfile.ZipFile(bare) as archive:
        values = json.loads(archive.read("motion.json"))
        names = set(archive.namelist())
    assert (values["format"], values["version"], values["rate"]) == (FORMAT, VERSION, "30000/1001")
    assert names == {"motion.json", "points/00000.npy", "blendshapes/00000.npy", "held/00000.npy"}
