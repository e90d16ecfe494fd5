"""X.509 certificates in PEM files that people bring: read with a limit, checked, and described."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID, ObjectIdentifier

from likeness.disclosure.credentials.text import one_line
from likeness.errors import IdentityError

MAX_PEM_BYTES = 1 << 20
SIGNING_USES = {
    # C2PA 2.2, "X.509 Certificates": one of these has to be among the extended key usages of a signer.
    ObjectIdentifier("1.3.6.1.4.1.62558.2.1"): "C2PA claim signing",
    ObjectIdentifier("1.3.6.1.5.5.7.3.4"): "e-mail protection",
    ObjectIdentifier("1.3.6.1.5.5.7.3.36"): "document signing",
}

PEM_BODY = rb"(?:[^-]|-(?!----))+"
"""What may lie between the two lines of dashes. It ends at the next ones: where many blocks begin and none
ends, searching on to the end of the file for each would take minutes."""
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----" + PEM_BODY + rb"-----END CERTIFICATE-----")


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a person wants to know of a certificate. The name is what its maker chose to write there.

    Attributes:
        name: the common name, else the organisation; one printable line.
        fingerprint: SHA-256 of the certificate, 64 hexadecimal digits.
        not_before, not_after: the time in which it is valid.
        pem: the certificate alone, PEM.
        can_vouch: whether it is an authority's, or its own (self-signed): only these can be trusted.
    """

    name: str
    fingerprint: str
    not_before: dt.datetime
    not_after: dt.datetime
    pem: bytes
    can_vouch: bool

    @classmethod
    def of(cls, certificate: x509.Certificate) -> Certificate:
        """Raises ValueError where the certificate cannot be taken apart."""
        return cls(
            name=name_of(certificate),
            fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
            pem=certificate.public_bytes(serialization.Encoding.PEM),
            can_vouch=is_authority(certificate) or certificate.subject == certificate.issuer,
        )

    @property
    def spelled_fingerprint(self) -> str:
        """As people compare it, AB:CD:…"""
        digits = self.fingerprint.upper()
        return ":".join(digits[i : i + 2] for i in range(0, len(digits), 2))

    @property
    def has_ended(self) -> bool:
        """Whether its time is over."""
        return self.not_after < dt.datetime.now(dt.UTC)


def read_pem(path: Path, what: str = "certificate") -> bytes:
    """The bytes of a PEM file.

    Raises:
        IdentityError: there is no such file, or it is a folder, larger than 1 MB, or may not be read.
    """
    if path.is_dir():
        raise IdentityError(f"'{path}' is a folder.", f"Name the {what}'s PEM file.")
    try:
        if not path.is_file() and path.exists():
            raise IdentityError(f"'{path}' is not an ordinary file.", f"Name the {what}'s PEM file.")
        with path.open("rb") as file:
            data = file.read(MAX_PEM_BYTES + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise IdentityError(f"'{path}' cannot be read: {why}.", "Check the path and permissions.") from error
    if len(data) > MAX_PEM_BYTES:
        raise IdentityError(f"'{path}' is larger than 1 MB, so it is no {what}.", "Give a PEM file.")
    return data


def parse_certificates(data: bytes) -> list[x509.Certificate]:
    """The certificates in PEM bytes, in order; whatever else there is (keys, words) is left out.

    Raises:
        ValueError: there is none, or one that is damaged or not like any standard says.
    """
    found = [_load(block) for block in _CERTIFICATE.findall(data)]
    if not found:
        raise ValueError("it holds no certificate")
    return found


def _load(block: bytes) -> x509.Certificate:
    """One certificate, all of whose parts can be read."""
    try:
        certificate = x509.load_pem_x509_certificate(block)
        _ = certificate.extensions, certificate.subject, certificate.issuer, certificate.public_key()
        _ = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    except Exception as error:  # the library has several kinds, and a stranger chose which
        raise ValueError(f"a certificate in it is damaged ({one_line(str(error))})") from error
    return certificate


def read_certificates(path: Path) -> list[x509.Certificate]:
    """The certificates in a PEM file, in order.

    Raises:
        IdentityError: it cannot be read, or holds none, or a damaged one.
    """
    try:
        return parse_certificates(read_pem(path))
    except ValueError as error:
        raise IdentityError(
            f"'{path}' is no PEM file of certificates: {one_line(str(error))}.",
            "A PEM certificate begins with -----BEGIN CERTIFICATE-----; ask whoever gave it for that form.",
        ) from error


def name_of(certificate: x509.Certificate) -> str:
    """The common name, else the organisation; "nameless" where there is neither."""
    for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        for attribute in certificate.subject.get_attributes_for_oid(oid):
            if name := one_line(str(attribute.value)):
                return name
    return "nameless"


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether it may issue other certificates."""
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        return False
    return constraints.value.ca
