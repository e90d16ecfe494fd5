"""Reads back what a file says of itself: its Content Credentials, in plain words.

Three questions are kept apart, because people run them together:

    state     was the file changed since it was signed?
    trusted   did an identity sign it that this computer's owner has chosen to trust?
    the rest  what does the signer say about it? (Nobody checked that.)

So "valid" never means "authentic", and this module has no such word.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from c2pa import C2paError, Context, Reader
from cryptography import x509

from likeness.disclosure import identity
from likeness.disclosure.containers import EMBEDDABLE, HEAD_BYTES, UNKNOWN, is_text, sidecar_of, sniff
from likeness.disclosure.statement import (
    State,
    StatedIngredient,
    Statement,
    find_anchor,
    find_failures,
    one_line,
)
from likeness.disclosure.store import hash_file, lies_elsewhere, open_context, read_sidecar, run_apart
from likeness.errors import IdentityError, MediaNotFound, Unreadable, Unsupported
from likeness.paths import config_dir

_OWN = "likeness:own"
_MAX_PEM_BYTES = 1 << 20

_FAILURES = (
    # What c2pa reports (C2PA 2.2, "Validation") → what that means. The first match for each code counts.
    ("assertion.dataHash", "The picture or sound was changed after it was signed."),
    ("assertion.bmffHash", "The picture or sound was changed after it was signed."),
    ("assertion.boxesHash", "The picture or sound was changed after it was signed."),
    ("assertion.action", "The list of what was done to it does not hold together."),
    ("assertion.", "The statement about how it was made was changed after it was signed."),
    ("claimSignature.outsideValidity", "The certificate was not valid at the time of signing."),
    ("claimSignature.", "The signature does not belong to the statement: one of them was changed."),
    ("claim.", "The statement about how it was made is damaged."),
    (
        "signingCredential.expired",
        "The signer's certificate has ended, and no time stamp shows that the signature is older.",
    ),
    ("signingCredential.invalid", "The signer's certificate may not sign Content Credentials."),
    ("signingCredential.revoked", "The signer's certificate was revoked."),
    ("ingredient.", "What it says of a file it was made from does not hold together."),
)


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found in a file. Texts are the signer's; "" where nothing is said.

    Attributes:
        path, sha256: the file, and the hash of all of it.
        has_credentials: whether any were found, sound or not.
        state: valid = unchanged since it was signed; invalid = changed, or damaged; absent = none found.
        trusted: whether the signer's authority is this computer's own or in its trust list.
        own: whether it was signed by this computer's own likeness identity.
        signer: the name in the certificate. Anyone can choose a name.
        act, engine: what was done, and by which program, as stated.
        digital_source_type: the last part of the IPTC term, such as compositeWithTrainedAlgorithmicMedia.
        ingredients: what it is said to be made from.
        rights: the maker's statement, or "not stated".
        label: what the visible label is said to read, or "none".
        training_mining: what is stated about training and mining, such as "notAllowed".
        stated_time: when it was made, as stated (UTC, ISO 8601); only a time stamp could prove it.
        manifest_id: the name of the manifest.
        sidecar: the file that held the credentials, where it was not the file itself.
        reasons: the answer in plain words, most important first.
        manifest_json: everything c2pa read, as JSON.
    """

    path: Path
    sha256: str
    has_credentials: bool
    state: State
    reasons: tuple[str, ...]
    trusted: bool = False
    own: bool = False
    signer: str = ""
    act: str = ""
    engine: str = ""
    digital_source_type: str = ""
    ingredients: tuple[StatedIngredient, ...] = ()
    rights: str = ""
    label: str = ""
    training_mining: str = ""
    stated_time: str = ""
    manifest_id: str = ""
    sidecar: Path | None = None
    manifest_json: str = ""

    @property
    def answer(self) -> str:
        """The answer in one clause."""
        if self.state == "absent":
            return "no Content Credentials found"
        if self.state == "invalid":
            return "Content Credentials found, but they do not hold"
        if self.own:
            return "Content Credentials found, signed by this computer's own likeness identity"
        known = "you chose to trust" if self.trusted else "you have not chosen to trust"
        return f"Content Credentials found, signed by an identity {known}"

    def summary(self) -> tuple[str, ...]:
        """A few lines for a person: the answer, why, and what the signer states."""
        lines = [f"{self.path.name}: {self.answer}.", *self.reasons]
        if not self.has_credentials:
            return tuple(lines)
        stated = {
            "made by": " with ".join(filter(None, (self.act, self.engine))),
            "kind": self.digital_source_type,
            "made from": ", ".join(f"{one.title} ({one.role})" for one in self.ingredients),
            "visible label": self.label,
            "rights": self.rights,
            "training and mining": self.training_mining,
            "when": self.stated_time,
        }
        lines += [f"  {name}: {text}" for name, text in stated.items() if text]
        return tuple(lines)


