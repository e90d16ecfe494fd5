"""The sentence that a person is asked to say: what they agree to, with a code drawn a moment ago.

It is kept in the user's data folder, beside what it was drawn for: the SHA-256 of the request. It holds for
ten minutes and for one recording that is accepted, so a recording made for another request, or yesterday, has
the wrong code.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Final

from likeness.consent.canonical import DocumentError, canonical, parse, read_bytes, readable
from likeness.consent.clock import read_clock
from likeness.consent.fields import Fields
from likeness.consent.files import write
from likeness.consent.parts import Challenge
from likeness.consent.record import Act, ConsentRecord
from likeness.errors import ConsentExpired, ConsentMissing, ConsentScope
from likeness.media.files import write_error
from likeness.paths import config_dir

LIFE: Final = dt.timedelta(minutes=10)
DIGITS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
CODE_DIGITS: Final = 6
_MAX_BYTES = 10_000
_ACTS: dict[Act, str] = {
    "animate": "make my picture move",
    "swap": "show my face on another person",
    "voice": "speak with my voice",
}


def draw(record: ConsentRecord, *, now: dt.datetime | None = None) -> Challenge:
    """A fresh sentence for this request; it replaces the one that was drawn before.

    Args:
        now: the time to state; None = this computer's.

    Raises:
        ConsentScope: a record for a corpus, or one that is signed already.
        ConsentExpired: this computer's clock was set back.
        NotWritable, DiskFull: the user's data folder cannot be written to.
    """
    check_open(record)
    code = "".join(str(secrets.randbelow(10)) for _ in range(CODE_DIGITS))
    issued = (now or read_clock()).astimezone(dt.UTC).replace(microsecond=0)
    challenge = Challenge(spell_sentence(record.acts, code), code, issued)
    path = path_of(record)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise write_error(path, error) from error
    write(path, readable({"request": fingerprint(record), "challenge": challenge.to_json()}))
    return challenge


def recall(record: ConsentRecord, *, now: dt.datetime | None = None) -> Challenge:
    """The sentence that was drawn for this request.

    Raises:
        ConsentMissing: none was, or the request was changed since.
        ConsentExpired: more than ten minutes ago.
        ConsentScope: as `draw`.
    """
    check_open(record)
    again = "Run `likeness consent record-voice` without a recording for a new sentence."
    try:
        fields = Fields(parse(read_bytes(path_of(record), _MAX_BYTES)), "challenge", "request", "challenge")
        challenge, request = fields.one("challenge", Challenge.read), fields.hex("request", 64)
    except (OSError, DocumentError) as error:
        raise ConsentMissing(
            "No sentence was asked for with this request, on this computer.", again
        ) from error
    if request != fingerprint(record):
        raise ConsentMissing("The request was changed after its sentence was drawn.", again)
    age = (now or read_clock()) - challenge.issued
    if age < dt.timedelta(0):
        raise ConsentExpired(
            f"The sentence was drawn at {challenge.issued:%Y-%m-%d %H:%M} UTC, and this computer's clock is "
            "before that now: it was set back.",
            "Set the clock right. " + again,
        )
    if age > LIFE:
        raise ConsentExpired(f"The sentence is older than {LIFE.seconds // 60} minutes.", again)
    return challenge


def forget(record: ConsentRecord) -> None:
    """So that no second recording can be made with it."""
    with contextlib.suppress(OSError):
        path_of(record).unlink(missing_ok=True)


def check_open(record: ConsentRecord) -> None:
    """Whether evidence can be added to it.

    Raises:
        ConsentScope: it is signed already, or for a corpus.
    """
    if record.subject is None:
        raise ConsentScope(
            "This record is for a corpus, and nobody speaks for one.", "Give a person's request."
        )
    if record.signature is not None:
        raise ConsentScope(
            "This record is signed already, and what is signed stays as it is.",
            "Record the voice before signing: `likeness consent new`, `record-voice`, then `sign`.",
        )


def spell_sentence(acts: tuple[Act, ...], code: str) -> str:
    """What is to be said, in plain words that the dictionary of `speech` knows."""
    parts = [_ACTS[act] for act in acts]
    listed = ", ".join(parts[:-1]) + f" and {parts[-1]}" if len(parts) > 1 else parts[0]
    return f"I agree that a computer may {listed}. My code is {spell_code(code)}."


def spell_code(code: str) -> str:
    """Digit by digit, in words."""
    return " ".join(DIGITS[int(digit)] for digit in code)


def fingerprint(record: ConsentRecord) -> str:
    """SHA-256 of what is asked for; what is only gathered on the way to a signature is left out."""
    bare = replace(record, references=type(record.references)(), challenge=None, evidence=())
    return hashlib.sha256(canonical(bare.to_json())).hexdigest()


def path_of(record: ConsentRecord) -> Path:
    """Where the sentence of this request is kept."""
    return config_dir() / "consent" / "challenges" / f"{record.id}.json"
