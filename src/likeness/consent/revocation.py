"""Taking consent back: a small signed file that names the record, and where such files are looked for.

Only the key that signed a record can revoke it. A revocation covers every record with that id and key, so
also one that was signed again with references added. It does not expire, and cannot be taken back: whoever
changes their mind signs a new request.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from likeness.consent.canonical import DocumentError, Json, canonical, parse, read_bytes, readable
from likeness.consent.fields import Fields
from likeness.consent.files import name_beside, write
from likeness.consent.keys import ConsentKey, fits
from likeness.consent.parts import LINE_LETTERS, Signature
from likeness.consent.record import ConsentRecord, check_head, load_bytes, refuse
from likeness.consent.signing import check_signature
from likeness.errors import ConsentFormat, ConsentInvalid, ConsentMissing
from likeness.media.files import write_error
from likeness.paths import config_dir

FORMAT: Final = "likeness consent revocation"
VERSION: Final = 1
SUFFIX: Final = ".revocation.json"
_MOST_FILES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Revocation:
    """A consent that was taken back.

    Attributes:
        id, sha256: of the record.
        reason: in the subject's words, or "".
        signature: by the key that signed the record.
    """

    id: str
    sha256: str
    reason: str
    signature: Signature

    @classmethod
    def from_bytes(cls, data: bytes, name: str = "The revocation") -> Revocation:
        """From a file's content. Its signature fits what it says.

        Raises:
            ConsentFormat: it is no revocation that this version can read; says why.
            ConsentInvalid: it was altered after it was signed.
        """
        try:
            value = parse(data)
            check_head(value, FORMAT, VERSION)
            fields = Fields(value, "revocation", "format", "version", "id", "sha256", "reason", "signature")
            found = cls(
                fields.hex("id", 32),
                fields.hex("sha256", 64),
                fields.text("reason", LINE_LETTERS, empty=True),
                fields.one("signature", Signature.read),
            )
        except DocumentError as fault:
            raise refuse(name, fault) from fault
        unsigned = replace(found, signature=replace(found.signature, value=b""))
        if not fits(found.signature.key, found.signature.value, canonical(unsigned.to_json())):
            raise ConsentInvalid(
                f"{name} was altered after it was signed: its signature does not fit.",
                "Ask for the original file.",
            )
        return found

    @classmethod
    def load(cls, path: Path) -> Revocation:
        """From a file; raises as `from_bytes`, and ConsentMissing where there is none."""
        return cls.from_bytes(load_bytes(path, "revocation"), f"'{path}'")

    def covers(self, record: ConsentRecord) -> bool:
        """Whether it takes this record back: same id, same key."""
        signature = record.signature
        return signature is not None and (record.id, signature.key) == (self.id, self.signature.key)

    def to_json(self) -> Json:
        """As the file holds it."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "id": self.id,
            "sha256": self.sha256,
            "reason": self.reason,
            "signature": self.signature.to_json(),
        }

    def to_bytes(self) -> bytes:
        """What is written to a file."""
        return readable(self.to_json())


def revoke(record: ConsentRecord, key: ConsentKey, reason: str = "") -> Revocation:
    """The revocation of a record. Keep it with `store`, and give it to whoever holds the record.

    Raises:
        ConsentInvalid: the record is not signed, was altered, or is signed by another key.
        ConsentFormat: the reason is too long, or not to be shown.
    """
    if check_signature(record).key != key.public:
        raise ConsentInvalid(
            f"The record for {record.name} was signed with another key, so this one cannot take it back.",
            "Give the key that signed it: --key FILE (key in Python).",
        )
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    draft = Revocation(record.id, record.sha256, reason, Signature(key.public, now))
    value = key.sign(canonical(draft.to_json()))
    return Revocation.from_bytes(replace(draft, signature=Signature(key.public, now, value)).to_bytes())


def folder() -> Path:
    """Where the revocations that this user made or honours are kept."""
    return config_dir() / "consent" / "revocations"


def store(revocation: Revocation) -> Path:
    """Keep a revocation in the user's folder, so that every later check honours it; returns where.

    Raises:
        OutputError: it cannot be written.
    """
    path = folder() / f"{revocation.id}-{revocation.signature.fingerprint[:16]}{SUFFIX}"
    try:
        folder().mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise write_error(folder(), error) from error
    write(path, revocation.to_bytes())
    return path


def beside(path: Path) -> Path:
    """Where the revocation of a record belongs: "anna.revocation.json" for "anna.consent.json"."""
    return name_beside(path, SUFFIX)


def find(
    record: ConsentRecord, path: Path | None = None, given: Iterable[Path] = ()
) -> tuple[Revocation | None, tuple[str, ...]]:
    """The revocation of a record, looked for in the user's folder, beside the record, and in `given`.

    Args:
        path: the record's file.
        given: files, or folders: in them files called "….revocation.json", and every other ".json" that says
            it is a revocation.

    Returns:
        The revocation or None; and a sentence for each file that could not be honoured.

    Raises:
        ConsentMissing, ConsentFormat, ConsentInvalid: one of these places cannot be read: whether consent was
            taken back is not known then.
    """
    notes: list[str] = []
    for place in _places(record, path, given):
        found = Revocation.load(place)
        if found.covers(record):
            return found, ()
        if found.id == record.id:
            notes.append(
                f"'{place.name}' would take this back, but another key signed it, so it does not count."
            )
    return None, tuple(notes)


def _places(record: ConsentRecord, path: Path | None, given: Iterable[Path]) -> Iterator[Path]:
    yield from (one for one in _inside(folder()) if one.name.startswith(f"{record.id}-"))
    if path is not None and os.path.lexists(beside(path)):
        yield beside(path)
    for one in given:
        if not os.path.isdir(one):  # noqa: PTH112 - which raises nothing
            yield one
            continue
        inside = _inside(one, ".json")
        if len(inside) > _MOST_FILES:
            raise ConsentFormat(f"'{one}' holds more than {_MOST_FILES} files.", "Give a smaller folder.")
        yield from (file for file in inside if _is_revocation(file))


def _is_revocation(path: Path) -> bool:
    """Whether a file is one by its name, whatever is in it, or by what it says."""
    if path.name.lower().endswith(SUFFIX):
        return True
    try:
        data = read_bytes(path)
        return FORMAT.encode() in data and parse(data).get("format") == FORMAT
    except (OSError, DocumentError):  # of all files of a folder, somebody else's
        return False


def _inside(place: Path, suffix: str = SUFFIX) -> list[Path]:
    """The files in a folder whose names end so. Not by `Path.glob`, to which one it may not read is empty."""
    try:
        return sorted(one for one in place.iterdir() if one.name.lower().endswith(suffix))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise ConsentMissing(
            f"The revocations in '{place}' cannot be read: {error.strerror or error}.",
            "Make the folder readable: whether the consent was taken back is not known.",
        ) from error
