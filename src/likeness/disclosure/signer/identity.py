"""The local signing identity: who the Content Credentials name when nobody brought a certificate.

Made on first use, or brought by the user (`brought.py`: then the file holds a chain and one key). It is kept
in one file, `config_dir()/identity.pem` (mode 0600), which holds four PEM blocks:
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
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from likeness.disclosure.signer.brought import Brought
from likeness.disclosure.signer.certificates import name_of, read_pem
from likeness.errors import IdentityError
from likeness.paths import config_dir
from likeness.private_file import MAX_BYTES, PrivateFile

FILE_NAME = "identity.pem"
# Without a time stamp from a network authority a signature cannot be shown to be older than its certificate's
# end, so an output stops verifying on that day: hence ten years, not one.
SIGNER_DAYS = 3653
AUTHORITY_DAYS = 3 * SIGNER_DAYS
RENEW_DAYS = 366
_BROUGHT = b"Brought with `likeness identity import`.\n"  # so that half a local file is not taken for one
CLOCK_SKEW = dt.timedelta(days=1)

_PEM = serialization.Encoding.PEM


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate to sign with.

    Attributes:
        name: the common name that verification shows, "likeness local identity 1a2b3c4d".
        certificates: PEM, the signing certificate followed by the authority's.
        key: PEM (PKCS 8, not encrypted), the signing key.
        authority: PEM, the (topmost) authority's certificate: what others add to their trust list.
        not_after: when the signing certificate ends.
        path: the file it is kept in.
        algorithm: of the key, as c2pa names it.
        is_imported: whether the user brought it; its authority then vouches for others too.
        serial: the serial number of the signing certificate.
    """

    name: str
    certificates: bytes
    key: bytes = field(repr=False)
    authority: bytes
    not_after: dt.datetime
    path: Path
    algorithm: str = "es256"
    is_imported: bool = False
    serial: int = 0


def load_or_create() -> Identity:
    """The identity to sign with; made if there is none, a local one renewed if it ends within a year.

    Safe to call from several processes at once: all of them get the same authority.

    Raises:
        IdentityError: the file cannot be read, is damaged, or cannot be written; or the certificate that was
            brought has ended, or has not begun.
    """
    file = _file()
    if (found := _load(file)) is None:
        file.store_new(_Bundle.create().serialise())
        if (found := _load(file)) is None:
            raise file.unusable("it vanished while it was being made")
    if isinstance(found, Brought):
        if why := found.find_fault():
            raise IdentityError(
                f"The identity '{name_of(found.chain[0])}' cannot sign any more: {why}.",
                "Bring a new certificate with `likeness identity import --force`, or make a local one with "
                "`likeness identity create --force`.",
            )
        return _describe(found, file.path)
    if found.ends_soon():
        found = found.renew()
        file.replace(found.serialise())
    return found.identity(file.path)


def load() -> Identity | None:
    """The identity, or None if there is none yet. Makes and renews nothing.

    Raises:
        IdentityError: the file cannot be read or is damaged.
    """
    file = _file()
    found = _load(file)
    if found is None:
        return None
    return _describe(found, file.path) if isinstance(found, Brought) else found.identity(file.path)


def create(*, force: bool = False) -> tuple[Identity, Path | None]:
    """Makes a new local identity, with a new authority: nobody can tell that it is the same person's.

    Args:
        force: do so although there is one; that one's file is kept beside the new one.

    Returns:
        The new identity, and where the old one is kept.

    Raises:
        IdentityError: there is one already, or the new one cannot be written.
    """
    bundle = _Bundle.create()
    file = _file()
    aside = _put(file, bundle.serialise(), force)
    return bundle.identity(file.path), aside


def import_identity(
    certificates: Path, key: Path, *, password: bytes | None = None, force: bool = False
) -> tuple[Identity, Path | None]:
    """Signs from now on with a certificate from an authority.

    Args:
        certificates: PEM, the signer's certificate first, then each authority above it.
        key: PEM, the signer's private key; may be the same file. It is kept without encryption (mode 0600).
        password: of the key, where it is encrypted.
        force, returns: as in `create`.

    Raises:
        IdentityError: they cannot be read, do not belong together, or may not sign Content Credentials; or
            there is an identity already.
    """
    try:
        brought = Brought.parse(read_pem(certificates), read_pem(key, "key"), password)
    except ValueError as error:
        raise IdentityError(
            f"'{certificates}' with '{key}' makes no identity: {error}.",
            "Give a PEM file with the certificate chain, signer first, and a PEM file with the signer's key.",
        ) from error
    brought.check()
    data = _BROUGHT + brought.certificates + brought.private_bytes
    if len(data) > MAX_BYTES:
        raise IdentityError(f"The chain in '{certificates}' is too long.", "Leave out what is not needed.")
    file = _file()
    aside = _put(file, data, force)
    return _describe(brought, file.path), aside


def _file() -> PrivateFile:
    return PrivateFile(
        config_dir() / FILE_NAME,
        "signing identity",
        IdentityError,
        "Move the file away; a new identity is made on the next run (files signed before keep the old name).",
    )


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
            serial=self.certificate.serial_number,
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


def _load(file: PrivateFile) -> _Bundle | Brought | None:
    """What the file holds, or None if there is no file."""
    if (data := file.read()) is None:
        return None
    try:
        return Brought.parse(data, data) if data.startswith(_BROUGHT) else _Bundle.parse(data)
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature) as error:
        raise file.unusable(str(error) or "its authority did not issue its certificate") from error


def _put(file: PrivateFile, data: bytes, force: bool) -> Path | None:
    """Stores a new identity; the old one, if there is one, is kept aside. Returns where."""
    if file.path.exists() and not force:
        raise IdentityError(
            f"There is a signing identity already: '{file.path}'.",
            "Add --force (force=True in Python) to sign with a new one from now on; the old file is kept.",
        )
    aside = file.keep_aside()
    file.replace(data)
    return aside


def _describe(brought: Brought, path: Path) -> Identity:
    signer, last = brought.chain[0], brought.chain[-1]
    return Identity(
        name=name_of(signer),
        certificates=brought.certificates,
        key=brought.private_bytes,
        authority=last.public_bytes(_PEM),
        not_after=signer.not_valid_after_utc,
        path=path,
        algorithm=brought.algorithm,
        is_imported=True,
        serial=signer.serial_number,
    )
