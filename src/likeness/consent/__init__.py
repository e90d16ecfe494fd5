"""Consent records: who allowed what to be made of their face or voice, signed for others to check.

    draft, draft_corpus     a request; an evaluator's record for a research corpus
    sign                    by the subject (or the evaluator), which makes it a record
    check, require          whether it allows something; `require` also compares media with the subject
    revoke, store           taking it back, and honouring that
    describe                in plain words

::

    from likeness import consent

    request = consent.draft(subject="Anna", requester="Studio", acts=["animate"], purposes=["a film"])
    record = consent.sign(request, consent.load_or_create_key())
    permission = consent.check(record, act="animate")

A record proves that whoever held a key signed these words, and that nobody changed them since. Who that is,
and whether they were free to, it does not prove; see `docs/consent.md`.
"""

from __future__ import annotations

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

__all__ = [
    "ACTS",
    "Act",
    "Challenge",
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
    "check",
    "check_signature",
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
