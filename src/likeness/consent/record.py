"""The consent record: who allows whom to make what of their face or voice, where, and until when.

One JSON file (`docs/consent.md` documents it, field by field): a request as long as nobody signed it, a
record once the subject did. Everything in it is checked on reading, unknown fields are refused, and what is
signed is its canonical form (`canonical.py`). It holds no secret: the key in it is the public one.

A record for a research corpus (`kind` "corpus") is of the same form: the evaluator signs it, and there is no
subject, but the corpus and its licence.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

from likeness.consent.canonical import DocumentError, Json, canonical, parse, read_bytes, readable
from likeness.consent.fields import Fields, spell_time
from likeness.consent.files import write_new
from likeness.consent.parts import (
    LINE_LETTERS,
    Challenge,
    Corpus,
    Evidence,
    Party,
    References,
    Signature,
)
from likeness.errors import ConsentFormat, ConsentMissing
from likeness.types import ConsentKind

FORMAT: Final = "likeness consent"
VERSION: Final = 1
MOST_LINES: Final = 20
MOST_EVIDENCE: Final = 16
CORPUS_PURPOSES: Final = ("benchmarks", "tests")

Act: TypeAlias = Literal["animate", "swap", "voice"]
ACTS: Final[tuple[Act, ...]] = get_args(Act)
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", re.ASCII)  # the shape of RFC 5646
_KEYS = (
    "format", "version", "kind", "id", "language", "subject", "corpus", "requester", "acts", "purposes",
    "publish", "valid_from", "valid_until", "may_leave_out_label", "requested", "references", "challenge",
    "evidence", "signature",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRecord:
    """A request for consent, or, with a signature, the consent.

    Whether the signature fits is for `permission.check` to say; a record that was read is well formed, and
    no more.

    Attributes:
        kind: "subject", or "corpus" for a research corpus.
        id: 32 hex digits, drawn at random; a revocation names it.
        language: of the texts in it (a BCP 47 tag).
        subject: whose face or voice it is; None in a corpus record.
        corpus: the corpus; None in a subject's record.
        requester: who asks, and will make what is allowed; for a corpus, the evaluator.
        acts: what may be made.
        purposes: what for, in the requester's words.
        publish: where it may be published; none means: nowhere.
        valid_from, valid_until: first and last day (UTC) on which it may be made.
        may_leave_out_label: whether the visible label (or the notes before a sound) may be left out.
        requested: when the request was made.
        references: what the subject looks and sounds like.
        challenge: the sentence that `record-voice` asked for last, or None.
        evidence: what speaks for the consent being the subject's.
        signature: None as long as it is a request.
    """

    kind: ConsentKind
    id: str
    language: str
    subject: Party | None
    corpus: Corpus | None
    requester: Party
    acts: tuple[Act, ...]
    purposes: tuple[str, ...]
    publish: tuple[str, ...]
    valid_from: dt.date
    valid_until: dt.date
    may_leave_out_label: bool
    requested: dt.datetime
    references: References = field(default_factory=References)
    challenge: Challenge | None = None
    evidence: tuple[Evidence, ...] = ()
    signature: Signature | None = None

    @property
    def name(self) -> str:
        """Of the subject, or of the corpus."""
        return (self.subject or self.corpus or self.requester).name

    @property
    def sha256(self) -> str:
        """Of the canonical form with the signature: what the credentials of outputs name."""
        return hashlib.sha256(canonical(self.to_json())).hexdigest()

    @classmethod
    def from_bytes(cls, data: bytes, name: str = "The consent record") -> ConsentRecord:
        """From a file's content, or what a model file holds.

        Raises:
            ConsentFormat: it is no consent record that this version can read; says why.
        """
        try:
            return _read(parse(data))
        except DocumentError as fault:
            raise refuse(name, fault) from fault

    @classmethod
    def load(cls, path: Path | str) -> ConsentRecord:
        """From a file.

        Raises:
            ConsentMissing: there is no such file, or it may not be read.
            ConsentFormat: it is no consent record that this version can read; says why.
        """
        return cls.from_bytes(load_bytes(Path(path), "consent record"), f"'{path}'")

    def to_json(self) -> Json:
        """As the file holds it; of a signature without value, what is to be signed."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "kind": self.kind,
            "id": self.id,
            "language": self.language,
            "subject": self.subject and self.subject.to_json(),
            "corpus": self.corpus and self.corpus.to_json(),
            "requester": self.requester.to_json(),
            "acts": list(self.acts),
            "purposes": list(self.purposes),
            "publish": list(self.publish),
            "valid_from": self.valid_from.isoformat(),
            "valid_until": self.valid_until.isoformat(),
            "may_leave_out_label": self.may_leave_out_label,
            "requested": spell_time(self.requested),
            "references": self.references.to_json(),
            "challenge": self.challenge and self.challenge.to_json(),
            "evidence": [one.to_json() for one in self.evidence],
            "signature": self.signature and self.signature.to_json(),
        }

    def to_bytes(self) -> bytes:
        """What is written to a file: readable JSON, UTF-8."""
        return readable(self.to_json())

    def save(self, path: Path | str, *, overwrite: bool = False) -> None:
        """Write it to a file.

        Raises:
            OutputError: the file is there and may not be replaced, or cannot be written.
        """
        write_new(Path(path), self.to_bytes(), overwrite=overwrite)


