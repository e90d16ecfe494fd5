"""The key that signs consent: Ed25519 (RFC 8032), made on first use, readable by its owner alone.

What a signature proves is small and honest: whoever had this key signed this. Nobody has checked who that is;
the fingerprint is there to be compared by telephone, and evidence (`record-voice`) ties a record to a voice.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from likeness.errors import ConsentKeyError
from likeness.paths import config_dir
from likeness.private_file import PrivateFile

_PEM = serialization.Encoding.PEM
# Points of small order, sign bit cleared: under them one signature fits many documents and needs no secret.
# RFC 8032 leaves refusing them to the user of the scheme.
_SMALL_ORDER: Final = frozenset(
    bytes.fromhex(point)
    for point in (
        "00" * 32,
        "01" + "00" * 31,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    )
)


@dataclass(frozen=True, slots=True)
class ConsentKey:
    """A private key.

    Attributes:
        path: the file it is kept in.
        public: its public half, 32 bytes.
    """

    path: Path
    public: bytes
    _private: Ed25519PrivateKey = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the public half, 64 hex digits."""
        return hashlib.sha256(self.public).hexdigest()

    def sign(self, data: bytes) -> bytes:
        """The signature of `data`, 64 bytes."""
        return self._private.sign(data)


def default_path() -> Path:
    """Where this user's key is kept."""
    return config_dir() / "consent" / "key.pem"


def load_or_create() -> ConsentKey:
    """This user's key; made if there is none. Several processes at once get the same one.

    Raises:
        ConsentKeyError: the file cannot be read, is damaged, or cannot be written.
    """
    file = _file(default_path())
    if (found := file.read()) is None:
        file.store_new(_new_pem())
        found = file.read()
    return _parse(file, found, None)


def load_key(path: Path | None = None, password: bytes | None = None) -> ConsentKey:
    """A key from a PEM file.

    Args:
        path: the file; None = this user's own key.
        password: where the file is encrypted.

    Raises:
        ConsentKeyError: there is no such file, it is no Ed25519 key, or the password is wrong.
    """
    file = _file(path or default_path())
    if (found := file.read()) is None:
        raise ConsentKeyError(
            f"There is no key '{file.path}'.",
            "Check the path, or do this on the computer where it was made; `likeness consent key --new FILE` "
            "(create_key in Python) makes another.",
        )
    return _parse(file, found, password)


def create_key(path: Path, password: bytes | None = None) -> ConsentKey:
    """Makes a key in a new file, encrypted if there is a password.

    Raises:
        ConsentKeyError: the file is there already, or cannot be written.
    """
    file = _file(path)
    if path.exists():
        raise ConsentKeyError(
            f"'{path}' is already there, and a key is never written over.", "Give another name."
        )
    if not path.absolute().parent.is_dir():
        raise ConsentKeyError(f"'{path}' has no folder to be written to.", "Create it first.")
    file.store_new(_new_pem(password))
    return _parse(file, file.read(), password)


def fits(public: bytes, signature: bytes, data: bytes) -> bool:
    """Whether the holder of the key whose public half this is signed `data`."""
    if bytes((*public[:31], public[31] & 0x7F)) in _SMALL_ORDER:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def spell_fingerprint(fingerprint: str) -> str:
    """Its first half, in groups of four: what two people read to each other."""
    return " ".join(fingerprint[at : at + 4] for at in range(0, 32, 4))


def _file(path: Path) -> PrivateFile:
    remedy = "Give the right file (and --password-env NAME where it is encrypted; password in Python)."
    return PrivateFile(path, "consent key", ConsentKeyError, remedy)


def _new_pem(password: bytes | None = None) -> bytes:
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    private = Ed25519PrivateKey.generate()
    return private.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, encryption)


def _parse(file: PrivateFile, data: bytes | None, password: bytes | None) -> ConsentKey:
    if data is None:
        raise file.unusable("it vanished while it was being made")
    is_encrypted = b"ENCRYPTED" in data
    if is_encrypted and password is None:
        raise file.unusable("it is encrypted, and no password was given")
    try:
        private = serialization.load_pem_private_key(data, password if is_encrypted else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        why = "the password may be wrong" if is_encrypted else "it is no private key in PEM"
        raise file.unusable(why) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise file.unusable("it is a key of another kind, not Ed25519")
    public = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return ConsentKey(file.path, public, private)
