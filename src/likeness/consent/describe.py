"""A record in plain words, for those who sign it and those who have to decide by it."""

from __future__ import annotations

from collections.abc import Iterable

from likeness.consent.keys import spell_fingerprint
from likeness.consent.parts import Evidence, References
from likeness.consent.permission import name_notes
from likeness.consent.record import Act, ConsentRecord

_ACTS: dict[Act, str] = {
    "animate": "let a picture of them move as another person does",
    "swap": "put their face on another person in a picture or video",
    "voice": "make their voice say or sing what they never said",
}


def describe(record: ConsentRecord) -> tuple[str, ...]:
    """A few lines that say all that the record says; whether its signature fits is not looked at here."""
    lines = [*_head(record), ""]
    lines += [f"What may be made: {record.acts[0]} – {_ACTS[record.acts[0]]}"]
    lines += [f"                  {act} – {_ACTS[act]}" for act in record.acts[1:]]
    lines += _list("What for:         ", record.purposes)
    lines += _list("Where published:  ", record.publish or ("nowhere: for private use only",))
    lines += [
        f"When:             from {record.valid_from} to {record.valid_until}, both days included (UTC)",
        f"Visible label:    {_label(record)}",
    ]
    lines += ["", *_references(record.references)]
    asked = record.challenge
    if asked is not None and asked.sentence not in [one.sentence for one in record.evidence]:
        lines += [f"To be spoken:     “{asked.sentence}”"]
    for evidence in record.evidence:
        lines += _evidence(evidence)
    lines += ["", *_signature(record)]
    lines += [f"note: {note}" for note in name_notes(record)]
    return tuple(lines)


def _head(record: ConsentRecord) -> list[str]:
    if record.corpus is not None:
        corpus = record.corpus
        place = f", {corpus.url}" if corpus.url else ""
        return [
            f"RECORD FOR A RESEARCH CORPUS {record.id[:8]}",
            f"{record.requester.name} works with “{corpus.name}” (licence: {corpus.licence}{place}).",
            "It is good for benchmarks and tests only. It says nothing of what the people in it want.",
        ]
    subject, requester = record.name, record.requester.name
    if record.signature is None:
        lines = [f"REQUEST for consent {record.id[:8]}", f"{requester} asks {subject} to allow this:"]
    else:
        lines = [f"CONSENT {record.id[:8]}", f"{subject} allows {requester} this:"]
    contacts = [one for one in (record.subject, record.requester) if one is not None and one.contact]
    return lines + [f"    {one.name} is reached at: {one.contact}" for one in contacts]


def _list(head: str, entries: Iterable[str]) -> list[str]:
    return [f"{head if at == 0 else ' ' * len(head)}{entry}" for at, entry in enumerate(entries)]


def _label(record: ConsentRecord) -> str:
    return "may be left out" if record.may_leave_out_label else "stays on everything"


def _references(references: References) -> list[str]:
    known = [
        f"their {what}, as {len(one.vector)} numbers ({one.model})"
        for what, one in (("face", references.face), ("voice", references.voice))
        if one is not None
    ]
    if references.apart:
        known.append("embeddings kept apart, in a file of their own")
    lines = [f"Holds to compare: {', '.join(known) or 'nothing; nobody can be compared with it'}"]
    return lines + [
        f"                  {one.name} ({one.role}, SHA-256 {one.sha256[:16]}…)" for one in references.files
    ]


def _evidence(evidence: Evidence) -> list[str]:
    scores = ", ".join(f"{name} {figure}" for name, figure in evidence.scores)
    return [
        f"Spoken:           “{evidence.sentence}”",
        f"                  heard on {evidence.made:%Y-%m-%d}: “{evidence.transcript}”",
        f"                  {scores} – evidence, not proof",
        f"                  checked by {evidence.tool}",
    ]


def _signature(record: ConsentRecord) -> list[str]:
    if record.signature is None:
        return ["Signed:           by nobody yet; until then it allows nothing"]
    signature = record.signature
    return [
        f"Signed:           {signature.signed:%Y-%m-%d %H:%M} UTC",
        f"Key:              {spell_fingerprint(signature.fingerprint)} (compare it by telephone)",
        f"Record:           SHA-256 {record.sha256}",
    ]
