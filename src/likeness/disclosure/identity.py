"""The local signing identity: who the Content Credentials name when nobody brought a certificate.

Made on first use and kept in one file, `config_dir()/identity.pem` (mode 0600), which holds four PEM blocks:
the certificate and key that sign, then the certificate and key of a private authority (CA) that issued them.
The authority outlives its certificates, so whoever chose to trust it keeps trusting after a renewal.

What such an identity proves is small and honest: files with the same authority come from the same
installation. Nobody has checked who that is. The names carry no user or host name, only eight digits of the
authority's key.

Certificate profile: C2PA 2.2, "X.509 Certificates" (ES256, KeyUsage digitalSignature, EKU emailProtection,
AuthorityKeyIdentifier, an organisation in the subject).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from likeness.errors import IdentityError
from likeness.paths import config_dir

FILE_NAME = "identity.pem"
# Without a time stamp from a network authority a signature cannot be shown to be older than its certificate's
# end, so an output stops verifying on that day: hence ten years, not one.
SIGNER_DAYS = 3653
AUTHORITY_DAYS = 3 * SIGNER_DAYS
RENEW_DAYS = 366
CLOCK_SKEW = dt.timedelta(days=1)
MAX_FILE_BYTES = 1 << 16

_PEM = serialization.Encoding.PEM


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate to sign with.

    Attributes:
        name: the common name that verification shows, "likeness local identity 1a2b3c4d".
        certificates: PEM, the signing certificate followed by the authority's.
        key: PEM (PKCS 8, not encrypted), the signing key.
        authority: PEM, the authority's certificate: what others add to their trust list.
        not_after: when the signing certificate ends.
        path: the file it is kept in.
    """

    name: str
    certificates: bytes
    key: bytes = field(repr=False)
    authority: bytes
    not_after: dt.datetime
    path: Path


def load_or_create() -> Identity:
    """The local identity; made if there is none, its certificate renewed if it ends within a year.

    Safe to call from several processes at once: all of them get the same authority.

    Raises:
        IdentityError: the file cannot be read, is damaged, or cannot be written.
    """
    path = config_dir() / FILE_NAME
    if (found := _load(path)) is None:
        _store_new(path, _Bundle.create())
        if (found := _load(path)) is None:
            raise _unusable(path, "it vanished while it was being made")
    if found.ends_soon():
        found = found.renew()
        _replace(path, found)
    return found.identity(path)


def load() -> Identity | None:
    """The local identity, or None if there is none yet. Makes and renews nothing.

    Raises:
        IdentityError: the file cannot be read or is damaged.
    """
    path = config_dir() / FILE_NAME
    bundle = _load(path)
    return bundle.identity(path) if bundle else None


