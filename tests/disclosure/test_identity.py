from __future__ import annotations

import datetime as dt
import getpass
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509

from likeness.disclosure.signer import identity
from likeness.errors import IdentityError


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of this test's own."""
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_is_made_once_and_then_read(own_home: Path) -> None:
    assert identity.load() is None
    first = identity.load_or_create()
    assert first.path == own_home / "config" / "identity.pem"
    assert identity.load_or_create() == first
    assert identity.load() == first
    assert [path.name for path in first.path.parent.iterdir()] == ["identity.pem"]


def test_certificate_is_what_c2pa_accepts(own_home: Path) -> None:
    found = identity.load_or_create()
    leaf, authority = x509.load_pem_x509_certificates(found.certificates)
    leaf.verify_directly_issued_by(authority)
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    purposes = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert usage.digital_signature
    assert not usage.key_cert_sign
    assert list(purposes) == [x509.ExtendedKeyUsageOID.EMAIL_PROTECTION]
    assert leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    assert leaf.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)
    assert x509.load_pem_x509_certificate(found.authority) == authority
    assert found.not_after - dt.datetime.now(dt.UTC) > dt.timedelta(days=9 * 365)


def test_names_tell_nothing_about_the_person(own_home: Path) -> None:
    found = identity.load_or_create()
    names = found.name + "".join(
        c.subject.rfc4514_string() + c.issuer.rfc4514_string()
        for c in x509.load_pem_x509_certificates(found.certificates)
    )
    assert found.name.startswith("likeness local identity ")
    assert getpass.getuser() not in names
    assert socket.gethostname() not in names


def test_repr_does_not_show_the_key(own_home: Path) -> None:
    found = identity.load_or_create()
    assert "PRIVATE" not in repr(found)
    assert b"PRIVATE" in found.key


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_only_the_owner_may_read_it(own_home: Path) -> None:
    path = identity.load_or_create().path
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o077 == 0
    path.chmod(0o644)
    identity.load()
    assert path.stat().st_mode & 0o777 == 0o600


def test_several_processes_at_once_get_the_same(own_home: Path) -> None:
    code = (
        "from likeness.disclosure.signer.identity import load_or_create as l; print(l().certificates.hex())"
    )
    runs = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    answers = {run.communicate(timeout=60)[0] for run in runs}
    assert len(answers) == 1
    assert answers != {""}
    assert [path.name for path in (own_home / "config").iterdir()] == ["identity.pem"]


def test_whoever_comes_second_leaves_the_first_alone(own_home: Path) -> None:
    first = identity.load_or_create()
    identity._file().store_new(identity._Bundle.create().serialise())
    assert identity.load_or_create() == first


def test_works_without_hard_links(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise OSError("not on this file system")

    monkeypatch.setattr(os, "link", no_links)
    assert identity.load_or_create() == identity.load()


def test_renewal_keeps_the_authority(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(identity, "SIGNER_DAYS", identity.RENEW_DAYS - 2)
        patch.setattr(identity, "AUTHORITY_DAYS", 20_000)
        old = identity._Bundle.create()
        identity._file().store_new(old.serialise())
    renewed = identity.load_or_create()
    assert renewed.authority == old.identity(renewed.path).authority
    assert renewed.certificates != old.identity(renewed.path).certificates
    assert renewed.not_after > old.certificate.not_valid_after_utc
    assert identity.load_or_create() == renewed


@pytest.mark.parametrize("damage", ["empty", "text", "half", "foreign key"])
def test_damage_is_named_and_nothing_is_replaced(own_home: Path, damage: str) -> None:
    path = identity.load_or_create().path
    good = path.read_bytes()
    other = identity._Bundle.create().serialise()
    bad = {
        "empty": b"",
        "text": b"hello",
        "half": good[: len(good) // 2],
        "foreign key": good[: good.index(b"-----BEGIN PRIVATE")]
        + other[other.index(b"-----BEGIN PRIVATE") :],
    }[damage]
    path.write_bytes(bad)
    with pytest.raises(IdentityError, match=r"identity\.pem") as raised:
        identity.load_or_create()
    assert "Move the file away" in raised.value.hint
    assert path.read_bytes() == bad


def test_a_place_that_cannot_be_written_is_named(own_home: Path) -> None:
    own_home.mkdir()
    (own_home / "config").write_text("in the way")
    with pytest.raises(IdentityError, match="config") as raised:
        identity.load_or_create()
    assert raised.value.hint
