"""Spoken consent: a person says what they agree to, with a fresh code, and the recording is checked.

What is kept of it in the record is its hash, what was heard, and how far each check was from its limit:
evidence for others to weigh, signed with the rest. The recording itself stays with whoever made it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from likeness.consent import challenge as challenges
from likeness.consent.clock import read_clock
from likeness.consent.gathering import add_references
from likeness.consent.listening import TOOL, Heard, find_fault, listen
from likeness.consent.parts import Challenge, Embedding, Evidence, References, spell_scores
from likeness.consent.record import ConsentRecord
from likeness.consent.text import normalise
from likeness.errors import ConsentExpired, ConsentMissing, ConsentScope, EvidenceRefused, TooLarge
from likeness.media.files import check_input
from likeness.media.mono import read_mono
from likeness.speech import speaker, words
from likeness.speech.extra import check_installed
from likeness.speech.speaker_weights import SIZE
from likeness.types import Floats

MAX_S: Final = 60.0
MAX_BYTES: Final = 100_000_000
_RATE_HZ = 16_000
_CLOCKS_APART = dt.timedelta(seconds=60)


def ask(record: ConsentRecord, *, now: dt.datetime | None = None) -> Challenge:
    """Draw the sentence that the subject of a request shall say; as `challenge.draw`.

    Raises:
        MissingExtra: what listens to the recording is not installed.
    """
    check_installed()
    return challenges.draw(record, now=now)


def accept(
    record: ConsentRecord,
    recording: Path,
    *,
    enrolment: Path | None = None,
    offline: bool | None = None,
    now: dt.datetime | None = None,
) -> ConsentRecord:
    """Check a recording of the sentence, and put the evidence into the request.

    Args:
        record: a request, not signed yet, for which `ask` drew a sentence on this computer.
        recording: a sound file, or a video with sound, of at most 60 s.
        enrolment: another recording of the subject alone; it becomes the request's reference for the voice.
            None: the request has one.
        offline: as for `likeness.models.fetch`.
        now: None = this computer's time.

    Returns:
        The request with evidence and challenge. The sentence is used up.

    Raises:
        ConsentMissing: no sentence was asked for, or there is no voice to compare with.
        ConsentExpired: the sentence is too old, or the recording older than it.
        ConsentScope: the record is signed already, or for a corpus.
        EvidenceRefused: other words, another code, or our own watermark.
        SubjectMismatch: not surely the enrolled voice, or not all of it.
        NoSpeech, TooLarge, other MediaError: the recording cannot be used.
        MissingExtra, ModelError
    """
    now = now or read_clock()
    challenge = challenges.recall(record, now=now)
    check_input(recording)
    _check_fresh(recording, challenge)
    if enrolment is not None:
        _check_other(recording, enrolment)
        record = add_references(record, voice=enrolment, offline=offline)
    samples = read_mono(recording, rate_hz=_RATE_HZ, max_s=MAX_S)
    heard = listen(samples, _RATE_HZ, challenge, _read_voice(record.references.voice), offline=offline)
    if (fault := find_fault(heard, challenge)) is not None:
        raise fault
    evidence = Evidence(
        kind="spoken",
        made=now.astimezone(dt.UTC).replace(microsecond=0),
        sha256=_hash(recording),
        sentence=challenge.sentence,
        code=challenge.code,
        transcript=normalise(words.transcribe(samples, _RATE_HZ)),
        scores=spell_scores(heard.scores),
        tool=TOOL,
    )
    found = replace(record, challenge=challenge, evidence=(*record.evidence, evidence))
    checked = ConsentRecord.from_bytes(found.to_bytes())
    challenges.forget(record)
    return checked


def find_evidence(record: ConsentRecord, recording: Path) -> Evidence:
    """The evidence of a record that is of this very recording, by its hash; nothing is listened to.

    Raises:
        ConsentMissing: the record has no spoken evidence.
        EvidenceRefused: what it has is of another recording.
        TooLarge, other MediaError: the recording cannot be read.
    """
    if not record.evidence:
        raise ConsentMissing(
            f"The record for {record.name} has no spoken evidence.",
            "It is recorded before signing: `likeness consent record-voice`.",
        )
    _check_size(check_input(recording))
    sha256 = _hash(recording)
    for evidence in record.evidence:
        if evidence.sha256 == sha256:
            return evidence
    raise EvidenceRefused(
        f"'{recording.name}' is not the recording that the record names (SHA-256 {sha256[:16]}…, there "
        f"{record.evidence[-1].sha256[:16]}…).",
        "Ask whoever ran `record-voice` for the very file; one that was converted or cut has another hash.",
    )


def listen_again(
    record: ConsentRecord,
    evidence: Evidence,
    recording: Path,
    references: References,
    *,
    offline: bool | None = None,
) -> Heard:
    """Examine a recording anew, held to the limits of `accept`; what the evidence states is not relied on.

    Args:
        evidence: of `record`, as `find_evidence` gives it.
        references: of `record`, with the voice where it is kept apart.
        offline: as for `likeness.models.fetch`.

    Raises:
        EvidenceRefused: the recording does not bear the evidence out; says why.
        ConsentMissing, ConsentScope: the voice to compare with is not at hand, or of another network.
        MediaError, MissingExtra, ModelError
    """
    check_installed()
    is_code = (
        len(evidence.code) == challenges.CODE_DIGITS and evidence.code.isascii() and evidence.code.isdigit()
    )
    if not is_code or evidence.sentence != challenges.spell_sentence(record.acts, evidence.code):
        raise EvidenceRefused(
            "The sentence in the record is not the one that is asked for with these acts and this code.",
            "Do not rely on its spoken evidence; ask the person.",
        )
    asked = Challenge(evidence.sentence, evidence.code, evidence.made)
    samples = read_mono(recording, rate_hz=_RATE_HZ, max_s=MAX_S)
    heard = listen(samples, _RATE_HZ, asked, _read_voice(references.voice), offline=offline)
    if (fault := find_fault(heard, asked)) is not None:
        raise EvidenceRefused(
            f"The recording does not bear the evidence out. {fault.what}",
            "Do not rely on it; ask the person.",
        )
    return heard


def _read_voice(reference: Embedding | None) -> Floats:
    if reference is None:
        raise ConsentMissing(
            "There is no voice to compare the recording with.",
            "In a request, add --voice with another recording of the same person (enrolment=… in Python). "
            "Where a record keeps its voice apart, put that file beside it.",
        )
    if reference.model != speaker.VOICE_MODEL or len(reference.vector) != SIZE:
        raise ConsentScope(
            f"The record's voice was measured with another network ({reference.model}).",
            "Make a new request: `likeness consent new` (consent.draft in Python).",
        )
    return np.asarray(reference.vector, np.float32)


def _check_fresh(recording: Path, challenge: Challenge) -> None:
    _check_size(recording)
    made = dt.datetime.fromtimestamp(recording.stat().st_mtime, dt.UTC)
    if made < challenge.issued - _CLOCKS_APART:
        raise ConsentExpired(
            f"The recording was made at {made:%Y-%m-%d %H:%M} UTC, before its sentence was drawn.",
            "Record the sentence that was asked for, after it was.",
        )


def _check_size(recording: Path) -> None:
    if recording.stat().st_size > MAX_BYTES:
        raise TooLarge(f"{recording} has more than {MAX_BYTES // 1_000_000} MB.", "Give the sentence alone.")


def _check_other(recording: Path, enrolment: Path) -> None:
    if _hash(check_input(enrolment)) == _hash(recording):
        raise ConsentScope(
            "The recording is compared with itself.",
            "Give another recording of the person with --voice (enrolment=… in Python).",
        )


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
