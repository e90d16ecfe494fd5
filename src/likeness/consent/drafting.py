"""Requests for consent, and records for research corpora: the beginning of a record's life."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterable
from typing import Final

from likeness.consent.parts import Corpus, Party
from likeness.consent.record import ACTS, CORPUS_PURPOSES, Act, ConsentRecord
from likeness.consent.text import normalise
from likeness.errors import ConsentFormat

DAYS: Final = 365
"""So long a record is valid if nobody says otherwise."""


def draft(
    *,
    subject: str,
    requester: str,
    acts: Iterable[Act],
    purposes: Iterable[str],
    publish: Iterable[str] = (),
    valid_from: dt.date | None = None,
    valid_until: dt.date | None = None,
    may_leave_out_label: bool = False,
    language: str = "en",
    subject_contact: str = "",
    requester_contact: str = "",
) -> ConsentRecord:
    """A request, for the subject to read and sign. The arguments are those of `ConsentRecord`.

    Args:
        valid_from: None = today (UTC).
        valid_until: None = a year after that.

    Raises:
        ConsentFormat: something is empty, too long, or holds characters that cannot be seen; or it would end
            before it begins.
    """
    return _finish(
        subject=Party(normalise(subject), normalise(subject_contact)),
        corpus=None,
        requester=Party(normalise(requester), normalise(requester_contact)),
        acts=tuple(dict.fromkeys(acts)),
        purposes=tuple(dict.fromkeys(map(normalise, purposes))),
        publish=tuple(dict.fromkeys(map(normalise, publish))),
        days=(valid_from, valid_until),
        may_leave_out_label=may_leave_out_label,
        language=language,
    )


def draft_corpus(
    name: str,
    *,
    licence: str,
    evaluator: str,
    url: str = "",
    acts: Iterable[Act] = ACTS,
    valid_from: dt.date | None = None,
    valid_until: dt.date | None = None,
) -> ConsentRecord:
    """An evaluator's record for a published research corpus, to be signed by the evaluator.

    It is good for benchmarks and tests only; the label may not be left out under it, and what is made under
    it says so.

    Raises:
        ConsentFormat: as `draft`.
    """
    return _finish(
        subject=None,
        corpus=Corpus(normalise(name), normalise(licence), normalise(url)),
        requester=Party(normalise(evaluator)),
        acts=tuple(dict.fromkeys(acts)),
        purposes=CORPUS_PURPOSES,
        publish=("research publications and their material",),
        days=(valid_from, valid_until),
        may_leave_out_label=False,
        language="en",
    )


def _finish(
    *,
    subject: Party | None,
    corpus: Corpus | None,
    requester: Party,
    acts: tuple[Act, ...],
    purposes: tuple[str, ...],
    publish: tuple[str, ...],
    days: tuple[dt.date | None, dt.date | None],
    may_leave_out_label: bool,
    language: str,
) -> ConsentRecord:
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    first = days[0] or now.date()
    if days[1] is not None and days[1] < first:
        raise ConsentFormat(
            f"The consent would end on {days[1]}, before it begins on {first}.",
            "Give a later last day: --until (valid_until in Python).",
        )
    record = ConsentRecord(
        kind="subject" if subject else "corpus",
        id=secrets.token_hex(16),
        language=language,
        subject=subject,
        corpus=corpus,
        requester=requester,
        acts=acts,
        purposes=purposes,
        publish=publish,
        valid_from=first,
        valid_until=days[1] or first + min(dt.timedelta(days=DAYS), dt.date.max - first),
        may_leave_out_label=may_leave_out_label,
        requested=now,
    )
    try:
        return ConsentRecord.from_bytes(record.to_bytes(), "The request")
    except ConsentFormat as error:
        hint = "Say it in other words: not empty, not too long, and without characters that nobody sees."
        raise ConsentFormat(error.what, hint) from error
