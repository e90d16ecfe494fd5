"""Credentials of another time: signed with a certificate that has ended, or begins only after today."""

from __future__ import annotations

import datetime as dt
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from likeness.disclosure.credentials.reasons import why_valid
from likeness.disclosure.credentials.statement import is_expired, is_intact
from likeness.disclosure.seal import seal_image
from likeness.disclosure.signer import identity
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


ENDED = (dt.timedelta(days=-20), dt.timedelta(days=-2))
FUTURE = (dt.timedelta(days=30), dt.timedelta(days=300))


def redate(data: bytearray, signer: Issued, begins: dt.timedelta, ends: dt.timedelta) -> None:
    """Puts a certificate of the same key but another time into a signed PNG, and signs again.

    c2pa itself refuses to sign so. COSE_Sign1 (RFC 9052, 4.4): what is signed is an array of the context,
    the protected header (which holds the certificates), nothing, and the claim.
    """
    old = der(signer.certificate)
    later = b""
    while len(later) != len(old):  # a signature in DER is a byte longer or shorter now and then
        later = der(issue("S", ROOT, key=signer.key, begins=begins, ends=ends).certificate)
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


@pytest.fixture
def signer(tmp_path: Path) -> Issued:
    """An identity that signs from now on."""
    signer = issue("S", ROOT)
    (tmp_path / "chain.pem").write_bytes(signer.pem)
    (tmp_path / "key.pem").write_bytes(signer.key_pem())
    identity.import_identity(tmp_path / "chain.pem", tmp_path / "key.pem")
    return signer


@pytest.mark.parametrize("time", [ENDED, FUTURE], ids=["ended", "future"])
def test_a_certificate_of_another_time_is_no_change_of_the_file(
    folder: Path, making: MakeMaking, signer: Issued, time: tuple[dt.timedelta, dt.timedelta]
) -> None:
    path = folder / "a.png"
    seal_image(moving_picture(0), path, making())
    assert not is_expired(store_of(path))
    data = bytearray(path.read_bytes())
    redate(data, signer, *time)
    path.write_bytes(data)
    store = store_of(path)
    assert is_intact(store)
    assert is_expired(store)
    found = verify(path)
    assert found.credentials_state == "untrusted"
    assert any("clocks" in reason for reason in found.reasons)
    assert not any("was changed" in reason for reason in found.reasons)


@pytest.mark.parametrize("where", ["picture", "statement"])
def test_but_a_changed_file_is_changed_whatever_the_time(
    folder: Path, making: MakeMaking, signer: Issued, where: str
) -> None:
    path = folder / "a.png"
    seal_image(moving_picture(0), path, making())
    data = bytearray(path.read_bytes())
    redate(data, signer, *ENDED)
    data[-40 if where == "picture" else data.index(b"likeness mesh")] ^= 1
    path.write_bytes(data)
    assert is_expired(store_of(path))
    assert not is_intact(store_of(path))
    found = verify(path)
    assert found.credentials_state == "tampered"
    assert any("was changed" in reason for reason in found.reasons)


def store_of(path: Path) -> dict[str, Any]:
    store: dict[str, Any] = json.loads(verify(path).manifest_json)
    return store


def test_without_proof_of_what_fits_nothing_is_intact() -> None:
    fits = [{"code": "claimSignature.validated"}, {"code": "assertion.dataHash.match"}]
    for success, failure, intact in (
        (fits, [], True),
        (fits, ["signingCredential.expired", "signingCredential.untrusted"], True),
        (fits, ["signingCredential.expired", "signingCredential.revoked"], False),
        (fits[:1], ["signingCredential.expired"], False),
        (fits[1:], ["signingCredential.expired"], False),
        ([], [], False),
    ):
        active = {"success": success, "failure": [{"code": code} for code in failure]}
        assert is_intact({"validation_results": {"activeManifest": active}}) is intact


def test_it_is_said_in_plain_words() -> None:
    reasons = why_valid("S", own=False, trusted_as="", sidecar=None, stamp="absent", time="", expired=True)
    assert reasons[1] == "What is shown, heard and stated has not been changed since."
    assert "certificate has ended" in reasons[2]
