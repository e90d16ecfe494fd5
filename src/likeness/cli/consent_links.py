"""What `likeness consent check` says of files that belong to a record: what was made under it, what was said.

Asked before whether the record still holds: in a dispute it has often ended or was taken back, and the link
is what counts.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from likeness.consent import ConsentRecord


def load_signed(path: Path) -> ConsentRecord:
    """The record in a file, whose signature fits; whether it still holds is not looked at."""
    from likeness.consent import ConsentRecord, check_signature

    record = ConsentRecord.load(path)
    check_signature(record)
    return record


def check_made(record: ConsentRecord, made: Path, say: Callable[[str], None]) -> str:
    """Say that a file's credentials name this record; the file's name.

    Raises:
        ConsentScope: its credentials do not hold, or name another record.
    """
    from likeness.errors import ConsentScope
    from likeness.verification import verify

    stated = verify(made)
    if stated.state != "valid" or stated.consent is None:
        raise ConsentScope(
            f"'{made.name}' has no Content Credentials that hold and name a consent record.",
            f"`likeness verify {made}` says what it has.",
        )
    if stated.consent.sha256 != record.sha256:
        raise ConsentScope(
            f"The credentials of '{made.name}' name another consent record ({stated.consent.record[:8]}).",
            "Look for that one; one that was signed again has another hash, too.",
        )
    say(f"{made.name}: its credentials hold, and name this record; that is their signer's word")
    return made.name


def check_recording(
    record: ConsentRecord, path: Path, recording: Path, offline: bool, say: Callable[[str], None]
) -> dict[str, Any]:
    """Say that a recording is the one of the record's evidence, and what is heard in it now; as JSON values.

    Args:
        path: the record's file, beside which its voice may be kept apart.

    Raises:
        EvidenceRefused: it is another recording, or does not bear the evidence out.
        ConsentMissing: the record has no evidence, or the voice to compare with is not at hand.
    """
    from likeness.consent import reference, spoken

    evidence = spoken.find_evidence(record, recording)
    say(f"{recording.name}: is the recording that the record names, checked on {evidence.made:%Y-%m-%d}")
    references, _ = reference.gather(record, path)
    heard = spoken.listen_again(record, evidence, recording, references, offline=offline or None)
    say("listened to again: the sentence and its code, in the record's voice; evidence, not proof")
    for name, score in heard.scores.items():
        say(f"    {name:24}  {score:.4f}")
    return {"file": recording.name, "sha256": evidence.sha256, "scores": heard.scores}
