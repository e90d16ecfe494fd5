"""Identities that the user brings, and what is done about bad ones."""

from __future__ import annotations

import datetime as dt
import os
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from likeness.disclosure.seal import seal_image
from likeness.disclosure.signer import identity, trust
from likeness.disclosure.signer.brought import Brought, parse_key
from likeness.disclosure.signer.certificates import parse_certificates
from likeness.errors import IdentityError
from likeness.verification import verify

from .authority import C2PA_SIGNING, DOCUMENT_SIGNING, EMAIL, Issued, issue
from .conftest import MakeMaking, moving_picture


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of this test's own."""
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


ROOT = issue("Test Root", authority=True)
DESK = issue("Test Desk", ROOT, authority=True)


def files(folder: Path, signer: Issued, *above: Issued, password: bytes | None = None) -> tuple[Path, Path]:
    chain, key = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(b"".join(one.pem for one in (signer, *above)))
    key.write_bytes(signer.key_pem(password))
    return chain, key


@pytest.mark.parametrize("use", [EMAIL, DOCUMENT_SIGNING, C2PA_SIGNING])
def test_signs_from_now_on(tmp_path: Path, folder: Path, making: MakeMaking, use: object) -> None:
    signer = issue("Newsroom", DESK, use=use)  # type: ignore[arg-type]
    found, aside = identity.import_identity(*files(tmp_path, signer, DESK, ROOT))
    assert (found.name, found.is_imported, aside) == ("Newsroom", True, None)
    assert identity.load() == found == identity.load_or_create()
    seal_image(moving_picture(0), folder / "a.png", making())
    seen = verify(folder / "a.png")
    assert (seen.signer, seen.state, seen.own, seen.trusted) == ("Newsroom", "valid", True, False)
    (tmp_path / "root.pem").write_bytes(ROOT.pem)
    trust.add(tmp_path / "root.pem")
    seen = verify(folder / "a.png")
    assert (seen.credentials_state, seen.trusted, seen.own) == ("valid", True, True)


def test_its_authority_does_not_make_others_trusted_or_us(
    tmp_path: Path, folder: Path, making: MakeMaking
) -> None:
    """Whoever else holds a certificate of the same authority is neither we nor anybody we chose."""
    identity.import_identity(*files(tmp_path, issue("Somebody else", ROOT), ROOT))
    seal_image(moving_picture(0), folder / "a.png", making())
    identity.import_identity(*files(tmp_path, issue("Newsroom", ROOT), ROOT), force=True)
    seen = verify(folder / "a.png")
    assert (seen.credentials_state, seen.own) == ("untrusted", False)


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP521R1()),
        rsa.generate_private_key(65537, 2048),
        ed25519.Ed25519PrivateKey.generate(),
    ],
    ids=["P-384", "P-521", "RSA", "Ed25519"],
)
def test_kinds_of_keys(tmp_path: Path, folder: Path, making: MakeMaking, key: object) -> None:
    identity.import_identity(*files(tmp_path, issue("Newsroom", ROOT, key=key), ROOT))
    seal_image(moving_picture(0), folder / "a.png", making())
    assert verify(folder / "a.png").state == "valid"


@pytest.mark.parametrize(
    ("signer", "words"),
    [
        (issue("S", ROOT, ends=dt.timedelta(days=-1)), "ended on"),
        (issue("S", ROOT, begins=dt.timedelta(days=2)), "clock"),
        (issue("S", ROOT, use=ExtendedKeyUsageOID.SERVER_AUTH), "something else: serverAuth"),
        (issue("S", ROOT, use=None), "does not say what it is for"),
        (DESK, "an authority's"),
        (issue("S", ROOT, key=rsa.generate_private_key(65537, 1024)), "too short"),
        (issue("S", ROOT, key=ec.generate_private_key(ec.SECP256K1())), "curve"),
    ],
    ids=["expired", "future", "server", "no use", "authority", "short", "curve"],
)
def test_what_may_not_sign_is_refused_and_nothing_written(
    tmp_path: Path, own_home: Path, signer: Issued, words: str
) -> None:
    with pytest.raises(IdentityError, match=words) as raised:
        identity.import_identity(*files(tmp_path, signer, ROOT))
    assert raised.value.hint
    assert not own_home.exists()


def test_what_does_not_belong_together(tmp_path: Path, own_home: Path) -> None:
    signer, other = issue("S", DESK), issue("T", DESK)
    chain, key = files(tmp_path, signer, DESK)
    key.write_bytes(other.key_pem())
    with pytest.raises(IdentityError, match="does not belong"):
        identity.import_identity(chain, key)
    with pytest.raises(IdentityError, match="not issued by the next"):
        identity.import_identity(*files(tmp_path, signer, ROOT))
    chain, key = files(tmp_path, signer)
    key.write_bytes(signer.key_pem() + other.key_pem())
    with pytest.raises(IdentityError, match="2 private keys"):
        identity.import_identity(chain, key)
    with pytest.raises(IdentityError, match="no private key"):
        identity.import_identity(chain, chain)
    with pytest.raises(IdentityError, match="no certificate"):
        identity.import_identity(key, key)
    with pytest.raises(IdentityError, match="folder"):
        identity.import_identity(chain, tmp_path)
    assert not own_home.exists()


