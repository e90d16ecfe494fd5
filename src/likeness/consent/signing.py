"""Signing a request, which makes it a record; and whether a signature fits."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from likeness.consent.canonical import canonical
from likeness.consent.keys import ConsentKey, fits
from likeness.consent.parts import Signature
from likeness.consent.record import ConsentRecord
from likeness.errors import ConsentInvalid


def sign(record: ConsentRecord, key: ConsentKey, *, now: dt.datetime | None = None) -> ConsentRecord:
    """The record with this key's signature.

    A record that is signed may be signed again by the same key, with references added: it keeps its id, so
    that a revocation covers both. Spoken evidence comes before the first signature.

    Args:
        now: the time to state; None = this computer's.

    Raises:
        ConsentInvalid: another key signed it already.
        ConsentFormat: the record would not be read again, such as with a name that is too long.
    """
    if record.signature is not None and record.signature.key != key.public:
        raise ConsentInvalid(
            "The record is signed already, by another key.",
            "Make a new request: `likeness consent new` (consent.draft in Python).",
        )
    now = (now or dt.datetime.now(dt.UTC)).astimezone(dt.UTC).replace(microsecond=0)
    unsigned = replace(record, signature=Signature(key.public, now))
    value = key.sign(canonical(unsigned.to_json()))
    signed = replace(record, signature=Signature(key.public, now, value))
    return ConsentRecord.from_bytes(signed.to_bytes())


def check_signature(record: ConsentRecord) -> Signature:
    """The signature, if it fits what the record says.

    Raises:
        ConsentInvalid: nobody signed it, or it was altered after that.
    """
    found = record.signature
    if found is None:
        raise ConsentInvalid(
            f"The record for {record.name} is a request: nobody has signed it yet.",
            "Let the person sign it: `likeness consent sign FILE` (consent.sign in Python).",
        )
    unsigned = replace(record, signature=replace(found, value=b""))
    if not fits(found.key, found.value, canonical(unsigned.to_json())):
        raise ConsentInvalid(
            f"The signature of the record for {record.name} does not fit: it was altered after it was "
            "signed, or signed with another key than it says.",
            "Ask for the original file. Other terms need a new request: `likeness consent new` "
            "(consent.draft in Python).",
        )
    return found
