"""What is fuzzed: the readers of our own formats, and the code that looks at files before c2pa does.

Each target takes any bytes. It may refuse them with an error of ours; everything else is a finding, as is an
answer that breaks a promise (an `assert`). `run.py` drives them with atheris, and the test suite with
Hypothesis.
"""

from __future__ import annotations

import base64
import io
import json
import struct
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from likeness.consent import ConsentKey, ConsentRecord, Revocation, check_signature, describe
from likeness.consent.canonical import DocumentError, canonical, parse
from likeness.consent.keys import create_key
from likeness.consent.reference import ReferenceFile
from likeness.consent.signing import sign
from likeness.disclosure.credentials.containers import EMBEDDABLE, HEAD_BYTES, UNKNOWN, is_text, sniff
from likeness.disclosure.credentials.measure import find_excess, stored_bytes
from likeness.disclosure.credentials.reasons import why_invalid
from likeness.disclosure.credentials.statement import Statement, find_failures, find_stamp, is_intact
from likeness.disclosure.credentials.text import one_line
from likeness.disclosure.signer.certificates import Certificate, parse_certificates
from likeness.disclosure.watermark.code import CODED_BITS, decode
from likeness.disclosure.watermark.search import find_in_picture
from likeness.errors import ConsentFormat, ConsentInvalid, FaceSetFormat, LikenessError, ModelFormat
from likeness.faces.aligned import Alignment
from likeness.facesets.alignments import Alignments, read_alignments, write_alignments
from likeness.facesets.records import FaceRecord, Pose, SourceFile
from likeness.facesets.strict import Fields
from likeness.motion.file import FIELDS, MotionFile
from likeness.verification import verify

_KINDS = sorted(EMBEDDABLE)


def folder() -> Path:
    """Where the files lie that are read; it goes when the process ends."""
    return Path(_temporary().name)


@cache
def _temporary() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="likeness-fuzz-")


def motion(data: bytes) -> None:
    """A whole `.motion` file."""
    path = folder() / "a.motion"
    path.write_bytes(data)
    _read_motion(path)


def motion_entries(data: bytes) -> None:
    """A sound zip archive with a header and arrays of any bytes: what lies behind the checksums."""
    parts = data.split(b"\xfe\xff")
    path = folder() / "b.motion"
    names = ["motion.json", *(f"{name}/00000.npy" for name in FIELDS)]
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in zip(names, parts, strict=False):
            archive.writestr(name, part)
    _read_motion(path)


def _read_motion(path: Path) -> None:
    try:
        for frame in islice(MotionFile(path).frames(), 200):
            assert frame.points.shape == (478, 3)
            assert np.isfinite(frame.points).all()
    except ModelFormat as error:
        assert error.hint


def certificates(data: bytes) -> None:
    """A file in the trust list, as PEM and as the DER inside it."""
    framed = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(data) + b"-----END CERTIFICATE-----\n"
    for pem in (data, framed):
        try:
            found = [Certificate.of(one) for one in parse_certificates(pem)]
        except ValueError:
            continue
        for one in found:
            assert one.name.isprintable()
            assert len(one.fingerprint) == 64


def containers(data: bytes) -> None:
    """Which kind of file it is, and how much c2pa would have to take in, for this kind and all others."""
    head = data[:HEAD_BYTES]
    kind = sniff(head)
    assert kind == UNKNOWN or "/" in kind
    assert not (is_text(head) and b"\x00" in head)
    file = io.BytesIO(data)
    for one in _KINDS:
        assert 0 <= stored_bytes(file, one) <= len(data) * (1032 if one == "audio/mpeg" else 1)
        assert isinstance(find_excess(file, one), str)
        assert file.tell() == 0


def statements(data: bytes) -> None:
    """What c2pa's reader could say, as JSON."""
    try:
        store: Any = json.loads(data)
    except (ValueError, RecursionError):
        return
    if not isinstance(store, dict):
        return
    statement = Statement.read(store)
    for text in (statement.signer, statement.rights, statement.label, statement.stated_time):
        assert text == one_line(text)
    find_stamp(store)
    is_intact(store)
    assert all(line.isprintable() for line in why_invalid(find_failures(store), None))