def load_bytes(path: Path, what: str) -> bytes:
    """A document's bytes.

    Raises:
        ConsentMissing: there is no such file, or it may not be read.
        ConsentFormat: larger than 1 MB, or no ordinary file.
    """
    try:
        return read_bytes(path)
    except DocumentError as fault:
        raise refuse(f"'{path}'", fault) from fault
    except (OSError, ValueError) as error:
        why = "there is no such file" if isinstance(error, FileNotFoundError) else _reason(error)
        raise ConsentMissing(
            f"The {what} '{path}' cannot be read: {why}.", "Check the path, and ask for the file again."
        ) from error


def refuse(name: str, fault: DocumentError) -> ConsentFormat:
    """The error for a document that cannot be read."""
    hint = "Check that it is the right file, or ask whoever sent it for the original."
    if "newer version" in str(fault):
        hint = "Update likeness (pip install -U likeness), then try again."
    return ConsentFormat(f"{name} {fault}.", hint)


def check_head(value: Json, format: str, version: int) -> None:
    """Whether a document is of this format, and of a version that is known; first of all, for the message.

    Raises:
        DocumentError
    """
    if value.get("format") != format:
        word = "consent record" if format == FORMAT else format.removeprefix("likeness ")
        raise DocumentError(f"is no {word} of likeness (its “format” says something else)")
    found = value.get("version")
    if type(found) is not int or found < 1:
        raise DocumentError("is not sound: its “version” is no number from 1")
    if found > version:
        raise DocumentError(
            f"was made by a newer version of likeness (format {found}; this one reads {version})"
        )


def _read(value: Json) -> ConsentRecord:
    check_head(value, FORMAT, VERSION)
    fields = Fields(value, "record", *_KEYS)
    record = ConsentRecord(
        kind=fields.choice("kind", get_args(ConsentKind)),
        id=fields.hex("id", 32),
        language=fields.text("language", 35),
        subject=fields.maybe("subject", Party.read),
        corpus=fields.maybe("corpus", Corpus.read),
        requester=fields.one("requester", Party.read),
        acts=tuple(
            Fields({"act": one}, "acts", "act").choice("act", ACTS) for one in fields.items("acts", len(ACTS))
        ),
        purposes=fields.texts("purposes", MOST_LINES, LINE_LETTERS, least=1),
        publish=fields.texts("publish", MOST_LINES, LINE_LETTERS),
        valid_from=fields.date("valid_from"),
        valid_until=fields.date("valid_until"),
        may_leave_out_label=fields.flag("may_leave_out_label"),
        requested=fields.time("requested"),
        references=fields.one("references", References.read),
        challenge=fields.maybe("challenge", Challenge.read),
        evidence=tuple(Evidence.read(one) for one in fields.items("evidence", MOST_EVIDENCE)),
        signature=fields.maybe("signature", Signature.read),
    )
    _check_whole(record)
    return record


def _check_whole(record: ConsentRecord) -> None:
    """What no single field shows."""
    if not record.acts or len(set(record.acts)) != len(record.acts):
        raise DocumentError("is not sound: “acts” needs one or more different entries")
    if record.valid_until < record.valid_from:
        raise DocumentError("is not sound: it ends before it begins")
    expected = (record.kind == "subject", record.kind == "corpus")
    if (record.subject is not None, record.corpus is not None) != expected:
        raise DocumentError("is not sound: it needs a subject or a corpus, as its “kind” says")
    if record.kind == "corpus" and record.may_leave_out_label:
        raise DocumentError("is not sound: under a record for a corpus the label cannot be left out")
    if record.kind == "corpus" and not set(record.purposes) <= set(CORPUS_PURPOSES):
        raise DocumentError("is not sound: a record for a corpus is good for benchmarks and tests only")
    if not _LANGUAGE.fullmatch(record.language):
        raise DocumentError("is not sound: “language” is no tag such as en or pt-BR")


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
