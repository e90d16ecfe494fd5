"""Files to begin with, one folder per target: small, whole and of every kind that is read.

python fuzz/seeds.py CORPUS
"""

from __future__ import annotations

import io
import struct
import sys
import tempfile
import zipfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image
from targets import TARGETS, whole_alignments

from likeness import consent
from likeness.consent.reference import take_apart
from likeness.disclosure.credentials.signing import Credentials
from likeness.disclosure.signer import identity
from likeness.disclosure.watermark.code import signs
from likeness.motion.file import FIELDS, write_motion
from likeness.motion.frame import DriverInfo, MotionFrame
from likeness.types import Making
from likeness.verification import verify
from likeness.voices.voice_file import write_voice


def main() -> None:
    corpus = Path(sys.argv[1])
    for target in TARGETS:
        (corpus / target).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        _write_motion(corpus, Path(folder))
        _write_signed(corpus, Path(folder))
        _write_consent(corpus, Path(folder))
        _write_voice_models(corpus, Path(folder))
    for name, data in _containers().items():
        (corpus / "containers" / name).write_bytes(data)
    (corpus / "payloads" / "word").write_bytes(signs(0xDEADBEEF).tobytes())
    (corpus / "alignments" / "whole").write_bytes(whole_alignments().replace("VALUE", "[1, 1, 1]").encode())
    (corpus / "alignments" / "value").write_bytes(b"[1.5, -2e3, 0]")
    random = np.random.default_rng(0)
    (corpus / "pictures" / "noise").write_bytes(bytes([79, 99]) + random.bytes(4096))


def _write_consent(corpus: Path, folder: Path) -> None:
    """A request, a record with all that it can hold, one of a corpus, and what belongs to them."""
    key = consent.create_key(folder / "key.pem")
    request = consent.draft(subject="Anna", requester="Studio", acts=["animate"], purposes=["a film"])
    now = request.requested
    evidence = consent.Evidence(
        "spoken", now, "ab" * 32, "Yes, 4711.", "4711", "yes", (("s", "0.9"),), "likeness"
    )
    full = replace(
        request,
        references=consent.References(
            (consent.HashedFile("anna.jpg", "face", "ab" * 32, 9),),
            consent.Embedding.of("network/1", np.linspace(0, 1, 16)),
        ),
        challenge=consent.Challenge("Yes, 4711.", "4711", now),
        evidence=(evidence,),
    )
    signed = consent.sign(full, key)
    bare, apart = take_apart(full)
    grid = consent.sign(consent.draft_corpus("GRID", licence="CC BY 4.0", evaluator="Ada"), key)
    for name, one in {"request": request, "record": signed, "apart": bare, "corpus": grid}.items():
        (corpus / "records" / name).write_bytes(one.to_bytes())
        (corpus / "strict_json" / name).write_bytes(one.to_bytes())
    (corpus / "revocations" / "revocation").write_bytes(consent.revoke(signed, key, "so").to_bytes())
    (corpus / "revocations" / "reference").write_bytes(apart.to_bytes())


def _write_voice_models(corpus: Path, folder: Path) -> None:
    """A checkpoint, and the index of one; `load_index` wants vectors of two numbers here."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.engines.rvc.index_files import index_bytes
    from tests.rvc_models import write_file
    from tests.voice_people import corpus_record, make_voice

    write_voice(make_voice(corpus_record(folder)), corpus / "voices" / "anna.voice")
    write_file(corpus / "voice_models" / "v.pth")
    vectors = np.random.default_rng(0).standard_normal((9, 2)).astype(np.float32)
    whole = index_bytes([vectors[:4], vectors[:0], vectors[4:]], vectors[:3])
    (corpus / "voice_indexes" / "index").write_bytes(whole)
    (corpus / "voice_indexes" / "behind").write_bytes(whole[4:])
    (corpus / "voice_indexes" / "sparse").write_bytes(
        index_bytes([vectors, vectors[:0]], vectors[:2], sparse=True)
    )
    (corpus / "voice_indexes" / "lists").write_bytes(
        b"full" + struct.pack("<QQ", 1, 3) + vectors[:3].tobytes() + bytes(24)
    )
    np.save(folder / "a.npy", vectors)
    (corpus / "voice_indexes" / "npy").write_bytes((folder / "a.npy").read_bytes())


def _containers() -> dict[str, bytes]:
    """The smallest of each kind that no library at hand writes with credentials in it."""
    uuid = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
    geob = b"\0application/c2pa\0c2pa\0c2pa manifest store\0" + bytes(20)
    frame = b"GEOB" + bytes([0, 0, 0, len(geob)]) + b"\0\0" + geob
    tag = bytes([0, 0, 0, len(frame)]) + frame + b"\xff\xfb\x90\0"
    ftyp = struct.pack(">I", 16) + b"ftypmp42" + bytes(4)
    moov = struct.pack(">I4sI4sI4s", 24, b"moov", 16, b"trak", 8, b"free")
    store = struct.pack(">I4s", 40, b"uuid") + uuid + bytes(16)
    return {
        "mp3 2.4": b"ID3\4\0\0" + tag,
        "mp3 2.3": b"ID3\3\0\x80" + tag,
        "mp3 2.2": b"ID3\2\0\0\0\0\0\x0aGEO\0\0\4abcd",
        "mp3 extended": b"ID3\3\0\x40\0\0\0\x14\0\0\0\6" + bytes(6) + b"TIT2\0\0\0\0\0\x80",
        "mp4": ftyp + moov + store,
        "jxl": b"\0\0\0\x0cJXL \r\n\x87\n" + struct.pack(">I4s", 16, b"jumb") + bytes(8),
        "wav": b"RIFF\x1c\0\0\0WAVEfmt \0\0\0\0C2PA\4\0\0\0abcd",
        "webm": b"\x1aE\xdf\xa3\x93B\x82\x84webm",
        "ts": (b"\x47" + bytes(187)) * 3,
    }


def _write_motion(corpus: Path, folder: Path) -> None:
    points = np.random.default_rng(0).uniform(0, 200, (478, 3)).astype(np.float32)
    frames = [MotionFrame(points, np.zeros(52, np.float32))] * 2
    path = folder / "a.motion"
    write_motion(path, frames, DriverInfo(Fraction(25), 640, 480))
    (corpus / "motion" / "a").write_bytes(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        names = ["motion.json", *(f"{name}/00000.npy" for name in FIELDS)]
        parts = [archive.read(name) for name in names if name in archive.namelist()]
    (corpus / "motion_entries" / "a").write_bytes(b"\xfe\xff".join(parts))


def _write_signed(corpus: Path, folder: Path) -> None:
    who = identity.load_or_create()
    making = Making("animate", "mesh", "1", ())
    credentials = Credentials(making, who, label_text="AI", layers=("credentials",))
    (corpus / "certificates" / "pem").write_bytes(who.certificates)
    for name in ("PNG", "JPEG", "GIF", "TIFF", "WEBP"):
        plain, signed = io.BytesIO(), io.BytesIO()
        Image.new("RGB", (16, 16), (90, 120, 60)).save(plain, name)
        plain.seek(0)
        store = credentials.sign(plain, signed, f"image/{name.lower()}", title="a")
        for target in ("containers", "files"):
            (corpus / target / name).write_bytes(signed.getvalue())
        (corpus / "sidecars" / name).write_bytes(store)
    path = folder / "a"
    path.write_bytes((corpus / "files" / "PNG").read_bytes())
    (corpus / "statements" / "png").write_text(verify(path).manifest_json)


if __name__ == "__main__":
    main()
