"""Credentials from the future: signed with a certificate that begins only after this computer's now."""

from __future__ import annotations

import datetime as dt
import struct
import zlib
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from likeness.disclosure import identity
from likeness.disclosure.seal import seal_image
from likeness.verification import verify

from .authority import Issued, issue
from .conftest import MakeMaking, moving_picture

ROOT = issue("Root", authority=True)


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "home"))


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def byte_string(data: bytes) -> bytes:
    """CBOR (RFC 8949), for strings of 256 to 65,535 bytes."""
    return b"\x59" + struct.pack(">H", len(data)) + data


def begin_later(data: bytearray, signer: Issued) -> None:
    """Puts a certificate of the same key that begins in 30 days into a signed PNG, and signs again.

    c2pa itself refuses to sign so. COSE_Sign1 (RFC 9052, 4.4): what is signed is an array of the context,
    the protected header (which holds the certificates), nothing, and the claim.
    """
    old = der(signer.certificate)
    later = b""
    while len(later) != len(old):  # a signature in DER is a byte longer or shorter now and then
        later = der(issue("S", ROOT, key=signer.key, begins=dt.timedelta(days=30)).certificate)
    at = data.index(old)
    head = data.rindex(b"\xd2\x84\x59", 0, at)
    begin = head + 5
    end = begin + int.from_bytes(data[head + 3 : begin], "big")
    box = data.index(b"cbor", data.index(b"c2pa.claim.v2"))
    claim = bytes(data[box + 4 : box - 4 + int.from_bytes(data[box - 4 : box], "big")])
    data[at : at + len(old)] = later
    protected = bytes(data[begin:end])
    signed = b"\x84\x6aSignature1" + byte_string(protected) + b"\x40" + byte_string(claim)
    r, s = utils.decode_dss_signature(signer.key.sign(signed, ec.ECDSA(hashes.SHA256())))
    place = data.index(b"\x58\x40", end) + 2
    data[place : place + 64] = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    chunk = data.index(b"caBX")
    stop = chunk + 4 + int.from_bytes(data[chunk - 4 : chunk], "big")
    data[stop : stop + 4] = struct.pack(">I", zlib.crc32(data[chunk:stop]))


def test_credentials_from_the_future_do_not_hold_and_the_clock_is_mentioned(
    tmp_path: Path, folder: Path, making: MakeMaking
) -> None:
    signer = issue("S", ROOT)
    (tmp_path / "chain.pem").write_bytes(signer.pem)
    (tmp_path / "key.pem").write_bytes(signer.key_pem())
    identity.import_identity(tmp_path / "chain.pem", tmp_path / "key.pem")
    path = folder / "a.png"
    seal_image(moving_picture(0), path, making())
    assert verify(path).state == "valid"
    data = bytearray(path.read_bytes())
    begin_later(data, signer)
    path.write_bytes(data)
    found = verify(path)
    assert found.credentials_state == "tampered"
    assert "clocks" in found.reasons[0]
    assert not any("changed" in reason for reason in found.reasons), "the new signature itself is right"
