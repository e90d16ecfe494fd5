"""Whether a record allows what is asked for: the signature, the days, the act, and whether it was taken back.

`require` is what everything that makes something of a person calls first, before it opens any media.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from likeness.consent import reference, revocation
from likeness.consent.clock import SKEW, read_clock
from likeness.consent.parts import References
from likeness.consent.record import Act, ConsentRecord
from likeness.consent.signing import check_signature
from likeness.consent.text import find_mixed_words, normalise
from likeness.errors import (
    ConsentExpired,
    ConsentMissing,
    ConsentRevoked,
    ConsentScope,
    SubjectMismatch,
    UsageError,
)
from likeness.types import ConsentNote

if TYPE_CHECKING:
    from likeness.consent.match import Comparison, What

Consent: TypeAlias = ConsentRecord | Path | str | bytes
_NEW = "Make a request (`likeness consent new`; consent.draft in Python), and let the person sign it."
_OR_CORPUS = (
    "For a published research corpus, make an evaluator's record (`likeness consent corpus`; "
    "consent.draft_corpus in Python)."
)


@dataclass(frozen=True, slots=True)
class Permission:
    """A record that was checked, and allows what was asked for.

    Attributes:
        record: the record.
        act: what was asked for; None where nothing in particular was.
        references: what the subject looks and sounds like, with embeddings where they are at hand.
        compared: how media were compared with that, one entry for each face or voice.
        notes: what a person should know, one sentence each.
    """

    record: ConsentRecord
    act: Act | None
    references: References
    compared: tuple[Comparison, ...] = ()
    notes: tuple[str, ...] = ()

    def describe(self) -> ConsentNote:
        """What the credentials of an output shall say of it. No name: outputs travel further than records."""
        record = self.record
        return ConsentNote(
            sha256=record.sha256,
            kind=record.kind,
            record_id=record.id,
            statement=self._statement(),
            may_leave_out_label=record.may_leave_out_label,
        )

    def to_bytes(self) -> bytes:
        """The record itself, for a model file; `require` takes it back."""
        return self.record.to_bytes()

    def compare(self, found: Comparison, *, must_match: bool = False) -> Permission:
        """This permission, after media were compared with the record's references.

        Raises:
            SubjectMismatch: it is somebody else; with `must_match` also where nobody can tell.
        """
        is_voice = found.what == "voice"
        shown, media = ("heard", "that person's voice") if is_voice else ("shown", "media of that person")
        if found.verdict == "no match":
            raise SubjectMismatch(
                f"{found.describe()} {self.record.name} is the only person this consent record is for.",
                f"Use {media}, or a record of the person who is {shown}.",
            )
        if must_match and found.verdict != "match":
            raise SubjectMismatch(
                f"{found.describe()} This needs a record whose subject is surely the person {shown}.",
                f"Ask for a record signed with --{found.what} (add_references in Python), or use media in "
                f"which the person is {'heard' if is_voice else 'seen'} well.",
            )
        notes = self.notes if found.verdict == "match" else (*self.notes, found.describe())
        return replace(self, compared=(*self.compared, found), notes=notes)

    def _statement(self) -> str:
        record = self.record
        if record.corpus is not None:
            return (
                f"Made under an evaluator's record for the research corpus “{record.corpus.name}” "
                f"({record.corpus.licence}), which is good for benchmarks and tests only; whether the media "
                "are from it was not checked."
            )
        acts = self.act or " and ".join(record.acts)
        return f"Made under a consent record for: {acts}, until {record.valid_until}; {self._fit()}."

    def _fit(self) -> str:
        """How what was shown and heard compares with the record; the least sure answer counts."""
        compared = [one for one in self.compared if one.value is not None]
        kinds = " and the ".join(dict.fromkeys(one.what for one in compared))
        if not compared:
            return "nobody was compared with its reference"
        if len(compared) < len(self.compared) or any(one.verdict != "match" for one in compared):
            return f"it could not be told for sure whether the {kinds} fitted its reference"
        return f"the {kinds} fitted its reference"


def check(
    consent: Consent | None,
    *,
    act: Act | None = None,
    purpose: str | None = None,
    when: dt.date | None = None,
    revocations: Iterable[Path | str] = (),
    reference_file: Path | str | None = None,
) -> Permission:
    """Checks a record: who signed it, until when, for what, and whether it was taken back. Opens no media.

    Args:
        consent: a record, its file (a path), or its bytes.
        act: what is to be made; None = whatever it allows.
        purpose: what for; must be one of the record's purposes, in the same words. None = not asked.
        when: another day than today (UTC).
        revocations: files, or folders of them, besides those in the user's folder and beside the record.
        reference_file: the embeddings, where the record keeps them apart and they do not lie beside it.

    Raises:
        ConsentMissing: there is no record.
        ConsentFormat: it is damaged, or no record.
        ConsentInvalid: its signature does not fit, or nobody signed it.
        ConsentRevoked: it was taken back.
        ConsentExpired: it is valid no more or not yet, or the clock cannot be right.
        ConsentScope: it allows something else.
    """
    record, path = _load(consent)
    signature = check_signature(record)
    taken_back, notes = revocation.find(record, path, [Path(one) for one in revocations])
    if taken_back is not None:
        why = f" (“{taken_back.reason}”)" if taken_back.reason else ""
        raise ConsentRevoked(
            f"The consent of {record.name} was taken back on {taken_back.signature.signed:%Y-%m-%d}{why}.",
            "Do not use it any more, and take down what was made under it; only a new record can replace it.",
        )
    now = read_clock() if when is None else dt.datetime.combine(when, dt.time(12), dt.UTC)
    if when is None and signature.signed - now > SKEW:
        raise ConsentExpired(
            f"The record for {record.name} was signed on {signature.signed:%Y-%m-%d %H:%M} UTC, and this "
            f"computer's clock says {now:%Y-%m-%d %H:%M}.",
            "Set the clock right; if it is right, ask for the record to be signed again.",
        )
    _check_days(record, now.date())
    _check_scope(record, act, purpose)
    given = None if reference_file is None else Path(reference_file)
    references, missing = reference.gather(record, path, given)
    return Permission(
        record,
        act,
        references,
        notes=tuple(filter(None, (*notes, missing, *name_notes(record)))),
    )


def require(
    consent: Consent | None,
    act: Act,
    *,
    media: Iterable[Path | str] = (),
    must_match: bool | None = None,
    purpose: str | None = None,
    revocations: Iterable[Path | str] = (),
    reference_file: Path | str | None = None,
    offline: bool | None = None,
) -> Permission:
    """The permission to do `act`, or an error. What makes something of a person calls this first of all.

    The record is checked before any of the media are opened. Then every face in them (for "voice": the
    voice) is compared with the record's reference, if it has one. Under a corpus record nobody is compared.

    Args:
        consent: a record, its file (a path), or its bytes, such as those in a model file.
        act: what is to be made.
        media: pictures, videos and recordings of the person it is to be made of. Only for "animate" there may
            be none; to look at the record alone, as in a model file, there is `check`.
        must_match: refuse also where nobody can tell, such as with a record that holds nothing to compare.
            None: for every act but "animate", where the portrait is compared and people are told.
        purpose, revocations, reference_file: as in `check`.
        offline: fetch no model for the comparison; None = as the environment says.

    Raises:
        ConsentError: see `check`.
        SubjectMismatch: somebody else is in the media, or, with `must_match`, nobody can tell.
        UsageError: no media were given.
        MediaError, ModelError: the media cannot be read, or a model not fetched.
    """
    permission = check(
        consent, act=act, purpose=purpose, revocations=revocations, reference_file=reference_file
    )
    if permission.record.kind == "corpus":
        return permission
    if must_match is None:
        must_match = act != "animate"
    media = tuple(media)
    if must_match and not media:
        raise UsageError(
            f"There is nothing to compare with the consent of {permission.record.name}.",
            "Give the media that it is to be made of.",
        )
    for path in media:
        from likeness.consent.match import compare_media

        only: What = "voice" if act == "voice" else "face"
        for found in compare_media(Path(path), permission.references, only=only, offline=offline):
            permission = permission.compare(found, must_match=must_match)
    return permission


def name_notes(record: ConsentRecord) -> tuple[str, ...]:
    """A sentence for each word of a name that mixes scripts, and so may look like another name."""
    names = (record.name, record.requester.name)
    words = dict.fromkeys(word for name in names for word in find_mixed_words(name))
    return tuple(
        f"“{word}” mixes letters of several scripts: it may look like another name than it is."
        for word in words
    )


def _load(consent: Consent | None) -> tuple[ConsentRecord, Path | None]:
    if consent is None:
        raise ConsentMissing("This needs a consent record, and there is none.", f"{_NEW} {_OR_CORPUS}")
    if isinstance(consent, ConsentRecord):
        # Whoever built it in Python is held to what a file is held to.
        return ConsentRecord.from_bytes(consent.to_bytes()), None
    if isinstance(consent, bytes):
        return ConsentRecord.from_bytes(consent), None
    return ConsentRecord.load(Path(consent)), Path(consent)


def _check_days(record: ConsentRecord, day: dt.date) -> None:
    if day < record.valid_from:
        raise ConsentExpired(
            f"The consent of {record.name} begins on {record.valid_from}; the day asked for is {day} (UTC).",
            "Wait until then, or ask for a record that begins earlier.",
        )
    if day > record.valid_until:
        raise ConsentExpired(
            f"The consent of {record.name} ended on {record.valid_until}; the day asked for is {day} (UTC).",
            "Ask the person again. " + _NEW,
        )


def _check_scope(record: ConsentRecord, act: Act | None, purpose: str | None) -> None:
    if act is not None and act not in record.acts:
        raise ConsentScope(
            f"The consent of {record.name} covers {', '.join(record.acts)}, not {act}.",
            "Ask the person for that too. " + _NEW,
        )
    if purpose is None:
        return
    wanted = normalise(purpose).casefold()
    if wanted not in (one.casefold() for one in record.purposes):
        known = "; ".join(record.purposes)
        raise ConsentScope(
            f"The consent of {record.name} is for {known}, not for {normalise(purpose)}.",
            "Name one of those in the same words, or ask the person for another record.",
        )
