"""The trust list: whose signatures this computer's owner has chosen to believe.

One PEM file for each certificate in `config_dir()/trust`, written by `likeness trust add`; files that were
put there by hand count too. What is trusted is an authority (CA): everything signed under it then counts as
signed by somebody trusted, and a time stamp of an authority in this list proves its time.
"""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from likeness.disclosure.credentials.text import one_line
from likeness.disclosure.signer.certificates import (
    Certificate,
    parse_certificates,
    read_certificates,
    read_pem,
)
from likeness.errors import IdentityError
from likeness.paths import config_dir

_MIN_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Trusted:
    """A certificate in the trust list, and the file that holds it."""

    certificate: Certificate
    path: Path


def folder() -> Path:
    """Where the trust list is kept."""
    return config_dir() / "trust"


def entries() -> tuple[tuple[Trusted, ...], tuple[str, ...]]:
    """The trust list, by file name, and a sentence for each file that could not be read."""
    found: list[Trusted] = []
    notes: list[str] = []
    for path in sorted(folder().glob("*.pem")):
        try:
            certificates = [Certificate.of(one) for one in parse_certificates(read_pem(path))]
        except (IdentityError, ValueError) as error:
            why = one_line(error.what if isinstance(error, IdentityError) else str(error)).rstrip(".")
            notes.append(f"'{path.name}' in the trust list could not be read ({why}), so it was left out.")
            continue
        found += [Trusted(one, path) for one in certificates]
    return tuple(found), tuple(notes)


def add(path: Path) -> tuple[tuple[Trusted, ...], tuple[str, ...]]:
    """Trust the authorities in a PEM file. Only certificates are copied, never a key that lies beside them.

    Returns:
        The entries, new or there before; and a sentence for each certificate that was left out.

    Raises:
        IdentityError: no PEM file of certificates, none an authority's, or the list cannot be written.
    """
    certificates = [Certificate.of(one) for one in read_certificates(path)]
    wanted = [one for one in certificates if one.can_vouch]
    notes = tuple(
        f"'{one.name}' is a signer's certificate and no authority's, so it was left out."
        for one in certificates
        if not one.can_vouch
    )
    if not wanted:
        raise IdentityError(
            f"'{path}' holds the certificate of a signer ('{certificates[0].name}'), not of an authority.",
            "Ask the signer for the certificate of the authority that issued it (the last one in its chain).",
        )
    there = {entry.certificate.fingerprint: entry for entry in entries()[0]}
    return tuple(there.get(one.fingerprint) or _store(one) for one in wanted), notes


def remove(which: str) -> tuple[Trusted, ...]:
    """Trust a certificate no longer.

    Args:
        which: the name of its file in the list, the first digits (6 or more) of its fingerprint, or a PEM
            file that holds it.

    Returns:
        What was removed.

    Raises:
        IdentityError: nothing in the list, or more than one certificate, is called that; or it cannot be
            removed.
    """
    gone = _matching(which)
    if not gone:
        raise IdentityError(
            f"'{one_line(which)}' is not in the trust list.", "`likeness trust list` shows what there is."
        )
    for path in dict.fromkeys(entry.path for entry in gone):
        kept = [entry for entry in entries()[0] if entry.path == path and entry not in gone]
        try:
            if kept:  # a file that was put there by hand, with several in it
                _write(path, b"".join(entry.certificate.pem for entry in kept))
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise _unwritable(error) from error
    return gone


def _matching(which: str) -> tuple[Trusted, ...]:
    listed, _ = entries()
    if found := tuple(entry for entry in listed if entry.path.name == which):
        return found
    digits = which.replace(":", "").lower()
    if len(digits) >= _MIN_DIGITS and re.fullmatch(r"[0-9a-f]+", digits):
        found = tuple(entry for entry in listed if entry.certificate.fingerprint.startswith(digits))
        if len({entry.certificate.fingerprint for entry in found}) > 1:
            raise IdentityError(f"'{which}' fits more than one certificate.", "Give more of its digits.")
        if found:
            return found
    if not Path(which).is_file():
        return ()
    prints = {Certificate.of(one).fingerprint for one in read_certificates(Path(which))}
    return tuple(entry for entry in listed if entry.certificate.fingerprint in prints)


def _store(certificate: Certificate) -> Trusted:
    words = re.sub(r"[^a-z0-9]+", "-", certificate.name.lower()).strip("-")[:40] or "certificate"
    path = folder() / f"{words}-{certificate.fingerprint[:12]}.pem"
    try:
        folder().mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(path, certificate.pem)
    except OSError as error:
        raise _unwritable(error) from error
    return Trusted(certificate, path)


def _write(path: Path, data: bytes) -> None:
    """All of it or nothing: a reader never meets half a certificate."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _unwritable(error: OSError) -> IdentityError:
    return IdentityError(
        f"The trust list in '{folder()}' cannot be changed: {error.strerror or error}.",
        "Make the folder writable and the disk less full, or set LIKENESS_HOME to another folder.",
    )
