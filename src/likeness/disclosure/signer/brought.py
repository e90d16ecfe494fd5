"""A signing identity that the user brings: a certificate from an authority, and its key.

Everything that C2PA asks of a signer's certificate (C2PA 2.2, "X.509 Certificates") is checked here, with a
sentence for each thing that can be wrong; then c2pa itself signs and verifies one pixel with it, as the judge
of what was forgotten.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from likeness.disclosure.credentials.text import one_line
from likeness.disclosure.signer.certificates import (
    PEM_BODY,
    SIGNING_USES,
    is_authority,
    name_of,
    parse_certificates,
)
from likeness.errors import IdentityError

Key: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
_MIN_RSA_BITS = 2048
_MAX_CHAIN = 8
_KEY = re.compile(
    rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----" + PEM_BODY + rb"-----END (?:[A-Z]+ )*PRIVATE KEY-----"
)
_PEM = serialization.Encoding.PEM


@dataclass(frozen=True, slots=True)
class Brought:
    """A certificate, those of the authorities above it, and its key.

    Attributes:
        chain: the signer's certificate first, each issued by the next.
        key: the signer's.
        algorithm: as c2pa names it, such as "es256".
    """

    chain: tuple[x509.Certificate, ...]
    key: Key = field(repr=False)
    algorithm: str

    @classmethod
    def parse(cls, certificates: bytes, key: bytes, password: bytes | None = None) -> Brought:
        """Reads PEM; the two may be the same bytes.

        Raises:
            ValueError: it cannot be read, or does not belong together; says why.
        """
        chain = tuple(parse_certificates(certificates))
        if len(chain) > _MAX_CHAIN:
            raise ValueError(f"it holds {len(chain)} certificates, and a chain has {_MAX_CHAIN} at most")
        private = parse_key(key, password)
        if chain[0].public_key() != private.public_key():
            raise ValueError("the key does not belong to the first certificate")
        for below, above in pairwise(chain):
            try:
                below.verify_directly_issued_by(above)
            except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
                raise ValueError(
                    f"'{name_of(below)}' was not issued by the next certificate, '{name_of(above)}'; "
                    "the signer's comes first, then each authority after the one that it issued"
                ) from None
        return cls(chain, private, _algorithm(private))

    @property
    def certificates(self) -> bytes:
        """The chain, PEM."""
        return b"".join(one.public_bytes(_PEM) for one in self.chain)

    @property
    def private_bytes(self) -> bytes:
        """The key, PEM (PKCS 8, not encrypted)."""
        return self.key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())

    def check(self) -> None:
        """Makes sure that it may sign Content Credentials today.

        Raises:
            IdentityError: it may not; says why.
        """
        if why := self.find_fault():
            raise IdentityError(
                f"The certificate '{name_of(self.chain[0])}' cannot sign Content Credentials: {why}.",
                "Ask its authority for one for C2PA claim signing, e-mail protection or document signing.",
            )
        _rehearse(self)

    def find_fault(self) -> str:
        """What keeps the certificate from signing, in words; "" where nothing is known to."""
        now, signer = dt.datetime.now(dt.UTC), self.chain[0]
        for one in self.chain:
            if one.not_valid_after_utc < now:
                return f"'{name_of(one)}' ended on {one.not_valid_after_utc:%Y-%m-%d}"
            if one.not_valid_before_utc > now:
                begins = f"{one.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
                return f"'{name_of(one)}' begins on {begins} (is this computer's clock right?)"
        if is_authority(signer):
            return "it is an authority's certificate, and those sign certificates only"
        return _usage_fault(signer)


def parse_key(data: bytes, password: bytes | None) -> Key:
    """The one private key in PEM bytes.

    Raises:
        ValueError: none, several, damaged, of an unknown kind, or encrypted without the right password.
    """
    blocks = _KEY.findall(data)
    if len(blocks) != 1:
        raise ValueError(
            f"it holds {len(blocks) or 'no'} private key{'s' if len(blocks) > 1 else ''}, not one"
        )
    is_encrypted = b"ENCRYPTED" in blocks[0]
    if is_encrypted and password is None:
        raise ValueError("the key is encrypted: give its password with --password-env NAME")
    try:
        key = serialization.load_pem_private_key(blocks[0] + b"\n", password if is_encrypted else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        why = "the password may be wrong" if is_encrypted else one_line(str(error).split(".")[0])
        raise ValueError(f"the key cannot be read ({why})") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey):
        raise ValueError("the key is of a kind that C2PA does not know")
    return key


def _algorithm(key: Key) -> str:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(key, rsa.RSAPrivateKey):
        if key.key_size < _MIN_RSA_BITS:
            raise ValueError(f"an RSA key of {key.key_size} bits is too short; {_MIN_RSA_BITS} are needed")
        return "ps256"
    if key.curve.name not in _CURVES:
        raise ValueError(f"the key is on the curve {key.curve.name}, and C2PA wants P-256, P-384 or P-521")
    return _CURVES[key.curve.name]


def _usage_fault(signer: x509.Certificate) -> str:
    try:
        usage = signer.extensions.get_extension_for_class(x509.KeyUsage).value
        purposes = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound as error:
        return f"it does not say what it is for (no {error.oid._name})"
    if not usage.digital_signature:
        return "its key usage is not “digital signature”"
    if not any(oid in SIGNING_USES for oid in purposes):
        return "it is for something else: " + ", ".join(one_line(oid._name) for oid in purposes)
    return ""


def _rehearse(brought: Brought) -> None:
    """Signs one pixel and reads it back. c2pa is imported here: reading an identity needs none of it."""
    from c2pa import Builder, C2paError, C2paSignerInfo, Reader, Signer

    from likeness.disclosure.credentials.ingredients import one_pixel
    from likeness.disclosure.credentials.store import SOURCE_TYPES, open_context, run_apart

    action = {"action": "c2pa.created", "digitalSourceType": SOURCE_TYPES + "digitalCreation"}
    assertion = {"label": "c2pa.actions.v2", "data": {"actions": [action]}}

    def sign() -> str:
        info = C2paSignerInfo(brought.algorithm, brought.certificates, brought.private_bytes, None)
        target = io.BytesIO()
        definition = json.dumps({"assertions": [assertion]})
        with Builder(definition, open_context()) as builder, Signer.from_info(info) as signer:
            builder.sign(signer, "image/png", one_pixel(), target)
        target.seek(0)
        with Reader("image/png", target, None, open_context()) as reader:
            return str(reader.get_validation_state())

    try:
        state = run_apart(sign)
    except C2paError as error:
        state = one_line(str(error))
    if state not in ("Valid", "Trusted"):
        raise IdentityError(
            f"A trial signature with '{name_of(brought.chain[0])}' failed: {state}.",
            "Ask the certificate's authority whether it is made for C2PA.",
        )
