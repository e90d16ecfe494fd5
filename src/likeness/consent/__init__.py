"""Consent records: who allowed what to be made of their face or voice, signed for others to check.

    draft, draft_corpus     a request; an evaluator's record for a research corpus
    add_references          what the subject looks and sounds like, from a picture and a recording
    sign                    by the subject (or the evaluator), which makes it a record
    check, require          whether it allows something; `require` also compares media with the subject
    revoke, store           taking it back, and honouring that
    describe                in plain words

::

    from likeness import consent

    request = consent.draft(subject="Anna", requester="Studio", acts=["animate"], purposes=["a film"])
    record = consent.sign(request, consent.load_or_create_key())
    record.save("anna.consent.json")
    permission = consent.check(record, act="animate")

A record proves that whoever held a key signed these words, and that nobody changed them since. Who that is,
and whether they were free to, it does not prove; see `docs/consent.md`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from likeness.consent.describe import describe
from likeness.consent.drafting import draft, draft_corpus
from likeness.consent.keys import ConsentKey, create_key, load_key
from likeness.consent.keys import load_or_create as load_or_create_key
from likeness.consent.parts import (
    Challenge,
    Corpus,
    Embedding,
    Evidence,
    HashedFile,
    Party,
    References,
    Signature,
    spell_scores,
)
from likeness.consent.permission import Permission, check, require
from likeness.consent.record import ACTS, Act, ConsentRecord
from likeness.consent.revocation import Revocation, revoke, store
from likeness.consent.signing import check_signature, sign

if TYPE_CHECKING:
    from likeness.consent.gathering import add_references
    from likeness.consent.match import Comparison, compare_media

__all__ = [
    "ACTS",
    "Act",
    "Challenge",
    "Comparison",
    "ConsentKey",
    "ConsentRecord",
    "Corpus",
    "Embedding",
    "Evidence",
    "HashedFile",
    "Party",
    "Permission",
    "References",
    "Revocation",
    "Signature",
    "add_references",
    "check",
    "check_signature",
    "compare_media",
    "create_key",
    "describe",
    "draft",
    "draft_corpus",
    "load_key",
    "load_or_create_key",
    "require",
    "revoke",
    "sign",
    "spell_scores",
    "store",
]

_HEAVY = {
    "Comparison": "likeness.consent.match",
    "add_references": "likeness.consent.gathering",
    "compare_media": "likeness.consent.match",
}
"""What brings the networks for faces and voices along; records alone need none of it."""


def __getattr__(name: str) -> object:
    if name not in _HEAVY:
        raise AttributeError(f"module 'likeness.consent' has no attribute '{name}'")
    return getattr(import_module(_HEAVY[name]), name)