def payloads(data: bytes) -> None:
    """The watermark's decoder: any soft values."""
    soft = np.zeros(CODED_BITS, np.float32)
    given = data[: CODED_BITS * 4]
    values = np.frombuffer(given[: len(given) // 4 * 4], np.float32)
    soft[: len(values)] = values
    decoded = decode(soft)
    assert 0 <= decoded.payload < 1 << 32
    assert -1.001 <= decoded.confidence <= 1.001


def pictures(data: bytes) -> None:
    """The search for the watermark, in pictures of any size and content: it ends, and finds nothing."""
    if len(data) < 4:
        return
    height, width = 1 + data[0], 1 + data[1]
    content = np.frombuffer(data[2:], np.uint8)
    image = np.resize(content, (height, width, 3))
    assert find_in_picture(np.ascontiguousarray(image)) is None


def sidecars(data: bytes) -> None:
    """Credentials beside a file that cannot hold them."""
    path = folder() / "a.webm"
    path.write_bytes(b"\x1aE\xdf\xa3\x93B\x82\x88matroska" + bytes(64))
    (folder() / "a.webm.c2pa").write_bytes(data)
    _verify(path)


def files(data: bytes) -> None:
    """Whatever somebody wants to have verified."""
    path = folder() / "any"
    path.write_bytes(data)
    _verify(path)


def _verify(path: Path) -> None:
    try:
        found = verify(path)
    except LikenessError as error:
        assert error.hint
    else:
        assert found.credentials_state in ("none", "tampered", "untrusted")
        assert all(line.isprintable() for line in found.summary())
        json.dumps(found.to_json())


def strict_json(data: bytes) -> None:
    """JSON that can be understood in one way only."""
    try:
        value = parse(data)
    except DocumentError as error:
        assert str(error)
    else:
        assert parse(canonical(value)) == value
        assert canonical(parse(canonical(value))) == canonical(value)


def records(data: bytes) -> None:
    """A consent record: whatever is read is written and read back the same, and can be read out."""
    try:
        record = ConsentRecord.from_bytes(data)
    except ConsentFormat as error:
        assert error.hint
        assert error.what.isprintable()
        return
    assert ConsentRecord.from_bytes(record.to_bytes()) == record
    assert all(line.isprintable() for line in describe(record))
    try:
        check_signature(record)
    except ConsentInvalid:
        # A record that is well formed can be signed, and then holds.
        check_signature(sign(replace(record, signature=None), _key()))


def revocations(data: bytes) -> None:
    """What takes a consent back, and the file with embeddings that are kept apart."""
    try:
        found = Revocation.from_bytes(data)
    except (ConsentFormat, ConsentInvalid) as error:
        assert error.hint
    else:
        assert Revocation.from_bytes(found.to_bytes()) == found
    try:
        kept = ReferenceFile.from_bytes(data)
    except ConsentFormat as error:
        assert error.hint
    else:
        assert ReferenceFile.from_bytes(kept.to_bytes()).sha256 == kept.sha256


def alignments(data: bytes) -> None:
    """Where the faces of a face set were: any bytes, and any bytes in place of one of its values."""
    face, _, value = whole_alignments().partition("VALUE")
    for text in (data, face.encode() + data + value.encode()):
        path = folder() / "alignments.json"
        path.write_bytes(text)
        try:
            found = read_alignments(path)
        except FaceSetFormat as error:
            assert error.hint
            continue
        for one in found.faces:
            assert Path(one.file).name == one.file
            assert np.isfinite(one.alignment.cut_points(one.points, found.size_px, zoom=found.zoom)).all()
            assert FaceRecord.read(Fields(json.loads(one.to_line()))).file == one.file


@cache
def whole_alignments() -> str:
    """A file with one face, and VALUE where its first point belongs."""
    source = SourceFile("a.mp4", "ab" * 32, 9, 9, Fraction(25), 1)
    square = Alignment(4, 4, 8, 0)
    points, shapes = np.ones((478, 3), np.float32), np.zeros(52, np.float32)
    code, box = "0" * 16, (1.0, 1.0, 8.0, 8.0)
    face = FaceRecord(
        "000000_0.png", 0, 0, 0, 0, box, 1, Pose(0, 0, 0), square, points, shapes, 1, None, None, code
    )
    path = folder() / "whole.json"
    write_alignments(path, Alignments((source,), ()), [face.to_line()])
    return path.read_text(encoding="utf-8").replace("[1.0, 1.0, 1.0]", "VALUE", 1)


def voice_indexes(data: bytes) -> None:
    """An index of a voice model: any bytes, and a sound beginning with any bytes behind it."""
    from likeness.engines.rvc.index import load_index  # needs torch

    head = struct.pack("<iqqq?i", 2, 3, 0, 0, True, 1)
    centres = struct.pack("<QQ4siqqq?iQ2f", 1, 1, b"IxF2", 2, 1, 0, 0, True, 1, 2, 0, 0)
    lists = b"IwFl" + head + centres + struct.pack("<BQ4sQQ", 0, 0, b"ilar", 1, 8)
    for one in (data, b"IwFl" + data, lists + data):
        path = folder() / "a.index"
        path.write_bytes(one)
        try:
            index = load_index(path, 2)
        except LikenessError as error:
            assert error.hint
        else:
            assert np.isfinite(index.draw_near(np.ones((3, 2), np.float32))).all()


def voice_models(data: bytes) -> None:
    """A checkpoint of RVC, and the network that listens for it."""
    from likeness.engines.rvc.content import ContentModel
    from likeness.engines.rvc.library import load_synthesizer

    for name in ("v.pth", "v.safetensors"):
        path = folder() / name
        path.write_bytes(data)
        try:
            load_synthesizer(path)
        except LikenessError as error:
            assert error.hint
    path = folder() / "hubert.onnx"
    path.write_bytes(data)
    try:
        ContentModel(path, 768)
    except LikenessError as error:
        assert error.hint


def voices(data: bytes) -> None:
    """A `.voice` file: any bytes, any header, and any text in the place of what a header says."""
    from likeness.voices.voice_file import open_voice

    text = data.decode("utf-8", "replace")
    said = json.dumps({"format": "likeness-voice", "version": 1, "name": text, "consent": {"record": text}})
    path = folder() / "a.voice"
    for whole in (data, _safetensors(text), _safetensors(said), _safetensors(said[:-1] + f', "x": {text}}}')):
        path.write_bytes(whole)
        try:
            open_voice(path)
        except LikenessError as error:
            assert error.hint


def _safetensors(text: str) -> bytes:
    """A safetensors file that holds nothing, and says this of itself."""
    head = json.dumps({"__metadata__": {"likeness": text}}).encode()
    return struct.pack("<Q", len(head)) + head


@cache
def _key() -> ConsentKey:
    return create_key(Path(_temporary().name) / "key.pem")


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (
        motion,
        motion_entries,
        certificates,
        containers,
        statements,
        payloads,
        pictures,
        sidecars,
        files,
        strict_json,
        records,
        revocations,
        alignments,
        voice_indexes,
        voice_models,
        voices,
    )
}