@dataclass(frozen=True, slots=True)
class _Bundle:
    """What the file holds."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)
    authority: x509.Certificate
    authority_key: ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def create(cls) -> _Bundle:
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("authority", key.public_key())
        authority = (
            _builder(name, name, key.public_key(), AUTHORITY_DAYS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(certify=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        return cls._issue(authority, key)

    def renew(self) -> _Bundle:
        """A new key and certificate from the same authority, or a new authority when that one ends too."""
        left = self.authority.not_valid_after_utc - _now()
        return self._issue(self.authority, self.authority_key) if left.days > SIGNER_DAYS else self.create()

    @classmethod
    def _issue(cls, authority: x509.Certificate, authority_key: ec.EllipticCurvePrivateKey) -> _Bundle:
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = authority_key.public_key()
        certificate = (
            _builder(_name("identity", issuer), authority.subject, key.public_key(), SIGNER_DAYS)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(certify=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), critical=False)
            .sign(authority_key, hashes.SHA256())
        )
        return cls(certificate, key, authority, authority_key)

    @classmethod
    def parse(cls, data: bytes) -> _Bundle:
        """Reads the four PEM blocks and checks that they belong together; ValueError otherwise."""
        certificates = x509.load_pem_x509_certificates(data)
        keys = [serialization.load_pem_private_key(block, password=None) for block in _key_blocks(data)]
        if len(certificates) != 2 or len(keys) != 2:
            raise ValueError("it does not hold two certificates and two keys")
        for certificate, key in zip(certificates, keys, strict=True):
            if (
                not isinstance(key, ec.EllipticCurvePrivateKey)
                or certificate.public_key() != key.public_key()
            ):
                raise ValueError("a key does not belong to its certificate")
        certificate, authority = certificates
        certificate.verify_directly_issued_by(authority)
        return cls(certificate, _elliptic(keys[0]), authority, _elliptic(keys[1]))

    def serialise(self) -> bytes:
        return b"".join(
            (
                self.certificate.public_bytes(_PEM),
                _private_bytes(self.key),
                self.authority.public_bytes(_PEM),
                _private_bytes(self.authority_key),
            )
        )

    def ends_soon(self) -> bool:
        return self.certificate.not_valid_after_utc - _now() < dt.timedelta(days=RENEW_DAYS)

    def identity(self, path: Path) -> Identity:
        (common_name,) = self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        authority = self.authority.public_bytes(_PEM)
        return Identity(
            name=str(common_name.value),
            certificates=self.certificate.public_bytes(_PEM) + authority,
            key=_private_bytes(self.key),
            authority=authority,
            not_after=self.certificate.not_valid_after_utc,
            path=path,
        )


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _name(role: str, authority_key: ec.EllipticCurvePublicKey) -> x509.Name:
    """Neutral: eight hex digits of the authority's public key tell installations apart, and nothing else."""
    der = authority_key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    digits = hashlib.sha256(der).hexdigest()[:8]
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "likeness (unverified, local)"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"likeness local {role} {digits}"),
        ]
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = _now().replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, certify: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certify,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certify,
        crl_sign=certify,
        encipher_only=False,
        decipher_only=False,
    )


def _private_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _key_blocks(data: bytes) -> list[bytes]:
    begin, end = b"-----BEGIN PRIVATE KEY-----", b"-----END PRIVATE KEY-----"
    parts = data.split(begin)[1:]
    return [begin + part.split(end)[0] + end + b"\n" for part in parts]


def _elliptic(key: object) -> ec.EllipticCurvePrivateKey:
    assert isinstance(key, ec.EllipticCurvePrivateKey)  # checked by the caller; this tells the type checker
    return key


def _load(path: Path) -> _Bundle | None:
    """The bundle, or None if there is no file. Takes away other people's access if somebody gave it."""
    try:
        with path.open("rb") as file:
            if os.name == "posix" and os.fstat(file.fileno()).st_mode & 0o077:
                path.chmod(0o600)
            data = file.read(MAX_FILE_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error
    try:
        return _Bundle.parse(data)
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature) as error:
        raise _unusable(path, str(error) or "its authority did not issue its certificate") from error


def _store_new(path: Path, bundle: _Bundle) -> None:
    """Puts a complete file at `path` unless another process was faster; then that one's stays."""
    temporary = _write_private(path, bundle)
    try:
        os.link(temporary, path)  # fails if the path exists, which a rename would not on POSIX
    except FileExistsError:
        return
    except OSError:
        # A file system without hard links. Two processes starting in the same instant may then replace each
        # other's file; both read back what is there afterwards.
        _move(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _replace(path: Path, bundle: _Bundle) -> None:
    temporary = _write_private(path, bundle)
    try:
        _move(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _move(temporary: Path, path: Path) -> None:
    try:
        temporary.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error


def _write_private(path: Path, bundle: _Bundle) -> Path:
    """A new file beside `path` that only its owner could ever read."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(bundle.serialise())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise _unwritable(path, error) from error
    return temporary


def _unusable(path: Path, why: str) -> IdentityError:
    return IdentityError(
        f"The signing identity '{path}' cannot be used: {why}.",
        "Move the file away; a new identity is made on the next run (files signed before keep the old name).",
    )


def _unwritable(path: Path, error: OSError) -> IdentityError:
    return IdentityError(
        f"The signing identity cannot be written to '{path.parent}': {error.strerror or error}.",
        "Make the folder writable, or set LIKENESS_HOME to a folder that is.",
    )
