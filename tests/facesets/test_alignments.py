"""The alignments file: what is written is read, and whatever else is in it, it is read or refused."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from likeness.errors import FaceSetFormat, LikenessError, MediaNotFound
from likeness.faces.identity import FACE_MODEL
from likeness.facesets import alignments
from likeness.facesets.alignments import Alignments, parse_alignments, read_alignments, write_alignments
from likeness.facesets.records import FaceRecord, SourceFile, rounded_square
from likeness.facesets.strict import DocumentError, Fields

from .conftest import SOURCE

Json = dict[str, Any]


@pytest.fixture
def document(record: FaceRecord) -> Json:
    """A whole file, as JSON."""
    return {
        "format": "likeness-alignments",
        "version": 1,
        "size_px": 320,
        "zoom": 1.25,
        "identity_model": FACE_MODEL,
        "distance_to": "median",
        "sources": [SOURCE.to_json()],
        "faces": [record.to_json(), {**record.to_json(), "file": "000013_0.png", "frame": 13}],
    }


def refusal(document: object) -> str:
    with pytest.raises(DocumentError) as caught:
        parse_alignments(json.dumps(document))
    return str(caught.value)


def changed(document: Json, *path: str | int, to: object) -> Json:
    """A copy with one value replaced."""
    copy = json.loads(json.dumps(document))
    inner = copy
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = to
    return copy


def test_what_is_written_is_read(record: FaceRecord, tmp_path: Path) -> None:
    other = replace(record, file="000013_0.png", frame=13, identity=None, identity_distance=None)
    picture = SourceFile("photo.jpg", "cd" * 32, 4000, 3000, None, 1)
    header = Alignments((SOURCE, picture), (), 256, 1.25, "keep")
    path = tmp_path / "alignments.json"
    assert write_alignments(path, header, [record.to_line(), other.to_line()]) == 2
    found = read_alignments(path)
    for name in ("sources", "size_px", "zoom", "distance_to", "identity_model"):
        assert getattr(found, name) == getattr(header, name)
    first, second = found.faces
    assert first.file == record.file
    assert (first.source, first.frame, first.face) == (0, 12, 0)
    assert first.time_s == pytest.approx(12 * 1001 / 30000, abs=1e-6)
    assert np.abs(first.points - record.points).max() <= 0.0501
    assert np.abs(first.blendshapes - record.blendshapes).max() <= 0.00051
    assert first.pose.yaw_deg == pytest.approx(record.pose.yaw_deg, abs=0.006)
    assert first.alignment == record.alignment == rounded_square(record.alignment)
    assert first.box == pytest.approx(record.box, abs=0.051)
    assert first.identity is not None
    assert np.allclose(first.identity, record.identity, atol=1e-5)
    assert first.identity_distance == pytest.approx(0.25)
    assert first.frame_hash == record.frame_hash
    assert second.identity is None
    assert second.identity_distance is None


def test_what_was_read_is_written_alike(record: FaceRecord, tmp_path: Path) -> None:
    path = tmp_path / "alignments.json"
    write_alignments(path, Alignments((SOURCE,), ()), [record.to_line()])
    before = path.read_bytes()
    found = read_alignments(path)
    write_alignments(path, found, [face.to_line() for face in found.faces])
    assert path.read_bytes() == before


def test_each_face_has_a_line(record: FaceRecord, tmp_path: Path) -> None:
    """So that one can be deleted with any editor."""
    path = tmp_path / "alignments.json"
    others = [replace(record, file=f"{n:06}_0.png", frame=n) for n in range(3)]
    write_alignments(path, Alignments((SOURCE,), ()), [one.to_line() for one in others])
    lines = path.read_text().splitlines()
    kept = [line for line in lines if '"000001_0.png"' not in line]
    assert len(kept) == len(lines) - 1
    path.write_text("\n".join(kept))
    assert [face.frame for face in read_alignments(path).faces] == [0, 2]


@pytest.mark.parametrize("how", [{"indent": 4}, {"separators": (",", ":")}, {"sort_keys": True}])
def test_layout_does_not_matter(document: Json, how: dict[str, Any]) -> None:
    """Another program may have written it anew, even with the faces before all the rest."""
    found = parse_alignments("\n " + json.dumps(document, **how) + " \n")
    assert [face.frame for face in found.faces] == [12, 13]


def test_embeddings_of_another_network_are_left_out(document: Json) -> None:
    assert parse_alignments(json.dumps(document)).faces[0].identity is not None
    other = parse_alignments(json.dumps({**document, "identity_model": "another/1"}))
    assert other.identity_model == "another/1"
    assert [(face.identity, face.identity_distance) for face in other.faces] == [(None, None)] * 2


def test_a_byte_order_mark_is_passed_over(document: Json, tmp_path: Path) -> None:
    path = tmp_path / "alignments.json"
    path.write_text(json.dumps(document), encoding="utf-8-sig")
    assert len(read_alignments(path).faces) == 2


def test_what_nobody_asks_for_is_passed_over(document: Json) -> None:
    noted = changed(document, "faces", 0, "note", to="checked by hand")
    assert len(parse_alignments(json.dumps(noted)).faces) == 2


def test_a_later_version_is_refused_before_its_faces_are_read(document: Json) -> None:
    later = {**document, "version": 2, "faces": [{"unheard": "of"}]}
    assert "version 2" in refusal(later)


@pytest.mark.parametrize("version", [True, 1.0, "1", None, [], 10**400])
def test_versions_that_are_none(document: Json, version: object) -> None:
    assert refusal({**document, "version": version})


@pytest.mark.parametrize(
    "name",
    [
        "../000012_0.png",
        "/etc/000012_0.png",
        "..\\000012_0.png",
        "C:000012_0.png",
        "sub/000012_0.png",
        "000012_0.png/..",
        "000012_0.png\n",
        "000012_0.png\x00",
        "٠٠٠٠١٢_0.png",
        "CON.png",
        ".png",
        "",
        "000012_0.PNG",
        7,
        None,
    ],
)
def test_names_that_leave_the_folder(document: Json, name: object) -> None:
    assert "“file”" in refusal(changed(document, "faces", 0, "file", to=name))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("faces", 0, "frame"), -1),
        (("faces", 0, "frame"), 1.5),
        (("faces", 0, "frame"), True),
        (("faces", 0, "frame"), 10**300),
        (("faces", 0, "source"), 1),
        (("faces", 0, "time_s"), 1e300),
        (("faces", 0, "box"), [0, 0, 0, 5]),
        (("faces", 0, "box"), [0, 0, 5]),
        (("faces", 0, "box"), [9, 9, 5, 5]),
        (("faces", 0, "square", "side_px"), 0),
        (("faces", 0, "square", "side_px"), -3),
        (("faces", 0, "square", "side_px"), 1e9),
        (("faces", 0, "square", "x"), 1e9),
        (("faces", 0, "square"), None),
        (("faces", 0, "score"), 1.2),
        (("faces", 0, "pose", "yaw"), 400),
        (("faces", 0, "points"), [[0, 0, 0]] * 477),
        (("faces", 0, "points"), [[0, 0]] * 478),
        (("faces", 0, "points"), [["0", "0", "0"]] * 478),
        (("faces", 0, "points"), [[0, 0, 1e7]] * 478),
        (("faces", 0, "points"), [[[[[0]]]]]),
        (("faces", 0, "points"), [[0, 0, None]] * 478),
        (("faces", 0, "points"), [[0, 0, 10**300]] * 478),
        (("faces", 0, "points"), {"0": 0}),
        (("faces", 0, "blendshapes"), [2.0] * 52),
        (("faces", 0, "identity"), [0.0] * 127),
        (("faces", 0, "identity"), [100.0] * 128),
        (("faces", 0, "identity_distance"), -1),
        (("faces", 0, "frame_hash"), "xyz"),
        (("faces", 0, "frame_hash"), "0123456789ABCDEF"),
        (("faces", 0, "blur"), -1),
        (("faces", 0), None),
        (("faces", 0), []),
        (("faces",), {}),
        (("faces",), None),
        (("sources",), {}),
        (("sources",), []),
        (("sources", 0, "width"), 0),
        (("sources", 0, "rate"), "0"),
        (("sources", 0, "rate"), "1/0"),
        (("sources", 0, "rate"), 25),
        (("sources", 0, "rate"), "1e9"),
        (("sources", 0, "name"), "../clip.mp4"),
        (("sources", 0, "name"), ""),
        (("sources", 0, "sha256"), "ab"),
        (("sources", 0, "frames"), 0),
        (("size_px",), 10**6),
        (("size_px",), 63),
        (("zoom",), 0.5),
        (("distance_to",), "somebody"),
        (("distance_to",), []),
        (("identity_model",), "a" * 100),
        (("format",), "another"),
        (("format",), None),
    ],
)
def test_impossible_values(document: Json, path: tuple[str | int, ...], value: object) -> None:
    assert refusal(changed(document, *path, to=value))


@pytest.mark.parametrize("name", ["file", "square", "points", "identity", "frame_hash", "identity_distance"])
def test_what_is_missing(document: Json, name: str) -> None:
    del document["faces"][1][name]
    said = refusal(document)
    assert name in said
    assert "entry 2" in said


@pytest.mark.parametrize("name", ["format", "version", "sources", "faces", "size_px", "distance_to"])
def test_what_is_missing_above(document: Json, name: str) -> None:
    del document[name]
    assert refusal(document)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 5000])
def test_numbers_that_are_none(document: Json, number: str) -> None:
    text = json.dumps(changed(document, "faces", 0, "blur", to=123.456)).replace("123.456", number)
    with pytest.raises(DocumentError):
        parse_alignments(text)
    text = json.dumps(changed(document, "faces", 0, "points", 5, to=[1, 123.456, 2]))
    with pytest.raises(DocumentError):
        parse_alignments(text.replace("123.456", number))


def test_two_faces_of_one_name(document: Json) -> None:
    assert "one picture for two" in refusal(changed(document, "faces", 1, "file", to="000012_0.png"))


def test_a_name_twice(document: Json) -> None:
    text = json.dumps(document)
    for twice in (text.replace('"zoom"', '"size_px"'), text.replace('"blur"', '"score"', 1)):
        with pytest.raises(DocumentError):
            parse_alignments(twice)
    with pytest.raises(DocumentError):
        parse_alignments(text[:-1] + ', "faces": []}')


def test_what_comes_after_the_end(document: Json) -> None:
    with pytest.raises(DocumentError, match="after its end"):
        parse_alignments(json.dumps(document) + "{}")


@pytest.mark.parametrize("opening", ["[", '{"a":', '{"faces": [', '{"faces": [{"points": ['])
def test_nesting_without_end(opening: str) -> None:
    with pytest.raises(DocumentError):
        parse_alignments(opening * 100_000)
    with pytest.raises(DocumentError):
        parse_alignments('{"faces": [' + "[" * 100_000)


def test_too_many(document: Json, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alignments, "MAX_FACES", 1)
    assert "more than 1" in refusal(document)


def test_files_that_are_none(tmp_path: Path, document: Json, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "alignments.json"
    with pytest.raises(MediaNotFound):
        read_alignments(path)
    with pytest.raises(MediaNotFound):
        read_alignments(tmp_path)
    for data in (b"", b"\xff\xfe{}", b"{", b"null", b'"text"', b"[]", bytes(1000), b"\x89PNG\r\n"):
        path.write_bytes(data)
        with pytest.raises(FaceSetFormat) as caught:
            read_alignments(path)
        assert caught.value.hint
    path.write_text(json.dumps(document))
    monkeypatch.setattr(alignments, "MAX_BYTES", 100)
    with pytest.raises(FaceSetFormat, match="larger"):
        read_alignments(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "alignments.json"
    os.mkfifo(path)
    with pytest.raises(FaceSetFormat, match="ordinary"):
        read_alignments(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place in a document, but only the beginning of long lists."""
    found = [path] if path else []
    steps: list[Any] = list(value) if isinstance(value, dict) else []
    if isinstance(value, list):
        steps = list(range(min(len(value), 2)))
    for step in steps:
        found += places(value[step], (*path, step))
    return found


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_stands_in_a_place(document: Json, tmp_path: Path, data: st.DataObject) -> None:
    """Any value anywhere: it is read, and then all of it can be used, or it is refused."""
    where = data.draw(st.sampled_from(places(document)))
    hostile = changed(document, *where, to=data.draw(JSON))
    path = tmp_path / "alignments.json"
    path.write_text(json.dumps(hostile), encoding="utf-8")
    try:
        found = read_alignments(path)
    except LikenessError as error:
        assert isinstance(error, FaceSetFormat)
        return
    for face in found.faces:
        assert np.isfinite(face.points).all()
        assert Path(face.file).name == face.file
        points = face.alignment.cut_points(face.points, found.size_px, zoom=found.zoom)
        assert points.shape == (478, 3)
        face.to_line()


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), count=st.integers(1, 6))
def test_whatever_damage(record: FaceRecord, tmp_path: Path, seed: int, count: int) -> None:
    """Bytes that were lost, doubled or changed."""
    path = tmp_path / "alignments.json"
    write_alignments(path, Alignments((SOURCE,), ()), [record.to_line()])
    data, chance = bytearray(path.read_bytes()), random.Random(seed)
    for _ in range(count):
        at = chance.randrange(len(data))
        length = chance.choice([1, 1, 1, 20, 2000])
        piece = [b"", bytes([chance.randrange(256)]), b'{"', b"[[", b"1e999", bytes(data[at : at + 50])]
        data[at : at + length] = chance.choice(piece)
    path.write_bytes(data)
    try:
        read_alignments(path)
    except LikenessError as error:
        assert isinstance(error, FaceSetFormat)


def test_fields_name_what_is_wrong() -> None:
    fields = Fields({"a": 1, "b": "x"})
    wrong: list[Callable[[], object]] = [
        lambda: fields.number("b", 0, 1),
        lambda: fields.number("c", 0, 1),
        lambda: fields.whole("b", 0, 1),
        lambda: fields.inner("a"),
        lambda: fields.numbers("b", (1,), 0, 1),
        lambda: fields.each("a", Fields.raw, 1),  # type: ignore[arg-type]
    ]
    for ask in wrong:
        with pytest.raises(DocumentError):
            ask()
