"""The authorities that a file's signature is held against: those in the trust list, and our own."""

from __future__ import annotations

from dataclasses import dataclass

from likeness.disclosure.signer import identity, trust
from likeness.disclosure.signer.certificates import Certificate, parse_certificates
from likeness.disclosure.signer.identity import Identity
from likeness.errors import IdentityError


@dataclass(frozen=True, slots=True)
class Anchors:
    """The authorities that c2pa is told of, and what they are to us.

    Attributes:
        pems: their certificates, each under its fingerprint.
        trusted: fingerprint → name of its file, of those in the trust list.
        own: this computer's identity, if there is one that can be read.
        notes: what a person should know of the list and the identity, one sentence each.
    """

    pems: dict[str, bytes]
    trusted: dict[str, str]
    own: Identity | None
    notes: tuple[str, ...]

    @classmethod
    def gather(cls) -> Anchors:
        """As they are now."""
        entries, notes = trust.entries()
        own = None
        try:
            own = identity.load()
        except IdentityError as error:
            notes = (*notes, error.what)
        pems = {entry.certificate.fingerprint: entry.certificate.pem for entry in entries}
        if own is not None:
            pems[_fingerprint(own.authority)] = own.authority
        names = {entry.certificate.fingerprint: entry.path.name for entry in entries}
        return cls(pems, names, own, notes)

    def is_own(self, anchor: str, serial: str) -> bool:
        """Whether our own identity signed: an authority that issued a brought one vouches for others too."""
        if self.own is None or not anchor:
            return False
        if self.own.is_imported:
            return anchor in self.pems and serial == str(self.own.serial)
        return anchor == _fingerprint(self.own.authority)


def _fingerprint(pem: bytes) -> str:
    return Certificate.of(parse_certificates(pem)[0]).fingerprint