def verify(path: Path | str) -> Verification:
    """Reads the Content Credentials in a picture, video or sound, or in the sidecar `NAME.c2pa` beside it.

    Reads in pieces, uses no network, and changes nothing.

    Raises:
        MediaNotFound: there is no such file, or it is a folder, or may not be read.
        Unreadable: it is empty, text, or so damaged that nothing can be said of it.
        Unsupported: it is no picture, video or sound that is known here.
    """
    path = Path(path)
    kind = _kind_of(path)
    anchors, notes = _anchors()
    sha256 = hash_file(path)
    try:
        found = run_apart(lambda: _read(path, kind, open_context(anchors)))
    except C2paError as error:
        if lies_elsewhere(error):
            elsewhere = (
                "It points to Content Credentials on a server; likeness fetches nothing, so look there."
            )
            return Verification(path, sha256, False, "absent", (elsewhere, *notes))
        if str(error).startswith(("Io:", "Other: asset could not be parsed")):
            raise Unreadable(
                f"'{path.name}' is damaged ({one_line(str(error))}), so nothing can be said about it.",
                "Get the file again from where it came from.",
            ) from error
        damaged = f"The credentials are damaged and cannot be read ({one_line(str(error))})."
        return Verification(path, sha256, True, "invalid", (damaged, *notes))
    if found is None:
        absent = "That proves nothing: most files have none, and re-encoding or uploading removes them."
        return Verification(path, sha256, False, "absent", (absent, *notes))
    return _interpret(path, sha256, found, notes)


def _kind_of(path: Path) -> str:
    """The media type; raises where there is nothing to verify."""
    if path.is_dir():
        raise MediaNotFound(f"'{path}' is a folder.", "Name one file in it.")
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except FileNotFoundError as error:
        raise MediaNotFound(f"There is no file '{path}'.", "Check the path.") from error
    except OSError as error:
        raise MediaNotFound(
            f"'{path}' cannot be read: {error.strerror}.", "Check its permissions."
        ) from error
    if not head:
        raise Unreadable(f"'{path.name}' is empty.", "Get the file again from where it came from.")
    kind = sniff(head)
    if kind == UNKNOWN:
        hint = "Pictures, videos and sound can be verified."
        if is_text(head):
            raise Unreadable(f"'{path.name}' is text, whatever its name says.", hint)
        raise Unsupported(f"'{path.name}' is of no kind that is known here.", hint)
    return kind


@dataclass(frozen=True, slots=True)
class _Found:
    """What c2pa read."""

    state: str
    store: dict[str, Any]
    sidecar: Path | None


def _read(path: Path, kind: str, context: Context) -> _Found | None:
    with path.open("rb") as file:
        reader, sidecar = None, None
        if kind in EMBEDDABLE:
            reader = Reader.try_create(kind, file, None, context)
        if reader is None and (stored := read_sidecar(path)) is not None:
            file.seek(0)
            reader, sidecar = Reader(kind, file, stored, context), sidecar_of(path)
        if reader is None:
            return None
        with reader:
            return _Found(reader.get_validation_state() or "Invalid", json.loads(reader.json()), sidecar)


def _anchors() -> tuple[dict[str, bytes], tuple[str, ...]]:
    """The authorities to trust, and a sentence for each that could not be read."""
    anchors: dict[str, bytes] = {}
    notes: list[str] = []
    try:
        if (own := identity.load()) is not None:
            anchors[_OWN] = own.authority
    except IdentityError as error:
        notes.append(error.what)
    for file in sorted((config_dir() / "trust").glob("*.pem")):
        try:
            pem = file.read_bytes()[:_MAX_PEM_BYTES]
            x509.load_pem_x509_certificates(pem)
        except (OSError, ValueError) as error:
            notes.append(f"'{file.name}' in the trust list could not be read ({error}), so it was left out.")
            continue
        anchors[file.name] = pem
    return anchors, tuple(notes)


def _interpret(path: Path, sha256: str, found: _Found, notes: tuple[str, ...]) -> Verification:
    """Turns c2pa's findings into ours."""
    statement = Statement.read(found.store)
    valid = found.state in ("Valid", "Trusted")
    trusted = found.state == "Trusted"
    anchor = one_line(find_anchor(found.store)) if trusted else ""
    signer = statement.signer or "nameless"
    reasons = _why_valid(anchor, signer, found.sidecar) if valid else _why_invalid(found)
    return Verification(
        path=path,
        sha256=sha256,
        has_credentials=True,
        state="valid" if valid else "invalid",
        reasons=(*reasons, *notes),
        trusted=trusted,
        own=anchor == _OWN,
        signer=signer,
        act=statement.act,
        engine=statement.engine,
        digital_source_type=statement.digital_source_type,
        ingredients=statement.ingredients,
        rights=statement.rights,
        label=statement.label,
        training_mining=statement.training_mining,
        stated_time=statement.stated_time,
        manifest_id=statement.manifest_id,
        sidecar=found.sidecar,
        manifest_json=json.dumps(found.store, indent=1),
    )


def _why_invalid(found: _Found) -> list[str]:
    reasons = [
        next((words for start, words in _FAILURES if code.startswith(start)), f"c2pa says {one_line(code)}.")
        for code in find_failures(found.store)
    ]
    if found.sidecar:
        reasons.append(f"'{found.sidecar.name}' may also belong to another file.")
    reasons.append("What the credentials state can therefore not be relied on.")
    return list(dict.fromkeys(reasons))


def _why_valid(anchor: str, signer: str, sidecar: Path | None) -> list[str]:
    who = f"The name on the signature is '{signer}'"
    if anchor == _OWN:
        who += (
            ": it was made here, or by someone who has this computer's key. Others see an identity they have "
            "not chosen to trust."
        )
    elif anchor:
        who += f", and you chose to trust its authority ('{anchor}')."
    else:
        who += (
            ". Anyone can make an identity and name it as they like, so this does not tell who made the file."
        )
    where = f" Its credentials lie beside it, in '{sidecar.name}'." if sidecar else ""
    return [
        who,
        f"It has not been changed since.{where}",
        "What follows is the signer's word; nobody checked it.",
    ]
