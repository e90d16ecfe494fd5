"""Embeddings kept apart from the record, in a file of their own that fewer people get.

The embedding of a face or a voice is biometric data: with it, the person can be looked for in other pictures
and recordings. Whoever only has to see that consent was given does not need it. The record then holds the
SHA-256 of this file, so that it cannot be exchanged; 32 random bytes in the file (the salt) keep anybody from
testing by that hash whether a picture is one of the subject's.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from likeness.consent.canonical import DocumentError, Json, canonical, parse, readable
from likeness.consent.fields import Fields, spell_data
from likeness.consent.files import name_beside
from likeness.consent.parts import Embedding, References
from likeness.consent.record import ConsentRecord, check_head, load_bytes, refuse
from likeness.errors import ConsentInvalid

FORMAT: Final = "likeness consent reference"
VERSION: Final = 1
SUFFIX: Final = ".reference.json"
_SALT_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class ReferenceFile:
    """The embeddings of one record's subject.

    Attributes:
        record_id: of the record they belong to.
        salt: 32 random bytes.
        face, voice: the embeddings.
    """

    record_id: str
    salt: bytes = field(repr=False)
    face: Embedding | None
    voice: Embedding | None

    @property
    def sha256(self) -> str:
        """Of the canonical form: `References.apart` of the record."""
        return hashlib.sha256(canonical(self.to_json())).hexdigest()

    @classmethod
    def from_bytes(cls, data: bytes, name: str = "The reference file") -> ReferenceFile:
        """From a file's content.

        Raises:
            ConsentFormat: it is no reference file that this version can read; says why.
        """
        try:
            value = parse(data)
            check_head(value, FORMAT, VERSION)
            fields = Fields(value, "reference", "format", "version", "record_id", "salt", "face", "voice")
            return cls(
                fields.hex("record_id", 32),
                fields.data("salt", _SALT_BYTES, _SALT_BYTES),
                fields.maybe("face", Embedding.read),
                fields.maybe("voice", Embedding.read),
            )
        except DocumentError as fault:
            raise refuse(name, fault) from fault

    def to_json(self) -> Json:
        """As the file holds it."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "record_id": self.record_id,
            "salt": spell_data(self.salt),
            "face": self.face and self.face.to_json(),
            "voice": self.voice and self.voice.to_json(),
        }

    def to_bytes(self) -> bytes:
        """What is written to a file."""
        return readable(self.to_json())


def take_apart(record: ConsentRecord) -> tuple[ConsentRecord, ReferenceFile]:
    """The record with a hash in place of its embeddings, to be signed; and the file with them."""
    references = record.references
    apart = ReferenceFile(record.id, secrets.token_bytes(_SALT_BYTES), references.face, references.voice)
    kept = replace(references, face=None, voice=None, apart=apart.sha256)
    return replace(record, references=kept), apart


def beside(path: Path) -> Path:
    """Where the embeddings of the record at `path` belong: "anna.reference.json" for "anna.consent.json"."""
    return name_beside(path, SUFFIX)


def gather(
    record: ConsentRecord, path: Path | None = None, given: Path | None = None
) -> tuple[References, str]:
    """What the subject looks and sounds like, from the record or the file beside it.

    Args:
        path: the record's file.
        given: the file with the embeddings, where it lies elsewhere.

    Returns:
        References with the embeddings that could be found, and a sentence if they are kept apart and missing.

    Raises:
        ConsentMissing, ConsentFormat: the file with the embeddings cannot be read.
        ConsentInvalid: it is not the one that the record names.
    """
    references = record.references
    if not references.apart:
        return references, ""
    place = given or (beside(path) if path is not None else None)
    if place is None or (given is None and not place.exists()):
        name = "" if place is None else f" (“{place.name}” beside it)"
        return references, f"The record's embeddings are kept apart{name}, so nobody was compared."
    found = ReferenceFile.from_bytes(load_bytes(place, "reference file"), f"'{place}'")
    if found.sha256 != references.apart:
        raise ConsentInvalid(
            f"'{place}' is not the reference file that the record names.",
            "Ask for the one that was made when the record was signed.",
        )
    return replace(references, face=found.face, voice=found.voice, apart=""), ""
