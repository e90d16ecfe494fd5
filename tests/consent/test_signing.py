"""Who signed, and that nothing was altered since."""

from __future__ import annotations

import datetime as dt
import json
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from likeness import consent
from likeness.consent import ConsentKey, ConsentRecord
from likeness.consent.canonical import canonical
from likeness.consent.keys import _SMALL_ORDER, default_path, fits, spell_fingerprint
from likeness.errors import ConsentError, ConsentFormat, ConsentInvalid, ConsentKeyError

Draft = Callable[..., ConsentRecord]


def test_a_request_becomes_a_record(draft: Draft, key: ConsentKey) -> None:
    request = draft()
    record = consent.sign(request, key)
    assert replace(record, signature=None) == request
    assert consent.check_signature(record).key == key.public


def test_anyone_can_check_the_signature_with_other_tools(record: ConsentRecord, key: ConsentKey) -> None:
    """As `docs/consent.md` says: canonical JSON of all but the signature's value."""
    document = json.loads(record.to_bytes())
    value = document["signature"].pop("value")
    import base64

    data = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(document["signature"]["key"]))
    public.verify(base64.b64decode(value), data)


def is_harmless(data: bytes, record: ConsentRecord) -> bool:
    """Refused, or read as exactly the same record (white space, another spelling of a letter)."""
    try:
        read = ConsentRecord.from_bytes(data)
        consent.check_signature(read)
    except (ConsentFormat, ConsentInvalid):
        return True
    return read == record


@pytest.mark.parametrize("mask", [0x01, 0x20, 0x80])
def test_no_altered_byte_says_something_else(record: ConsentRecord, mask: int) -> None:
    data = record.to_bytes()
    for at in range(len(data)):
        altered = bytearray(data)
        altered[at] ^= mask
        assert is_harmless(bytes(altered), record), (at, data[at - 20 : at + 20])


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_nor_do_bytes_that_come_or_go(record: ConsentRecord, data: st.DataObject) -> None:
    whole = record.to_bytes()
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 40)))
    altered = whole[:start] + data.draw(st.binary(max_size=20)) + whole[end:]
    assert is_harmless(altered, record)


def test_every_field_is_signed(record: ConsentRecord) -> None:
    for changed in (
        replace(record, valid_until=record.valid_until + dt.timedelta(days=1)),
        replace(record, acts=("animate", "swap")),
        replace(record, may_leave_out_label=True),
        replace(record, evidence=()),
        replace(record, references=replace(record.references, face=None)),
        replace(record, signature=replace(record.signature, signed=record.requested)),  # type: ignore[type-var]
    ):
        if changed != record:
            with pytest.raises(ConsentInvalid, match="altered"):
                consent.check(changed)


def test_an_unsigned_request_allows_nothing(draft: Draft) -> None:
    with pytest.raises(ConsentInvalid, match="nobody has signed") as raised:
        consent.check(draft())
    assert raised.value.exit_code == 5


def test_the_key_of_somebody_else(record: ConsentRecord, other_key: ConsentKey) -> None:
    assert record.signature is not None
    swapped = replace(record, signature=replace(record.signature, key=other_key.public))
    with pytest.raises(ConsentInvalid):
        consent.check(swapped)
    with pytest.raises(ConsentInvalid, match="another key"):
        consent.sign(record, other_key)


def test_the_same_key_may_sign_again(record: ConsentRecord, key: ConsentKey) -> None:
    again = consent.sign(replace(record, evidence=()), key)
    assert again.id == record.id
    assert again.sha256 != record.sha256
    consent.check(again)


# Arithmetic on edwards25519 (RFC 8032, section 5.1), to show that the list of weak keys is what it says.
P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P


def decode(data: bytes) -> tuple[int, int]:
    y = int.from_bytes(data, "little") % P
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    assert (x * x - square) % P == 0
    return x, y


def double(point: tuple[int, int]) -> tuple[int, int]:
    x, y = point
    k = D * x * x * y * y % P
    return 2 * x * y * pow(1 + k, -1, P) % P, (y * y + x * x) * pow(1 - k, -1, P) % P


def test_weak_keys_are_refused() -> None:
    """Under a key of small order anybody can sign: with S = 0 the equation holds for many messages."""
    for point in _SMALL_ORDER:
        eightfold = double(double(double(decode(point))))
        assert eightfold == (0, 1), point.hex()
    identity = b"\x01" + bytes(31)
    forged = identity + bytes(32)
    Ed25519PublicKey.from_public_bytes(identity).verify(forged, b"whatever it says")  # so the library lets it
    for sign_bit in (0, 0x80):
        weak = bytes((*identity[:31], identity[31] | sign_bit))
        assert not fits(weak, forged, b"whatever it says")


class TestKeys:
    def test_the_own_key_is_made_once_and_is_private(self, own_home: Path) -> None:
        first = consent.load_or_create_key()
        assert first.path == default_path()
        assert consent.load_or_create_key().public == first.public
        if os.name == "posix":
            assert stat.S_IMODE(first.path.stat().st_mode) == 0o600
            assert stat.S_IMODE(first.path.parent.stat().st_mode) == 0o700

    def test_no_secret_shows(self, key: ConsentKey, record: ConsentRecord) -> None:
        private = key._private.private_bytes_raw()
        assert private.hex() not in repr(key)
        import base64

        assert base64.b64encode(private) not in record.to_bytes()
        assert "_private" not in repr(key)

    def test_an_encrypted_key(self, tmp_path: Path) -> None:
        made = consent.create_key(tmp_path / "k.pem", b"secret")
        assert b"ENCRYPTED" in made.path.read_bytes()
        assert consent.load_key(made.path, b"secret").public == made.public
        for password, why in ((None, "no password"), (b"wrong", "may be wrong")):
            with pytest.raises(ConsentKeyError, match=why):
                consent.load_key(made.path, password)

    def test_a_key_is_never_written_over(self, key: ConsentKey) -> None:
        before = key.path.read_bytes()
        with pytest.raises(ConsentKeyError, match="already there"):
            consent.create_key(key.path)
        assert key.path.read_bytes() == before

    @pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\n!\n"])
    def test_files_that_are_no_keys(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "k.pem").write_bytes(content)
        with pytest.raises(ConsentKeyError) as raised:
            consent.load_key(tmp_path / "k.pem")
        assert raised.value.exit_code == 5

    def test_a_key_of_another_kind(self, tmp_path: Path) -> None:
        pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (tmp_path / "k.pem").write_bytes(pem)
        with pytest.raises(ConsentKeyError, match="another kind"):
            consent.load_key(tmp_path / "k.pem")

    def test_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(ConsentKeyError, match="no key"):
            consent.load_key(tmp_path / "absent.pem")

    def test_fingerprints_are_spelled(self, key: ConsentKey) -> None:
        spelled = spell_fingerprint(key.fingerprint)
        assert spelled.replace(" ", "") == key.fingerprint[:32]
        assert len(spelled.split()) == 8


def test_signing_covers_the_canonical_form(record: ConsentRecord, key: ConsentKey) -> None:
    assert record.signature is not None
    unsigned = replace(record, signature=replace(record.signature, value=b""))
    assert fits(key.public, record.signature.value, canonical(unsigned.to_json()))
    assert isinstance(ConsentInvalid("", ""), ConsentError)