def test_encrypted_keys(tmp_path: Path) -> None:
    chain, key = files(tmp_path, issue("S", ROOT), ROOT, password=b"open sesame")
    with pytest.raises(IdentityError, match="--password-env"):
        identity.import_identity(chain, key)
    with pytest.raises(IdentityError, match="password may be wrong"):
        identity.import_identity(chain, key, password=b"mellon")
    found, _ = identity.import_identity(chain, key, password=b"open sesame")
    assert b"ENCRYPTED" not in found.key
    if os.name == "posix":
        assert found.path.stat().st_mode & 0o777 == 0o600


def test_an_identity_is_replaced_only_on_purpose_and_kept(tmp_path: Path) -> None:
    first = identity.load_or_create()
    before = first.path.read_bytes()
    with pytest.raises(IdentityError, match="already") as raised:
        identity.create()
    assert "--force" in raised.value.hint
    given = files(tmp_path, issue("S", ROOT), ROOT)
    with pytest.raises(IdentityError, match="already"):
        identity.import_identity(*given)
    assert first.path.read_bytes() == before
    second, aside = identity.create(force=True)
    assert aside is not None
    assert aside.read_bytes() == before
    assert second.authority != first.authority
    third, again = identity.import_identity(*given, force=True)
    assert again not in (None, aside)
    assert identity.load() == third


def test_an_identity_that_ended_signs_nothing(folder: Path, making: MakeMaking, own_home: Path) -> None:
    signer = issue("S", ROOT, ends=dt.timedelta(seconds=-5))
    brought = Brought.parse(signer.pem + ROOT.pem, signer.key_pem())
    data = identity._BROUGHT + brought.certificates + brought.private_bytes
    identity._file().store_new(data)
    with pytest.raises(IdentityError, match="ended") as raised:
        seal_image(moving_picture(0), folder / "a.png", making())
    assert raised.value.exit_code == 8
    assert list(folder.iterdir()) == []


def test_a_certificate_that_ended_since_is_said(tmp_path: Path, folder: Path, making: MakeMaking) -> None:
    signer = issue("S", ROOT, ends=dt.timedelta(seconds=3))
    identity.import_identity(*files(tmp_path, signer, ROOT))
    seal_image(moving_picture(0), folder / "a.png", making())
    while dt.datetime.now(dt.UTC) <= signer.certificate.not_valid_after_utc + dt.timedelta(seconds=1):
        time.sleep(0.1)
    seen = verify(folder / "a.png")
    assert seen.credentials_state == "untrusted"
    assert any("certificate has ended" in reason for reason in seen.reasons)


def test_an_unreadable_key_stops_it_before_anything_is_written(
    folder: Path, making: MakeMaking, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = identity.load_or_create().path
    usual = Path.open

    def refuse(self: Path, *words: Any, **options: Any) -> Any:
        if self == path:
            raise PermissionError(13, "Permission denied")
        return usual(self, *words, **options)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(IdentityError, match="Permission denied") as raised:
        seal_image(moving_picture(0), folder / "a.png", making())
    assert (raised.value.exit_code, bool(raised.value.hint)) == (8, True)
    assert list(folder.iterdir()) == []


def test_a_full_disk_keeps_the_old_identity(
    tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = identity.load_or_create()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("likeness.private_file.os.fsync", full)
    with pytest.raises(IdentityError, match="No space left"):
        identity.create(force=True)
    with pytest.raises(IdentityError, match="No space left"):
        identity.import_identity(*files(tmp_path, issue("S", ROOT), ROOT), force=True)
    assert identity.load() == first
    assert [path.name for path in first.path.parent.iterdir()] == ["identity.pem"]


@given(st.binary(max_size=300))
def test_any_bytes_make_no_identity(data: bytes) -> None:
    frame = b"-----BEGIN CERTIFICATE-----\n" + data + b"\n-----END CERTIFICATE-----\n"
    for certificates in (data, frame, ROOT.pem + frame):
        with pytest.raises(ValueError, match=r".") as raised:
            Brought.parse(certificates, data)
        assert type(raised.value) is ValueError


@given(st.data())
def test_damaged_certificates_are_read_or_refused(data: st.DataObject) -> None:
    pem = bytearray(DESK.pem)
    for _ in range(data.draw(st.integers(1, 4))):
        pem[data.draw(st.integers(0, len(pem) - 1))] = data.draw(st.sampled_from(b"AZaz09+/=\n-"))
    try:
        assert parse_certificates(bytes(pem))
    except ValueError as error:
        assert str(error)


def test_blocks_that_begin_and_never_end_are_passed_over_at_once() -> None:
    """With a pattern that searches to the end of the file for each, this takes minutes."""
    with pytest.raises(ValueError, match="no certificate"):
        parse_certificates(b"-----BEGIN CERTIFICATE-----" * 38_000)
    with pytest.raises(ValueError, match="no private key"):
        parse_key(b"-----BEGIN PRIVATE KEY-----" * 38_000, None)


def test_headers_inside_a_block_do_no_harm() -> None:
    """As OpenSSL writes them for old encrypted keys, with dashes in them."""
    key = ec.generate_private_key(ec.SECP256R1())
    old = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.BestAvailableEncryption(b"secret"),
    )
    assert b"DEK-Info: AES-256-CBC" in old
    assert parse_key(old, b"secret").private_numbers() == key.private_numbers()  # type: ignore[union-attr]
