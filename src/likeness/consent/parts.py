"""What a consent record consists of: persons, a corpus, references to a face and a voice, evidence."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from likeness.consent.canonical import DocumentError, Json
from likeness.consent.fields import Fields, spell_data, spell_time

NAME_LETTERS: Final = 200
LINE_LETTERS: Final = 300
SENTENCE_LETTERS: Final = 2000
MOST_FILES: Final = 64
MOST_FIGURES: Final = 24
LEAST_NUMBERS, MOST_NUMBERS = 16, 1024

Role: TypeAlias = Literal["face", "voice", "other"]


@dataclass(frozen=True, slots=True)
class Party:
    """A person or organisation. `contact` is whatever reaches them, or ""."""

    name: str
    contact: str = ""

    @classmethod
    def read(cls, value: object) -> Party:
        """From JSON; raises `DocumentError`."""
        fields = Fields(value, "person", "name", "contact")
        return cls(fields.text("name", NAME_LETTERS), fields.text("contact", NAME_LETTERS, empty=True))

    def to_json(self) -> Json:
        """As `read` takes it."""
        return {"name": self.name, "contact": self.contact}


@dataclass(frozen=True, slots=True)
class Corpus:
    """A published research corpus, and the licence under which it may be used. `url` may be ""."""

    name: str
    licence: str
    url: str = ""

    @classmethod
    def read(cls, value: object) -> Corpus:
        """From JSON; raises `DocumentError`."""
        fields = Fields(value, "corpus", "name", "licence", "url")
        return cls(
            fields.text("name", NAME_LETTERS),
            fields.text("licence", NAME_LETTERS),
            fields.text("url", LINE_LETTERS, empty=True),
        )

    def to_json(self) -> Json:
        """As `read` takes it."""
        return {"name": self.name, "licence": self.licence, "url": self.url}


@dataclass(frozen=True, slots=True)
class Embedding:
    """Numbers that describe a face or a voice, so that others can be compared with it. Personal data.

    Attributes:
        model: name and revision of the network; embeddings of different ones are never compared.
        values: little-endian float32.
    """

    model: str
    values: bytes = field(repr=False)

    @classmethod
    def of(cls, model: str, vector: NDArray[np.floating[Any]]) -> Embedding:
        """From a vector, (n,) float32."""
        return cls(model, np.ascontiguousarray(vector, "<f4").tobytes())

    @property
    def vector(self) -> NDArray[np.float32]:
        """(n,) float32."""
        return np.frombuffer(self.values, "<f4").astype(np.float32)

    @classmethod
    def read(cls, value: object) -> Embedding:
        """From JSON; raises `DocumentError`."""
        fields = Fields(value, "embedding", "model", "float32")
        found = cls(fields.text("model", 80), fields.data("float32", 4 * LEAST_NUMBERS, 4 * MOST_NUMBERS))
        if len(found.values) % 4 or not np.isfinite(found.vector).all():
            raise DocumentError("is not sound: “float32” under “embedding” is no list of finite numbers")
        return found

    def to_json(self) -> Json:
        """As `read` takes it."""
        return {"model": self.model, "float32": spell_data(self.values)}


@dataclass(frozen=True, slots=True)
class HashedFile:
    """A picture, video or recording of the subject, known by its hash; `name` is a file name, no path."""

    name: str
    role: Role
    sha256: str
    size_bytes: int

    @classmethod
    def read(cls, value: object) -> HashedFile:
        """From JSON; raises `DocumentError`."""
        fields = Fields(value, "file", "name", "role", "sha256", "size_bytes")
        return cls(
            fields.text("name", NAME_LETTERS),
            fields.choice("role", get_args(Role)),
            fields.hex("sha256", 64),
            fields.count("size_bytes", 2**50),
        )

    def to_json(self) -> Json:
        """As `read` takes it."""
        return {
            "name": self.name,
            "role": self.role,
            "sha256": self.sha256,
            "size_bytes": self.size_bytes,
        }


@dataclass(frozen=True, slots=True)
class References:
    """What the subject looks and sounds like.

    Attributes:
        files: the media that the embeddings were taken from, and others the subject wants to name.
        face, voice: embeddings, or None: not given, or kept apart.
        apart: salted SHA-256 of the file that holds the embeddings instead (`reference.py`), or "".
    """

    files: tuple[HashedFile, ...] = ()
    face: Embedding | None = None
    voice: Embedding | None = None
    apart: str = ""

    @classmethod
    def read(cls, value: object) -> References:
        """From JSON; raises `DocumentError`."""
        fields = Fields(value, "references", "files", "face", "voice", "apart")
        found = cls(
            tuple(HashedFile.read(one) for one in fields.items("files", MOST_FILES)),
            fields.maybe("face", Embedding.read),
            fields.maybe("voice", Embedding.read),
            fields.hex("apart", 64, empty=True),
        )
        if found.apart and (found.face or found.voice):
            raise DocumentError("is not sound: it holds embeddings and says that they are kept apart")
        return found

    def to_json(self) -> Json:
        """As `read` takes it."""
        return {
            "files": [one.to_json() for one in self.files],
            "face": self.face and self.face.to_json(),
            "voice": self.voice and self.voice.to_json(),
            "apart": self.apart,
        }


@dataclass(frozen=True, slots=True)
class Challenge:
    """A sentence with a fresh random code that the subject is asked to speak.

    Attributes:
        sentence: all of it, with the code spelt in words.
        code: the digits.
        issued: when it was drawn. A recording made before that cannot hold the code.
    """

    sentence: str
    code: str
    issued: dt.datetime

    @classmethod
    def read(cls, value: object) -> Challenge:
        """From JSON; raises `DocumentError`."""
        fields = Fields(value, "challenge", "sentence", "code", "issued")
        code = fields.text("code", 16)
        if not (code.isascii() and code.isdigit()):
            raise DocumentError("is not sound: “code” under “challenge” holds something else than digits")
        return cls(fields.text("sentence", SENTENCE_LETTERS), code, fields.time("issued"))

    def to_json(self) -> Json:
        """As `read` takes it."""
        return {"sentence": self.sentence, "code": self.code, "issued": spell_time(self.issued)}


@dataclass(frozen=True, slots=True)
class Evidence:
    """Something that speaks for the consent being the subject's: evidence, not proof.

    Attributes:
        kind: "spoken", a recording of the challenge's sentence.
        made: when it was checked.
        sha256: of the recording.
        sentence: what was to be said.
        code: the digits in it.
        transcript: what was heard.
        scores: named figures, written as decimal texts ("0.913"), sorted by name. Build with `spell_scores`.
        tool: what checked it, with versions.
    """

    kind: Literal["spoken"]
    made: dt.datetime
    sha256: str
    sentence: str
    code: str
    transcript: str
    scores: tuple[tuple[str, str], ...]
    tool: str

    @classmethod
    def read(cls, value: object) -> Evidence:
        """From JSON; raises `DocumentError`."""
        keys = ("kind", "made", "sha256", "sentence", "code", "transcript", "scores", "tool")
        fields = Fields(value, "evidence", *keys)
        spoken: tuple[Literal["spoken"]] = ("spoken",)
        return cls(
            fields.choice("kind", spoken),
            fields.time("made"),
            fields.hex("sha256", 64),
            fields.text("sentence", SENTENCE_LETTERS),
            fields.text("code", 16),
            fields.text("transcript", SENTENCE_LETTERS, empty=True),
            fields.figures("scores", MOST_FIGURES),
            fields.text("tool", LINE_LETTERS),
        )

    def to_json(self) -> Json:
        """As `read` takes it."""
        return {
            "kind": self.kind,
            "made": spell_time(self.made),
            "sha256": self.sha256,
            "sentence": self.sentence,
            "code": self.code,
            "transcript": self.transcript,
            "scores": dict(self.scores),
            "tool": self.tool,
        }


def spell_scores(scores: dict[str, float]) -> tuple[tuple[str, str], ...]:
    """Figures as `Evidence.scores` holds them: four decimals, sorted by name."""
    return tuple(sorted((name, f"{score:.4f}") for name, score in scores.items()))


@dataclass(frozen=True, slots=True)
class Signature:
    """An Ed25519 signature (RFC 8032) over a document's canonical form, which holds all but `value`.

    Attributes:
        key: the signer's public key, 32 bytes.
        signed: when, by the signer's clock.
        value: 64 bytes.
    """

    key: bytes
    signed: dt.datetime
    value: bytes = b""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the key: 64 hex digits, to compare by telephone."""
        return hashlib.sha256(self.key).hexdigest()

    @classmethod
    def read(cls, value: object) -> Signature:
        """From JSON; raises `DocumentError`."""
        fields = Fields(value, "signature", "algorithm", "key", "signed", "value")
        fields.choice("algorithm", ("Ed25519",))
        return cls(fields.data("key", 32, 32), fields.time("signed"), fields.data("value", 64, 64))

    def to_json(self) -> Json:
        """As `read` takes it; without a value, what is signed."""
        signed: Json = {
            "algorithm": "Ed25519",
            "key": spell_data(self.key),
            "signed": spell_time(self.signed),
        }
        return {**signed, "value": spell_data(self.value)} if self.value else signed
